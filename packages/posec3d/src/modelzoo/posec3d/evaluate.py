"""Logits in, top-1 and top-5 out: the evaluator of `run` and of `postprocess`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.common.text import printable
from modelzoo.common.work import SampleInfo
from modelzoo.posec3d.metrics import class_accuracies, clip_average, confusion_matrix, label_ranks, top_k_accuracy
from modelzoo.posec3d.spec import CLIPS

if TYPE_CHECKING:
    import numpy as np


class ActionEvaluator:
    """Compares what the network says with the `label` in the fields of every sample.

    Args:
        classes: How many actions the network tells apart.
    """

    def __init__(self, classes: int) -> None:
        self.classes = classes
        self.infos: list[SampleInfo] = []
        self._probabilities: list[np.ndarray] = []

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the logits of one sample.

        Args:
            info: The sample, with its `label`.
            outputs: `(20, classes) float32`, a row for every clip.

        Raises:
            DataError: They have another shape or hold NaN, or there is no such class as the label.
        """
        import numpy as np

        (logits,) = outputs
        source = printable(info.source, 120)
        if logits.shape != (CLIPS, self.classes):
            raise DataError(f"the result of {source} is {logits.shape}, not ({CLIPS} clips, {self.classes} classes)")
        if not np.isfinite(logits).all():
            raise DataError(f"the result of {source} holds NaN or infinite values")
        if not 0 <= info.fields["label"] < self.classes:
            raise DataError(f"the label of {source} is {info.fields['label']}, but there are {self.classes} classes")
        self.infos.append(info)
        self._probabilities.append(clip_average(logits))

    @property
    def probabilities(self) -> np.ndarray:
        """`(samples, classes) float64`."""
        import numpy as np

        return np.array(self._probabilities).reshape(-1, self.classes)

    @property
    def labels(self) -> np.ndarray:
        """`(samples,) int64`."""
        import numpy as np

        return np.array([info.fields["label"] for info in self.infos], np.int64)

    def result(self) -> dict[str, Any]:
        """The metrics.

        Returns:
            Fractions; the keys are those of the postprocess JSON. The mean class accuracy is over the classes that
            have samples.

        Raises:
            DataError: There was no sample.
        """
        import numpy as np

        if not self.infos:
            raise DataError("there is no sample to evaluate")
        ranks = label_ranks(self.probabilities, self.labels)
        confusion = confusion_matrix(self.probabilities, self.labels)
        accuracies = class_accuracies(confusion)
        return {
            "top1_acc": top_k_accuracy(ranks, 1),
            "top5_acc": top_k_accuracy(ranks, 5),
            "mean_class_accuracy": float(np.nanmean(accuracies)),
            "samples": len(self.infos),
            "classes": self.classes,
            "class_accuracy": [None if np.isnan(share) else float(share) for share in accuracies],
            "confusion": confusion.tolist(),
        }


def metric_lines(metrics: Mapping[str, Any]) -> list[str]:
    """The lines that the published script prints."""
    lines = ["Evaluating top_k_accuracy ..."]
    return lines + [f"{key}\t{metrics[key]:.4f}" for key in ("top1_acc", "top5_acc")]
