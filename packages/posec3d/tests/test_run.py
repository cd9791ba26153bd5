"""One process against folders of files: the same numbers from both ways, and what the model gets."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import ModelError
from modelzoo.common.session import open_session
from modelzoo.common.spec import Identity, TensorSpec
from modelzoo.common.testing.plugin import Finished
from modelzoo.common.work import Deferred, Threads
from modelzoo.posec3d.annotations import Annotation, Selection
from modelzoo.posec3d.clips import cut_clips
from modelzoo.posec3d.labels import action_names
from modelzoo.posec3d.metrics import clip_average
from modelzoo.posec3d.preprocess import clip_units
from modelzoo.posec3d.run import Form, RunOptions, form_of, run
from modelzoo.posec3d.spec import spec_of

Commands = Callable[..., Finished]
Make = Callable[..., Path]


@pytest.fixture
def data(record: Callable[..., dict[str, Any]], write_annotations: Callable[..., Path], matrix: np.ndarray) -> Path:
    """Five recordings: the models of `make_model` know two of them at once, two at the second try, and one not."""
    records = [record(f"clip {number}", number, people=1 + number % 2, frames=30 + 20 * number) for number in range(5)]
    for number, made in enumerate(records):
        order = np.argsort(-answer(made, matrix))
        made["label"] = int(order[[0, 0, 1, 1, 50][number]])
    return write_annotations(records)


def answer(made: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """The probabilities of a recording, computed here."""
    from modelzoo.posec3d.annotations import recorded_skeletons

    volume = np.empty((20, 17, 48, 56, 56), np.float32)
    cut_clips(recorded_skeletons(made)[0]).draw_volumes(volume)
    return clip_average(volume.max(axis=(2, 3, 4)) @ matrix)


class Recorder:
    """A session that keeps what it is given; its logits are zeros."""

    backend = "stub"
    identity: Identity | None = None

    def __init__(self, form: str = "volumes", people: int | None = None, batch: int | str = "N") -> None:
        spec = spec_of(form, 51, people)
        self.inputs = tuple(replace(tensor, shape=(batch, *tensor.shape[1:])) for tensor in spec.inputs)
        self.outputs = spec.outputs
        self.seen: list[tuple[np.ndarray, ...]] = []

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        assert all(spec.accepts(array.shape) for spec, array in zip(self.inputs, inputs, strict=True))
        self.seen.append(tuple(array.copy() for array in inputs))
        return (np.zeros((20 * len(inputs[0]), 51), np.float32),)


@pytest.mark.parametrize(
    ("form", "people"), [("volumes", None), ("frames", None), ("keypoints", None), ("keypoints", 3)]
)
def test_what_the_model_gets(form: str, people: int | None, annotated: dict[str, Annotation]) -> None:
    used = [annotated[name] for name in ("s01_t30_m1", "s02_t60_m3", "s03_t7_m1")]
    session = Recorder(form, people)
    report = run(Selection(used), action_names(51), session, RunOptions(1, Threads(2)))
    assert (report.stats.samples, report.batchsize, len(session.seen)) == (3, 1, 3)
    for annotation, seen in zip(used, session.seen, strict=True):
        expected = cut_clips(annotation.skeletons).inputs(form, people)
        for have, want in zip(seen, expected, strict=True):
            assert np.array_equal(have[0], want.array() if isinstance(want, Deferred) else want)


def test_what_waits_for_the_model_is_small(annotated: dict[str, Annotation]) -> None:
    """A volume is 205 MB: it is drawn into the batch, and none is kept anywhere else."""
    for form in ("volumes", "frames"):
        for unit in clip_units(list(annotated.values()), form):
            (sample,) = unit.load()
            assert sum(array.nbytes for array in sample.arrays if isinstance(array, np.ndarray)) < 10_000


def by_files(posec3d: Commands, data: Path, model: Path, folder: Path) -> dict[str, Any]:
    """The guide's way: preprocess, infer, postprocess, which finds the index by itself."""
    labels = folder / "prep/hmdb51_label.txt"
    steps = [
        ["preprocess", "--ann_file", data, "--output_dir", folder / "prep"],
        ["infer", "--model", model, "--input", folder / "prep/bin", "--output", folder, "--output_dirname", "result"],
        ["postprocess", "--infer_results", folder / "result", "--label_file", labels, "--json", folder / "m.json"],
    ]
    for step in steps:
        done = posec3d(*step)
        assert done.code == 0, done.err
    assert f"index: {folder}/prep/bin_index.json" in done.err
    assert f"classes: 51, by the model {model}" in done.err
    return {"out": done.out, **json.loads((folder / "m.json").read_text())}


def by_run(posec3d: Commands, data: Path, model: Path, folder: Path, *words: object) -> dict[str, Any]:
    done = posec3d("run", "--data", data, "--model", model, "--output", folder, *words)
    assert done.code == 0, done.err
    first, *lines = done.out.splitlines()
    assert first == f"input: {model.name.partition('_')[0]}, onnxruntime"
    metrics = json.loads((folder / "report.json").read_text())["metrics"]
    return {"out": "".join(f"{line}\n" for line in lines[:3]), **metrics}


def test_all_ways_give_the_same_metrics(data: Path, tmp_path: Path, make_model: Make, posec3d: Commands) -> None:
    files = by_files(posec3d, data, make_model(), tmp_path)
    assert (files["top1_acc"], files["top5_acc"], files["samples"]) == (0.4, 0.8, 5)
    assert by_run(posec3d, data, make_model(), tmp_path / "volumes") == files
    assert by_run(posec3d, data, make_model(), tmp_path / "batch", "--batchsize", 2) == files
    assert by_run(posec3d, data, make_model(named=False), tmp_path / "unnamed", "--input", "volumes") == files
    assert by_run(posec3d, data, make_model("frames"), tmp_path / "frames", "--workers", 1) == files


def test_a_model_of_a_fixed_batch(data: Path, tmp_path: Path, make_model: Make, posec3d: Commands) -> None:
    done = posec3d("run", "--data", data, "--model", make_model("volumes", 2), "--output", tmp_path / "report")
    assert done.code == 0, done.err
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert (report["batchsize"], report["samples"], report["metrics"]["top1_acc"]) == (2, 5, 0.4)


def test_the_report(data: Path, tmp_path: Path, make_model: Make, posec3d: Commands) -> None:
    words = ("--output", tmp_path / "report", "--json", tmp_path / "metrics.json")
    done = posec3d("run", "--data", data, "--model", make_model("frames"), *words)
    assert done.code == 0, done.err
    assert "5 recordings in " in done.out
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert json.loads((tmp_path / "metrics.json").read_text()) == report["metrics"]
    assert {"model": "posec3d", "backend": "onnxruntime", "batchsize": 1, "samples": 5}.items() <= report.items()
    page = (tmp_path / "report/report.html").read_text()
    for text in ("Top-1", "40.00%", "Mean over the actions", "Actions taken for others", "Every action"):
        assert text in page


def test_weights_are_exported_in_the_fastest_form(
    data: Path, tmp_path: Path, make_model: Make, posec3d: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def export(weights: Path, output: Path, form: str) -> None:
        seen.append((weights.name, form))
        output.parent.mkdir(exist_ok=True)
        output.write_bytes(make_model(form).read_bytes())

    monkeypatch.setattr("modelzoo.posec3d.export.export", export)
    words = ("run", "--data", data, "--weights", tmp_path / "w.pth", "--output", tmp_path / "report")
    done = posec3d(*words)
    assert done.code == 0, done.err
    assert "which takes frames, the fastest for ONNX Runtime ..." in done.out
    assert "input: frames, onnxruntime" in done.out
    done = posec3d(*words, "--input", "volumes")
    assert done.code == 0, done.err
    assert "which takes volumes ..." in done.out
    assert seen == [("w.pth", "frames"), ("w.pth", "volumes")]


def test_what_the_model_does_not_take(data: Path, tmp_path: Path, make_model: Make, posec3d: Commands) -> None:
    done = posec3d("run", "--data", data, "--model", make_model("frames"), "--input", "volumes", "--output", tmp_path)
    assert (done.code, done.error) == (2, "--input volumes does not fit the model, which takes frames")


def test_what_cannot_be_used_is_skipped_if_asked(
    record: Callable[..., dict[str, Any]],
    write_annotations: Callable[..., Path],
    tmp_path: Path,
    make_model: Make,
    posec3d: Commands,
) -> None:
    data = write_annotations([record("good"), record("bad", keypoint=np.ones((1, 60, 25, 2)))])
    words = ("run", "--data", data, "--model", make_model("frames"), "--output", tmp_path / "report")
    done = posec3d(*words)
    assert (done.code, done.error) == (1, "bad: keypoint has 25 joints, not the 17 of COCO")
    done = posec3d(*words, "--on-error", "skip")
    assert done.code == 1
    assert "skipped: bad: keypoint has 25 joints" in done.err
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert [row["source"] for row in report["skipped"]] == ["bad"]
    assert report["samples"] == 1


def test_labels_are_those_that_the_model_knows(
    record: Callable[..., dict[str, Any]],
    write_annotations: Callable[..., Path],
    tmp_path: Path,
    make_model: Make,
    posec3d: Commands,
) -> None:
    data = write_annotations([record("a", 51)])
    done = posec3d("run", "--data", data, "--model", make_model("frames"), "--output", tmp_path)
    assert done.error == "a: label is 51, but there are 51 actions, 0 to 50"


def test_form_of_a_model(make_model: Make) -> None:
    assert form_of(open_session(make_model())) == Form("volumes", None, 51)
    assert form_of(open_session(make_model("frames", named=False))) == Form("frames", None, 51)
    assert form_of(Recorder("keypoints")) == Form("keypoints", None, 51)
    assert form_of(Recorder("keypoints", 4, batch=2)) == Form("keypoints", 4, 51)


@pytest.mark.parametrize(
    "shapes",
    [
        [("N", 3, 224, 224)],
        [("N", 20, 17, 48, 64, 64)],
        [("N", 20, 17, 48, 56, 56)] * 2,
        [("N", 2, 10, 48, 17, 2)],
    ],
)
def test_a_model_of_something_else(shapes: list[tuple[int | str, ...]]) -> None:
    session = Recorder()
    session.inputs = tuple(TensorSpec("x", "float32", shape) for shape in shapes)
    with pytest.raises(ModelError, match=r"the model takes x float32 .*, not clips float32"):
        form_of(session)


def test_a_model_of_so_many_actions_that_no_data_set_has() -> None:
    session = Recorder()
    session.outputs = (TensorSpec("y", "float32", ("rows", 30_000)),)
    with pytest.raises(ModelError, match="the model tells 30,000 actions apart, more than 5,000"):
        form_of(session)


@pytest.mark.parametrize("shape", [("rows", "classes"), ("N", 20, 51)])
def test_a_model_that_gives_something_else(shape: tuple[int | str, ...]) -> None:
    session = Recorder()
    session.outputs = (TensorSpec("y", "float32", shape),)
    with pytest.raises(ModelError, match=r"the model gives y float32 .*, not logits float32 \(.*, 51\)"):
        form_of(session)


class Opener:
    """Opens a stub of a graph of keypoints in place of every model."""

    def __init__(self, people: int) -> None:
        self.session = Recorder("keypoints", people)

    def __call__(self, *_words: object) -> Recorder:
        return self.session


def test_more_people_than_the_graph_has_room_for(
    record: Callable[..., dict[str, Any]],
    write_annotations: Callable[..., Path],
    tmp_path: Path,
    posec3d: Commands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With --persons those with the highest mean score are kept: here the third and the first."""
    scores = np.stack([np.full((60, 17), score, np.float32) for score in (0.6, 0.4, 0.9, 0.5)])
    data = write_annotations([record("crowd", people=4, keypoint_score=scores), record("one", 4)])
    opener = Opener(2)
    monkeypatch.setattr("modelzoo.posec3d.models.open_model", opener)
    words = ("run", "--data", data, "--model", "kp2.onnx", "--output", tmp_path / "report")
    done = posec3d(*words)
    assert (done.code, done.error) == (1, "crowd: it has 4 people, but there is room for 2")
    assert "--persons 2 of run keeps the surest ones" in done.hint
    opener.session.seen.clear()
    done = posec3d(*words, "--persons", 2)
    assert done.code == 0, done.err
    note = "note: 1 of 2 recordings have more than 2 people: the most certain of every frame count, the first is crowd"
    assert note in done.err
    np.testing.assert_allclose(opener.session.seen[0][0][0, :, 0, 0, 0, 2], [0.9, 0.6])


def test_a_checkpoint_of_another_number_of_actions(
    record: Callable[..., dict[str, Any]], write_annotations: Callable[..., Path], tmp_path: Path, posec3d: Commands
) -> None:
    import torch

    from modelzoo.posec3d.network import PoseC3D
    from modelzoo.posec3d.spec import Structure

    torch.save(
        {"state_dict": PoseC3D(Structure(width=2, blocks=(1, 1, 1), classes=3)).state_dict()}, tmp_path / "m.pth"
    )
    data = write_annotations([record("a", 2, frames=12)])
    done = posec3d("run", "--data", data, "--model", tmp_path / "m.pth", "--output", tmp_path / "report")
    assert done.code == 0, done.err
    assert "input: frames, torch" in done.out
    assert json.loads((tmp_path / "report/report.json").read_text())["metrics"]["classes"] == 3
