"""Every command line of the guide: ours take it as it stands, or it is said why not."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.guide import Guide
from modelzoo.posec3d.cli import main

GUIDE = Guide.read(
    Path(__file__).with_name("data") / "guide_commands.txt",
    ours={
        "python posec3d_preprocess.py": "posec3d-preprocess",
        "python mmaction2/tools/deployment/pytorch2onnx.py": "posec3d-export",
        "atc": "posec3d-convert",
        "python -m ais_bench": "posec3d-infer",
        "python posec3d_postprocess.py": "posec3d-postprocess",
    },
    not_ours={
        "git clone": "the network is our own; for a comparison: posec3d-upstream mmaction2",
        "pip install": "packages/posec3d/requirements.txt is there for pip; mmaction2 itself is not needed",
        "cd ": "the shell's",
        "bash ": "no video and no frame is read: keypoints are all that the network sees",
        "rm ": "as above: there is nothing to remove",
        "wget ": "the addresses are in reference.toml; posec3d-doctor shows them",
        "npu-smi": "Ascend's own tool",
        "source ": "sets up the Ascend toolkit",
        "chip_name=": "the shell's",
    },
    variables={"${bs}": "4", "${chip_name}": "310P3"},
)

NAME = "slowonly_kinetics400_pretrained_r50_u48_120e_hmdb51_split1_keypoint"


def test_every_line_is_ours_or_has_a_reason() -> None:
    assert len(GUIDE.lines) == 19
    assert len(GUIDE.ours_lines) == 6
    assert GUIDE.unexplained == []


@pytest.mark.parametrize("line", GUIDE.ours_lines)
def test_the_line_is_accepted(line: str, parsed: Callable[..., argparse.Namespace]) -> None:
    words = GUIDE.words(line)
    assert words is not None
    parsed(main, *words)


def test_lines_mean_what_they_say(parsed: Callable[..., argparse.Namespace]) -> None:
    preprocess, export, convert, infer, pure, postprocess = (
        parsed(main, *(GUIDE.words(line) or [])) for line in GUIDE.ours_lines
    )
    assert preprocess.ann_file == Path("mmaction2/data/hmdb51/hmdb51.pkl")
    assert (preprocess.output_dir, preprocess.split, preprocess.format) == (Path("prep_data"), None, "volumes")
    assert [path.stem[: len(NAME)] for path in export.files] == [NAME, NAME]
    assert (export.output, export.shape) == (Path("posec3d_bs4.onnx"), [4, 20, 17, 48, 56, 56])
    assert (convert.model, convert.output) == (Path("posec3d_bs4.onnx"), Path("posec3d_bs4"))
    assert (convert.input_shape, convert.input_format) == ("onnx::Reshape_0:4,20,17,48,56,56", "ND")
    assert (infer.model, infer.input, infer.output_dirname) == (
        Path("posec3d_bs4.om"),
        "./prep_data/bin/",
        "result_bs4",
    )
    assert (pure.input, pure.loop, pure.batchsize) == (None, 100, 4)
    assert postprocess.infer_results == Path("result_bs4")
    assert postprocess.label_file == Path("prep_data/hmdb51_label.txt")


def test_flags_may_be_cut_short_as_the_guides_scripts_allow(parsed: Callable[..., argparse.Namespace]) -> None:
    assert parsed(main, "posec3d", "preprocess", "--ann", "a", "--output", "o").ann_file == Path("a")
    assert parsed(main, "posec3d", "postprocess", "--infer", "r", "--label", "l").label_file == Path("l")
