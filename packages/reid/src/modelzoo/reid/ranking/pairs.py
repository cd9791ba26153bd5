"""Distances of single pairs of features, in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Metric = Literal["cosine", "euclidean"]

METRICS: tuple[Metric, ...] = ("cosine", "euclidean")

SMALLEST = 1e-30
"""Takes the place of smaller products of lengths, so that a feature of zeros has the cosine 0 with every other."""


def paired_distances(a: np.ndarray, b: np.ndarray, metric: Metric) -> np.ndarray:
    """The distance of every feature to its partner; equal pairs have equal distances, wherever they stand.

    Args:
        a: `(n, d) float32`, or `(d,)` for one partner of all.
        b: `(n, d) float32`.
        metric: `cosine`: 1 - cosine, 0..2; `euclidean`: of the features as they are.

    Returns:
        `(n,) float64`.

    >>> import numpy as np
    >>> a, b = np.array([3, 4], np.float32), np.array([[3, 4], [-4, 3], [-6, -8]], np.float32)
    >>> paired_distances(a, b, "cosine").tolist(), paired_distances(a, b, "euclidean").round(3).tolist()
    ([0.0, 1.0, 2.0], [0.0, 7.071, 15.0])
    """
    import numpy as np

    a, b = a.astype(np.float64), b.astype(np.float64)
    distances: np.ndarray
    if metric == "euclidean":
        difference = a - b
        distances = np.sqrt(np.vecdot(difference, difference))
    else:
        lengths = np.sqrt(np.vecdot(a, a) * np.vecdot(b, b))
        distances = np.maximum(1 - np.vecdot(a, b) / np.maximum(lengths, SMALLEST), 0)
    return distances
