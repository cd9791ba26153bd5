"""Mean and covariance of features, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError

if TYPE_CHECKING:
    import numpy as np

BLOCK = 1024
"""Features that are collected before they are added: a product of large matrices is many times faster than of small."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """What FID keeps of a set of pictures.

    Args:
        mean: `(d,) float64`.
        covariance: `(d, d) float64`, symmetric; divided by `count - 1`.
        count: How many pictures; None where a file does not say it.
    """

    mean: np.ndarray
    covariance: np.ndarray
    count: int | None


class RunningStatistics:
    """Takes features a few at a time; memory depends on their length and not on their number.

    Blocks are merged by the sums of squares about their own means (Chan, Golub and LeVeque 1983), so that nothing is
    lost where the mean is large beside the spread.
    """

    def __init__(self) -> None:
        self._count = self._waiting = 0
        self._mean: np.ndarray | float = 0.0
        self._scatter: np.ndarray | float = 0.0
        self._block: np.ndarray | None = None

    @property
    def count(self) -> int:
        """How many features were taken."""
        return self._count + self._waiting

    def update(self, features: np.ndarray) -> None:
        """Take features.

        Args:
            features: `(n, d)`, any float dtype, finite.

        Raises:
            DataError: They are of another length than those before.
        """
        import numpy as np

        if self._block is None:
            self._block = np.empty((BLOCK, features.shape[1]))
        if features.shape[1] != self._block.shape[1]:
            raise DataError(f"a feature of {features.shape[1]} numbers after some of {self._block.shape[1]}")
        while len(features):
            part = features[: BLOCK - self._waiting]
            self._block[self._waiting : self._waiting + len(part)] = part
            self._waiting += len(part)
            features = features[len(part) :]
            if self._waiting == BLOCK:
                self._merge()

    def result(self) -> Statistics:
        """The statistics of what was taken so far.

        Raises:
            DataError: Fewer than two features were taken, which have no covariance, or their numbers are too large.
        """
        import numpy as np

        if self.count < 2:
            raise DataError(f"FID needs at least 2 pictures, got {self.count}", "one picture has no covariance")
        self._merge()
        result = Statistics(np.array(self._mean), np.divide(self._scatter, self._count - 1), self._count)
        if not np.isfinite(result.covariance).all():
            raise DataError("the covariance of the features is not finite: their numbers are too large")
        return result

    def _merge(self) -> None:
        """Add the block to mean and scatter; `result` finds out whether they are finite."""
        import numpy as np

        if self._block is None or not self._waiting:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            self._add(self._block[: self._waiting])
        self._waiting = 0

    def _add(self, rows: np.ndarray) -> None:
        """Merge rows, which are changed."""
        mean = rows.mean(axis=0)
        rows -= mean
        count, shift = self._count + len(rows), mean - self._mean
        self._scatter += rows.T @ rows
        self._scatter += (shift[:, None] * shift) * (self._count * len(rows) / count)
        self._mean += shift * (len(rows) / count)
        self._count = count
