"""Cross-view rank-k accuracy of gait features, exact and in bounded memory (Chao et al., AAAI 2019, section 4).

For every walking condition, probe view and gallery view: how many of the probe sequences have a sequence of their
subject among the k nearest of the gallery. A gallery sequence of another subject at exactly the distance of the nearest
one of the own subject ranks before it, so that features which are all equal do not look perfect.

Two means over these cells are published: with the identical view included (of all cells), and excluded (for every probe
view of the cells of the other gallery views, then of the probe views).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CONDITIONS = {"NM": ("nm-05", "nm-06"), "BG": ("bg-01", "bg-02"), "CL": ("cl-01", "cl-02")}
"""The probe sequences of each walking condition: normal, with a bag, in a coat."""

GALLERY = ("nm-01", "nm-02", "nm-03", "nm-04")
"""The sequences that probes are compared with."""

VIEWS = ("000", "018", "036", "054", "072", "090", "108", "126", "144", "162", "180")
"""The views of CASIA-B, in degrees."""

RANKS = 5
"""Rank-1 to rank-5 are computed."""

PROBE_BLOCK = 1100
"""Probes that are compared at a time: one condition of CASIA-B. Smaller products of matrices are slower."""


@dataclass(frozen=True)
class Labels:
    """Whose walk every sequence shows, how the subject walked, and from where it was seen.

    Args:
        subjects: One per sequence, such as `075`.
        conditions: One per sequence, such as `nm-01`.
        views: One per sequence, such as `090`.
    """

    subjects: Sequence[str]
    conditions: Sequence[str]
    views: Sequence[str]


@dataclass(frozen=True)
class CrossView:
    """Rank-k accuracy of every probe view against every gallery view; conditions are in the order of `CONDITIONS`.

    Args:
        views: The v views, ascending: those of CASIA-B, or those of the data where they have others.
        cells: `(3, v, v, 5) float64`, by condition, probe view, gallery view and k - 1: probes with their subject among
            the k nearest, per cent, rounded to two decimals. NaN where there is no probe, or where the gallery holds
            less than k sequences.
        probes: `(3, v) int`: probe sequences.
        gallery: `(v,) int`: gallery sequences.
        unmatched: Pairs of a probe and a gallery view that has no sequence of the probe's subject; they count as wrong.
    """

    views: tuple[str, ...]
    cells: np.ndarray
    probes: np.ndarray
    gallery: np.ndarray
    unmatched: int

    def included(self) -> np.ndarray:
        """Mean of all cells that exist, `(3, 5) float64`, per cent; NaN where none does."""
        return _mean(self.cells, (1, 2))

    def excluded(self) -> np.ndarray:
        """Mean without identical views, `(3, 5) float64`, per cent; NaN where there is none."""
        return _mean(self.by_probe_view(), (1,))

    def by_probe_view(self) -> np.ndarray:
        """Mean of every probe view without the identical gallery view, `(3, v, 5) float64`, per cent, or NaN."""
        import numpy as np

        identical = np.eye(len(self.views), dtype=bool)[:, :, None]
        return _mean(np.where(identical, np.nan, self.cells), (2,))


def cross_view(features: np.ndarray, labels: Labels) -> CrossView:
    """Compare every probe with the gallery of every view, by Euclidean distance.

    Args:
        features: `(n, d) float32`, finite.
        labels: Of the same sequences, in any order; those that are neither probe nor gallery are left out.
    """
    import numpy as np

    names = views_of(labels.views)
    conditions, views = np.array(labels.conditions, str), np.searchsorted(names, labels.views)
    subjects = np.unique(np.array(labels.subjects, str), return_inverse=True)[1]
    order = np.lexsort((conditions, subjects, views))  # rounding must not depend on who came first
    gallery = order[np.isin(conditions[order], GALLERY)]
    probes, condition_numbers = _probes(conditions, order)
    sizes = np.bincount(views[gallery], minlength=len(names))
    nearest = _Gallery(features[gallery], subjects[gallery], np.cumsum([0, *sizes]))
    ranks = np.zeros((len(probes), len(names)), int)
    for start in range(0, len(probes), PROBE_BLOCK):
        block = probes[start : start + PROBE_BLOCK]
        ranks[start : start + PROBE_BLOCK] = nearest.first_ranks(features[block], subjects[block])
    groups = condition_numbers, views[probes]
    counts = np.zeros((len(CONDITIONS), len(names)), int)
    np.add.at(counts, groups, 1)
    cells = _cells(ranks, groups, counts, sizes)
    unmatched = int(np.count_nonzero((ranks > sizes) & (sizes > 0)))
    return CrossView(names, cells, counts, sizes, unmatched)


def views_of(views: Iterable[str]) -> tuple[str, ...]:
    """The views of a table: all of CASIA-B, or those of the data where they have others.

    >>> len(views_of(["090", "000"])), views_of(["270", "090"])
    (11, ('090', '270'))
    """
    here = set(views)
    return VIEWS if here <= set(VIEWS) else tuple(sorted(here))


class _Gallery:
    """What probes are compared with.

    Args:
        features: `(g, d) float32`, view after view.
        subjects: `(g,) int`.
        bounds: `(v + 1,) int`: where each view begins, and the end.
    """

    def __init__(self, features: np.ndarray, subjects: np.ndarray, bounds: np.ndarray) -> None:
        import numpy as np

        self._features = features
        self._lengths = np.einsum("gd,gd->g", features, features)
        self._subjects = subjects
        self._bounds = bounds

    def first_ranks(self, features: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        """The rank of the nearest sequence of the own subject, in the gallery of every view.

        Args:
            features: `(p, d) float32`: probes.
            subjects: `(p,) int`: theirs.

        Returns:
            `(p, v) int`, from 1; one more than the gallery has sequences where none is of the subject.
        """
        import numpy as np

        distances = features @ self._features.T  # squared, and without the length of the probe, which ranks nothing
        distances *= -2
        distances += self._lengths
        same = subjects[:, None] == self._subjects
        views = [slice(*ends) for ends in pairwise(self._bounds)]
        return np.stack([1 + _as_near_as_own(distances[:, view], same[:, view]) for view in views], axis=1)


def _as_near_as_own(distances: np.ndarray, same: np.ndarray) -> np.ndarray:
    """How many sequences of others are as near as the nearest of the own subject, or nearer.

    Args:
        distances: `(p, g) float32`.
        same: `(p, g) bool`: whose subject is that of the probe.

    Returns:
        `(p,) int`.
    """
    import numpy as np

    own = np.where(same, distances, np.inf).min(axis=1, initial=np.inf)
    count: np.ndarray = np.count_nonzero((distances <= own[:, None]) & ~same, axis=1)
    return count


def _probes(conditions: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sequences of `order` that are probes, condition after condition, and the number of each one's condition."""
    import numpy as np

    groups = [order[np.isin(conditions[order], sequences)] for sequences in CONDITIONS.values()]
    return np.concatenate(groups), np.repeat(np.arange(len(groups)), [len(group) for group in groups])


def _cells(
    ranks: np.ndarray, groups: tuple[np.ndarray, np.ndarray], probes: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """The share of the probes of each condition and view whose rank is at most k.

    Args:
        ranks: `(p, v) int`, see `_Gallery.first_ranks`.
        groups: Condition and view of every probe, each `(p,) int`.
        probes: `(3, v) int`: how many there are.
        sizes: `(v,) int`: how many gallery sequences there are.

    Returns:
        See `CrossView.cells`.
    """
    import numpy as np

    steps = np.arange(1, RANKS + 1)
    hits = np.zeros((*probes.shape, len(sizes), RANKS), int)
    np.add.at(hits, groups, ranks[:, :, None] <= steps)
    with np.errstate(invalid="ignore"):
        cells = np.round(hits * 100 / probes[:, :, None, None], 2)
    return np.where(sizes[:, None] >= steps, cells, np.nan)


def _mean(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The mean over some axes of what is not NaN; NaN where nothing is."""
    import numpy as np

    exists = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.where(exists, values, 0).sum(axes) / exists.sum(axes)
    return mean
