"""The evaluator: its keys, the guide's lines, and results that are none."""

import json
import math

import numpy as np
import pytest

from modelzoo.common.errors import DataError
from modelzoo.common.work import SampleInfo
from modelzoo.posec3d.evaluate import ActionEvaluator, metric_lines


def sure_of(answer: int, classes: int = 6) -> np.ndarray:
    """Logits of a sample that are highest for one class; of the others, those with a lower number are higher."""
    row = np.linspace(1, 0, classes, dtype=np.float32)
    row[answer] = 2
    return np.tile(row, (20, 1))


def sample(label: int, name: str = "clip") -> SampleInfo:
    return SampleInfo("00000", name, {"label": label})


def evaluated(*answers: tuple[int, int]) -> ActionEvaluator:
    evaluator = ActionEvaluator(6)
    for label, answer in answers:
        evaluator.update(sample(label), (sure_of(answer),))
    return evaluator


def test_the_metrics() -> None:
    metrics = evaluated((0, 0), (0, 3), (1, 1), (5, 1)).result()
    assert metrics["top1_acc"] == 0.5
    assert metrics["top5_acc"] == 0.75  # 5 is the last
    assert metrics["mean_class_accuracy"] == 0.5  # of 0, 1 and 5: a half, all, none
    assert (metrics["samples"], metrics["classes"]) == (4, 6)
    assert metrics["class_accuracy"] == [0.5, 1, None, None, None, 0]
    assert metrics["confusion"][0] == [1, 0, 0, 1, 0, 0]
    assert np.sum(metrics["confusion"]) == 4
    assert json.loads(json.dumps(metrics)) == metrics


def test_the_guide_s_lines() -> None:
    lines = metric_lines({"top1_acc": 0.69216, "top5_acc": 0.91314})
    assert lines == ["Evaluating top_k_accuracy ...", "top1_acc\t0.6922", "top5_acc\t0.9131"]


def test_fewer_classes_than_five() -> None:
    evaluator = ActionEvaluator(2)
    evaluator.update(sample(1), (sure_of(0, 2),))
    assert (evaluator.result()["top1_acc"], evaluator.result()["top5_acc"]) == (0, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_result_that_is_no_number(value: float) -> None:
    logits = sure_of(1)
    logits[7, 3] = value
    with pytest.raises(DataError, match="the result of brush holds NaN or infinite values"):
        ActionEvaluator(6).update(sample(0, "brush"), (logits,))


@pytest.mark.parametrize("shape", [(20, 7), (10, 6), (40, 6), (6,)])
def test_a_result_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"the result of clip is \(.*, not \(20 clips, 6 classes\)"):
        ActionEvaluator(6).update(sample(0), (np.zeros(shape, np.float32),))


@pytest.mark.parametrize("label", [-1, 6])
def test_a_label_that_is_no_class(label: int) -> None:
    with pytest.raises(DataError, match=f"the label of clip is {label}, but there are 6 classes"):
        ActionEvaluator(6).update(sample(label), (sure_of(0),))


def test_there_is_nothing_to_evaluate() -> None:
    with pytest.raises(DataError, match="there is no sample to evaluate"):
        ActionEvaluator(6).result()
