"""Silhouettes to .bin files: bit-equal to the recordings in one pass and in the guide's two steps."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]
Writer = Callable[..., Path]

EMPTY = "077/bg-02/036"
"""The recorded sequence in which no frame shows a figure."""


@pytest.fixture(scope="module")
def recorded(golden: Path) -> list[dict[str, Any]]:
    """preprocess.json: the tested sequences that have a number."""
    rows = json.loads((golden / "preprocess.json").read_text())["sequences"]
    return sorted((row for row in rows if row.get("bin")), key=lambda row: row["index"])


@pytest.fixture(scope="module")
def frames(golden: Path) -> list[np.ndarray]:
    """The recorded frames of every tested sequence, `(n, 64, 44) uint8`."""
    saved = np.load(golden / "preprocess_frames.npz")
    return [saved[key][:, :, 10:54] for key in sorted(saved.files)]


@pytest.fixture(scope="module")
def tree(casia_b: Path, gaitset_once: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What step 1 makes of the small data set."""
    folder = tmp_path_factory.mktemp("step1")
    words = ("--input_path", casia_b, "--output_path", folder / "predata", "--log_file", folder / "log")
    assert gaitset_once("preprocess-step1", *words).code == 0
    return folder / "predata"


@pytest.fixture(params=["one pass", "two steps"])
def preprocess(
    request: pytest.FixtureRequest, casia_b: Path, tree: Path, tmp_path: Path, gaitset: Commands
) -> Callable[..., tuple[Finished, Path]]:
    """Preprocess the small data set in either way, with more flags: how it ended, and the .bin folder."""

    def run(*words: object) -> tuple[Finished, Path]:
        ways = {
            "one pass": ("preprocess", "--input_path", casia_b),
            "two steps": ("preprocess-step2", "--data_path", tree),
        }
        done = gaitset(*ways[request.param], "--bin_file_path", tmp_path / "bins", *words)
        return done, tmp_path / "bins"

    return run


def index_of(folder: Path) -> dict[str, Any]:
    return json.loads(folder.with_name(f"{folder.name}_index.json").read_text())


def test_bins_are_bit_equal_to_the_recordings(preprocess: Any, recorded: list[dict[str, Any]]) -> None:
    _, bins = preprocess()
    assert len(recorded) == 10
    have = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in bins.iterdir()}
    assert have == {row["bin"]: row["bin_sha256"] for row in recorded}
    assert {path.stat().st_size for path in bins.iterdir()} == {4 * 100 * 64 * 44}


def test_what_it_prints(preprocess: Any) -> None:
    done, bins = preprocess()
    assert done.code == 0
    assert done.out == f"10 sequences to {bins}, each float32 (100, 64, 44)\n"
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith(f"note: no number for {EMPTY}: no")


def test_the_index(preprocess: Any, recorded: list[dict[str, Any]]) -> None:
    _, bins = preprocess()
    index = index_of(bins)
    assert (index["model"], index["complete"]) == ("gaitset", True)
    assert index["inputs"] == [{"name": "image_seq", "dtype": "float32", "shape": [100, 64, 44]}]
    assert index["samples"] == [
        {
            "stem": f"{row['index']:04d}",
            "source": f"{row['subject']}/{row['type']}/{row['view']}",
            "subject": row["subject"],
            "condition": row["type"],
            "view": row["view"],
        }
        for row in recorded
    ]
    assert [row["source"] for row in index["skipped"]] == [EMPTY]


def test_pixels(preprocess: Any, frames: list[np.ndarray]) -> None:
    done, bins = preprocess("--dtype", "uint8")
    assert done.out == f"10 sequences to {bins}, each uint8 (100, 64, 44)\n"
    assert index_of(bins)["inputs"] == [{"name": "image_seq", "dtype": "uint8", "shape": [100, 64, 44]}]
    for number, want in enumerate(frames):
        have = np.fromfile(bins / f"{number:04d}.bin", np.uint8).reshape(100, 64, 44)
        missing = max(100 - len(want), 0)
        assert not have[:missing].any()
        assert np.array_equal(have[missing:], want[:100])


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_dynamic_bins_hold_the_real_frames(dtype: str, preprocess: Any, frames: list[np.ndarray]) -> None:
    done, bins = preprocess("--frames", "dynamic", "--dtype", dtype)
    assert done.out == f"10 sequences to {bins}, each {dtype} (frames, 64, 44)\n"
    assert index_of(bins)["inputs"] == [{"name": "image_seq", "dtype": dtype, "shape": ["frames", 64, 44]}]
    assert {len(want) for want in frames} >= {120, 100, 40, 4}
    for number, want in enumerate(frames):
        have = np.fromfile(bins / f"{number:04d}.bin", dtype).reshape(-1, 64, 44)
        assert np.array_equal(have, want if dtype == "uint8" else want.astype(np.float32) / np.float32(255))


def test_repeated_frames(preprocess: Any, frames: list[np.ndarray]) -> None:
    done, bins = preprocess("--padding", "repeat")
    assert done.code == 0
    for number, want in enumerate(frames):
        have = np.fromfile(bins / f"{number:04d}.bin", np.float32).reshape(100, 64, 44)
        again = np.concatenate([want] * 100)[:100].astype(np.float32) / np.float32(255)
        assert np.array_equal(have, again)


@pytest.mark.parametrize("workers", [1, 7])
def test_workers_do_not_change_the_bytes(workers: int, preprocess: Any, recorded: list[dict[str, Any]]) -> None:
    _, bins = preprocess("--workers", workers)
    have = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in bins.iterdir()}
    assert have == {row["bin"]: row["bin_sha256"] for row in recorded}


@pytest.mark.parametrize("padding", ["zeros", "repeat"])
def test_dynamic_bins_have_no_padding(padding: str, preprocess: Any) -> None:
    done, bins = preprocess("--frames", "dynamic", "--padding", padding)
    assert done.code == 2
    assert done.error == f"--padding {padding} is of no use with --frames dynamic, which pads nothing"
    assert not bins.exists()


def test_all_subjects_are_tested_on_request(preprocess: Any) -> None:
    done, bins = preprocess("--pid_num", "0", "--frames", "dynamic")
    assert done.code == 0
    assert len(list(bins.iterdir())) == 83  # 85 sequences without that of 005 and the empty one
    assert [row["source"] for row in index_of(bins)["skipped"]] == ["005/nm-01/000", EMPTY]


def test_the_subjects_of_a_partition_are_tested(preprocess: Any, tmp_path: Path) -> None:
    (tmp_path / "partition.txt").write_text("001 076\n075 077\n")
    _, bins = preprocess("--partition", tmp_path / "partition.txt")
    assert [row["subject"] for row in index_of(bins)["samples"]] == ["075", "075", "075", "077", "077"]


def test_nobody_left_to_test(preprocess: Any) -> None:
    done, bins = preprocess("--pid_num", "77")
    assert done.code == 1
    assert done.error.endswith("holds nobody to test: of its 78 subjects, the first 77 are for training")
    assert done.hint == "--pid_num 0 tests all of them"
    assert not bins.exists()


def test_strays_are_counted(tmp_path: Path, write_frames: Writer, gaitset: Commands) -> None:
    walk = write_frames(tmp_path / "raw", "001/nm-01/000")
    for folder in (tmp_path / "raw", walk):
        (folder / "Thumbs.db").touch()
    done = gaitset("preprocess", "--input_path", tmp_path / "raw", "--bin_file_path", tmp_path / "bins", "--pid_num", 0)
    assert done.out.splitlines()[1:] == ["2 entries that are no images were passed over"]


def test_one_frame_is_a_sequence(tmp_path: Path, write_frames: Writer, gaitset: Commands) -> None:
    write_frames(tmp_path / "raw", "001/nm-01/000", 1)
    words = ("--input_path", tmp_path / "raw", "--bin_file_path", tmp_path / "bins", "--pid_num", 0)
    assert gaitset("preprocess", *words).code == 0
    have = np.fromfile(tmp_path / "bins" / "0000.bin", np.float32).reshape(100, 64, 44)
    assert [number for number, frame in enumerate(have) if frame.any()] == [99]


def test_a_figure_in_colours_gives_the_bins_of_its_blue_channel(
    tmp_path: Path, write_frames: Writer, gaitset: Commands
) -> None:
    for kind in ("grey", "colours"):
        folder = write_frames(tmp_path / kind, "001/nm-01/000", 2)
        for path in folder.iterdir() if kind == "colours" else ():
            levels = np.asarray(Image.open(path))
            Image.fromarray(np.dstack([255 - levels, levels // 3, levels])).save(path)
        words = ("--input_path", tmp_path / kind, "--bin_file_path", tmp_path / f"{kind}_bins", "--pid_num", 0)
        assert gaitset("preprocess", *words).code == 0
    bins = [(tmp_path / f"{kind}_bins" / "0000.bin").read_bytes() for kind in ("grey", "colours")]
    assert bins[0] == bins[1]


def test_a_folder_one_level_too_high(tmp_path: Path, write_frames: Writer, gaitset: Commands) -> None:
    write_frames(tmp_path, "CASIA/GaitDatasetB-silh/001/nm-01/000")
    words = ("--input_path", tmp_path / "CASIA", "--bin_file_path", tmp_path / "bins")
    done = gaitset("preprocess", *words)
    assert done.code == 1
    assert done.hint == f"did you mean {tmp_path / 'CASIA' / 'GaitDatasetB-silh'}?"
    assert not (tmp_path / "bins").exists()


def test_raw_silhouettes_are_nothing_for_step_2(casia_b: Path, tmp_path: Path, gaitset: Commands) -> None:
    done = gaitset("preprocess-step2", "--data_path", casia_b, "--bin_file_path", tmp_path / "bins")
    assert done.code == 1
    assert done.error == (
        f"{casia_b}/075/nm-01/000/075-nm-01-000-001.png has 320 x 240 pixels; an aligned silhouette has 64 x 64"
    )
    assert "preprocess-step1" in done.hint
    assert list((tmp_path / "bins").iterdir()) == []


def test_the_bins_and_their_source_inside_one_another(
    casia_b: Path, tree: Path, tmp_path: Path, gaitset: Commands
) -> None:
    ways = {"preprocess": ("--input_path", casia_b), "preprocess-step2": ("--data_path", tree)}
    for command, (flag, source) in ways.items():
        data = tmp_path / command
        data.symlink_to(source)
        for bins in (source, source / "bins", source.parent, data / "075"):
            done = gaitset(command, flag, data, "--bin_file_path", bins, "--overwrite")
            assert (done.code, done.error) == (1, f"{data} and {bins} must not be inside one another")
            assert not (source / "bins").exists()


@pytest.mark.parametrize("index", [True, False])
def test_aligned_silhouettes_are_not_taken_for_raw_ones(
    index: bool, tree: Path, make_model: Callable[..., Path], tmp_path: Path, gaitset: Commands
) -> None:
    if not index:
        (tmp_path / "downloaded").symlink_to(tree)  # without an index beside it
    data = tree if index else tmp_path / "downloaded"
    for words in (
        ("preprocess", "--input_path", data, "--bin_file_path", tmp_path / "out"),
        ("preprocess-step1", "--input_path", data, "--output_path", tmp_path / "out", "--log_file", tmp_path / "log"),
        ("run", "--data", data, "--model", make_model(), "--output", tmp_path / "out"),
    ):
        done = gaitset(*words)
        assert done.code == 1
        assert done.error == f"{data} holds aligned silhouettes of 64 x 64, not raw ones"
        assert done.hint == "use gaitset-preprocess-step2"
        assert not (tmp_path / "out").exists()


def test_the_index_of_step_1_tells_even_where_no_frame_can_be_read(
    tmp_path: Path, write_frames: Writer, gaitset: Commands
) -> None:
    write_frames(tmp_path / "raw", "001/nm-01/000")
    words = ("--output_path", tmp_path / "pre", "--log_file", tmp_path / "log")
    assert gaitset("preprocess-step1", "--input_path", tmp_path / "raw", *words).code == 0
    for path in (tmp_path / "pre/001/nm-01/000").iterdir():
        path.write_text("this is no image")
    done = gaitset("preprocess", "--input_path", tmp_path / "pre", "--bin_file_path", tmp_path / "bins")
    assert done.error == f"{tmp_path / 'pre'} holds aligned silhouettes of 64 x 64, not raw ones"


@pytest.mark.parametrize("beside", ["nothing", "no index", "the index of bins"])
def test_some_frames_of_the_size_of_aligned_ones_are_raw(
    beside: str, tmp_path: Path, write_frames: Writer, gaitset: Commands
) -> None:
    write_frames(tmp_path / "raw", "001/nm-01/000", 2, size=(64, 64))
    write_frames(tmp_path / "raw", "001/nm-01/018", 2)
    if beside != "nothing":
        done = gaitset(
            "preprocess", "--input_path", tmp_path / "raw", "--bin_file_path", tmp_path / "b", "--pid_num", 0
        )
        assert done.code == 0
        text = (tmp_path / "b_index.json").read_text() if beside == "the index of bins" else "[]"
        (tmp_path / "raw_index.json").write_text(text)
    words = ("--input_path", tmp_path / "raw", "--bin_file_path", tmp_path / "bins", "--pid_num", 0)
    assert gaitset("preprocess", *words).code == 0
