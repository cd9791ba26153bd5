"""Every command line of the guide: ours take it as it stands, or it is said why not."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.alphapose.cli import main
from modelzoo.common.testing.guide import Guide

GUIDE = Guide.read(
    Path(__file__).with_name("data") / "guide_commands.txt",
    ours={
        "python3 preprocess.py": "alphapose-preprocess",
        "python3 pth2onnx.py": "alphapose-export",
        "atc": "alphapose-convert",
        "python3 -m ais_bench": "alphapose-infer",
        "python3 postprocess.py": "alphapose-postprocess",
    },
    not_ours={
        "git clone": "the network is our own, and pycocotools comes from the package index",
        "git checkout": "as above",
        "git reset": "as above",
        "git pull": "changes only what is compiled for CUDA, which is not needed here",
        "patch ": "alphapose upstream patches a checkout",
        "make ": "nothing is compiled",
        "python3.7 setup.py": "as above",
        "cd ": "the shell's",
        "mkdir ": "the shell's; output folders are made",
        "mv ": "the shell's",
        "pip3 install": "packages/alphapose/requirements.txt is there for pip",
        "python3 -m onnxsim": "export simplifies the graph itself",
        "source ": "sets up the Ascend toolkit",
        "npu-smi": "Ascend's own tool",
    },
    variables={"${bs}": "4", "${chip_name}": "310P3"},
)


def test_every_line_is_ours_or_has_a_reason() -> None:
    assert len(GUIDE.lines) == 29
    assert GUIDE.unexplained == []


@pytest.mark.parametrize("line", GUIDE.ours_lines)
def test_the_line_is_accepted(line: str, parsed: Callable[..., argparse.Namespace]) -> None:
    words = GUIDE.words(line)
    assert words is not None
    parsed(main, *words)


def test_lines_mean_what_they_say(parsed: Callable[..., argparse.Namespace]) -> None:
    by_command = {words[0]: parsed(main, *words) for words in map(GUIDE.words, GUIDE.lines) if words}
    assert set(by_command) == set(GUIDE.ours.values())
    preprocess, postprocess = by_command["alphapose-preprocess"], by_command["alphapose-postprocess"]
    assert (preprocess.dataroot, preprocess.output) == (Path("data/coco"), Path("prep_data"))
    assert preprocess.output_flip == Path("prep_data_flip")
    assert preprocess.detections is preprocess.detector_weights is None
    assert postprocess.dataroot == Path("data/coco")
    assert (postprocess.dump_dir, postprocess.dump_dir_flip) == (Path("result/bs1"), Path("result/bs1_flip"))
    files = ["256x192_res50_lr1e-3_1x.yaml", "fast_res50_256x192.pth", "fast_res50_256x192.onnx"]
    assert [path.name for path in by_command["alphapose-export"].files] == files


def test_flags_may_be_cut_short_as_the_guides_scripts_allow(parsed: Callable[..., argparse.Namespace]) -> None:
    preprocess = parsed(main, "alphapose", "preprocess", "--data", "coco", "--output", "bins", "--output-f", "flip")
    assert (preprocess.dataroot, preprocess.output_flip) == (Path("coco"), Path("flip"))
    postprocess = parsed(main, "alphapose", "postprocess", "--data", "coco", "--dump-dir", "r", "--dump_dir_f", "rf")
    assert (postprocess.dump_dir, postprocess.dump_dir_flip) == (Path("r"), Path("rf"))
