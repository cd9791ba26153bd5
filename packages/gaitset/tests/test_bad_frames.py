"""Frames that cannot be used: one error line that names them, nothing half-written, or their sequence is skipped."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]
Writer = Callable[..., Path]

BIN_BYTES = 4 * 100 * 64 * 44
BAD = "002/nm-01/000"
"""The sequence with the bad frame; the others are 001/nm-01/000 and 003/nm-01/000."""


def whole() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (240, 320), dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


def flipped(place: int) -> bytes:
    content = bytearray(whole())
    content[place] ^= 0xFF
    return bytes(content)


def huge() -> bytes:
    """A header that announces more pixels than anybody has."""
    content = bytearray(whole())
    content[16:24] = (2**31 - 1).to_bytes(4) * 2
    return bytes(content)


CONTENTS = {
    "text": lambda: b"this is no image",
    "empty": lambda: b"",
    "header only": lambda: whole()[:40],
    "truncated": lambda: whole()[: len(whole()) // 2],
    "without its end": lambda: whole()[:-20],
    "damaged header": lambda: flipped(20),
    "damaged pixels": lambda: flipped(len(whole()) // 2),
    "huge": huge,
}


@pytest.fixture
def raw(tmp_path: Path, write_frames: Writer) -> Path:
    """Three sequences of three frames."""
    for number, name in enumerate(("001/nm-01/000", BAD, "003/nm-01/000")):
        write_frames(tmp_path / "raw", name, seed=3 * number)
    return tmp_path / "raw"


@pytest.fixture
def words(raw: Path, tmp_path: Path) -> dict[str, list[Any]]:
    """The commands that read raw frames; each writes into `out`."""
    one_pass = ["preprocess", "--input_path", raw, "--bin_file_path", tmp_path / "out", "--pid_num", 0]
    step1 = ["preprocess-step1", "--input_path", raw, "--output_path", tmp_path / "out"]
    return {"preprocess": one_pass, "preprocess-step1": [*step1, "--log_file", tmp_path / "log"]}


def written(folder: Path) -> list[str]:
    """The files below a folder, hidden ones included."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def index_of(folder: Path) -> dict[str, Any]:
    return json.loads(folder.with_name(f"{folder.name}_index.json").read_text())


@pytest.mark.parametrize("step", ["preprocess", "preprocess-step1"])
@pytest.mark.parametrize("place", [3, 4, 5])
@pytest.mark.parametrize("content", CONTENTS)
def test_a_bad_frame_is_named_and_the_run_goes_on_when_it_is_gone(
    content: str, place: int, step: str, raw: Path, words: Any, tmp_path: Path, gaitset: Commands
) -> None:
    frame = raw / BAD / f"{place:03d}.png"
    frame.write_bytes(CONTENTS[content]())
    done = gaitset(*words[step])
    assert done.code == 1
    assert done.error.startswith(f"{frame} ")
    assert index_of(tmp_path / "out")["complete"] is False
    assert not [name for name in written(tmp_path / "out") if ".part" in name or name.startswith(BAD)]
    frame.unlink()
    assert gaitset(*words[step]).code == 0
    names = written(tmp_path / "out")
    assert names == ["0000.bin", "0001.bin", "0002.bin"] if step == "preprocess" else len(names) == 8


@pytest.mark.parametrize("content", ["text", "truncated", "huge"])
def test_preprocess_can_skip_the_sequence_of_a_bad_frame(
    content: str, raw: Path, words: Any, tmp_path: Path, gaitset: Commands
) -> None:
    frame = raw / BAD / "003.png"
    frame.write_bytes(CONTENTS[content]())
    done = gaitset(*words["preprocess"], "--on-error", "skip")
    assert done.code == 1
    assert done.out.startswith("2 sequences to ")
    (line,) = done.err.splitlines()
    assert line.startswith(f"skipped: {frame} ")
    assert written(tmp_path / "out") == ["0000.bin", "0002.bin"]
    assert {path.stat().st_size for path in (tmp_path / "out").iterdir()} == {BIN_BYTES}
    index = index_of(tmp_path / "out")
    assert index["complete"] is True
    assert [(row["stem"], row["source"]) for row in index["samples"]] == [
        ("0000", "001/nm-01/000"),
        ("0002", "003/nm-01/000"),
    ]
    (row,) = index["skipped"]
    assert row["source"] == BAD
    assert row["reason"].startswith(str(frame))


def test_step_1_can_skip_the_sequence_of_a_bad_frame(raw: Path, words: Any, tmp_path: Path, gaitset: Commands) -> None:
    frame = raw / BAD / "004.png"
    frame.write_text("this is no image")
    done = gaitset(*words["preprocess-step1"], "--on-error", "skip")
    assert done.code == 1
    assert done.out.startswith("6 aligned silhouettes in 2 sequences to ")
    assert done.err == f"skipped: {frame} is not an image, or is damaged\n"
    assert {name.split("/")[0] for name in written(tmp_path / "out")} == {"001", "003"}
    index = index_of(tmp_path / "out")
    assert index["complete"] is True
    assert [row["source"] for row in index["samples"]] == ["001/nm-01/000", "003/nm-01/000"]
    assert index["skipped"] == [{"source": BAD, "reason": f"{frame} is not an image, or is damaged"}]


@pytest.mark.parametrize("step", ["preprocess", "preprocess-step1"])
def test_a_link_to_nothing(step: str, raw: Path, words: Any, gaitset: Commands) -> None:
    (raw / BAD / "009.png").symlink_to(raw / "nothing.png")
    done = gaitset(*words[step])
    assert done.code == 1
    assert done.error == f"cannot read {raw / BAD}/009.png: No such file or directory"


@pytest.mark.parametrize("step", ["preprocess", "preprocess-step1"])
def test_a_pipe_is_passed_over(step: str, raw: Path, words: Any, gaitset: Commands) -> None:
    os.mkfifo(raw / BAD / "zz.png")
    done = gaitset(*words[step])
    assert done.code == 0
    assert done.out.splitlines()[-1] == "1 entries that are no images were passed over"


def test_frames_that_are_not_needed_are_not_read(
    raw: Path, words: Any, tmp_path: Path, write_frames: Writer, gaitset: Commands
) -> None:
    write_frames(raw, BAD, 100, seed=3, size=(60, 80))
    (raw / BAD / "103.png").write_text("this is no image")
    assert gaitset(*words["preprocess"]).code == 0
    done = gaitset(*words["preprocess"], "--frames", "dynamic", "--overwrite")
    assert done.error == f"{raw / BAD}/103.png is not an image, or is damaged"


@pytest.mark.parametrize("step", ["preprocess", "preprocess-step1"])
def test_folders_in_place_of_frames(step: str, raw: Path, words: Any, tmp_path: Path, gaitset: Commands) -> None:
    (raw / "002/nm-01/000").rename(raw / "frames")
    (raw / "002/nm-01/000").mkdir()
    (raw / "frames").rename(raw / "002/nm-01/000/frames")
    done = gaitset(*words[step])
    assert done.code == 1
    assert done.error == f"{raw / BAD} holds folders, no frames"
    assert done.hint == "expected <subject>/<condition>/<view>/<frames>, such as 075/nm-01/018"


@pytest.mark.parametrize("step", ["preprocess", "preprocess-step1"])
def test_an_empty_sequence_is_named_and_no_failure(step: str, raw: Path, words: Any, gaitset: Commands) -> None:
    for path in (raw / BAD).iterdir():
        path.unlink()
    done = gaitset(*words[step])
    assert done.code == 0
    said = {"preprocess": f"no number for {BAD}: no frames", "preprocess-step1": f"no frame of {BAD} shows a figure"}
    assert done.err == f"note: {said[step]}\n"


def test_damaged_frames_of_step_1(
    raw: Path, words: Any, tmp_path: Path, gaitset: Commands, write_frames: Writer
) -> None:
    assert gaitset(*words["preprocess-step1"]).code == 0
    step2 = ("preprocess-step2", "--data_path", tmp_path / "out", "--bin_file_path", tmp_path / "bins", "--pid_num", 0)
    frame = tmp_path / "out" / BAD / "004.png"
    frame.write_bytes(frame.read_bytes()[:50])
    done = gaitset(*step2)
    assert done.code == 1
    assert done.error == f"{frame} is not an image, or is damaged"
    done = gaitset(*step2, "--on-error", "skip")
    assert done.code == 1
    assert [row["stem"] for row in index_of(tmp_path / "bins")["samples"]] == ["0000", "0002"]
    write_frames(tmp_path / "out", BAD, 1, size=(64, 44), seed=4)
    done = gaitset(*step2, "--overwrite")
    assert done.error == f"{frame} has 44 x 64 pixels; an aligned silhouette has 64 x 64"
