"""Comparison by hand-made sessions: which stage fails, by which gate, and what the table says."""

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from modelzoo.common.spec import Gate, TensorSpec
from modelzoo.common.verify import Stage, compare, run_all, table, verify

GATE = Gate(max_rel=1e-3, min_cosine=0.999, metric=0.01)
WANT = np.array([[3.0, 4.0], [0.0, -5.0]], np.float32)


@dataclass
class Doubler:
    """Doubles its input; fixed to a batch if told so."""

    batch: int | None = None
    sizes: list[int] = field(default_factory=list)
    backend = "stub"
    identity = None

    @property
    def inputs(self):
        return (TensorSpec("x", "float32", (self.batch or "N", 2)),)

    outputs = (TensorSpec("y", "float32", ("N", 2)),)

    def run(self, *inputs):
        self.sizes.append(len(inputs[0]))
        return (2 * inputs[0],)


def stage(name, outputs, gate=GATE, session=None):
    return Stage(name, lambda: [outputs], gate, session)


def test_differences_are_those_computed_by_hand():
    got = np.array([[3.0, 4.5], [0.0, -5.0]], np.float32)
    row = compare("onnx", "feature", WANT, got, GATE)
    assert row.max_abs == pytest.approx(0.5)
    assert row.max_rel == pytest.approx(0.1)
    assert row.cosine == pytest.approx((9 + 18) / (5 * np.sqrt(9 + 20.25)))
    assert not row.passed


def test_cosine_alone_is_no_gate():
    """A feature of double length points in the same direction and is still wrong."""
    row = compare("onnx", "feature", WANT, 2 * WANT, GATE)
    assert row.cosine == pytest.approx(1.0)
    assert not row.passed


@pytest.mark.parametrize(
    "got",
    [np.full_like(WANT, np.nan), np.where(WANT == 3, np.inf, WANT), WANT[:1], WANT.T[:, :1]],
    ids=["nan", "infinity", "fewer samples", "other shape"],
)
def test_what_cannot_be_compared_fails(got):
    assert not compare("onnx", "feature", WANT, got, Gate(1e9, -1.0, 1e9)).passed


@pytest.mark.parametrize("got", [np.full_like(WANT, np.nan), WANT[:1]], ids=["nan", "fewer samples"])
def test_json_has_null_for_what_is_not_finite(got):
    reference, candidate = (stage(name, array, session=lambda: None) for name, array in (("torch", WANT), ("om", got)))
    result = verify(reference, [candidate], ["feature"], metric=lambda session: {"mAP": np.float64("nan")})
    content = json.loads(json.dumps(result.content(), allow_nan=False))
    row = {"stage": "om", "output": "feature", "max_abs": None, "max_rel": None, "cosine": -1.0, "passed": False}
    assert content["comparisons"] == [row]
    assert content["metrics"] == {"torch": {"mAP": None}, "om": {"mAP": None}}


def test_the_first_stage_that_fails_is_named_and_the_rest_is_compared_all_the_same():
    stages = [stage("onnx", WANT), stage("simplified", WANT + 1), stage("uint8", WANT * 3)]
    result = verify(stage("torch", WANT), stages, ["feature"])
    assert result.failed is not None
    assert result.failed.startswith("simplified: feature")
    assert [row.stage for row in result.comparisons] == ["onnx", "simplified", "uint8"]
    assert [row.passed for row in result.comparisons] == [True, False, False]
    assert [line.split()[-1] for line in table(result)[1:]] == ["passed", "FAILED", "FAILED"]


def test_a_metric_that_falls_fails_although_the_tensors_agree():
    metrics = {"torch": 0.80, "onnx": 0.795, "om": 0.20}
    reference, *stages = (stage(name, WANT, session=lambda name=name: name) for name in metrics)
    result = verify(reference, stages, ["feature"], metric=lambda name: {"mAP": metrics[name]})
    assert result.metrics == {name: {"mAP": value} for name, value in metrics.items()}
    assert result.failed == "om: mAP is 0.2000, with the checkpoint it is 0.8000"


def test_a_metric_that_is_no_number_fails():
    metrics = {"torch": 0.80, "onnx": float("nan")}
    reference, candidate = (stage(name, WANT, session=lambda name=name: name) for name in metrics)
    assert verify(reference, [candidate], ["feature"], metric=lambda name: {"mAP": metrics[name]}).failed


@pytest.mark.parametrize(("batch", "sizes"), [(None, [5]), (2, [2, 2, 2])])
def test_samples_are_run_in_the_batches_that_the_model_takes(batch, sizes):
    session = Doubler(batch)
    inputs = np.arange(10, dtype=np.float32).reshape(5, 2)
    assert np.array_equal(run_all(session, [inputs])[0], 2 * inputs)
    assert session.sizes == sizes
