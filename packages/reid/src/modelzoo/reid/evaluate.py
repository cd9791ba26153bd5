"""Features in, mAP and CMC out: the evaluator of `run` and of `postprocess`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelzoo.common.work import SampleInfo
from modelzoo.reid.dataset import JUNK, Crop
from modelzoo.reid.features.rows import FeatureRows
from modelzoo.reid.metrics import Labels, RankingMetrics, evaluate_ranking, top_ranked
from modelzoo.reid.ranking.distances import distance_blocks
from modelzoo.reid.ranking.pairs import Metric
from modelzoo.reid.ranking.scores import PairDistances, pair_distances
from modelzoo.reid.rerank import Reranking

if TYPE_CHECKING:
    import numpy as np

RANKS = (1, 5, 10)
"""The ranks of the CMC curve that are printed."""


@dataclass(frozen=True)
class RankedQuery:
    """A query and the head of its ranking.

    Args:
        source: The `SampleInfo.source` of the query.
        answers: Those of the gallery crops, nearest first.
        right: Whether each of them shows the person of the query.
    """

    source: str
    answers: Sequence[str]
    right: Sequence[bool]


class FeatureTable:
    """Features, labels and sources of one side, filled row by row.

    Args:
        capacity: The largest number of rows.
    """

    def __init__(self, capacity: int) -> None:
        self.sources: list[str] = []
        self._rows = FeatureRows(capacity)
        self._persons: list[int] = []
        self._cameras: list[int] = []

    def add(self, info: SampleInfo, feature: np.ndarray) -> None:
        """Add a row.

        Args:
            info: Source, person and camera.
            feature: `(d,) float32`.

        Raises:
            DataError: The feature is not finite, too large, or longer or shorter than the others.
        """
        self._rows.add(info.source, feature)
        self.sources.append(info.source)
        self._persons.append(info.fields["person"])
        self._cameras.append(info.fields["camera"])

    @property
    def features(self) -> np.ndarray:
        """`(n, d) float32`."""
        return self._rows.features

    @property
    def labels(self) -> Labels:
        """Labels of the rows."""
        import numpy as np

        return Labels(np.array(self._persons, np.int64), np.array(self._cameras, np.int64))


class RetrievalEvaluator:
    """Collects features of queries and gallery; junk must not be given.

    Args:
        crops: Everything that may come.
        normalise: Divide the features by their length first.
        max_rank: Length of the CMC curve.
        rerank: Re-rank by k-reciprocal neighbours, for which all crops are compared with each other.
    """

    def __init__(self, crops: Sequence[Crop], normalise: bool, max_rank: int, rerank: bool = False) -> None:
        sides = ("query", "gallery")
        self._tables = {side: FeatureTable(sum(crop.split == side for crop in crops)) for side in sides}
        self._normalise = normalise
        self._max_rank = max_rank
        self.rerank = rerank
        self.ranking: RankingMetrics | None = None
        """What `result` found, with more than its JSON says."""

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the feature of one crop, `(1, d) float32`.

        Raises:
            DataError: It is not finite, or has another length than the others.
        """
        self._tables[info.fields["split"]].add(info, outputs[0].ravel())

    def result(self) -> dict[str, Any]:
        """Rank, and compute mAP and CMC.

        Returns:
            Fractions; the keys are those of the postprocess JSON.

        Raises:
            DataError: No query has a match.
        """
        query, gallery = self._tables["query"].labels, self._tables["gallery"].labels
        self.ranking = evaluate_ranking(self._distances(), query, gallery, self._max_rank)
        return to_json(self.ranking) | ({"rerank": True} if self.rerank else {})

    def ranked(self, numbers: Sequence[int], count: int) -> list[RankedQuery]:
        """The heads of the rankings of a few queries.

        Args:
            numbers: The numbers of the queries, in the order in which they came.
            count: Length of a head.
        """
        query, gallery = self._tables["query"], self._tables["gallery"]
        persons, others = query.labels.persons, gallery.labels.persons
        heads = top_ranked(self._distances(numbers), query.labels, gallery.labels, numbers, count)
        return [
            RankedQuery(query.sources[i], [gallery.sources[j] for j in head], (others[head] == persons[i]).tolist())
            for i, head in zip(numbers, heads, strict=True)
        ]

    def pair_distances(self) -> PairDistances:
        """Distances of pairs; cosine ones where features are divided by their length."""
        query, gallery = self._tables["query"], self._tables["gallery"]
        metric: Metric = "cosine" if self._normalise else "euclidean"
        return pair_distances(query.features, gallery.features, query.labels, gallery.labels, metric)

    def _distances(self, numbers: Sequence[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """The distances of a few queries, or of all, to the gallery, in blocks."""
        if self.rerank:
            return self._reranking.blocks(numbers)
        query, gallery = self._tables["query"].features, self._tables["gallery"].features
        return distance_blocks(query if numbers is None else query[list(numbers)], gallery, self._normalise)

    @cached_property
    def _reranking(self) -> Reranking:
        """Made once: what all queries share takes long."""
        return Reranking(self._tables["query"].features, self._tables["gallery"].features, self._normalise)


def without_junk(crops: Sequence[Crop]) -> list[Crop]:
    """The crops that a metric uses."""
    return [crop for crop in crops if crop.person != JUNK]


def to_json(metrics: RankingMetrics) -> dict[str, Any]:
    """The metrics as JSON values."""
    return {
        "mAP": metrics.mean_ap,
        **{f"rank{rank}": metrics.at_rank(rank) for rank in RANKS},
        "cmc": metrics.cmc.tolist(),
        "queries": metrics.queries,
        "queries_without_match": metrics.unmatched,
        "gallery": metrics.gallery,
    }


def metric_lines(metrics: Mapping[str, Any]) -> list[str]:
    """The lines that the published script prints."""
    return [
        f"mAP: {metrics['mAP']:.1%}",
        *[f"CMC curve, Rank-{rank:<3}:{metrics[f'rank{rank}']:.1%}" for rank in RANKS],
    ]
