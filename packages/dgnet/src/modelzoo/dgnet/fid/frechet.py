"""The Frechet distance between two normal distributions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.dgnet.fid.statistics import Statistics


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """`|m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))`, as in Heusel et al., NeurIPS 2017 (TTUR).

    With `S1 = A A'` and `S2 = B B'` the last trace is the sum of the singular values of `A' B`. It is real and defined
    for every pair of covariances, where a square root of the matrix `S1 S2` is neither if they have no full rank.

    Args:
        a: Mean and covariance of one set of features.
        b: Those of the other set.

    Returns:
        The distance, from 0.

    Raises:
        DataError: They are of features of different lengths, or hold numbers that are too large.
    """
    import numpy as np

    if len(a.mean) != len(b.mean):
        raise DataError(f"features of {len(a.mean)} and of {len(b.mean)} numbers cannot be compared")
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            distance = _distance(a, b)
    except np.linalg.LinAlgError:  # of what is not finite, no singular values are found
        distance = math.nan
    if not math.isfinite(distance):
        raise DataError("the Frechet distance is not finite: means or covariances are too large")
    return max(0.0, distance)


def _distance(a: Statistics, b: Statistics) -> float:
    import numpy as np

    shift = a.mean - b.mean
    common = np.linalg.svdvals(_factor(a.covariance).T @ _factor(b.covariance)).sum()
    return float(shift @ shift + np.trace(a.covariance) + np.trace(b.covariance) - 2 * common)


def _factor(covariance: np.ndarray) -> np.ndarray:
    """A matrix `F` with `F F'` equal to the covariance, by its eigenvalues.

    A covariance has none below zero, and `n` pictures give at most `n - 1` above: what rounding leaves of the others is
    below the limit of `numpy.linalg.matrix_rank`, and dropped, because its square root would be seen.

    Args:
        covariance: `(d, d) float64`, symmetric.

    Returns:
        `(d, rank) float64`.
    """
    import numpy as np

    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[-1] * len(values) * np.finfo(values.dtype).eps
    factor: np.ndarray = vectors[:, kept] * np.sqrt(values[kept])
    return factor
