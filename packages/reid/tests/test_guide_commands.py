"""Every command line of the guide: ours take it as it stands, or it is said why not."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.guide import Guide
from modelzoo.reid.cli import main

GUIDE = Guide.read(
    Path(__file__).with_name("data") / "guide_commands.txt",
    ours={
        "python3 ReID_preprocess.py": "reid-preprocess",
        "python3 ReID_pth2onnx.py": "reid-export",
        "atc": "reid-convert",
        "python3 -m ais_bench": "reid-infer",
        "python3 ReID_postprocess.py": "reid-postprocess",
    },
    not_ours={
        "git clone": "the network is our own, no upstream checkout is needed",
        "git reset": "as above",
        "cd ": "the shell's",
        "pip3 install": "packages/reid/requirements.txt is there for pip",
        "mv ": "the shell's; the bins of one folder may be moved into another",
        "source ": "sets up the Ascend toolkit",
        "npu-smi": "Ascend's own tool",
    },
    variables={"${bs}": "4", "${chip_name}": "310P3"},
)


def test_every_line_is_ours_or_has_a_reason() -> None:
    assert len(GUIDE.lines) == 14
    assert GUIDE.unexplained == []


@pytest.mark.parametrize("line", GUIDE.ours_lines)
def test_the_line_is_accepted(line: str, parsed: Callable[..., argparse.Namespace]) -> None:
    words = GUIDE.words(line)
    assert words is not None
    arguments = parsed(main, *words)
    given = {str(value) for value in vars(arguments).values()}
    for word in words[1:]:
        value = word.partition("=")[2] if word.startswith("--") else word
        assert not value or {value, value.removeprefix("./"), str(Path(value))} & given or word in arguments.overrides


def test_lines_mean_what_they_say(parsed: Callable[..., argparse.Namespace]) -> None:
    by_command = {words[0]: parsed(main, *words) for words in map(GUIDE.words, GUIDE.lines) if words}
    assert set(by_command) == set(GUIDE.ours.values())
    preprocess, export = by_command["reid-preprocess"], by_command["reid-export"]
    assert preprocess.source == Path("/home/HwHiAiUser/datasets/market1501/bounding_box_test")
    assert preprocess.destination == Path("prep_dataset_gallery")
    assert export.config_file == Path("reid-strong-baseline/configs/softmax_triplet_with_center.yml")
    weights = "('market_resnet50_model_120_rank1_945.pth')"
    assert export.overrides == ["MODEL.PRETRAIN_CHOICE", "('self')", "TEST.WEIGHT", weights]
    convert = by_command["reid-convert"]
    assert (convert.model, convert.output, convert.framework) == (Path("ReID.onnx"), Path("ReID_bs1"), "5")
    assert (convert.input_format, convert.input_shape) == ("NCHW", "image:1,3,256,128")
    assert (convert.log, convert.soc_version, convert.rest) == ("debug", "Ascend310P3", [])
    infer, postprocess = by_command["reid-infer"], by_command["reid-postprocess"]
    assert (infer.model, infer.input, infer.output) == (Path("ReID_bs1.om"), "./prep_dataset_query/", "./")
    assert (infer.output_dirname, infer.outfmt, infer.batchsize) == ("bs1", "BIN", 1)
    assert postprocess.query_dir == Path("/root/datasets/market1501/query")
    assert postprocess.gallery_dir == Path("/root/datasets/market1501/bounding_box_test")
    assert postprocess.pred_dir == Path("bs1")
