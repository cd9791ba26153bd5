"""The nearest gallery features of every query: blocked, without sorting the gallery, ranked in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError, UsageError
from modelzoo.reid.ranking.distances import QUERY_BLOCK, distance_blocks, squared_lengths
from modelzoo.reid.ranking.pairs import METRICS, Metric, paired_distances
from modelzoo.reid.ranking.rounding import Rounding

if TYPE_CHECKING:
    import numpy as np

NOBODY = -1
"""What stands in the place of an index where there is no answer."""

BLOCK_NUMBERS = 2**25
"""Distances held at a time, 128 MB; a gallery that is larger has smaller blocks of queries."""

CANDIDATES = 64
"""Gallery features whose distances to a query are computed exactly at a time: they stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """The nearest gallery features of every query, nearest first; equally near ones in the order of the gallery.

    The order is that of the distances in double precision, so that it tells apart what `distances` no more does.

    Args:
        indices: `(q, k) int64`: numbers in the gallery; -1 where there are fewer answers.
        distances: `(q, k) float32`, ascending; infinite where there are fewer answers.
    """

    indices: np.ndarray
    distances: np.ndarray


def nearest(
    query: np.ndarray,
    gallery: np.ndarray,
    top: int = 10,
    metric: Metric = "cosine",
    threshold: float | None = None,
    own: Sequence[Sequence[int]] | None = None,
) -> Ranking:
    """Rank the gallery for every query.

    Args:
        query: `(q, d) float32`.
        gallery: `(g, d) float32`.
        top: Answers per query, at most.
        metric: `cosine`: 1 - cosine, 0..2; `euclidean`: of the features as they are.
        threshold: Largest distance of an answer.
        own: For each query the numbers of the gallery features that are left out, because they are the query itself.

    Returns:
        The ranking; `k` is the smaller one of `top` and `g`.

    Raises:
        UsageError: `top`, `metric` or `threshold` has no such value.
        DataError: Nothing can be ranked: the gallery is empty, or the features are of different lengths.
    """
    import numpy as np

    _check(query, gallery, top, metric, threshold)
    count = min(top, len(gallery))
    indices = np.full((len(query), count), NOBODY, np.int64)
    distances = np.full((len(query), count), np.inf, np.float32)
    rows = max(1, min(QUERY_BLOCK, BLOCK_NUMBERS // len(gallery)))
    normalise, squares = metric == "cosine", squared_lengths(gallery)
    rounding = Rounding(query, squares, normalise)
    for start, block in distance_blocks(query, gallery, normalise, rows, squares):
        for i, row in enumerate(block, start):
            if own and own[i]:
                row[list(own[i])] = np.inf
            near = _nearest_of(row, rounding.of(i), count)
            exact = _exact(query[i], gallery, near, metric)
            order = np.argsort(exact, kind="stable")[:count]
            told = exact[order].astype(np.float32)
            order = order[: None if threshold is None else np.count_nonzero(told <= threshold)]
            indices[i, : len(order)], distances[i, : len(order)] = near[order], told[: len(order)]
    return Ranking(indices, distances)


def _check(query: np.ndarray, gallery: np.ndarray, top: int, metric: str, threshold: float | None) -> None:
    if top < 1:
        raise UsageError(f"top is {top}; at least one answer has to be asked for")
    if metric not in METRICS:
        raise UsageError(f"there is no metric '{metric}'; known are {', '.join(METRICS)}")
    if threshold is not None and not threshold >= 0:
        raise UsageError(f"the threshold is {threshold}; distances are not below 0")
    if not len(gallery):
        raise DataError("the gallery is empty")
    if len(query) and query.shape[1] != gallery.shape[1]:
        raise DataError(
            f"features of the query have {query.shape[1]} numbers, those of the gallery {gallery.shape[1]}",
            "both have to be of one model",
        )


def _nearest_of(row: np.ndarray, errors: np.ndarray, count: int) -> np.ndarray:
    """Every gallery feature that rounding may keep from the first `count` places, ascending.

    Args:
        row: `(g,) float32` distances of one query; infinite where a feature is left out.
        errors: `(g,) float32`: by how much each of them may be off.
        count: How many places there are.

    Returns:
        `(>= count,) int`, or fewer where features are left out.
    """
    import numpy as np

    limit = np.partition(row + errors, count - 1)[count - 1]
    return np.flatnonzero((row - errors <= limit) & (row < np.inf))


def _exact(query: np.ndarray, gallery: np.ndarray, numbers: np.ndarray, metric: Metric) -> np.ndarray:
    import numpy as np

    parts = [numbers[start : start + CANDIDATES] for start in range(0, len(numbers), CANDIDATES)]
    return np.concatenate([np.empty(0), *[paired_distances(query, gallery[part], metric) for part in parts]])
