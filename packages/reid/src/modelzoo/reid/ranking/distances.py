"""Distances between the features of queries and gallery, a block of queries at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

QUERY_BLOCK = 256
"""Queries whose distances are held at a time: 16 MB for the Market-1501 gallery."""

NORM_FLOOR = 1e-12
"""Features shorter than this are divided by this instead of by their length."""


def distance_blocks(
    query: np.ndarray,
    gallery: np.ndarray,
    normalise: bool,
    block: int = QUERY_BLOCK,
    squares: np.ndarray | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Squared Euclidean distances, a block of queries at a time, up to a constant per query.

    The constant does not change any ranking. The gallery is neither copied nor changed.

    Args:
        query: `(q, d) float32`, or float64.
        gallery: `(g, d)` of the same type.
        normalise: Divide the features by their length first.
        block: Queries in a block.
        squares: `squared_lengths(gallery)`, where they are known.

    Yields:
        The number of the first query and its block `(<= block, g)` of this type, which is overwritten by the next one.
    """
    import numpy as np

    squares = squared_lengths(gallery) if squares is None else squares
    offset = None if normalise else squares
    scale = 1 / floored_lengths(squares) if normalise else None
    buffer = np.empty((min(block, len(query)), len(gallery)), gallery.dtype)
    for start in range(0, len(query), block):
        rows = query[start : start + block]
        if normalise:
            rows = rows / lengths(rows)[:, None]
        distances = buffer[: len(rows)]
        np.matmul(-2 * rows, gallery.T, out=distances)
        if offset is not None:
            distances += offset
        if scale is not None:
            distances *= scale
        yield start, distances


def lengths(features: np.ndarray) -> np.ndarray:
    """What features are divided by to have the length 1.

    Args:
        features: `(n, d) float32`, or float64.

    Returns:
        `(n,)` of the same type: their lengths, but at least `NORM_FLOOR`.
    """
    return floored_lengths(squared_lengths(features))


def floored_lengths(squares: np.ndarray) -> np.ndarray:
    """The same of `squared_lengths`, `(n,)`."""
    import numpy as np

    floored: np.ndarray = np.maximum(np.sqrt(squares), NORM_FLOOR)
    return floored


def squared_lengths(features: np.ndarray) -> np.ndarray:
    """Squared lengths of features, which are not copied.

    Args:
        features: `(n, d) float32`, or float64.

    Returns:
        `(n,)` of the same type.
    """
    import numpy as np

    squares: np.ndarray = np.einsum("nd,nd->n", features, features)
    return squares
