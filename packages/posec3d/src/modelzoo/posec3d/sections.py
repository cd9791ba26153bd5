"""What the report of a run shows of the evaluation: confusion matrix, accuracy of every action, certainty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modelzoo.common.report.charts import histograms
from modelzoo.common.report.figures import Figure, Section
from modelzoo.posec3d.confusion import confusion_figure
from modelzoo.posec3d.evaluate import ActionEvaluator
from modelzoo.posec3d.metrics import label_ranks

if TYPE_CHECKING:
    import numpy as np

LABELS = {
    "top1_acc": ("Top-1", ".2%"),
    "top5_acc": ("Top-5", ".2%"),
    "mean_class_accuracy": ("Mean over the actions", ".2%"),
    "samples": ("Recordings", ","),
    "classes": ("Actions that the network tells apart", ","),
}
"""Names and formats of the metrics."""

PROTOCOL = (
    "A recording is right in top-k where fewer than k actions are more probable than its own, or as probable with a "
    "lower number. The probabilities are the mean over ten samplings of its frames and their mirror images."
)

TABLE = "Every action"


def action_sections(evaluator: ActionEvaluator, metrics: dict[str, Any], names: Sequence[str]) -> list[Section]:
    """Pictures and tables of a finished evaluation.

    Args:
        evaluator: What was evaluated.
        metrics: Its result.
        names: What the actions are called.
    """
    ranks = label_ranks(evaluator.probabilities, evaluator.labels)
    return [
        Section("Actions taken for others", [confusion_figure("Confusion", names, metrics["confusion"])], PROTOCOL),
        Section(TABLE, [action_table(metrics, evaluator.labels, ranks, names)]),
        Section("How certain the network is", [_certainty(evaluator, ranks)]),
    ]


def action_table(metrics: dict[str, Any], labels: np.ndarray, ranks: np.ndarray, names: Sequence[str]) -> Figure:
    """Top-1 and top-5 of every action that has recordings, and what it is most often taken for.

    Args:
        metrics: See `ActionEvaluator.result`.
        labels: `(samples,) int64`.
        ranks: See `metrics.label_ranks`.
        names: What the actions are called.
    """
    rows = []
    for label, counts in enumerate(metrics["confusion"]):
        if sum(counts):
            share = metrics["class_accuracy"][label]
            top5 = float((ranks[labels == label] < 5).mean())
            shares = (f"{share:.1%}", f"{top5:.1%}")
            rows.append((names[label], str(sum(counts)), *shares, _mistaken(label, counts, names)))
    return Figure("", ("action", "recordings", "top-1", "top-5", "most often taken for"), rows)


def _mistaken(label: int, counts: Sequence[int], names: Sequence[str]) -> str:
    others = [(count, -other) for other, count in enumerate(counts) if count and other != label]
    if not others:
        return "–"
    count, other = max(others)
    return f"{names[-other]} ({count})"


def _certainty(evaluator: ActionEvaluator, ranks: np.ndarray) -> Figure:
    """The probabilities of the first answers, of right ones and of wrong ones."""
    best = evaluator.probabilities.max(axis=1)
    sets = {"right": best[ranks == 0].tolist(), "wrong": best[ranks > 0].tolist()}
    shown = {name: values for name, values in sets.items() if values}
    return histograms("Probability of the first answer", "probability", shown)
