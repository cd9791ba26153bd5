"""Matrices of which most elements are zero, as rows of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class SparseRows:
    """Rows of a matrix, one behind the other without their zeros.

    Args:
        starts: `(n + 1,) int64`: where each row begins, and where the last one ends.
        columns: `(m,) int64`.
        values: `(m,) float64`.
    """

    starts: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    @classmethod
    def of_sorted(cls, rows: np.ndarray, columns: np.ndarray, values: np.ndarray, count: int) -> SparseRows:
        """Make it of elements in the order of their rows.

        Args:
            rows: `(m,) int64`, ascending.
            columns: `(m,) int64`.
            values: `(m,) float64`.
            count: How many rows there are.
        """
        import numpy as np

        return cls(np.searchsorted(rows, np.arange(count + 1)), columns, values)

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The elements of a few rows.

        Args:
            rows: `(r,) int64`: which; one may stand there twice.

        Returns:
            For each element the place of its row in `rows`, its column, and its value, in the order of `rows`.
        """
        import numpy as np

        counts = self.starts[rows + 1] - self.starts[rows]
        places = np.repeat(np.arange(len(rows)), counts)
        elements = np.arange(len(places)) + np.repeat(self.starts[rows] - np.cumsum(counts) + counts, counts)
        return places, self.columns[elements], self.values[elements]

    def transposed(self, first: int, width: int) -> SparseRows:
        """The columns of the rows from a number on.

        Args:
            first: The first row that counts; it is number 0 of the result.
            width: How many columns there are.
        """
        import numpy as np

        rows, columns, values = self.of(np.arange(first, len(self.starts) - 1))
        order = np.argsort(columns, kind="stable")
        return SparseRows.of_sorted(columns[order], rows[order], values[order], width)
