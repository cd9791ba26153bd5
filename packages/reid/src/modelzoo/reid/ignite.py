"""mAP and CMC as a metric of pytorch-ignite, in place of the upstream's `R1_mAP` (utils/reid_metric.py)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelzoo.reid.features.rows import LARGEST
from modelzoo.reid.metrics import Labels, evaluate_ranking
from modelzoo.reid.ranking.distances import distance_blocks
from modelzoo.reid.rerank import Reranking

try:
    import torch
    from ignite.exceptions import NotComputableError
    from ignite.metrics import Metric
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"modelzoo.reid.ignite needs pytorch-ignite and torch ({error}): pip install './packages/reid[ignite]'",
        name=error.name,
    ) from error

FEAT_NORMS = ("yes", "no")


class R1mAP(Metric):
    """CMC curve and mAP of features that come in batches, queries before gallery.

    The arguments are those of the upstream's `R1_mAP`, which takes `max_rank` and does not use it: there the curve has
    50 ranks, here `max_rank`. With `rerank` it is `R1_mAP_reranking`. As there, junk has to be left out beforehand, and
    a process sees only its own batches.

    Args:
        num_query: How many of the rows are queries; they come first.
        max_rank: Length of the CMC curve.
        feat_norm: `yes` to divide the features by their length first, else `no`.
        rerank: Re-rank by k-reciprocal neighbours.

    Raises:
        ValueError: One of these is not possible.
    """

    required_output_keys = None

    def __init__(self, num_query: int, max_rank: int = 50, feat_norm: str = "yes", rerank: bool = False) -> None:
        if num_query < 1 or max_rank < 1:
            raise ValueError(f"num_query and max_rank count from 1, got {num_query} and {max_rank}")
        if feat_norm not in FEAT_NORMS:
            raise ValueError(f"feat_norm is {' or '.join(FEAT_NORMS)}, got {feat_norm!r}")
        super().__init__()
        self.num_query = num_query
        self.max_rank = max_rank
        self.feat_norm = feat_norm
        self.rerank = rerank

    def reset(self) -> None:
        """Forget all batches; ignite calls it at the start of an epoch."""
        self._features: list[np.ndarray] = []
        self._persons: list[np.ndarray] = []
        self._cameras: list[np.ndarray] = []

    def update(self, output: tuple[torch.Tensor, Sequence[int], Sequence[int]]) -> None:
        """Take a batch.

        Args:
            output: Features `(n, d)` of any float dtype on any device, then `(n,)` person ids and `(n,)` camera
                numbers as tensors, arrays or sequences.

        Raises:
            ValueError: The three do not fit together, or a feature is not finite or too large.
        """
        features = output[0].detach().float().cpu().numpy().copy()
        persons, cameras = (torch.as_tensor(labels, dtype=torch.int64).cpu().numpy().copy() for labels in output[1:])
        if features.ndim != 2 or not persons.shape == cameras.shape == features.shape[:1]:
            raise ValueError(
                f"a batch is features (n, d), persons (n,) and cameras (n,), "
                f"got {features.shape}, {persons.shape} and {cameras.shape}"
            )
        if not (np.einsum("nd,nd->n", features, features) < LARGEST).all():
            raise ValueError("a feature is not finite, or too large to compute distances with")
        self._features.append(features)
        self._persons.append(persons)
        self._cameras.append(cameras)

    def compute(self) -> tuple[np.ndarray, float]:
        """Rank and score; see `metrics.evaluate_ranking`.

        Returns:
            CMC `(r,) float64` and mAP, as fractions.

        Raises:
            NotComputableError: Nothing came, or no gallery behind the queries.
            DataError: No query has a match in the gallery.
        """
        rows = sum(map(len, self._features))
        if rows <= self.num_query:
            raise NotComputableError(
                f"R1mAP got {rows} features of which the first {self.num_query} (num_query) are queries: "
                "the gallery is empty"
            )
        features, persons, cameras = map(np.concatenate, (self._features, self._persons, self._cameras))
        sides = slice(self.num_query), slice(self.num_query, None)
        query, gallery = (features[side] for side in sides)
        query_labels, gallery_labels = (Labels(persons[side], cameras[side]) for side in sides)
        normalise = self.feat_norm == "yes"
        if self.rerank:
            blocks = Reranking(query, gallery, normalise).blocks()
        else:
            blocks = distance_blocks(query, gallery, normalise)
        metrics = evaluate_ranking(blocks, query_labels, gallery_labels, self.max_rank)
        return metrics.cmc, metrics.mean_ap
