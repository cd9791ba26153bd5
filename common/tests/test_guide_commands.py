"""Every command line of the guides whose packages are not built yet.

Conversion and inference are the same for every model, so those lines are run already; of all others it is said what
they wait for.
"""

import argparse
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from modelzoo.common.cli import Command, main, run_program
from modelzoo.common.commands import convert
from modelzoo.common.spec import ModelSpec, TensorSpec, Upstream
from modelzoo.common.testing.cann import FakeCann, read_fake_om
from modelzoo.common.testing.plugin import CommandRunner, Finished
from modelzoo.common.testing.toys import doubler, onnx_model, save_model

LINES = {
    path.stem: path.read_text(encoding="utf-8").splitlines()
    for path in sorted((Path(__file__).with_name("data") / "guide_commands").glob("*.txt"))
}

COUNTS = {"alphapose": 32, "dgnet": 20, "gaitset": 16, "posec3d": 19}

FILLED = {
    "Ascend{chip_name}": "Ascend310P3",  # as the guide has it, without the dollar
    "${chip_name}": "310P3",
    "${bs}": "4",
    "${batch_size}": "4",
}

NOT_BUILT_YET = {
    "alphapose": {
        "python3 preprocess.py ": "alphapose-preprocess",
        "python3 pth2onnx.py ": "alphapose-export",
        "python3 -m onnxsim ": "alphapose-export, which simplifies by itself",
        "python3 postprocess.py ": "alphapose-postprocess",
    },
    "dgnet": {
        "python prepare-market.py": "dgnet-prepare-market",
        "python3 ./DGnet_preprocess.py ": "dgnet-preprocess",
        "python3 DGnet_pth2onnx.py ": "dgnet-export",
        "python3 DGnet_postprocess.py ": "dgnet-postprocess",
        "git clone https://github.com/layumi/TTUR.git": "dgnet-fid",
        "cd TTUR": "dgnet-fid",
        "python3 fid.py ": "dgnet-fid",
    },
    "gaitset": {
        "python GaitSet_preprocess_step1.py ": "gaitset-preprocess-step1",
        "python GaitSet_preprocess_step2.py ": "gaitset-preprocess-step2",
        "python GaitSet_pth2onnx.py ": "gaitset-export",
        "python GaitSet_postprocess.py ": "gaitset-postprocess",
    },
    "posec3d": {
        "python posec3d_preprocess.py ": "posec3d-preprocess",
        "python mmaction2/tools/deployment/pytorch2onnx.py ": "posec3d-export",
        "python posec3d_postprocess.py ": "posec3d-postprocess",
    },
}
"""What the line waits for, by how it starts."""

NOT_OURS = {
    "git ": "the network will be our own; <model>-upstream clones and patches the published one",
    "patch ": "<model>-upstream applies its patch",
    "python3.7 setup.py ": "pip install ./packages/<model>",
    "make ": "nothing is compiled",
    "pip ": "pip's",
    "pip3 ": "pip's",
    "cd ": "the shell's",
    "mkdir ": "the shell's; our commands make their folders",
    "mv ": "the shell's",
    "rm ": "the shell's",
    "bash ": "downloads videos, which the annotation file stands for",
    "wget ": "the user's download; reference.toml will name the file and its md5",
    "source ": "sets up CANN",
    "npu-smi ": "Ascend's own; convert asks it by itself",
    "chip_name=": "the shell's; convert asks npu-smi by itself",
}

INPUTS = {
    "alphapose": [TensorSpec("image", "float32", ("N", 3, 256, 192))],
    "dgnet": [
        TensorSpec("image1", "float32", ("N", 1, 256, 128)),
        TensorSpec("image2", "float32", ("N", 3, 256, 128)),
    ],
    "gaitset": [TensorSpec("image_seq", "float32", ("N", 100, 64, 44))],
    "posec3d": [TensorSpec("onnx::Reshape_0", "float32", ("N", 20, 17, 48, 56, 56))],
}
"""What the guides' models take."""


def words_of(line: str) -> list[str]:
    """The line as the shell splits it."""
    for placeholder, value in FILLED.items():
        line = line.replace(placeholder, value)
    return shlex.split(line, comments=True)


def kinds(model: str, line: str) -> list[str]:
    """Every class that a line falls into."""
    waits = [f"waits for {what}" for start, what in NOT_BUILT_YET[model].items() if line.startswith(start)]
    foreign = [reason for start, reason in NOT_OURS.items() if line.startswith(start)]
    built = ["convert"] if line.startswith("atc ") else ["infer"] if " -m ais_bench " in line else []
    return [*built, *(waits or foreign)]  # what a package will replace is not the shell's or git's any more


def lines_of(kind: str) -> list[tuple[str, str]]:
    return [(model, line) for model, lines in LINES.items() for line in lines if kinds(model, line) == [kind]]


@pytest.fixture
def guide_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with models that take what the guides' models take, under all names of the lines."""
    from onnx.helper import make_node

    monkeypatch.chdir(tmp_path)
    Path("keep.cfg").write_text("OpType::InstanceNorm\n")
    for model, line in lines_of("convert"):
        path = Path(next(word for word in words_of(line) if word.startswith("--model=")).removeprefix("--model="))
        path.parent.mkdir(exist_ok=True)
        outputs = [TensorSpec(f"out{i}", tensor.dtype, tensor.shape) for i, tensor in enumerate(INPUTS[model])]
        nodes = [make_node("Relu", [a.name], [b.name]) for a, b in zip(INPUTS[model], outputs, strict=True)]
        save_model(path, onnx_model(nodes, INPUTS[model], outputs))
    return tmp_path


def test_the_guides_are_whole() -> None:
    assert {model: len(lines) for model, lines in LINES.items()} == COUNTS
    assert {
        model: len([line for other, line in lines_of("convert") if other == model]) for model in LINES
    } == dict.fromkeys(COUNTS, 1)
    assert {
        model: len([line for other, line in lines_of("infer") if other == model]) for model in LINES
    } == dict.fromkeys(COUNTS, 2)


@pytest.mark.parametrize(("model", "line"), [(model, line) for model, lines in LINES.items() for line in lines])
def test_every_line_is_of_one_kind(model: str, line: str) -> None:
    assert len(kinds(model, line)) == 1


def test_every_reason_is_needed() -> None:
    lines = [line for lines in LINES.values() for line in lines]
    assert [start for start in NOT_OURS if not any(line.startswith(start) for line in lines)] == []
    for model, waits in NOT_BUILT_YET.items():
        assert [start for start in waits if not any(line.startswith(start) for line in LINES[model])] == []


@pytest.mark.parametrize(("model", "line"), lines_of("convert"))
def test_a_conversion_line_means_what_it_says(model: str, line: str, parsed: Callable[..., argparse.Namespace]) -> None:
    arguments = parsed(main, "modelzoo", "convert", *words_of(line)[1:])
    said = dict(word.removeprefix("--").split("=", 1) for word in words_of(line)[1:])
    known = {name: str(vars(arguments)[name]) for name in said if name in vars(arguments)}
    assert known == {name: value.removeprefix("./") for name, value in said.items() if name in known}
    assert arguments.rest == [f"--{name}={value}" for name, value in said.items() if name not in known]
    assert bool(arguments.rest) == (model == "dgnet")


@pytest.mark.parametrize(("model", "line"), lines_of("convert"))
def test_a_conversion_line_works(
    model: str, line: str, command: CommandRunner, fake_cann: FakeCann, guide_folder: Path
) -> None:
    done = command(main, "modelzoo", "convert", *words_of(line)[1:])
    assert done.code == 0, done.err
    (call,) = fake_cann.calls
    given = dict(word.split("=", 1) for word in words_of(line)[1:])
    ran = dict(word.split("=", 1) for word in call["words"])
    for name in ("--framework", "--input_shape", "--log", "--input_format"):
        assert ran[name] == given.get(name, {"--log": "error", "--input_format": "NCHW"}.get(name))
    assert ran["--soc_version"] == "Ascend310P3"
    assert ran["--model"] == str(guide_folder / given["--model"])
    assert call["keep_dtype"] == ("OpType::InstanceNorm\n" if model == "dgnet" else None)
    assert read_fake_om(guide_folder / f"{given['--output']}.om")


def test_the_name_in_the_guide_of_posec3d_is_mapped(
    command: CommandRunner, fake_cann: FakeCann, guide_folder: Path
) -> None:
    clips = TensorSpec("x", "float32", INPUTS["posec3d"][0].shape, aliases=("onnx::Reshape_0",))
    spec = ModelSpec("toy", "Toy", (clips,), (clips,), Upstream("https://example.org", "0", "MIT"), "m:f", "ND", 1e-4)
    commands = [Command("convert", "x", convert.add_arguments, partial(convert.handle, spec=spec), passthrough=True)]
    save_model(guide_folder / "posec3d_bs4.onnx", doubler(clips.shape))
    ((_, line),) = [(model, line) for model, line in lines_of("convert") if model == "posec3d"]
    done: Finished = command(lambda: run_program("toy", "Toy.", "1", commands), "toy-convert", *words_of(line)[1:])
    assert done.code == 0, done.err
    assert "--input_shape=x:4,20,17,48,56,56" in fake_cann.calls[0]["words"]
    assert "the input onnx::Reshape_0 is called x here" in done.err


@pytest.mark.parametrize(("model", "line"), lines_of("infer"))
def test_an_inference_line_means_what_it_says(model: str, line: str, parsed: Callable[..., argparse.Namespace]) -> None:
    words = words_of(line)
    assert words[1:3] == ["-m", "ais_bench"]
    flags = " ".join(words[3:]).replace("=", " ").split()
    said = dict(zip(flags[::2], flags[1::2], strict=True))
    arguments = vars(parsed(main, "modelzoo", "infer", *words[3:]))
    assert {name: str(arguments[name.removeprefix("--")]) for name in said} == {
        name: value.removeprefix("./") if name == "--model" else value for name, value in said.items()
    }
