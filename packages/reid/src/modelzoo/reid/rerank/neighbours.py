"""The nearest neighbours of every point among all points, without the matrix of their distances.

Distances are symmetric: every block of the upper triangle is computed once, and tells its rows about its columns and
its columns about its rows. Of each point only the nearest ones so far and the farthest distance are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BLOCK = 2048
"""Rows and columns of a block of distances: 17 MB."""

SPARE = 11
"""How many more neighbours are kept than are wanted, because rounding may have put them too far."""

CLOSE = 4e-6
"""Distances whose difference is smaller, in units of the farthest one, may be in the wrong order by rounding."""

PAIRS = 128
"""Pairs of points whose differences are held at a time: few enough for the cache."""

UNKNOWN = 0x7F800000_FFFFFFFF
"""The key of a neighbour that has not been found yet: infinitely far, and behind all numbers."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of n points.

    Args:
        numbers: `(n, k) int64`: every point itself, then its nearest others, nearest first; of several at one distance
            the lower number comes first.
        distances: `(n, k) float32`: squared distances to them.
        farthest: `(n,) float32`: squared distance to the farthest point of all; 1 where all are at one place.
    """

    numbers: np.ndarray
    distances: np.ndarray
    farthest: np.ndarray


def nearest_neighbours(points: np.ndarray, count: int) -> Neighbours:
    """Find the nearest others of every point.

    More than `SPARE` others whose distances differ by rounding only may be told apart by that rounding.

    Args:
        points: `(n, d) float32`; distances are rounded in units of the squared lengths, which should not be larger.
        count: How many others are wanted; all of them where there are fewer.
    """
    import numpy as np

    table = _NearestSoFar(len(points), count + SPARE)
    lengths = np.einsum("nd,nd->n", points, points)
    blocks = [slice(start, min(start + BLOCK, len(points))) for start in range(0, len(points), BLOCK)]
    for rows in blocks:
        table.start(rows, _distances(points, lengths, rows, rows))
    for i, rows in enumerate(blocks):
        for columns in blocks[i + 1 :]:
            table.update(rows, columns, _distances(points, lengths, rows, columns))
    numbers, distances = table.sorted()
    _settle(points, numbers, distances, CLOSE * table.farthest, count)
    own = np.arange(len(points))[:, None]
    return Neighbours(
        np.hstack([own, numbers[:, :count]]),
        np.hstack([np.zeros_like(own, np.float32), distances[:, :count]]),
        np.where(table.farthest > 0, table.farthest, np.float32(1)),
    )


def pair_distances(points: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Squared distances of pairs of points from their differences, which lose nothing where points are close.

    Args:
        points: `(n, d) float32`.
        first: `(m,) int`: one point of each pair.
        second: `(m,) int`: the other one.

    Returns:
        `(m,) float64`.
    """
    import numpy as np

    distances = np.empty(len(first))
    for start in range(0, len(first), PAIRS):
        pairs = slice(start, start + PAIRS)
        difference = (points[first[pairs]] - points[second[pairs]]).astype(np.float64)
        np.einsum("nd,nd->n", difference, difference, out=distances[pairs])
    return distances


class _NearestSoFar:
    """The nearest others of every point among those that it was told about.

    A neighbour is one number: the bits of its distance, which sort like the distance as it is not negative, and below
    them its own number.

    Args:
        points: How many points there are.
        count: How many neighbours are kept of each.
    """

    def __init__(self, points: int, count: int) -> None:
        import numpy as np

        self.farthest = np.zeros(points, np.float32)
        self._count = min(count, points - 1)
        self._keys = np.full((points, self._count), UNKNOWN, np.uint64)
        self._limits = np.full(points, np.inf, np.float32)

    def start(self, rows: slice, distances: np.ndarray) -> None:
        """Tell some points about each other, before anything else.

        Args:
            rows: The points.
            distances: `(b, b) float32`; overwritten.
        """
        import numpy as np

        self.farthest[rows] = distances.max(axis=1)
        np.fill_diagonal(distances, np.inf)
        if self._count < len(distances):
            self._limits[rows] = np.partition(distances, self._count - 1, axis=1)[:, self._count - 1]
        self._add_below_limit(rows, rows, distances)

    def update(self, rows: slice, columns: slice, distances: np.ndarray) -> None:
        """Tell some points about others, and the others about them.

        Args:
            rows: The points.
            columns: The others.
            distances: `(r, c) float32`.
        """
        import numpy as np

        for points, axis in ((rows, 1), (columns, 0)):
            np.maximum(self.farthest[points], distances.max(axis=axis), out=self.farthest[points])
        self._add_below_limit(rows, columns, distances)
        self._add_below_limit(columns, rows, distances, transposed=True)

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """`(n, k) int64` and `(n, k) float32`: numbers and distances of the neighbours, nearest first."""
        import numpy as np

        self._keys.sort(axis=1)
        return (self._keys & np.uint64(0xFFFFFFFF)).astype(np.int64), _distance_of(self._keys)

    def _add_below_limit(self, rows: slice, others: slice, distances: np.ndarray, transposed: bool = False) -> None:
        import numpy as np

        limits = self._limits[rows]
        found = np.flatnonzero(distances <= (limits if transposed else limits[:, None]))
        row, other = np.divmod(found, distances.shape[1])
        if transposed:
            order = np.argsort(other, kind="stable")
            found, row, other = found[order], other[order], row[order]
        self._merge(rows, row, _keys(distances.ravel()[found], other + others.start))

    def _merge(self, rows: slice, row: np.ndarray, keys: np.ndarray) -> None:
        """Keep the nearest of what is known and of new keys, which are sorted by row."""
        import numpy as np

        counts = np.bincount(row, minlength=rows.stop - rows.start)
        places = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        both = np.full((len(counts), self._count + counts.max()), UNKNOWN, np.uint64)
        both[:, : self._count] = self._keys[rows]
        both[row, self._count + places] = keys
        both.partition(self._count - 1, axis=1)
        self._keys[rows] = both[:, : self._count]
        self._limits[rows] = _distance_of(both[:, self._count - 1])


def _keys(distances: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """`(m,) uint64` from `(m,) float32` and `(m,) int64`."""
    import numpy as np

    bits = np.maximum(distances, 0).view(np.uint32).astype(np.uint64)
    keys: np.ndarray = bits << np.uint64(32) | numbers.astype(np.uint64)
    return keys


def _distance_of(keys: np.ndarray) -> np.ndarray:
    """`float32` from `uint64`."""
    import numpy as np

    distances: np.ndarray = (keys >> np.uint64(32)).astype(np.uint32).view(np.float32)
    return distances


def _distances(points: np.ndarray, lengths: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
    """`(r, c) float32`: squared distances, which rounding may make a little negative."""
    distances: np.ndarray = (-2 * points[rows]) @ points[columns].T
    distances += lengths[rows, None]
    distances += lengths[columns]
    return distances


def _settle(points: np.ndarray, numbers: np.ndarray, distances: np.ndarray, close: np.ndarray, count: int) -> None:
    """Compute the distances of rows anew whose order rounding may have changed, and sort them.

    Args:
        points: `(n, d) float32`.
        numbers: `(n, k) int64`: neighbours, nearest first; sorted in place.
        distances: `(n, k) float32`: theirs; sorted in place.
        close: `(n,) float32`: which difference of two distances is doubtful.
        count: How many neighbours are wanted.
    """
    import numpy as np

    gaps = np.diff(distances[:, : count + 1], axis=1)
    rows = np.flatnonzero((gaps < close[:, None]).any(axis=1))
    there = numbers[rows]
    exact = pair_distances(points, np.repeat(rows, there.shape[1]), there.ravel()).reshape(there.shape)
    order = np.lexsort((there, exact))
    numbers[rows] = np.take_along_axis(there, order, axis=1)
    distances[rows] = np.take_along_axis(exact, order, axis=1)
