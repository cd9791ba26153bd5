"""By how much distances in single precision may be off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelzoo.reid.ranking.distances import NORM_FLOOR, floored_lengths, lengths

if TYPE_CHECKING:
    import numpy as np

ROUNDOFF = 2.0**-24
"""Unit roundoff of single precision."""

OTHER_STEPS = 8
"""At most so many roundings besides those of a sum: of a root, a quotient, two products, a difference."""

RANGE = 4
"""The whole range of -2 cosine: what is known of features that are shorter than `NORM_FLOOR`."""


class Rounding:
    """Bounds of the rounding in `distance_blocks`.

    A sum of `d` products is off by at most about `d` units of roundoff of the product of the lengths, in whatever order
    it is added (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). The floor of lengths makes the
    bounds hold where squares of tiny numbers underflow.

    Args:
        query: `(q, d) float32`.
        squares: `(g,) float32`: `squared_lengths` of the gallery.
        normalise: As for `distance_blocks`.
    """

    def __init__(self, query: np.ndarray, squares: np.ndarray, normalise: bool) -> None:
        import numpy as np

        unit = np.float32((query.shape[1] + OTHER_STEPS) * ROUNDOFF)
        gallery = floored_lengths(squares)
        self._normalise = normalise
        self._query = lengths(query)
        self._fixed = np.where(gallery > NORM_FLOOR, 4 * unit, np.float32(RANGE)) if normalise else unit * squares
        self._slope = 2 * unit * gallery

    def of(self, number: int) -> np.ndarray:
        """The largest errors of the distances of a query to the gallery.

        Args:
            number: Number of the query.

        Returns:
            `(g,) float32`.
        """
        errors: np.ndarray = self._fixed
        return errors if self._normalise else errors + self._query[number] * self._slope
