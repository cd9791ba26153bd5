"""The guide's way to an NPU, line by line, and `run --model X.om`: all through fakes, no NPU.

The fakes of atc and ais_bench compute through ONNX Runtime, so the numbers must be those of the .onnx file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelzoo.common.testing.plugin import Finished, tree

pytestmark = pytest.mark.usefixtures("fake_cann", "fake_ais_bench")

Commands = Callable[..., Finished]

STEPS = [
    "preprocess-step1 --input_path=./GaitDatasetB-silh --output_path=./predata",
    "preprocess-step2 --data_path=./predata --bin_file_path=./CASIA-B-bin/",
    "convert --framework=5 --model=gaitset_submit.onnx --output=gaitset_submit_bs4"
    " --input_shape=image_seq:4,100,64,44 --log=debug --soc_version=Ascend310P3",
    "infer --model=gaitset_submit_bs4.om --input=./CASIA-B-bin --output=./ --output_dirname=./result --batchsize=4",
    "postprocess --output_path=./result --json by_files.json",
]


@pytest.fixture
def work(casia_b: Path, make_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gaitset: Commands) -> Path:
    """The working directory after the guide's steps."""
    monkeypatch.chdir(tmp_path)
    Path("GaitDatasetB-silh").symlink_to(casia_b)
    shutil.copy(make_model(padding="zeros"), "gaitset_submit.onnx")
    for step in STEPS:
        finish(gaitset(*step.split()))
    return tmp_path


def finish(done: Finished) -> Finished:
    assert done.code == 0, done.err
    return done


def test_guide_by_files(work: Path, gaitset: Commands) -> None:
    words = ("--input", "CASIA-B-bin", "--output", ".", "--output_dirname", "onnx", "--batchsize", 4)
    finish(gaitset("infer", "--model", "gaitset_submit.onnx", *words))
    assert tree(work / "result") == tree(work / "onnx")
    assert len(tree(work / "onnx")) == 10
    done = finish(gaitset("postprocess", "--output_path=./onnx"))
    assert f"index: {work / 'CASIA-B-bin_index.json'}" in done.err
    assert done.out == finish(gaitset("postprocess", "--output_path=./result")).out
    assert done.out.splitlines()[1] == "NM: 33.333,\tBG: 0.000,\tCL: 16.667"


def test_guide_without_an_index(work: Path, gaitset: Commands) -> None:
    """As with .bin files and results of the guide's own scripts: the listing of ./predata tells the walks."""
    (work / "CASIA-B-bin_index.json").unlink()
    done = finish(gaitset("postprocess", "--output_path=./result", "--json", "listed.json"))
    assert "walks: as they are listed in predata" in done.err
    assert json.loads(Path("listed.json").read_text()) == json.loads(Path("by_files.json").read_text())


def test_run_in_one_process(work: Path, gaitset: Commands, report_of: Any) -> None:
    finish(gaitset("run", "--data", "GaitDatasetB-silh", "--model", "gaitset_submit_bs4.om", "--output", "npu"))
    report = report_of(work / "npu")
    assert (report["backend"], report["batchsize"], report["samples"]) == ("ascend", 4, 10)
    assert report["metrics"] == json.loads(Path("by_files.json").read_text())


def test_an_om_takes_zero_frames_whether_or_not_it_says_so(work: Path, gaitset: Commands, report_of: Any) -> None:
    (work / "gaitset_submit_bs4.json").unlink()
    words = ("run", "--data", "GaitDatasetB-silh", "--model", "gaitset_submit_bs4.om", "--output", "npu")
    finish(gaitset(*words))
    assert report_of(work / "npu")["metrics"] == json.loads(Path("by_files.json").read_text())
    done = gaitset(*words, "--padding", "none")
    assert done.code == 2
    assert "--padding none does not fit the model" in done.error
