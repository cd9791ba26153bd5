"""Mean average precision and CMC of a ranking, exact and in bounded memory (Zheng et al., ICCV 2015).

For every query the gallery crops of the same person and the same camera are left out. A crop of another person at
exactly the distance of a match ranks before it, so that features which are all equal do not look perfect. Queries
without a match are counted and left out of the averages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError

if TYPE_CHECKING:
    import numpy as np

FEW_NEAR = 0.05
"""Where a smaller share of the gallery is nearer than the last match, sorting it is faster than counting."""

MANY_MATCHES = 60
"""Where a query has more matches, sorting is faster than counting for each of them what is nearer."""


@dataclass(frozen=True)
class Labels:
    """Who is on each crop, and which camera took it.

    Args:
        persons: `(n,) int`.
        cameras: `(n,) int`.
    """

    persons: np.ndarray
    cameras: np.ndarray


@dataclass(frozen=True)
class RankingMetrics:
    """How good a ranking is.

    Args:
        mean_ap: Mean over the counted queries of the average precision, 0..1.
        cmc: `(r,) float64`: share of the counted queries with a match among the first 1, 2, ... r; r is `max_rank`, or
            the length of the longest ranking where that is shorter.
        queries: How many queries there are.
        unmatched: How many of them have no match in the gallery and are not counted.
        gallery: How many gallery crops there are.
        first_ranks: `(c,) int`: the rank of each counted query's first match, from 1.
        counted: `(c,) int`: the numbers of the counted queries, ascending.
        precisions: `(c,) float64`: average precision of each of them, 0..1.
    """

    mean_ap: float
    cmc: np.ndarray
    queries: int
    unmatched: int
    gallery: int
    first_ranks: np.ndarray
    counted: np.ndarray
    precisions: np.ndarray

    def at_rank(self, rank: int) -> float:
        """Share of the counted queries with a match up to this rank, however long the CMC curve is."""
        return float((self.first_ranks <= rank).mean())


def evaluate_ranking(
    blocks: Iterable[tuple[int, np.ndarray]], query_labels: Labels, gallery_labels: Labels, max_rank: int = 50
) -> RankingMetrics:
    """Rank the gallery for every query by distance, and score the ranking.

    Args:
        blocks: The distances of all queries, as of `distance_blocks`: the number of the first query of a block, and
            `(b, g)` in single or double precision, which is overwritten. Junk is left out of the gallery beforehand.
        query_labels: Labels of the queries.
        gallery_labels: Labels of the gallery.
        max_rank: Length of the CMC curve.

    Raises:
        DataError: The gallery is empty, or no query has a match in it.
    """
    ranker = _Ranker(query_labels, gallery_labels)
    if not ranker.gallery:
        raise DataError("the gallery is empty")
    for start, distances in blocks:
        for i, row in enumerate(distances, start):
            ranker.add(i, row)
    return ranker.metrics(max_rank)


def top_ranked(
    blocks: Iterable[tuple[int, np.ndarray]],
    query_labels: Labels,
    gallery_labels: Labels,
    numbers: Sequence[int],
    count: int,
) -> list[np.ndarray]:
    """The heads of the rankings of a few queries.

    Args:
        blocks: The distances of these queries alone, in the order of `numbers`, as for `evaluate_ranking`.
        query_labels: Labels of all queries.
        gallery_labels: Labels of the gallery.
        numbers: The numbers of the queries.
        count: Length of a head.

    Returns:
        For each query `(<= count,) int`: the numbers of the nearest gallery crops that count for it, nearest first.
    """
    import numpy as np

    heads = []
    for start, distances in blocks:
        for number, row in zip(numbers[start:], distances, strict=False):
            same_person = gallery_labels.persons == query_labels.persons[number]
            left_out = same_person & (gallery_labels.cameras == query_labels.cameras[number])
            order = np.lexsort((same_person, row))
            heads.append(order[~left_out[order]][:count])
    return heads


class _Ranker:
    """Scores one query at a time."""

    def __init__(self, query_labels: Labels, gallery_labels: Labels) -> None:
        import numpy as np

        self.gallery = len(gallery_labels.persons)
        self._query_labels = query_labels
        self._cameras = gallery_labels.cameras
        self._order = np.argsort(gallery_labels.persons, kind="stable")
        ordered = gallery_labels.persons[self._order]
        self._starts = np.searchsorted(ordered, query_labels.persons, side="left")
        self._ends = np.searchsorted(ordered, query_labels.persons, side="right")
        self._counted: list[int] = []
        self._precisions: list[float] = []
        self._first_ranks: list[int] = []
        self._longest = 0

    def add(self, query: int, distances: np.ndarray) -> None:
        """Score a query.

        Args:
            query: Its number.
            distances: `(g,)` in single or double precision; overwritten.
        """
        import numpy as np

        same_person = self._order[self._starts[query] : self._ends[query]]
        same_camera = self._cameras[same_person] == self._query_labels.cameras[query]
        matches = same_person[~same_camera]
        if not len(matches):
            return
        wanted = np.sort(distances[matches])
        distances[same_person] = np.inf
        ranks = _count_nearer(distances, wanted) + np.arange(1, len(wanted) + 1)
        self._counted.append(query)
        self._precisions.append(float(np.mean(np.arange(1, len(wanted) + 1) / ranks)))
        self._first_ranks.append(int(ranks[0]))
        self._longest = max(self._longest, self.gallery - int(np.count_nonzero(same_camera)))

    def metrics(self, max_rank: int) -> RankingMetrics:
        """Average what was added."""
        import numpy as np

        queries, counted = len(self._query_labels.persons), len(self._precisions)
        if not counted:
            raise DataError(
                f"none of the {queries} queries has a match: the same person from another camera in the gallery",
                "check that the query and the gallery folder belong together",
            )
        length = min(max_rank, self._longest)
        first_ranks = np.array(self._first_ranks)
        first = np.bincount(first_ranks - 1, minlength=length)
        cmc = np.cumsum(first[:length]) / counted
        mean_ap = float(np.mean(self._precisions))
        each = np.array(self._counted), np.array(self._precisions)
        return RankingMetrics(mean_ap, cmc, queries, queries - counted, self.gallery, first_ranks, *each)


def _count_nearer(others: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For each wanted distance, how many others are as near or nearer.

    Args:
        others: `(g,)` in single or double precision, with infinity where a crop is left out.
        wanted: `(m,)` of the same type, ascending.

    Returns:
        `(m,) int`.
    """
    import numpy as np

    near = others <= wanted[-1]
    if len(wanted) > MANY_MATCHES or np.count_nonzero(near) < FEW_NEAR * len(others):
        return np.searchsorted(np.sort(others[near]), wanted, side="right")
    return np.array([np.count_nonzero(others <= distance) for distance in wanted])
