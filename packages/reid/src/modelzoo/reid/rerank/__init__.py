"""k-reciprocal re-ranking (Zhong et al., CVPR 2017), sparse and a block of queries at a time.

Crops that have each other among their nearest neighbours are likely to show one person. Each crop is described by such
neighbours, and how much the descriptions of two crops differ (the Jaccard distance) is added to their distance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from modelzoo.common.errors import UsageError
from modelzoo.reid.ranking.distances import QUERY_BLOCK, distance_blocks, lengths, squared_lengths
from modelzoo.reid.rerank.encoding import averaged, encode
from modelzoo.reid.rerank.neighbours import nearest_neighbours
from modelzoo.reid.rerank.sparse import SparseRows

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Parameters:
    """What the paper calls k1, k2 and lambda, with its values.

    Args:
        k1: How many nearest others may be reciprocal neighbours.
        k2: Over how many nearest crops, itself included, the description of a crop is averaged; 1: not at all.
        share: Share of the distance of the features; the rest is that of the Jaccard distance.

    Raises:
        UsageError: One of them is out of its range.
    """

    k1: int = 20
    k2: int = 6
    share: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.k1 < 1 or self.k2 < 1 or not 0 <= self.share <= 1:
            raise UsageError(f"re-ranking takes k1 and k2 from 1 and a share of 0 to 1, not {self}")


class Reranking:
    """Distances of queries to the gallery, re-ranked; computed when they are first asked for.

    Crops of all persons and cameras take part, also those that count for no query. The features are copied once.

    Args:
        query: `(q, d) float32` features.
        gallery: `(g, d) float32` features.
        normalise: Divide the features by their length first.
        parameters: Of the method.
    """

    def __init__(
        self, query: np.ndarray, gallery: np.ndarray, normalise: bool, parameters: Parameters | None = None
    ) -> None:
        self._query, self._gallery, self._normalise = query, gallery, normalise
        self._parameters = parameters or Parameters()

    def blocks(
        self, numbers: Sequence[int] | None = None, block: int = QUERY_BLOCK
    ) -> Iterator[tuple[int, np.ndarray]]:
        """The re-ranked distances, a block of queries at a time.

        Args:
            numbers: Which queries; all of them, where nothing is said.
            block: Queries in a block.

        Yields:
            The place of the first query and its block `(<= block, g) float64`, 0..1, which is overwritten by the next
            one.
        """
        import numpy as np

        queries = np.arange(len(self._query)) if numbers is None else np.array(numbers, np.int64)
        if not len(queries):
            return
        crops, share = self._crops, self._parameters.share
        rows, gallery = (crops.points[side].astype(np.float64) for side in (queries, slice(len(self._query), None)))
        offset, scale = squared_lengths(rows), share / crops.farthest[queries]
        for start, distances in distance_blocks(rows, gallery, normalise=False, block=block):
            for i, row in enumerate(distances, start):
                jaccard = _jaccard(queries[i], crops.encoding, crops.gallery, len(gallery))
                row[:] = (row + offset[i]) * scale[i] + (1 - share) * jaccard
            yield start, distances

    @cached_property
    def _crops(self) -> _Crops:
        """What all queries share, which takes nearly all of the time."""
        points = _from_first(self._query, self._gallery, self._normalise)
        k1, k2 = self._parameters.k1, self._parameters.k2
        neighbours = nearest_neighbours(points, max(k1, k2 - 1))
        encoding = averaged(encode(points, neighbours, k1), neighbours.numbers[:, :k2])
        gallery = encoding.transposed(len(self._query), len(points))
        return _Crops(points, neighbours.farthest, encoding, gallery)


@dataclass(frozen=True)
class _Crops:
    """Queries, then gallery.

    Args:
        points: `(n, d) float32`: features, moved.
        farthest: `(n,) float32`: squared distance to the farthest crop.
        encoding: `(n, n)`: their descriptions.
        gallery: `(n, g)`: those of the gallery alone, by what they consist of.
    """

    points: np.ndarray
    farthest: np.ndarray
    encoding: SparseRows
    gallery: SparseRows


def _from_first(query: np.ndarray, gallery: np.ndarray, normalise: bool) -> np.ndarray:
    """Queries, then gallery, seen from the first: no point is farther from zero than from its farthest point.

    So rounding is small in units of the farthest distance, however small distances are beside the features.
    """
    import numpy as np

    points = np.concatenate([query, gallery])
    first = _in_double(points[:1], normalise)
    for start in range(0, len(points), QUERY_BLOCK):
        rows = slice(start, start + QUERY_BLOCK)
        points[rows] = _in_double(points[rows], normalise) - first
    return points


def _in_double(features: np.ndarray, normalise: bool) -> np.ndarray:
    """`(n, d) float64`, of length 1 where wanted."""
    import numpy as np

    features = features.astype(np.float64)
    return features / lengths(features)[:, None] if normalise else features


def _jaccard(query: int, encoding: SparseRows, gallery: SparseRows, count: int) -> np.ndarray:
    """`(g,) float64`, 0..1: one minus what two descriptions have in common divided by what they have together.

    A description sums to 1, so that two have 2 minus the common part together.
    """
    import numpy as np

    _, columns, values = encoding.of(np.array([query]))
    places, numbers, others = gallery.of(columns)
    common = np.bincount(numbers, np.minimum(values[places], others), minlength=count)
    return 1 - common / (2 - common)
