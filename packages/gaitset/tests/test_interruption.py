"""Killed, out of space, run again: what is there is whole, and the same command goes on."""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished, tree

Commands = Callable[..., Finished]
Writer = Callable[..., Path]

PROGRAM = "import sys; from modelzoo.gaitset.cli import main; sys.argv[0] = 'gaitset'; sys.exit(main())"
BLOCKING = "003/nm-01/000/006.png"
"""Not the frame that a look into the walk takes first."""
WAITING = f"""
import time
from modelzoo.gaitset import silhouettes
read = silhouettes.read_silhouette
silhouettes.read_silhouette = lambda path: time.sleep(600) if path.endswith({BLOCKING!r}) else read(path)
{PROGRAM}
"""
"""Whoever reads that frame waits."""


@pytest.fixture
def raw(tmp_path: Path, write_frames: Writer) -> Path:
    """Five subjects, one sequence of three frames each."""
    for number in range(5):
        write_frames(tmp_path / "raw", f"{number + 1:03d}/nm-01/000", seed=3 * number)
    (tmp_path / "raw/005").rename(tmp_path / "raw/006")
    return tmp_path / "raw"


def start(*words: object) -> "subprocess.Popen[str]":
    line = [sys.executable, "-c", WAITING, *map(str, words)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.02)
    raise TimeoutError


def index_of(folder: Path) -> dict[str, Any]:
    return json.loads(folder.with_name(f"{folder.name}_index.json").read_text())


def kill_while_blocked(ready: Callable[[], object], *words: object) -> None:
    """Start a command, and kill it when it has done what comes before the blocking frame."""
    process = start(*words)
    try:
        wait_for(ready)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_preprocess_goes_on_after_kill_9(raw: Path, tmp_path: Path, gaitset: Commands) -> None:
    bins = tmp_path / "bins"
    words = ("preprocess", "--input_path", raw, "--pid_num", 0, "--workers", 1, "--bin_file_path")
    kill_while_blocked((bins / "0001.bin").exists, *words, bins)
    assert index_of(bins)["complete"] is False
    assert [path.stat().st_size for path in bins.iterdir()] == [1_126_400] * 2
    before = {path.name: path.stat().st_ino for path in bins.iterdir()}
    assert gaitset(*words, bins).code == 0
    assert gaitset(*words, tmp_path / "whole").code == 0
    assert len(tree(bins)) == 5
    assert tree(bins) == tree(tmp_path / "whole")
    assert index_of(bins) == index_of(tmp_path / "whole")
    assert {name: (bins / name).stat().st_ino for name in before} == before


def test_step_1_goes_on_after_kill_9(raw: Path, tmp_path: Path, gaitset: Commands) -> None:
    pre = tmp_path / "pre"
    words = ("preprocess-step1", "--input_path", raw, "--workers", 1, "--log_file", tmp_path / "log", "--output_path")
    kill_while_blocked((pre / "002/nm-01/000").exists, *words, pre)
    assert index_of(pre)["complete"] is False
    assert len(tree(pre)) == 6
    before = {name: (pre / name).stat().st_ino for name in tree(pre)}
    assert gaitset(*words, pre).code == 0
    assert gaitset(*words, tmp_path / "whole").code == 0
    assert len(tree(pre)) == 15
    assert tree(pre) == tree(tmp_path / "whole")
    assert index_of(pre) == index_of(tmp_path / "whole")
    assert {name: (pre / name).stat().st_ino for name in before} == before


@pytest.mark.parametrize("change", ["a walk more", "a walk less", "other subjects", "other frames", "other dtype"])
def test_an_interrupted_run_of_other_work_is_not_continued(
    change: str, raw: Path, tmp_path: Path, write_frames: Writer, gaitset: Commands
) -> None:
    """Else a number would stand for two walks."""
    bins = tmp_path / "bins"
    words = ["preprocess", "--input_path", raw, "--bin_file_path", bins, "--pid_num", 1]
    (raw / "006/nm-01/000/012.png").rename(tmp_path / "kept.png")
    (raw / "006/nm-01/000/012.png").write_text("this is no image")
    assert gaitset(*words).code == 1
    shutil.copyfile(tmp_path / "kept.png", raw / "006/nm-01/000/012.png")
    if change == "a walk more":
        write_frames(raw, "002/bg-01/000")
    elif change == "a walk less":
        shutil.rmtree(raw / "002/nm-01/000")
    more = {
        "other subjects": ["--pid_num", 2],
        "other frames": ["--frames", "dynamic"],
        "other dtype": ["--dtype", "uint8"],
    }
    before = tree(bins)
    done = gaitset(*words, *more.get(change, []))
    assert done.code == 1
    assert done.error == f"the output folder {bins} is not empty"
    assert "interrupted run with other options or another source" in done.hint
    assert tree(bins) == before


def test_a_second_run_needs_overwrite(raw: Path, tmp_path: Path, gaitset: Commands) -> None:
    bins = tmp_path / "bins"
    words = ("preprocess", "--input_path", raw, "--bin_file_path", bins, "--pid_num", 1)
    assert gaitset(*words).code == 0
    assert len(tree(bins)) == 4
    (bins / "notes.txt").write_text("mine")
    first = tree(bins)
    done = gaitset(*words)
    assert done.code == 1
    assert done.error == f"the output folder {bins} is not empty"
    assert tree(bins) == first
    assert gaitset(*words, "--pid_num", 3, "--overwrite").code == 0
    assert sorted(tree(bins)) == ["0000.bin", "0001.bin", "notes.txt"]
    assert tree(bins)["notes.txt"] == first["notes.txt"]


def test_step_1_on_a_full_disk(raw: Path, tmp_path: Path, gaitset: Commands) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320), dtype=np.uint8)
    Image.fromarray(noise).save(raw / "001/nm-01/000/001.png")
    words = ("preprocess-step1", "--input_path", raw, "--output_path", tmp_path / "pre", "--log_file", tmp_path / "log")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, words), "--workers", "1"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)),
    )
    assert done.returncode == 1
    assert done.stderr == f"error: cannot write {tmp_path / 'pre/001/nm-01/000'}: {os.strerror(errno.EFBIG)}\n"
    assert not [name for name in tree(tmp_path / "pre") if ".part" in name or name.startswith("001")]
    assert gaitset(*words).code == 0
    assert len(tree(tmp_path / "pre")) == 15
