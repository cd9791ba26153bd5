"""How well a distance tells whether two crops show the same person: pairs, thresholds, error rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.reid.metrics import Labels
from modelzoo.reid.ranking.pairs import Metric, paired_distances

if TYPE_CHECKING:
    import numpy as np

MOST_PAIRS = 200_000
"""Pairs of each kind that are looked at; with so many, one in a thousand is 200 pairs."""

SEED = 0
PAIRS = 32
"""Pairs computed at a time: their features stay in the processor's cache."""

CAMERAS = 2**31
"""Room for the number of a camera, which has 9 digits, beside that of a person in one 64-bit number."""

DIGITS = 6
"""Digits of a threshold: enough to tell pairs apart, and few enough to be typed."""

FALSE_ACCEPTS = (0.1, 0.01, 0.001)
"""Shares of pairs of different people for which thresholds are told."""


@dataclass(frozen=True, eq=False)
class PairDistances:
    """Distances of pairs of a query and a gallery crop.

    Args:
        metric: Which distance.
        same: `(s,) float64`, ascending: pairs of one person by different cameras.
        different: `(n,) float64`, ascending: pairs of different people.
        same_sampled: Whether there are more pairs of one person than these.
        different_sampled: Whether there are more pairs of different people than these.
    """

    metric: Metric
    same: np.ndarray
    different: np.ndarray
    same_sampled: bool
    different_sampled: bool


@dataclass(frozen=True)
class Threshold:
    """What a threshold accepts: pairs at most so far apart are taken for one person.

    Args:
        distance: The threshold.
        same: Share of the pairs of one person that it accepts, 0..1.
        different: Share of the pairs of different people that it accepts, 0..1.
    """

    distance: float
    same: float
    different: float


def pair_distances(
    query: np.ndarray, gallery: np.ndarray, query_labels: Labels, gallery_labels: Labels, metric: Metric
) -> PairDistances:
    """Distances of the pairs of one person by different cameras, and of pairs of different people.

    Of either kind a seeded sample is taken where there are many.

    Args:
        query: `(q, d) float32` features.
        gallery: `(g, d) float32` features; junk is left out beforehand.
        query_labels: Labels of the queries.
        gallery_labels: Labels of the gallery.
        metric: Which distance.
    """
    import numpy as np

    same, same_sampled = _same_pairs(query_labels, gallery_labels)
    different, different_sampled = _different_pairs(query_labels.persons, gallery_labels.persons)
    near, far = (np.sort(_distances(query, gallery, pairs, metric)) for pairs in (same, different))
    return PairDistances(metric, near, far, same_sampled, different_sampled)


def threshold_at(pairs: PairDistances, share: float) -> Threshold | None:
    """The largest threshold that accepts no more than a share of the pairs of different people.

    Args:
        pairs: At least one of each kind.
        share: 0..1.

    Returns:
        The threshold, rounded, and what it then accepts; None where there are too few pairs for this share.
    """
    import numpy as np

    accepted = int(share * len(pairs.different) + 1e-9)
    if accepted < len(pairs.different):  # a distance that more pairs have is too far
        accepted = int(np.searchsorted(pairs.different, pairs.different[accepted], side="left"))
    return _threshold(pairs, pairs.different[accepted - 1]) if accepted else None


def equal_error(pairs: PairDistances) -> Threshold:
    """The threshold at which pairs of different people are accepted as often as pairs of one person are refused.

    Args:
        pairs: At least one of each kind.
    """
    import numpy as np

    distances = np.unique(np.concatenate([pairs.same, pairs.different]))
    wrong = _share(pairs.different, distances)
    missed = 1 - _share(pairs.same, distances)
    return _threshold(pairs, distances[np.argmin(np.abs(wrong - missed))])


def _threshold(pairs: PairDistances, distance: float) -> Threshold:
    """What a threshold accepts when people have typed it."""
    short = float(f"{distance:.{DIGITS}g}")
    return Threshold(short, float(_share(pairs.same, short)), float(_share(pairs.different, short)))


def _share(distances: np.ndarray, thresholds: np.ndarray | float) -> np.ndarray:
    import numpy as np

    shares: np.ndarray = np.searchsorted(distances, thresholds, side="right") / len(distances)
    return shares


def _same_pairs(query: Labels, gallery: Labels) -> tuple[tuple[np.ndarray, np.ndarray], bool]:
    """Numbers of queries and gallery crops, `(s,) int` each; and whether they are a sample.

    In the gallery, sorted by person and then by camera, what a query is paired with is the range of its person without
    the range of its camera therein. Only the pairs of the sample are ever made.
    """
    import numpy as np

    keys, person = gallery.persons * CAMERAS + gallery.cameras, query.persons * CAMERAS
    order = np.argsort(keys, kind="stable")
    starts, ends = (np.searchsorted(keys[order], person + half) for half in (-CAMERAS // 2, CAMERAS // 2))
    own, own_ends = (np.searchsorted(keys[order], person + query.cameras, side) for side in ("left", "right"))
    counts = (ends - starts) - (own_ends - own)
    numbers, sampled = _numbers(int(counts.sum()))
    queries = np.searchsorted(np.cumsum(counts), numbers, side="right")
    places = (starts + counts - np.cumsum(counts))[queries] + numbers
    places += np.where(places >= own[queries], (own_ends - own)[queries], 0)
    return (queries, order[places]), sampled


def _different_pairs(query: np.ndarray, gallery: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], bool]:
    """Numbers of queries and gallery crops, `(n,) int` each; and whether they are a sample."""
    import numpy as np

    numbers, sampled = _numbers(len(query) * len(gallery))
    queries, crops = np.divmod(numbers, max(len(gallery), 1))
    apart = query[queries] != gallery[crops]
    return (queries[apart], crops[apart]), sampled


def _numbers(count: int) -> tuple[np.ndarray, bool]:
    """All numbers below `count`, or a seeded sample of them; and whether it is one."""
    import numpy as np

    if count <= MOST_PAIRS:
        return np.arange(count), False
    return np.random.default_rng(SEED).integers(0, count, MOST_PAIRS), True


def _distances(
    query: np.ndarray, gallery: np.ndarray, pairs: tuple[np.ndarray, np.ndarray], metric: Metric
) -> np.ndarray:
    import numpy as np

    queries, crops = pairs
    distances = np.empty(len(queries))
    for start in range(0, len(queries), PAIRS):
        part = slice(start, start + PAIRS)
        distances[part] = paired_distances(query[queries[part]], gallery[crops[part]], metric)
    return distances
