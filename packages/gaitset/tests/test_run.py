"""One process against folders of files: the same numbers from both ways, and what the report holds."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import ModelError, UsageError
from modelzoo.common.report import write_report
from modelzoo.common.session import open_session
from modelzoo.common.spec import Identity, TensorSpec
from modelzoo.common.testing.plugin import Finished
from modelzoo.common.testing.stubs import StubSession
from modelzoo.common.work import Threads
from modelzoo.gaitset.run import RunOptions, padding_of, run
from modelzoo.gaitset.spec import SPEC, identity_of
from modelzoo.gaitset.split import select_walks

Commands = Callable[..., Finished]

MANY = ("--pid_num", 20)
"""Subjects of one frame are tested as well: the gallery at 000 then has 55 walks, so that features decide."""

ENTRIES = ["NM", "BG", "CL", "rank", "views", "cells", "probe_views", "ranks"]


WALKS = [
    "075/nm-01/000",
    "075/nm-01/090",
    "075/nm-05/090",
    "076/bg-01/018",
    "076/cl-02/180",
    "077/nm-05/036",
    "077/nm-06/036",
    "078/cl-01/126",
    "078/nm-02/054",
    "078/nm-06/162",
]
"""The walks of the recorded features, by number."""


class Recorder(StubSession):
    """Keeps what it is given; its features are zeros."""

    def __init__(self, frames: int | str, padding: str | None = None, dtype: str = "float32") -> None:
        super().__init__(self.take, ("N", "frames" if frames == "dynamic" else frames, 64, 44), dtype)
        self.seen: list[np.ndarray] = []
        if padding is not None:
            self.identity = identity_of("casia-b", frames, padding, dtype)

    def take(self, batch: np.ndarray) -> np.ndarray:
        self.seen += [sequence.copy() for sequence in batch]
        return np.zeros((len(batch), 62, 256), np.float32)


@pytest.fixture(scope="module")
def aligned(golden: Path) -> list[np.ndarray]:
    """The recorded aligned frames of each walk that is tested, as the network sees them, 0..1."""
    recorded = np.load(golden / "preprocess_frames.npz")
    return [recorded[key][:, :, 10:54].astype(np.float32) / np.float32(255) for key in sorted(recorded)]


def with_zeros(frames: np.ndarray) -> np.ndarray:
    """100 frames: the first ones, or all behind zero frames."""
    return np.concatenate([np.zeros((max(100 - len(frames), 0), 64, 44), np.float32), frames[:100]])


@pytest.mark.parametrize(
    ("frames", "padding", "flag", "expected"),
    [
        (100, None, None, with_zeros),
        (100, "zeros", "zeros", with_zeros),
        ("dynamic", "none", None, lambda frames: frames),
        ("dynamic", "none", "none", lambda frames: frames),
        ("dynamic", "zeros", None, lambda frames: frames[:100]),  # the graph does what zero frames would do
        ("dynamic", "zeros", "zeros", lambda frames: frames[:100]),
        ("dynamic", None, None, lambda frames: frames),
        ("dynamic", None, "zeros", with_zeros),  # exported elsewhere: nothing but frames says what is wanted
    ],
)
def test_what_the_model_gets(
    frames: int | str, padding: str | None, flag: str | None, expected: Any, casia_b: Path, aligned: list[np.ndarray]
) -> None:
    session = Recorder(frames, padding)
    walks = select_walks(casia_b, Threads(2)).walks
    report = run(walks, session, RunOptions(1, Threads(2), padding=flag))
    assert [len(sequence) for sequence in aligned] == [120, 40, 30, 100, 4, 12, 12, 8, 18, 5]
    assert len(session.seen) == len(aligned)
    for have, frames_of_walk in zip(session.seen, aligned, strict=True):
        assert np.array_equal(have, expected(frames_of_walk))
    assert (report.stats.samples, report.metrics["sequences"]) == (10, 10)


def test_pixels_where_the_model_takes_them(casia_b: Path, aligned: list[np.ndarray]) -> None:
    session = Recorder("dynamic", "none", "uint8")
    run(select_walks(casia_b, Threads(2)).walks, session, RunOptions(1, Threads(2)))
    for have, frames in zip(session.seen, aligned, strict=True):
        assert have.dtype == np.uint8
        assert np.array_equal(have.astype(np.float32) / np.float32(255), frames)


@pytest.mark.parametrize(
    ("frames", "padding", "flag", "words"),
    [
        (100, None, "none", "--padding none does not fit the model, which takes x float32 (N, 100, 64, 44)"),
        ("dynamic", "none", "zeros", "--padding zeros does not fit the model, which was exported with none"),
        ("dynamic", "zeros", "none", "--padding none does not fit the model, which was exported with zeros"),
    ],
)
def test_a_padding_that_is_not_the_model_s(frames: int | str, padding: str | None, flag: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)) as raised:
        padding_of(Recorder(frames, padding), flag)
    assert "--frames dynamic" in str(raised.value.hint)


@pytest.mark.parametrize("said", ["repeat", "", 1, None])
def test_what_a_foreign_file_says_of_padding_is_not_believed(said: Any) -> None:
    session = Recorder("dynamic")
    session.identity = Identity("gaitset", "1", session.inputs, session.outputs, {"padding": said})
    assert padding_of(session, None) == "none"
    assert padding_of(session, "zeros") == "zeros"


@pytest.mark.parametrize(
    "inputs",
    [
        [TensorSpec("x", "float32", ("N",))],
        [TensorSpec("x", "float32", ("N", 3, 100, 64, 44))],
        [TensorSpec("x", "float16", ("N", 100, 64, 44))],
        [TensorSpec("x", "float32", ("N", 100, 64, 44))] * 2,
    ],
)
def test_a_model_that_takes_no_silhouettes(inputs: list[TensorSpec]) -> None:
    session = Recorder(100)
    session.inputs = tuple(inputs)
    with pytest.raises(ModelError, match="the model takes x float"):
        padding_of(session, None)


def by_files(gaitset: Commands, data: Path, model: Path, folder: Path, *words: object) -> dict[str, Any]:
    """The guide's way: preprocess, infer, postprocess, which finds the index by itself."""
    dtype = "uint8" if "uint8" in model.name else "float32"
    steps = [
        ["preprocess", "--input_path", data, "--bin_file_path", folder / "bins", "--dtype", dtype, *words],
        ["infer", "--model", model, "--input", folder / "bins", "--output", folder, "--output_dirname", "result"],
        ["postprocess", "--output_path", folder / "result", "--json", folder / "metrics.json"],
    ]
    for step in steps:
        done = gaitset(*step)
        assert done.code == 0, done.err
    return {"out": done.out, **json.loads((folder / "metrics.json").read_text())}


def by_run(gaitset: Commands, data: Path, model: Path, folder: Path, *words: object) -> dict[str, Any]:
    done = gaitset("run", "--data", data, "--model", model, "--output", folder, *words)
    assert done.code == 0, done.err
    metrics = json.loads((folder / "report.json").read_text())["metrics"]
    return {"out": "".join(f"{line}\n" for line in done.out.splitlines()[:4]), **metrics}


@pytest.mark.parametrize("batchsize", [1, 8])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_both_ways_give_the_same_metrics(
    dtype: str, batchsize: int, casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands
) -> None:
    model = make_model(dtype=dtype)
    files = by_files(gaitset, casia_b, model, tmp_path, *MANY)
    run = by_run(gaitset, casia_b, model, tmp_path / "report", "--batchsize", batchsize, *MANY)
    assert run == files
    assert run["subjects"] == 57
    assert 0 < run["NM"]["include"] < 100


def test_other_padding_gives_other_metrics(casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands) -> None:
    """A mean over the frames: zero frames make it smaller."""
    files = by_files(gaitset, casia_b, make_model(), tmp_path, *MANY)
    zeros = by_run(gaitset, casia_b, make_model("dynamic"), tmp_path / "zeros", "--padding", "zeros", *MANY)
    assert zeros == files
    none = by_run(gaitset, casia_b, make_model("dynamic"), tmp_path / "none", *MANY)
    assert none["cells"] != zeros["cells"]
    assert none["NM"]["include"] != zeros["NM"]["include"]


def test_both_ways_give_the_same_metrics_with_the_network(
    casia_b: Path, tmp_path: Path, exported: Callable[[str], Path], gaitset: Commands
) -> None:
    run = by_run(gaitset, casia_b, exported("fixed"), tmp_path / "report")
    assert run == by_files(gaitset, casia_b, exported("fixed"), tmp_path)
    assert run["out"].splitlines()[1] == "NM: 33.333,\tBG: 0.000,\tCL: 16.667"


def features_of(gaitset: Commands, monkeypatch: pytest.MonkeyPatch, *words: object) -> dict[str, np.ndarray]:
    """The features that reach the evaluator in a run, by walk."""
    seen: dict[str, np.ndarray] = {}
    with monkeypatch.context() as patch:
        take = "modelzoo.gaitset.evaluate.CrossViewEvaluator.update"
        keep = lambda evaluator, info, outputs: seen.__setitem__(info.source, outputs[0])  # noqa: E731
        patch.setattr(take, keep)
        gaitset("run", *words)
    return seen


def test_the_recorded_features_from_frames_and_weights(
    casia_b: Path,
    golden: Path,
    tmp_path: Path,
    checkpoint: Path,
    gaitset: Commands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The recorded features are those of the guide's zero-padded files."""
    recorded = dict(zip(WALKS, np.load(golden / "tiny_features.npz")["features"], strict=True))
    words = ("--data", casia_b, "--weights", checkpoint, "--output")
    zeros = features_of(gaitset, monkeypatch, *words, tmp_path / "zeros", "--padding", "zeros")
    assert sorted(zeros) == WALKS
    assert max(np.abs(zeros[walk][0] - recorded[walk]).max() for walk in WALKS) <= 1e-4
    none = features_of(gaitset, monkeypatch, *words, tmp_path / "none")
    further = {walk: float(np.abs(none[walk][0] - recorded[walk]).max()) for walk in WALKS}
    assert further["076/bg-01/018"] <= 1e-4  # 100 frames: nothing to pad or to leave out
    assert min(distance for walk, distance in further.items() if walk != "076/bg-01/018") > 1e-3
    sessions = [open_session(tmp_path / form / "gaitset_submit.onnx", SPEC) for form in ("zeros", "none")]
    forms = [session.identity.form if session.identity else {} for session in sessions]
    assert [(form["frames"], form["padding"]) for form in forms] == [("dynamic", "zeros"), ("dynamic", "none")]


@pytest.mark.parametrize(("padding", "near"), [("zeros", True), ("none", False)])
def test_a_checkpoint_is_run_by_torch(
    padding: str,
    near: bool,
    copied: Path,
    golden: Path,
    tmp_path: Path,
    checkpoint: Path,
    gaitset: Commands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded = dict(zip(WALKS, np.load(golden / "tiny_features.npz")["features"], strict=True))
    shutil.rmtree(copied / "075")
    words = ("--data", copied, "--pid_num", 0, "--model", checkpoint, "--output", tmp_path, "--padding", padding)
    seen = features_of(gaitset, monkeypatch, *words)
    assert sorted(seen) == WALKS[7:]
    for walk, feature in seen.items():
        assert (np.abs(feature[0] - recorded[walk]).max() <= 1e-4) == near


def test_report_of_a_run(
    casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands, report_of: Callable[[Path], dict[str, Any]]
) -> None:
    done = gaitset("run", "--data", casia_b, "--model", make_model(), "--output", tmp_path / "report")
    assert done.code == 0
    assert str(tmp_path / "report" / "report.json") in done.out
    assert "10 walks in" in done.out
    assert "note: no number for 077/bg-02/036" in done.err
    assert "note: the means are over the 18 of 363 cells" in done.err
    report = report_of(tmp_path / "report")
    assert (report["model"], report["backend"], report["batchsize"], report["samples"]) == (
        "gaitset",
        "onnxruntime",
        8,
        10,
    )
    assert list(report["metrics"])[:8] == ENTRIES
    assert report["reference"]["accuracy"]["ascend_310P3"] == {"NM": {"include": 95.512}}
    assert [row["throughput"] for row in report["reference"]["throughput"]["rows"]] == [606, 696, 703, 714, 720, 723]
    assert report["skipped"] == []


def test_nothing_was_published_of_the_other_network(casia_b: Path, tmp_path: Path) -> None:
    walks = select_walks(casia_b, Threads(2)).walks
    said, silent = Recorder("dynamic", "none"), Recorder("dynamic")
    said.identity = identity_of("oumvlp", "dynamic", "none", "float32")
    reports = [
        run(walks, said, RunOptions(1, Threads(2))),
        run(walks, silent, RunOptions(1, Threads(2), dataset="oumvlp")),
    ]
    for number, report in enumerate(reports):
        assert report.content()["reference"] == {}
        page = write_report(tmp_path / str(number), report).with_suffix(".html").read_text()
        assert not [known for known in ("Published", "95.405") if known in page]
    said.identity = identity_of("casia-b", "dynamic", "none", "float32")
    report = run(walks, said, RunOptions(1, Threads(2), dataset="oumvlp"))
    page = write_report(tmp_path / "casia-b", report).with_suffix(".html").read_text()
    assert [known for known in ("Published", "95.405") if known in page] == ["Published", "95.405"]


def test_the_flag_says_what_a_model_does_not(
    casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands, report_of: Any
) -> None:
    words = ("run", "--data", casia_b, "--model", make_model(), "--output", tmp_path, "--dataset", "oumvlp")
    assert gaitset(*words).code == 0
    assert report_of(tmp_path)["reference"] == {}


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_a_fixed_batch_and_workers_do_not_change_the_metrics(
    batch: int, casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands, report_of: Any
) -> None:
    want = by_run(gaitset, casia_b, make_model(), tmp_path / "want", *MANY)
    model = make_model(batch=batch)
    done = gaitset(
        "run",
        "--data",
        casia_b,
        "--model",
        model,
        "--output",
        tmp_path / "have",
        "--workers",
        3,
        "--batchsize",
        8,
        *MANY,
    )
    report = report_of(tmp_path / "have")
    assert {**report["metrics"], "out": want["out"]} == want
    assert report["batchsize"] == batch
    assert f"the model is fixed to batch {batch}; --batchsize is not used" in done.err


def test_metrics_also_go_into_a_file(casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands) -> None:
    run = by_run(gaitset, casia_b, make_model(), tmp_path / "report", "--json", tmp_path / "metrics.json")
    assert {"out": run["out"], **json.loads((tmp_path / "metrics.json").read_text())} == run


@pytest.fixture
def copied(casia_b: Path, tmp_path: Path) -> Path:
    """The walks of two of the test subjects, to be changed."""
    for subject in ("075", "078"):
        shutil.copytree(casia_b / subject, tmp_path / "data" / subject)
    return tmp_path / "data"


def test_a_damaged_frame_ends_the_run_or_is_skipped(
    copied: Path, tmp_path: Path, make_model: Any, gaitset: Commands, report_of: Any
) -> None:
    frame = sorted((copied / "075/nm-05/090").iterdir())[3]
    frame.write_bytes(b"no image")
    words = ("--data", copied, "--model", make_model(), "--pid_num", 0, "--output", tmp_path / "report")
    done = gaitset("run", *words)
    assert done.code == 1
    assert str(frame) in done.error
    assert not (tmp_path / "report").exists()
    done = gaitset("run", *words, "--on-error", "skip")
    assert done.code == 1
    assert f"skipped: {frame}" in done.err
    report = report_of(tmp_path / "report")
    assert [row["source"] for row in report["skipped"]] == ["075/nm-05/090"]
    assert report["samples"] == 5
    assert report["metrics"]["cells"]["NM"][5] == [None] * 11
    assert "075/nm-05/090" not in (tmp_path / "report" / "report.html").read_text().split("Skipped")[0]


def test_what_was_skipped_is_said_where_nothing_is_left(
    copied: Path, tmp_path: Path, make_model: Any, gaitset: Commands
) -> None:
    shutil.rmtree(copied / "078")
    for frame in (copied / "075/nm-05/090").iterdir():
        frame.write_bytes(b"no image")
    words = ("--model", make_model(), "--pid_num", 0, "--on-error", "skip", "--output", tmp_path / "report")
    done = gaitset("run", "--data", copied, *words)
    assert done.code == 1
    assert "none of the 2 walks is a probe sequence" in done.error
    assert "1 walks were skipped, the first: " in done.error


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--padding", "none"), "--padding none does not fit the model"),
        (("--dtype", "uint8"), "--dtype uint8 does not fit the model, which takes image_seq float32"),
        (("--dataset", "oumvlp"), "--dataset oumvlp does not fit the model, which is of the data set casia-b"),
    ],
)
def test_flags_that_do_not_fit_the_model(
    flags: tuple[str, str], words: str, casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands
) -> None:
    model = make_model(padding="zeros")
    done = gaitset("run", "--data", casia_b, "--model", model, "--output", tmp_path / "report", *flags)
    assert done.code == 2
    assert words in done.error
    assert not (tmp_path / "report").exists()


def test_missing_data_are_found_out_before_the_export(checkpoint: Path, tmp_path: Path, gaitset: Commands) -> None:
    done = gaitset("run", "--data", tmp_path / "nosuch", "--weights", checkpoint, "--output", tmp_path / "report")
    assert done.code == 1
    assert "nosuch" in done.error
    assert not (tmp_path / "report").exists()


def test_a_metrics_file_without_a_folder_is_found_out_before_the_work(
    casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands
) -> None:
    file = tmp_path / "new" / "metrics.json"
    done = gaitset("run", "--data", casia_b, "--model", make_model(), "--output", tmp_path / "report", "--json", file)
    assert done.code == 1
    assert str(file.parent) in done.error
    assert not (tmp_path / "report").exists()


def test_nobody_to_test(casia_b: Path, tmp_path: Path, make_model: Any, gaitset: Commands) -> None:
    words = ("--pid_num", 77, "--output", tmp_path / "report")
    done = gaitset("run", "--data", casia_b, "--model", make_model(), *words)
    assert done.code == 1
    assert "nobody to test" in done.error
