"""`alphapose verify`: passes for the right graphs, names the first stage that is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from modelzoo.alphapose.coco import read_coco
from modelzoo.alphapose.detections import read_detections
from modelzoo.alphapose.fliptest import FlipTestSession
from modelzoo.alphapose.run import RunOptions, with_flip_test
from modelzoo.alphapose.spec import Form, Structure
from modelzoo.alphapose.verify import People, sample_crops, verify_job
from modelzoo.common.session import Session, open_session
from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]


@pytest.fixture
def export(shallow_checkpoint: Path, alphapose: Commands, tmp_path: Path) -> Callable[..., Path]:
    """Export the shallow network."""

    def write(name: str, *flags: str) -> Path:
        done = alphapose("export", "--weights", shallow_checkpoint, "--output", tmp_path / name, *flags)
        assert done.code == 0, done.err
        return tmp_path / name

    return write


def test_every_form_gives_the_answer_of_the_checkpoint(
    shallow_checkpoint: Path,
    alphapose: Commands,
    tmp_path: Path,
    export: Callable[..., Path],
    coco: Path,
    detections: Path,
) -> None:
    model = export("pixels.onnx", "--dtype", "uint8")
    words = ("--model", model, "--data", coco, "--detections", detections, "--json", tmp_path / "v.json")
    done = alphapose("verify", "--weights", shallow_checkpoint, *words)
    assert done.code == 0, done.err
    content = json.loads((tmp_path / "v.json").read_text())
    stages = ["onnx", "simplified", "uint8", "pixels.onnx"]
    assert [row["stage"] for row in content["comparisons"]] == stages
    assert all(row["passed"] and row["max_abs"] < 1e-3 for row in content["comparisons"])
    assert set(content["metrics"]) == {"torch", *stages}
    assert all(set(values) == {"AP", "AR"} for values in content["metrics"].values())
    assert content["failed"] is None


def test_a_graph_with_the_flip_test_is_compared_with_the_flip_test(
    shallow_checkpoint: Path, alphapose: Commands, export: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelzoo.common.commands.verify._exported", lambda *_: [])
    model = export("flip.onnx", "--flip-test")
    done = alphapose("verify", "--weights", shallow_checkpoint, "--model", model)
    assert done.code == 0, done.err
    plain = export("plain.onnx")
    done = alphapose("verify", "--weights", shallow_checkpoint, "--model", plain, "--flip-test")
    assert done.code == 1
    assert done.error.startswith("the first stage that fails is plain.onnx: output differs")


def test_a_graph_of_keypoints_is_not_compared(
    shallow_checkpoint: Path, alphapose: Commands, export: Callable[..., Path]
) -> None:
    model = export("points.onnx", "--decode")
    done = alphapose("verify", "--weights", shallow_checkpoint, "--model", model)
    assert (done.code, done.error) == (2, f"{model} gives keypoints, and heat maps are compared")
    assert done.hint == "export it without --decode"


def test_the_detector_is_not_compared(shallow_checkpoint: Path, alphapose: Commands, two_detector: Path) -> None:
    done = alphapose("verify", "--weights", shallow_checkpoint, "--model", two_detector)
    assert done.code == 1
    assert done.error.endswith("it is the person detector, not the pose network")


def test_a_graph_of_other_weights_is_named_and_the_json_is_there_all_the_same(
    shallow_checkpoint: Path,
    alphapose: Commands,
    tmp_path: Path,
    export: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("modelzoo.common.commands.verify._exported", lambda *_: [])
    path = export("other.onnx")
    model = onnx.load(path)
    bias = next(weight for weight in model.graph.initializer if list(weight.dims) == [17])
    values = onnx.numpy_helper.to_array(bias).copy()
    values[3] += 0.1
    bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
    onnx.save(model, path)
    done = alphapose("verify", "--weights", shallow_checkpoint, "--model", path, "--json", tmp_path / "v.json")
    assert done.code == 1
    assert done.error.startswith("the first stage that fails is other.onnx: output differs")
    assert json.loads((tmp_path / "v.json").read_text())["failed"]


def test_what_is_compared(
    shallow: Callable[..., dict[str, torch.Tensor]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(shallow(joints=26), tmp_path / "halpe.pth")
    calls: list[Any] = []
    monkeypatch.setattr("modelzoo.alphapose.verify.export", lambda *words: calls.append(words))
    job = verify_job(tmp_path / "halpe.pth", flip_test=True)
    assert (job.spec.outputs[0].shape, job.form) == (("N", 26, 64, 48), {"flip_test": True})
    assert (job.metric, job.upstream) == (None, None)
    assert job.variants == ("float32", "uint8")
    for variant in job.variants:
        assert job.export(tmp_path / "x.onnx", variant, True) == tmp_path / "x.onnx"
    given = (tmp_path / "halpe.pth", tmp_path / "x.onnx")
    assert calls == [(*given, Form(flip_test=True, dtype=dtype), Structure(50, 26), True) for dtype in job.variants]
    (pixels,), (planes,) = job.inputs("uint8"), job.inputs("float32")
    assert (planes.shape, planes.dtype) == ((4, 3, 256, 192), np.float32)
    for channel, mean in enumerate((0.406, 0.457, 0.480)):
        assert np.abs(planes[:, channel] - (pixels[..., channel] / 255 - mean)).max() < 1e-6


def test_the_samples_are_the_first_crops_or_repeatable_noise(coco: Path, detections: Path) -> None:
    noise = sample_crops(None)
    assert (noise.shape, noise.dtype) == ((4, 256, 192, 3), np.uint8)
    assert np.array_equal(noise, sample_crops(None))
    data = read_coco(coco)
    people = People(data, read_detections(detections, data))
    assert len(people.detections) == 6
    crops = sample_crops(people)
    assert (crops.shape, crops.dtype) == ((4, 256, 192, 3), np.uint8)
    assert crops.std((1, 2, 3)).min() > 10


def test_the_metric_has_one_flip_test_wherever_it_is(
    small_model: Callable[..., Path], shallow_checkpoint: Path, coco: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def run(_data: Any, _detections: Any, session: Session, options: RunOptions) -> Any:
        seen.append(isinstance(with_flip_test(session, options.flip_test), FlipTestSession))
        return SimpleNamespace(metrics={"AP": 0.7, "AP50": 0.9, "AR": 0.8}), None

    monkeypatch.setattr("modelzoo.alphapose.verify.run", run)
    monkeypatch.setattr("modelzoo.alphapose.verify.sample_crops", lambda _people: None)
    for flip_test in (False, True):
        job = verify_job(shallow_checkpoint, flip_test, People(read_coco(coco), ()))
        assert job.metric is not None
        for path in (shallow_checkpoint, small_model(), small_model(flip_test=True)):
            assert job.metric(open_session(path, job.spec, job.form)) == {"AP": 0.7, "AR": 0.8}
    assert seen == [True, True, False, False, True, False]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--model", "none.onnx"], "no such model file: none.onnx"),
        (["--om", "none.om"], "no such model file: none.om"),
        (["--upstream", "none"], "no such upstream folder: none"),
        ([], "no such checkpoint file: a.pth"),
    ],
)
def test_what_is_not_there_is_named_first(words: list[str], named: str, alphapose: Commands) -> None:
    done = alphapose("verify", "--weights", "a.pth", *words)
    assert (done.code, done.error) == (1, named)


def test_the_upstream_has_no_flip_test_to_compare(alphapose: Commands, tmp_path: Path) -> None:
    done = alphapose("verify", "--weights", "a.pth", "--upstream", tmp_path, "--flip-test")
    assert (done.code, done.error) == (2, "the upstream's network has no flip test in it")
