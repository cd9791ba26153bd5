"""Every command line of the guide: ours take it as it stands, or it is said why not."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.guide import Guide
from modelzoo.gaitset.cli import main

GUIDE = Guide.read(
    Path(__file__).with_name("data") / "guide_commands.txt",
    ours={
        "python GaitSet_preprocess_step1.py": "gaitset-preprocess-step1",
        "python GaitSet_preprocess_step2.py": "gaitset-preprocess-step2",
        "python GaitSet_pth2onnx.py": "gaitset-export",
        "atc": "gaitset-convert",
        "python -m ais_bench": "gaitset-infer",
        "python GaitSet_postprocess.py": "gaitset-postprocess",
    },
    not_ours={
        "git clone": "the network is our own; for a comparison: gaitset-upstream GaitSet",
        "git reset": "as above",
        "patch -p2": "as above: gaitset-upstream applies our patch; the guide's line cannot find the file to patch",
        "cd ": "the shell's",
        "mkdir ": "the shell's; our commands make their folders",
        "pip install": "packages/gaitset/requirements.txt is there for pip",
        "source ": "sets up the Ascend toolkit",
        "npu-smi": "Ascend's own tool",
    },
    variables={"${bs}": "4", "${batch_size}": "4", "{chip_name}": "310P3"},
)


def test_every_line_is_ours_or_has_a_reason() -> None:
    assert len(GUIDE.lines) == 16
    assert len(GUIDE.ours_lines) == 7
    assert GUIDE.unexplained == []


@pytest.mark.parametrize("line", GUIDE.ours_lines)
def test_the_line_is_accepted(line: str, parsed: Callable[..., argparse.Namespace]) -> None:
    words = GUIDE.words(line)
    assert words is not None
    given = {str(value) for value in vars(parsed(main, *words)).values()}
    for word in words[1:]:
        value = word.partition("=")[2]
        assert {value, str(Path(value))} & given, word


def test_lines_mean_what_they_say(parsed: Callable[..., argparse.Namespace]) -> None:
    step1, step2, export, convert, infer, postprocess, pure = (
        parsed(main, *(GUIDE.words(line) or [])) for line in GUIDE.ours_lines
    )
    assert (step1.input_path, step1.output_path) == (Path("GaitDatasetB-silh"), Path("predata"))
    assert (step2.data_path, step2.bin_file_path) == (Path("predata"), Path("CASIA-B-bin"))
    assert (step2.pid_num, step2.frames) == (None, 100)
    assert export.weights.name == "GaitSet_CASIA-B_73_False_256_0.2_128_full_30-80000-encoder.ptm"
    assert export.output == Path("gaitset_submit.onnx")
    assert (convert.model, convert.output) == (Path("gaitset_submit.onnx"), Path("gaitset_submit_bs4"))
    assert (convert.input_shape, convert.soc_version) == ("image_seq:4,100,64,44", "Ascend310P3")
    assert (infer.model, infer.input, infer.output_dirname) == (
        Path("gaitset_submit_bs4.om"),
        "./CASIA-B-bin",
        "./result",
    )
    assert postprocess.output_path == Path("result")
    assert (pure.input, pure.loop, pure.batchsize) == (None, 100, 4)
