"""Features of one length in one array, added row by row or put into rows of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError

if TYPE_CHECKING:
    import numpy as np

LARGEST = 1e37
"""Squared length from which sums of squares leave the range of float32."""

BLOCK = 1024
"""Rows copied at a time, so that a copy needs no second array of the whole size."""


class FeatureRows:
    """Features of one length, added row by row.

    Args:
        capacity: The largest number of rows.
    """

    def __init__(self, capacity: int) -> None:
        self._count = 0
        self._rows = PlacedRows(capacity)

    def add(self, source: str, feature: np.ndarray) -> None:
        """Add a row.

        Args:
            source: What it is the feature of, for the message.
            feature: `(d,) float32`.

        Raises:
            DataError: The feature is not finite, too large, or longer or shorter than the others.
        """
        self._rows.put(self._count, source, feature)
        self._count += 1

    @property
    def features(self) -> np.ndarray:
        """`(n, d) float32`."""
        return self._rows.array[: self._count]


class PlacedRows:
    """Features of one length, each in the row of its number; rows may stay empty.

    Args:
        count: Number of rows.
    """

    def __init__(self, count: int) -> None:
        import numpy as np

        self.array = np.empty((0, 0), np.float32)
        self._full = np.zeros(count, bool)

    def put(self, number: int, source: str, feature: np.ndarray) -> None:
        """Put a feature into its row.

        Args:
            number: The row.
            source: What it is the feature of, for the message.
            feature: `(d,) float32`.

        Raises:
            DataError: The feature is not finite, too large, or longer or shorter than the others.
        """
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            if not np.dot(feature, feature) < LARGEST:
                raise DataError(f"the feature of {source} is not finite, or too large to compute distances with")
        self._allocate(len(feature))
        if len(feature) != self.array.shape[1]:
            raise DataError(f"the feature of {source} has {len(feature)} numbers, others have {self.array.shape[1]}")
        self.array[number] = feature
        self._full[number] = True

    def copy(self, numbers: Sequence[int], features: np.ndarray, rows: Sequence[int]) -> None:
        """Copy rows of another array of features, which are checked already, and of the same length.

        Args:
            numbers: Where they go.
            features: `(m, d) float32`.
            rows: Where they are in `features`.
        """
        self._allocate(features.shape[1])
        for start in range(0, len(numbers), BLOCK):
            part = slice(start, start + BLOCK)
            self.array[numbers[part]] = features[rows[part]]
            self._full[numbers[part]] = True

    @property
    def numbers(self) -> list[int]:
        """Which rows are full, ascending."""
        full: list[int] = self._full.nonzero()[0].tolist()
        return full

    def close_up(self) -> np.ndarray:
        """Move the full rows together, in the same memory; nothing can be put after that.

        Returns:
            `(n, d) float32`, the full rows.
        """
        numbers = self.numbers
        if len(numbers) < len(self.array):
            for row, number in enumerate(numbers):
                self.array[row] = self.array[number]
        return self.array[: len(numbers)]

    def _allocate(self, length: int) -> None:
        import numpy as np

        if not self.array.size:
            self.array = np.empty((len(self._full), length), np.float32)
