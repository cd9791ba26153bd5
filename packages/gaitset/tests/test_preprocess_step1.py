"""The tree of aligned silhouettes: equal to the recordings, atomic, resumable, and nothing foreign is removed."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished, tree

Commands = Callable[..., Finished]
Writer = Callable[..., Path]


@pytest.fixture
def raw(tmp_path: Path, write_frames: Writer) -> Path:
    """Two subjects with two sequences each, of three frames; the last has none with a figure."""
    for number, name in enumerate(("001/nm-01/000", "001/nm-02/000", "002/nm-01/000", "002/nm-01/018")):
        write_frames(tmp_path / "raw", name, seed=3 * number)
    for path in (tmp_path / "raw/002/nm-01/018").iterdir():
        Image.new("L", (320, 240)).save(path)
    return tmp_path / "raw"


@pytest.fixture
def step1(raw: Path, tmp_path: Path, gaitset: Commands) -> Callable[..., Finished]:
    """Align `raw` into `pre`, with more flags."""
    words = ("preprocess-step1", "--input_path", raw, "--output_path", tmp_path / "pre", "--log_file", tmp_path / "log")
    return lambda *more: gaitset(*words, *more)


def index_of(folder: Path) -> dict[str, Any]:
    return json.loads(folder.with_name(f"{folder.name}_index.json").read_text())


def pictures(folder: Path) -> dict[str, np.ndarray]:
    return {str(path.relative_to(folder)): np.asarray(Image.open(path)) for path in sorted(folder.rglob("*.png"))}


def make_incomplete(folder: Path) -> None:
    """Let the index say that the run did not end."""
    path = folder.with_name(f"{folder.name}_index.json")
    path.write_text(json.dumps({**index_of(folder), "complete": False}))


def test_frames_are_the_recorded_ones(golden: Path, casia_b: Path, tmp_path: Path, gaitset: Commands) -> None:
    pre = tmp_path / "predata"
    done = gaitset(
        "preprocess-step1", f"--input_path={casia_b}", f"--output_path={pre}", "--log_file", tmp_path / "log"
    )
    assert done.code == 0
    assert done.out.splitlines() == [
        f"423 aligned silhouettes in 85 sequences to {pre}",
        f"7 frames without a figure were left out, see {tmp_path / 'log'}",
    ]
    assert done.err == "note: no frame of 077/bg-02/036 shows a figure\n"
    for row in json.loads((golden / "preprocess.json").read_text())["sequences"]:
        name = f"{row['subject']}/{row['type']}/{row['view']}"
        names = {path.name for path in (casia_b / name).iterdir()} - set(row["rejected"])
        frames = pictures(pre / name)
        assert set(frames) == {path.name for path in (pre / name).iterdir()} == names
        stacked = b"".join(frames[frame].tobytes() for frame in sorted(frames))
        assert hashlib.sha256(stacked).hexdigest() == row["cut_frames_u8_sha256"], name
        assert {(frame.shape, frame.dtype.name) for frame in frames.values()} <= {((64, 64), "uint8")}


def test_the_index(step1: Any, raw: Path, tmp_path: Path) -> None:
    assert step1().code == 0
    index = index_of(tmp_path / "pre")
    assert index["inputs"] == [{"name": "silhouette", "dtype": "uint8", "shape": [64, 64]}]
    assert index["command"] == {"source": str(raw)}
    assert (index["model"], index["complete"], index["skipped"]) == ("gaitset", True, [])
    assert [(row["source"], row["frames"]) for row in index["samples"]] == [
        ("001/nm-01/000", 3),
        ("001/nm-02/000", 3),
        ("002/nm-01/000", 3),
        ("002/nm-01/018", 0),
    ]


WARNINGS = [
    "# JOB 0 : --WARNING-- seq:001-nm-01-000, less than 5 valid data.",
    "# JOB 1 : --WARNING-- seq:001-nm-02-000, less than 5 valid data.",
    "# JOB 2 : --WARNING-- seq:002-nm-01-000, less than 5 valid data.",
    "# JOB 3 : --WARNING-- seq:002-nm-01-018, frame:009.png, no data.",
    "# JOB 3 : --WARNING-- seq:002-nm-01-018, frame:010.png, no data.",
    "# JOB 3 : --WARNING-- seq:002-nm-01-018, frame:011.png, no data.",
    "# JOB 3 : --WARNING-- seq:002-nm-01-018, less than 5 valid data.",
]


def test_the_log_lists_what_was_rejected(step1: Any, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("older\n")
    assert step1().code == 0
    assert (tmp_path / "log").read_text().splitlines() == ["older", *WARNINGS]


def test_the_log_lists_every_sequence_on_request(step1: Any, tmp_path: Path) -> None:
    assert step1("--log", "TRUE").code == 0
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line for line in lines if "WARNING" in line] == WARNINGS
    assert lines[:3] == [
        "# JOB 0 : --START-- 001-nm-01-000",
        WARNINGS[0],
        "# JOB 0 : --FINISH-- Contain 3 valid frames.",
    ]


def test_there_is_no_log_without_a_warning(tmp_path: Path, write_frames: Writer, gaitset: Commands) -> None:
    write_frames(tmp_path / "raw", "001/nm-01/000", 5)
    words = ("--input_path", tmp_path / "raw", "--output_path", tmp_path / "pre", "--log_file", tmp_path / "log")
    assert gaitset("preprocess-step1", *words).code == 0
    assert not (tmp_path / "log").exists()


def test_a_log_that_cannot_be_written(step1: Any, tmp_path: Path) -> None:
    done = step1("--log_file", tmp_path / "nowhere" / "log")
    assert done.code == 1
    assert done.error == f"no such --log_file folder: {tmp_path / 'nowhere'}"
    assert not (tmp_path / "pre").exists()


def test_the_guide_s_number_of_workers(step1: Any, tmp_path: Path) -> None:
    assert step1("--worker_num", "3").code == 0
    assert len(pictures(tmp_path / "pre")) == 9


def test_a_log_value_that_is_no_boolean(step1: Any) -> None:
    done = step1("--log", "maybe")
    assert done.code == 2
    assert done.error == "argument --log: must be True or False, got 'maybe'"


def test_pictures_of_other_formats_become_pngs(tmp_path: Path, write_frames: Writer, gaitset: Commands) -> None:
    write_frames(tmp_path / "raw", "001/nm-01/000", 2, suffix=".bmp")
    write_frames(tmp_path / "raw", "001/nm-01/018", 2, suffix=".PNG")
    words = ("--input_path", tmp_path / "raw", "--output_path", tmp_path / "pre", "--log_file", tmp_path / "log")
    assert gaitset("preprocess-step1", *words).code == 0
    frames = pictures(tmp_path / "pre")
    assert list(frames) == [f"001/nm-01/{view}/{number}.png" for view in ("000", "018") for number in ("000", "001")]
    assert np.array_equal(frames["001/nm-01/000/001.png"], frames["001/nm-01/018/001.png"])


def test_strays_are_counted(raw: Path, step1: Any) -> None:
    for folder in (raw, raw / "001", raw / "001/nm-01/000", raw / "002/nm-01/018"):
        (folder / "Thumbs.db").touch()
    assert step1().out.splitlines()[-1] == "4 entries that are no images were passed over"


def test_two_frames_of_one_name(raw: Path, step1: Any, tmp_path: Path, write_frames: Writer) -> None:
    write_frames(raw, "001/nm-01/000", 1, suffix=".bmp")
    done = step1()
    assert done.code == 1
    assert done.error == f"two frames would both be written as {tmp_path / 'pre/001/nm-01/000/000.png'}"
    assert not (tmp_path / "pre/001/nm-01/000").exists()


def test_an_interrupted_run_is_continued(raw: Path, step1: Any, tmp_path: Path) -> None:
    assert step1().code == 0
    pre = tmp_path / "pre"
    whole = tree(pre)
    make_incomplete(pre)
    shutil.rmtree(pre / "002" / "nm-01" / "000")
    half = pre / "002" / "nm-01" / ".000.part"  # what a killed run leaves
    half.mkdir()
    (half / "006.png").write_bytes(b"half")
    kept = (pre / "001/nm-01/000/000.png").stat()
    (tmp_path / "log").unlink()
    assert step1().code == 0
    assert tree(pre) == whole
    assert not half.exists()
    assert (pre / "001/nm-01/000/000.png").stat().st_ino == kept.st_ino
    assert index_of(pre)["complete"] is True
    assert [row["frames"] for row in index_of(pre)["samples"]] == [3, 3, 3, 0]
    assert (tmp_path / "log").read_text() == f"{WARNINGS[2]}\n"  # only of what was done now


def test_a_sequence_that_changed_meanwhile_is_done_again(
    raw: Path, step1: Any, tmp_path: Path, write_frames: Writer
) -> None:
    assert step1().code == 0
    make_incomplete(tmp_path / "pre")
    (raw / "001/nm-01/000/000.png").unlink()
    write_frames(raw, "001/nm-01/000", 1, seed=50)
    later = (tmp_path / "pre/001/nm-01/000").stat().st_mtime + 5
    os.utime(raw / "001/nm-01/000", (later, later))
    assert step1().code == 0
    assert sorted(path.name for path in (tmp_path / "pre/001/nm-01/000").iterdir()) == ["001.png", "002.png", "050.png"]


def test_step_2_refuses_what_an_interrupted_step_1_has_left(step1: Any, tmp_path: Path, gaitset: Commands) -> None:
    assert step1().code == 0
    make_incomplete(tmp_path / "pre")
    done = gaitset("preprocess-step2", "--data_path", tmp_path / "pre", "--bin_file_path", tmp_path / "bins")
    assert done.code == 1
    assert done.error == f"{tmp_path / 'pre'} is not complete: preprocess-step1 was interrupted"
    assert not (tmp_path / "bins").exists()


def test_a_finished_output_is_not_written_again(step1: Any, tmp_path: Path) -> None:
    assert step1().code == 0
    before = tree(tmp_path)
    done = step1()
    assert done.code == 1
    assert done.error == f"the output folder {tmp_path / 'pre'} is not empty"
    assert "--overwrite" in done.hint
    assert tree(tmp_path) == before


def test_an_interrupted_run_of_another_source_is_not_continued(
    raw: Path, step1: Any, tmp_path: Path, gaitset: Commands
) -> None:
    assert step1().code == 0
    make_incomplete(tmp_path / "pre")
    other = shutil.copytree(raw, tmp_path / "other")
    done = gaitset("preprocess-step1", "--input_path", other, "--output_path", tmp_path / "pre")
    assert done.code == 1
    assert done.error == f"the output folder {tmp_path / 'pre'} is not empty"


def test_overwrite_replaces_what_step_1_has_written_and_nothing_else(raw: Path, step1: Any, tmp_path: Path) -> None:
    assert step1().code == 0
    pre = tmp_path / "pre"
    theirs = [pre / "notes.png", pre / "001/mine.png", pre / "003/nm-01/000/mine.png", pre / "002/nm-01/018/notes.txt"]
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    shutil.rmtree(raw / "002")
    for path in (raw / "001/nm-02/000").iterdir():
        path.rename(path.with_name(f"new_{path.name}"))
    assert step1("--overwrite").code == 0
    assert {str(path.relative_to(pre)) for path in pre.rglob("*") if path.is_file()} == {
        *(str(path.relative_to(pre)) for path in theirs),
        *(f"001/nm-01/000/{number:03d}.png" for number in range(3)),
        *(f"001/nm-02/000/new_{number:03d}.png" for number in range(3, 6)),
    }
    assert all(path.read_text() == "mine" for path in theirs)
    assert not (pre / "002/nm-01/000").exists()


def test_overwrite_also_replaces_what_an_interrupted_run_has_left(raw: Path, step1: Any, tmp_path: Path) -> None:
    assert step1().code == 0
    make_incomplete(tmp_path / "pre")
    half = tmp_path / "pre/002/nm-01/.000.part"
    half.mkdir()
    (half / "006.png").write_bytes(b"half")
    shutil.rmtree(raw / "002")
    assert step1("--overwrite").code == 0
    assert [path.name for path in (tmp_path / "pre").iterdir()] == ["001"]


@pytest.mark.parametrize("flags", [[], ["--overwrite"]])
@pytest.mark.parametrize("index", ["none", "of bins", "broken"])
def test_what_step_1_did_not_write_is_never_replaced(
    flags: list[str], index: str, step1: Any, tmp_path: Path, write_frames: Writer
) -> None:
    write_frames(tmp_path / "pre", "001/nm-01/000")
    of_bins = {"name": "image_seq", "dtype": "float32", "shape": [100, 64, 44]}
    content = {"model": "gaitset", "version": "0.1.0", "inputs": [of_bins], "complete": True}
    rows = {"samples": [{"stem": "0000", "source": "001/nm-01/000"}], "skipped": []}
    texts = {"of bins": json.dumps({**content, **rows}), "broken": "{"}
    if index in texts:
        (tmp_path / "pre_index.json").write_text(texts[index])
    before = tree(tmp_path)
    done = step1(*flags)
    assert done.code == 1
    assert str(tmp_path / "pre") in done.error
    assert tree(tmp_path) == before


@pytest.mark.parametrize("source", ["../raw/001/nm-01/000", "/{}/raw/001", "001/../raw", "linked/nm-01/000"])
def test_an_index_that_points_elsewhere_removes_nothing(source: str, raw: Path, step1: Any, tmp_path: Path) -> None:
    assert step1().code == 0
    index = index_of(tmp_path / "pre")
    index["samples"] = [{"stem": "x", "source": source.format(str(tmp_path).strip("/"))}]
    (tmp_path / "pre_index.json").write_text(json.dumps(index))
    (tmp_path / "pre/linked").symlink_to(raw / "001")
    shutil.copytree(raw / "001/nm-01/000", tmp_path / "pre/raw")
    before = tree(raw), tree(tmp_path / "pre" / "raw")
    step1("--overwrite")
    assert (tree(raw), tree(tmp_path / "pre" / "raw")) == before


@pytest.mark.parametrize("output", ["raw", "raw/pre", "."])
def test_output_and_source_inside_one_another(output: str, raw: Path, tmp_path: Path, gaitset: Commands) -> None:
    before = tree(tmp_path)
    done = gaitset("preprocess-step1", "--input_path", raw, "--output_path", tmp_path / output, "--overwrite")
    assert done.code == 1
    assert done.error == f"{raw} and {tmp_path / output} must not be inside one another"
    assert tree(tmp_path) == before
