"""Every command line of the guide: ours take it as it stands, or it is said why not."""

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.guide import Guide
from modelzoo.dgnet.cli import main

GUIDE = Guide.read(
    Path(__file__).with_name("data") / "guide_commands.txt",
    ours={
        "python prepare-market.py": "dgnet-prepare-market",
        "python3 ./DGnet_preprocess.py": "dgnet-preprocess",
        "python3 DGnet_pth2onnx.py": "dgnet-export",
        "atc": "dgnet-convert",
        "python3.7 -m ais_bench": "dgnet-infer",
        "python3 DGnet_postprocess.py": "dgnet-postprocess",
        "python3 fid.py": "dgnet-fid",
    },
    not_ours={
        "git clone": "the network and the distance are our own",
        "git reset": "as above",
        "patch ": "dgnet upstream patches a checkout",
        "cd ": "the shell's",
        "pip3 install": "packages/dgnet/requirements.txt is there for pip",
        "source ": "sets up the Ascend toolkit",
        "npu-smi": "Ascend's own tool",
    },
    variables={"${bs}": "4", "${batch_size}": "4", "{time_line}": "2022_11_01-10_00_00"},
)


def test_every_line_is_ours_or_has_a_reason() -> None:
    assert len(GUIDE.lines) == 20
    assert GUIDE.unexplained == []


@pytest.mark.parametrize("line", GUIDE.ours_lines)
def test_the_line_is_accepted(line: str, parsed: Callable[..., argparse.Namespace]) -> None:
    words = GUIDE.words(line)
    assert words is not None
    parsed(main, *words)


def test_lines_mean_what_they_say(parsed: Callable[..., argparse.Namespace]) -> None:
    by_command = {words[0]: parsed(main, *words) for words in map(GUIDE.words, GUIDE.lines[:19]) if words}
    assert set(by_command) == set(GUIDE.ours.values())
    preprocess, infer = by_command["dgnet-preprocess"], by_command["dgnet-infer"]
    assert preprocess.input_folder == Path("Market/pytorch/train_all")
    assert (preprocess.output_folder, preprocess.output_folder2) == (Path("bin_path1"), Path("bin_path2"))
    export = by_command["dgnet-export"]
    assert (export.output, export.batchsize, export.gen) == (Path("DG-net_bs4.onnx"), 4, None)
    assert by_command["dgnet-convert"].rest == ["--keep_dtype=keep.cfg"]
    assert (infer.input, infer.batchsize) == ("./bin_path2,./bin_path1", 4)
    postprocess = by_command["dgnet-postprocess"]
    assert postprocess.result_folder == Path("results/2022_11_01-10_00_00")
    assert (postprocess.output_folder, postprocess.output_folder2) == (Path("off-gan_id"), Path("off-gan_bg"))
    assert (by_command["dgnet-fid"].real, by_command["dgnet-fid"].fake) == (
        Path("../Market/pytorch/train_all"),
        Path("../off-gan_id"),
    )
