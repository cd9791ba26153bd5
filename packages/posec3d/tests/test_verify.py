"""`posec3d verify`: passes for the right graphs, names the first stage that is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from modelzoo.common.session import open_session
from modelzoo.common.testing.plugin import Finished
from modelzoo.posec3d.spec import Structure
from modelzoo.posec3d.verify import sample_clips, verify_job

Commands = Callable[..., Finished]
Exported = Callable[..., Path]


def test_every_form_gives_the_answer_of_the_checkpoint(
    narrow_checkpoint: Path, exported: Exported, posec3d: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelzoo.posec3d.verify.FORMS", {"float32": "volumes", "frames": "frames"})
    model = exported("keypoints", 2)
    words = ("--model", model, "--json", tmp_path / "v.json")
    done = posec3d("verify", "--weights", narrow_checkpoint, *words)
    assert done.code == 0, done.err
    content = json.loads((tmp_path / "v.json").read_text())
    assert [row["stage"] for row in content["comparisons"]] == ["onnx", "simplified", "frames", model.name]
    assert all(row["passed"] and row["max_abs"] < 1e-5 for row in content["comparisons"])
    assert (content["metrics"], content["failed"]) == ({}, None)


def test_a_graph_of_other_weights_is_named_and_the_json_is_there_all_the_same(
    narrow_checkpoint: Path, exported: Exported, posec3d: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelzoo.common.commands.verify._exported", lambda *_: [])
    model = onnx.load(exported("frames"))
    bias = next(weight for weight in model.graph.initializer if list(weight.dims) == [51])
    values = onnx.numpy_helper.to_array(bias).copy()
    values[3] += 0.01
    bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
    onnx.save(model, tmp_path / "other.onnx")
    words = ("--model", tmp_path / "other.onnx", "--json", tmp_path / "v.json")
    done = posec3d("verify", "--weights", narrow_checkpoint, *words)
    assert done.code == 1
    assert done.error.startswith("the first stage that fails is other.onnx: logits differs")
    assert json.loads((tmp_path / "v.json").read_text())["failed"]


def test_what_is_compared(
    state_of: Callable[..., dict[str, torch.Tensor]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(state_of(17, 4, (1, 1, 1), 99), tmp_path / "gym.pth")
    calls: list[Any] = []
    monkeypatch.setattr("modelzoo.posec3d.verify.export", lambda *words, **options: calls.append((words, options)))
    job = verify_job(tmp_path / "gym.pth")
    assert (job.spec.outputs[0].shape, job.form) == (("N*20", 99), {"input": "volumes"})
    assert (job.spec.tolerance, job.metric, job.upstream) == (1e-5, None, None)
    assert job.variants == ("float32", "keypoints", "frames")
    for variant in job.variants:
        assert job.export(tmp_path / "x.onnx", variant, True) == tmp_path / "x.onnx"
    held = Structure(17, 4, (1, 1, 1), 99)
    for (words, options), form in zip(calls, ("volumes", "keypoints", "frames"), strict=True):
        assert words == (tmp_path / "gym.pth", tmp_path / "x.onnx", form)
        assert options == {"structure": held, "simplify": True, "compare": False}
    assert [array.shape for array in job.inputs("float32")] == [(1, 20, 17, 48, 56, 56)]
    assert [array.shape for array in job.inputs("frames")] == [(1, 120, 17, 56, 56), (1, 20, 48)]
    assert [array.shape for array in job.inputs("keypoints")] == [(1, 2, 10, 48, 17, 3)]


def test_the_sample_is_in_the_map_and_beside_it() -> None:
    joints = sample_clips(2).joints
    assert joints.dtype == np.float32
    assert joints[..., :2].min() < 0
    assert joints[..., :2].max() > 56
    assert np.array_equal(joints, sample_clips(2).joints)


def test_as_many_people_as_a_graph_has_room_for(
    narrow_checkpoint: Path, make_model: Callable[..., Path], posec3d: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("modelzoo.posec3d.verify.verify_job", lambda *words: seen.append(words))
    monkeypatch.setattr("modelzoo.common.commands.verify.handle", lambda *_: 0)
    takes = SimpleNamespace(people=1)
    assert posec3d("verify", "--weights", narrow_checkpoint, "--model", make_model()).code == 0
    monkeypatch.setattr("modelzoo.posec3d.run.form_of", lambda _session: takes)
    assert posec3d("verify", "--weights", narrow_checkpoint, "--model", make_model()).code == 0
    assert [words[1] for words in seen] == [2, 1]


def test_the_metric_is_that_of_the_recordings(
    narrow_checkpoint: Path, make_model: Callable[..., Path], golden: Path, posec3d: Commands, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    jobs: list[Any] = []
    monkeypatch.setattr("modelzoo.common.commands.verify.handle", lambda _arguments, job: jobs.append(job) or 0)
    done = posec3d("verify", "--weights", narrow_checkpoint, "--data", golden / "hmdb51_synth.pkl")
    assert done.code == 0, done.err
    metrics = jobs[0].metric(open_session(make_model("frames"), jobs[0].spec))
    json_file = tmp_path / "m.json"
    words = ("--model", make_model("frames"), "--output", tmp_path / "report", "--json", json_file)
    assert posec3d("run", "--data", golden / "hmdb51_synth.pkl", *words).code == 0
    wanted = json.loads(json_file.read_text())
    assert metrics == {key: wanted[key] for key in ("top1_acc", "top5_acc")}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--model", "none.onnx"], "no such model file: none.onnx"),
        (["--om", "none.om"], "no such model file: none.om"),
        (["--upstream", "none"], "no such upstream folder: none"),
        ([], "no such checkpoint file: a.pth"),
    ],
)
def test_what_is_not_there_is_named_first(words: list[str], named: str, posec3d: Commands) -> None:
    done = posec3d("verify", "--weights", "a.pth", *words)
    assert (done.code, done.error) == (1, named)
