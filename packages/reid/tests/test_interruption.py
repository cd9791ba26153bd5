"""Killed, interrupted, out of space, without permission: what is there is whole, and the same command goes on."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]
Start = Callable[..., "subprocess.Popen[str]"]

IMAGES = 300
BYTES = 98_304

# Root may read and write everything; without these two capabilities it is bound by permissions like everybody else.
AS_EVERYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@contextmanager
def blocking_image(path: Path) -> Iterator[Callable[[], int]]:
    """A pipe in the place of an image: who reads it waits. Gives a function that waits until somebody reads it."""
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    opened = []

    def wait_for_reader() -> int:
        for _ in range(1000):
            try:
                opened.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                return opened[0]
            except OSError:
                time.sleep(0.02)
        raise TimeoutError(path)

    try:
        yield wait_for_reader
    finally:
        for descriptor in opened:
            os.close(descriptor)
        path.unlink()
        path.write_bytes(content)


@pytest.fixture
def images(golden: Path, tmp_path: Path) -> Path:
    """300 images."""
    originals = sorted((golden / "market1501_tiny" / "bounding_box_test").glob("*1_0*_0?.jpg"))
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(IMAGES):
        shutil.copyfile(originals[i % len(originals)], folder / f"{i:04d}_c1s1_000000_00.jpg")
    return folder


def wait_for_bins(folder: Path, count: int) -> list[Path]:
    for _ in range(1000):
        bins = sorted(folder.glob("*.bin")) if folder.exists() else []
        if len(bins) >= count:
            return bins
        time.sleep(0.02)
    raise TimeoutError(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_preprocess_goes_on_after_kill_9(images: Path, tmp_path: Path, reid: Commands, start_reid: Start) -> None:
    bins, whole = tmp_path / "bins", tmp_path / "whole"
    words = ("--dtype", "uint8", "--workers", 2)
    with blocking_image(images / "0150_c1s1_000000_00.jpg"):
        process = start_reid("preprocess", images, bins, *words)
        done = wait_for_bins(bins, 150)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert len(done) < IMAGES
        assert {path.stat().st_size for path in done} == {BYTES}
        assert json.loads((tmp_path / "bins_index.json").read_text())["complete"] is False
    (bins / ".0150_c1s1_000000_00.bin.part").write_bytes(b"half")
    before = {path.name: path.stat().st_ino for path in done}

    assert reid("preprocess", images, bins, *words).code == 0
    assert reid("preprocess", images, whole, *words).code == 0
    assert len(contents(whole)) == IMAGES
    assert contents(bins) == contents(whole)
    assert {name: (bins / name).stat().st_ino for name in before} == before
    indices = [json.loads((tmp_path / f"{name}_index.json").read_text()) for name in ("bins", "whole")]
    assert indices[0] == indices[1]
    assert indices[0]["complete"] is True
    assert len(indices[0]["samples"]) == IMAGES


def interrupt(process: "subprocess.Popen[str]") -> list[str]:
    """Send Ctrl-C and read what the process says before it ends."""
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    return [process.stderr.readline()]


@pytest.mark.parametrize("step", ["preprocess", "run"])
def test_ctrl_c(step: str, market: Path, tmp_path: Path, pooled: Path, start_reid: Start, reid: Commands) -> None:
    words = {
        "preprocess": ("preprocess", market / "query", tmp_path / "out", "--workers", 2),
        "run": ("run", "--data", market, "--model", pooled, "--output", tmp_path / "out", "--workers", 2),
    }[step]
    with blocking_image(market / "query" / "0900_c2s1_000001_00.jpg") as wait_for_reader:
        process = start_reid(*words)
        wait_for_reader()
        said = interrupt(process)
    out, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (said, rest, out) == (["interrupted\n"], "", "")
    if step == "run":
        assert not (tmp_path / "out").exists()
    else:
        assert {path.stat().st_size for path in (tmp_path / "out").iterdir()} <= {393_216}
        assert not (tmp_path / "out" / "0900_c2s1_000001_00.bin").exists()
    assert reid(*words).code == 0


def with_file_limit(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def assert_out_of_space(done: Finished, path: Path) -> None:
    assert done.code == 1
    assert done.error == f"cannot write {path}: {os.strerror(27)}"


def test_preprocess_on_a_full_disk(market: Path, tmp_path: Path, reid_process: Commands, reid: Commands) -> None:
    words = ("preprocess", market / "query", tmp_path / "bins")
    done = reid_process(*words, "--workers", 1, preexec_fn=with_file_limit(100_000))
    assert_out_of_space(done, tmp_path / "bins" / "0001_c1s1_001051_00.bin")
    assert list((tmp_path / "bins").iterdir()) == []
    assert reid(*words).code == 0


def test_infer_on_a_full_disk(
    market: Path, tmp_path: Path, pooled: Path, reid: Commands, reid_process: Commands
) -> None:
    assert reid("preprocess", market / "query", tmp_path / "bins").code == 0
    words = ("infer", "--model", pooled, "--input", tmp_path / "bins", "--output", tmp_path, "--output_dirname", "bs1")
    done = reid_process(*words, preexec_fn=with_file_limit(1000))
    assert_out_of_space(done, tmp_path / "bs1" / "0001_c1s1_001051_00_0.bin")
    assert list((tmp_path / "bs1").iterdir()) == []
    assert not (tmp_path / "bs1_summary.json").exists()
    assert reid(*words).code == 0


def test_run_on_a_full_disk_keeps_the_old_report(
    market: Path, tmp_path: Path, pooled: Path, reid_process: Commands
) -> None:
    report = tmp_path / "report" / "report.json"
    report.parent.mkdir()
    report.write_text("old")
    words = ("run", "--data", market, "--model", pooled, "--output", report.parent)
    done = reid_process(*words, preexec_fn=with_file_limit(500))
    assert_out_of_space(done, report)
    assert done.out.startswith("mAP: ")
    assert report.read_text() == "old"
    assert [path.name for path in report.parent.iterdir() if path.name.startswith(".")] == []


def test_export_on_a_full_disk(checkpoint: Path, tmp_path: Path, reid_process: Commands) -> None:
    words = ("export", "--weights", checkpoint, "--output", tmp_path / "ReID.onnx")
    done = reid_process(*words, preexec_fn=with_file_limit(1_000_000))
    assert done.code == 1
    assert str(tmp_path / "ReID.onnx") in done.error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["preprocess", "run"])
def test_an_image_that_may_not_be_read(
    step: str, market: Path, tmp_path: Path, pooled: Path, reid_process: Commands
) -> None:
    image = market / "query" / "0900_c2s1_000001_00.jpg"
    image.chmod(0)
    words = {
        "preprocess": ("preprocess", market / "query", tmp_path / "out"),
        "run": ("run", "--data", market, "--model", pooled, "--output", tmp_path / "out"),
    }[step]
    done = reid_process(*words, prefix=AS_EVERYBODY)
    assert done.code == 1
    assert done.error == f"cannot read {image}: Permission denied"
    assert not (tmp_path / "out" / "0900_c2s1_000001_00.bin").exists()
    assert not (tmp_path / "out" / "report.json").exists()


def cases_without_permission(market: Path, checkpoint: Path, pooled: Path, tmp_path: Path) -> dict[str, Any]:
    closed = tmp_path / "closed"
    closed.mkdir()
    query, gallery = market / "query", market / "bounding_box_test"
    results = ("--query_dir", query, "--gallery_dir", gallery, "--pred_dir", closed)
    return {
        "source": (0o000, ("preprocess", closed, tmp_path / "bins")),
        "destination": (0o555, ("preprocess", query, closed / "bins")),
        "checkpoint": (0o000, ("export", "--weights", closed / "weights.pth", "--output", tmp_path / "x.onnx")),
        "model": (0o000, ("run", "--data", market, "--model", closed / "ReID.onnx", "--output", tmp_path / "report")),
        "report": (0o555, ("run", "--data", market, "--model", pooled, "--output", closed)),
        "report's parent": (0o555, ("run", "--data", market, "--model", pooled, "--output", closed / "report")),
        "results": (0o000, ("postprocess", *results)),
        "features": (0o555, ("extract", "--model", pooled, "--input", query, "--output", closed / "f.npz")),
        "search": (0o555, ("search", "--model", pooled, "--query", query, "--gallery", query, "--output", closed)),
        "gallery": (0o000, ("search", "--model", pooled, "--query", query, "--gallery", closed, "--output", tmp_path)),
    }


@pytest.mark.parametrize(
    "case",
    [
        "source",
        "destination",
        "checkpoint",
        "model",
        "report",
        "report's parent",
        "results",
        "features",
        "search",
        "gallery",
    ],
)
def test_a_folder_without_permission(
    case: str, market: Path, checkpoint: Path, pooled: Path, tmp_path: Path, reid_process: Commands
) -> None:
    mode, words = cases_without_permission(market, checkpoint, pooled, tmp_path)[case]
    closed = tmp_path / "closed"
    closed.chmod(mode)
    done = reid_process(*words, prefix=AS_EVERYBODY)
    closed.chmod(0o755)
    assert done.code == 1
    assert str(closed) in done.error
    assert "Permission denied" in done.error
    assert list(closed.iterdir()) == []
