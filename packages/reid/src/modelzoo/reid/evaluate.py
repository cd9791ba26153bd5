"""Features in, mAP and CMC out: the evaluator of `run` and of `postprocess`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.common.work import SampleInfo
from modelzoo.reid.dataset import JUNK, Crop
from modelzoo.reid.metrics import Labels, RankingMetrics, evaluate_ranking, top_ranked

if TYPE_CHECKING:
    import numpy as np

LARGEST = 1e37
"""Squared length from which sums of squares leave the range of float32."""

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
        self._capacity = capacity
        self._features: np.ndarray | None = None
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
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            if not np.dot(feature, feature) < LARGEST:
                raise DataError(f"the feature of {info.source} is not finite, or too large to compute distances with")
        if self._features is None:
            self._features = np.empty((self._capacity, len(feature)), np.float32)
        if len(feature) != self._features.shape[1]:
            raise DataError(
                f"the feature of {info.source} has {len(feature)} numbers, others have {self._features.shape[1]}"
            )
        self._features[len(self._persons)] = feature
        self.sources.append(info.source)
        self._persons.append(info.fields["person"])
        self._cameras.append(info.fields["camera"])

    @property
    def features(self) -> np.ndarray:
        """`(n, d) float32`."""
        import numpy as np

        return np.empty((0, 0), np.float32) if self._features is None else self._features[: len(self._persons)]

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
    """

    def __init__(self, crops: Sequence[Crop], normalise: bool, max_rank: int) -> None:
        sides = ("query", "gallery")
        self._tables = {side: FeatureTable(sum(crop.split == side for crop in crops)) for side in sides}
        self._normalise = normalise
        self._max_rank = max_rank
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
        query, gallery = self._tables["query"], self._tables["gallery"]
        self.ranking = evaluate_ranking(
            query.features, gallery.features, query.labels, gallery.labels, self._normalise, self._max_rank
        )
        return to_json(self.ranking)

    def ranked(self, numbers: Sequence[int], count: int) -> list[RankedQuery]:
        """The heads of the rankings of a few queries.

        Args:
            numbers: The numbers of the queries, in the order in which they came.
            count: Length of a head.
        """
        query, gallery = self._tables["query"], self._tables["gallery"]
        persons, others = query.labels.persons, gallery.labels.persons
        heads = top_ranked(
            query.features, gallery.features, query.labels, gallery.labels, numbers, count, self._normalise
        )
        return [
            RankedQuery(query.sources[i], [gallery.sources[j] for j in head], (others[head] == persons[i]).tolist())
            for i, head in zip(numbers, heads, strict=True)
        ]


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
