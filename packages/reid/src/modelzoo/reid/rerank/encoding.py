"""Every crop as a vector of weights of its k-reciprocal neighbours (Zhong et al., CVPR 2017, section 3).

Where the paper leaves room this is as in the upstream's `utils/re_ranking.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modelzoo.reid.rerank.neighbours import Neighbours, pair_distances
from modelzoo.reid.rerank.sparse import SparseRows

if TYPE_CHECKING:
    import numpy as np

BLOCK = 256
"""Crops that are looked at together: a row of as many numbers as there are crops is needed for each."""


def encode(points: np.ndarray, neighbours: Neighbours, k1: int) -> SparseRows:
    """Weigh the k-reciprocal neighbours of every crop, and theirs, by their distance.

    Args:
        points: `(n, d) float32`: the features.
        neighbours: At least `k1 + 1` of each crop, itself included.
        k1: How many nearest others may be reciprocal neighbours.

    Returns:
        `(n, n)`: `exp(-d)` of the neighbours, d in units of the farthest distance, divided by the row's sum.
    """
    import numpy as np

    parts = []
    for rows, columns in _reciprocal_neighbours(neighbours.numbers, k1):
        distances = _distances(points, neighbours, rows, columns)
        weights = np.exp(-distances / neighbours.farthest[rows])
        parts.append((rows, columns, weights / np.bincount(rows, weights)[rows]))
    return _joined(parts, len(points))


def averaged(encoding: SparseRows, nearest: np.ndarray) -> SparseRows:
    """The mean over the nearest crops of each crop (local query expansion).

    Args:
        encoding: `(n, n)`.
        nearest: `(n, k2) int64`: the crop itself and others.
    """
    import numpy as np

    count, k2 = nearest.shape
    parts = []
    for rows in _blocks(count):
        places, columns, values = encoding.of(nearest[rows].ravel())
        elements, owners = np.unique((places // k2 + rows.start) * count + columns, return_inverse=True)
        parts.append((*np.divmod(elements, count), np.bincount(owners, values) / k2))
    return _joined(parts, count)


def _reciprocal_neighbours(numbers: np.ndarray, k1: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The set R* of the paper: reciprocal neighbours, and theirs where most of them are common.

    Most are more than two thirds, as in the upstream; the paper says at least.

    Args:
        numbers: `(n, >= k1 + 1) int64`: neighbours, nearest first; fewer columns where there are fewer crops.
        k1: As of `encode`.

    Yields:
        For each block of crops, pairs of a crop and one of its neighbours, sorted: `(m,) int64` and `(m,) int64`.
    """
    import numpy as np

    wide, half = numbers[:, : k1 + 1], numbers[:, : round(k1 / 2) + 1]
    reciprocal = np.where(_mutual(wide), wide, np.arange(len(wide))[:, None])  # a crop is its own reciprocal neighbour
    mutual_half = _mutual(half)
    sizes = mutual_half.sum(axis=1)
    for rows in _blocks(len(numbers)):
        candidates = reciprocal[rows]
        members = np.zeros((len(candidates), len(numbers)), bool)
        owners = np.arange(len(candidates))[:, None]
        members[owners, candidates] = True
        theirs, mutual = half[candidates], mutual_half[candidates]
        common = (members[owners[:, :, None], theirs] & mutual).sum(axis=2)
        added = mutual & (3 * common > 2 * sizes[candidates])[:, :, None]
        members[np.nonzero(added)[0], theirs[added]] = True
        owner, columns = np.divmod(np.flatnonzero(members), len(numbers))
        yield owner + rows.start, columns


def _mutual(numbers: np.ndarray) -> np.ndarray:
    """`(n, k) bool`: whether a crop is among the `(n, k) int64` neighbours of its neighbour."""
    import numpy as np

    own = np.arange(len(numbers))[:, None]
    return np.stack([(numbers[neighbour] == own).any(axis=1) for neighbour in numbers.T], axis=1)


def _distances(points: np.ndarray, neighbours: Neighbours, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """`(m,) float32`: squared distances of pairs, of which most are those of neighbours."""
    import numpy as np

    first, last = rows[0], rows[-1] + 1
    known = np.full((last - first, len(points)), np.nan, np.float32)
    known[np.arange(last - first)[:, None], neighbours.numbers[first:last]] = neighbours.distances[first:last]
    distances: np.ndarray = known[rows - first, columns]
    unknown = np.isnan(distances)
    distances[unknown] = pair_distances(points, rows[unknown], columns[unknown])
    return distances


def _joined(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], count: int) -> SparseRows:
    import numpy as np

    rows, columns, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return SparseRows.of_sorted(rows, columns, values, count)


def _blocks(count: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
