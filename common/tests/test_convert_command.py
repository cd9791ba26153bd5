"""`convert`: what it prints, runs, leaves and refuses, on a fake atc."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from modelzoo.common import identity
from modelzoo.common.cli import Command, main, run_program
from modelzoo.common.commands import convert
from modelzoo.common.spec import Identity, ModelSpec, TensorSpec, Upstream
from modelzoo.common.testing.cann import FakeCann, npu_smi_table, read_fake_om
from modelzoo.common.testing.plugin import CommandRunner, Finished
from modelzoo.common.testing.toys import doubler, save_model, toy_b

X = TensorSpec("x", "float32", ("N", 3, 8, 8), layout="NCHW RGB", aliases=("onnx::Reshape_0", "input"))
Y = TensorSpec("y", "float32", ("N", 3, 8, 8))
IDENTITY = Identity(
    "toy", "1.2", (X,), (Y,), {"neck": "after"}, {"input_format": "ND", "keep_dtype": ["OpType::Pow", "OpType::Add"]}
)
SPEC = ModelSpec("toy", "Toy", (X,), (Y,), Upstream("https://example.org", "0" * 40, "MIT"), "m:f", "NCHW", 1e-4)
CHIP = ("--soc_version", "310P3")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a model of the toy package and one from elsewhere."""
    monkeypatch.chdir(tmp_path)
    save_model(tmp_path / "toy.onnx", doubler(X.shape, identity_=IDENTITY))
    save_model(tmp_path / "foreign.onnx", doubler(["batch", 3, 8, 8]))
    return tmp_path


@pytest.fixture
def zoo(command: CommandRunner) -> Callable[..., Finished]:
    """Run `modelzoo convert WORDS`."""
    return lambda *words: command(main, "modelzoo", "convert", *words)


@pytest.fixture
def toy(command: CommandRunner) -> Callable[..., Finished]:
    """Run `toy convert WORDS`, the command of a package."""
    commands = [Command("convert", "x", convert.add_arguments, partial(convert.handle, spec=SPEC), passthrough=True)]
    return lambda *words: command(lambda: run_program("toy", "Toy.", "1", commands), "toy-convert", *words)


def printed(done: Finished) -> dict[str, str]:
    """The options in the command line of atc that was printed."""
    assert done.code == 0, done.err
    words = shlex.split(done.out.splitlines()[0])
    assert words[0] == "atc"
    return dict(word.removeprefix("--").split("=", 1) for word in words[1:])


def described(path: str) -> Identity:
    return identity.from_json(Path(path).read_text(), path)


def test_the_model_says_what_it_needs(fake_cann: FakeCann, toy: Callable[..., Finished], folder: Path) -> None:
    done = toy("--model", "toy.onnx", "--output", "toy_bs4", "--batchsize", "4", "--soc_version", "auto")
    assert printed(done) == {
        "framework": "5",
        "model": f"{folder}/toy.onnx",
        "output": f"{folder}/toy_bs4",
        "keep_dtype": f"{folder}/toy_bs4.keep_dtype.cfg",
        "input_format": "ND",
        "input_shape": "x:4,3,8,8",
        "log": "error",
        "soc_version": "Ascend310P3",
    }
    assert done.err == ""
    assert fake_cann.calls[0]["keep_dtype"] == "OpType::Pow\nOpType::Add\n"
    names = sorted(path.name for path in folder.glob("toy_bs4*"))
    assert names == ["toy_bs4.atc.log", "toy_bs4.json", "toy_bs4.om"]


def test_the_om_says_of_itself_what_the_onnx_said(fake_cann: FakeCann, toy: Callable[..., Finished]) -> None:
    assert toy("--model", "toy.onnx", "--output", "toy_bs4", "--batchsize", "4", *CHIP).code == 0
    om = described("toy_bs4.json")
    assert [tensor.shape for tensor in (*om.inputs, *om.outputs)] == [(4, 3, 8, 8), (4, 3, 8, 8)]
    assert om.inputs[0].layout == "NCHW RGB"
    assert (om.model, om.version, om.form, om.atc) == ("toy", "1.2", IDENTITY.form, IDENTITY.atc)


def test_the_fake_om_computes_what_the_onnx_computes(fake_cann: FakeCann, toy: Callable[..., Finished]) -> None:
    assert toy("--model", "toy.onnx", "--output", "toy_bs4.om", "--batchsize", "4", *CHIP).code == 0
    x = np.random.default_rng(0).standard_normal((4, 3, 8, 8)).astype(np.float32)
    (y,) = onnxruntime.InferenceSession(read_fake_om(Path("toy_bs4.om"))).run(None, {"x": x})
    np.testing.assert_array_equal(y, 2 * x)


def test_the_batch_is_one_unless_said(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    assert printed(zoo("--model", "toy.onnx", "--output", "o", *CHIP))["input_shape"] == "x:1,3,8,8"


def test_a_model_from_elsewhere(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    options = printed(zoo("--model", "foreign.onnx", "--output", "o", "--batchsize", "2", *CHIP))
    assert (options["input_shape"], options["input_format"]) == ("x:2,3,8,8", "NCHW")
    assert "keep_dtype" not in options
    om = described("o.json")
    assert (om.model, om.inputs[0].shape, om.outputs[0].shape) == ("", (2, 3, 8, 8), (2, 3, 8, 8))


def test_what_is_no_picture_is_nd(fake_cann: FakeCann, zoo: Callable[..., Finished], folder: Path) -> None:
    save_model(folder / "clips.onnx", doubler(["N", 20, 17, 4, 5, 5]))
    assert printed(zoo("--model", "clips.onnx", "--output", "o", *CHIP))["input_format"] == "ND"


def test_several_inputs(fake_cann: FakeCann, zoo: Callable[..., Finished], folder: Path) -> None:
    save_model(folder / "b.onnx", toy_b())
    done = zoo("--model", "b.onnx", "--output", "o", "--batchsize", "4", *CHIP)
    assert printed(done)["input_shape"] == "image1:4,1,4,4;image2:4,3,4,4"
    assert [tensor.shape for tensor in described("o.json").outputs] == [(4, 3, 4, 4), (4,)]
    assert "no graph of the guides has" not in done.err


def test_given_shapes_win(fake_cann: FakeCann, toy: Callable[..., Finished]) -> None:
    done = toy("--model", "toy.onnx", "--output", "o", "--input_shape", "x:8,3,8,8", "--batchsize", "8", *CHIP)
    assert printed(done)["input_shape"] == "x:8,3,8,8"
    assert described("o.json").outputs[0].shape == (8, 3, 8, 8)


def test_given_format_wins(fake_cann: FakeCann, toy: Callable[..., Finished]) -> None:
    done = toy("--model", "toy.onnx", "--output", "o", "--input_format", "NCHW", *CHIP)
    assert printed(done)["input_format"] == "NCHW"


def test_given_kept_types_win(fake_cann: FakeCann, toy: Callable[..., Finished], folder: Path) -> None:
    Path("keep.cfg").write_text("OpType::Mul\n")
    done = toy("--model", "toy.onnx", "--output", "o", "--keep_dtype=keep.cfg", *CHIP)
    assert printed(done)["keep_dtype"] == f"{folder}/keep.cfg"
    assert fake_cann.calls[0]["keep_dtype"] == "OpType::Mul\n"
    lacking = f"{folder}/keep.cfg lacks OpType::Pow, OpType::Add, which the model needs in single precision"
    assert f"warning: {lacking}" in done.err
    Path("keep.cfg").write_text("OpType::Mul\nOpType::Add\nOpType::Pow\n")
    assert "lacks" not in toy("--model", "toy.onnx", "--output", "o", "--keep_dtype=keep.cfg", *CHIP).err


def test_kept_types_in_a_file_that_is_not_there(fake_cann: FakeCann, toy: Callable[..., Finished]) -> None:
    done = toy("--model", "toy.onnx", "--output", "o", "--keep_dtype=kep.cfg", *CHIP)
    assert done.code == 1
    assert "kep.cfg" in done.error
    assert fake_cann.calls == []


def test_a_name_of_the_guides_is_mapped_and_told(fake_cann: FakeCann, toy: Callable[..., Finished]) -> None:
    done = toy("--model", "toy.onnx", "--output", "o", "--input_shape=onnx::Reshape_0:4,3,8,8", *CHIP)
    assert printed(done)["input_shape"] == "x:4,3,8,8"
    assert done.err == "note: the input onnx::Reshape_0 is called x here\n"


def test_a_name_of_the_guides_that_the_file_has_stays(
    fake_cann: FakeCann, toy: Callable[..., Finished], folder: Path
) -> None:
    model = doubler(["N", 3, 8, 8])
    model.graph.input[0].name = "onnx::Reshape_0"
    model.graph.node[0].input[:] = ["onnx::Reshape_0"] * 2
    save_model(folder / "guide.onnx", model)
    done = toy("--model", "guide.onnx", "--output", "o", "--input_shape=onnx::Reshape_0:4,3,8,8", *CHIP)
    assert printed(done)["input_shape"] == "onnx::Reshape_0:4,3,8,8"
    assert done.err == ""
    assert described("o.json").model == "toy"


def test_without_a_package_no_name_is_mapped(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    done = zoo("--model", "toy.onnx", "--output", "o", "--input_shape=onnx::Reshape_0:4,3,8,8", *CHIP)
    assert (done.code, fake_cann.calls) == (2, [])
    assert "the model takes x float32 (N, 3, 8, 8)" in done.error


@pytest.mark.parametrize("spelling", ["310P3", "Ascend310P3"])
def test_both_spellings_of_the_chip(fake_cann: FakeCann, zoo: Callable[..., Finished], spelling: str) -> None:
    done = zoo("--model", "toy.onnx", "--output", "o", f"--soc-version={spelling}")
    assert printed(done)["soc_version"] == "Ascend310P3"


def test_other_options_are_passed_on(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    done = zoo("--model", "toy.onnx", "--output", "o", "--precision_mode", "force_fp32", *CHIP, "--out_nodes=a:0;b:0")
    options = printed(done)
    assert (options["precision_mode"], options["out_nodes"]) == ("force_fp32", "a:0;b:0")
    assert "--out_nodes=a:0;b:0" in fake_cann.calls[0]["words"]


def test_other_options_after_two_hyphens(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    done = zoo("--model", "toy.onnx", "--output", "o", *CHIP, "--", "--buffer_optimize=off_optimize")
    assert printed(done)["buffer_optimize"] == "off_optimize"


@pytest.mark.parametrize("option", ["--output_type=FP16", "--input_fp16_nodes=x", "--out_nodes=y:0"])
def test_an_om_with_other_tensors_is_not_described(
    fake_cann: FakeCann, zoo: Callable[..., Finished], option: str
) -> None:
    words = ("--model", "toy.onnx", "--output", "o", *CHIP)
    assert zoo(*words).code == 0
    assert Path("o.json").exists()
    assert zoo(*words, option).code == 0
    assert Path("o.om").exists()
    assert not Path("o.json").exists()


def test_dynamic_batches(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    done = zoo("--model=toy.onnx", "--output=o", "--input_shape=x:-1,3,8,8", "--dynamic_batch_size=1,4", *CHIP)
    assert printed(done)["input_shape"] == "x:-1,3,8,8"
    assert described("o.json").outputs[0].shape == ("N", 3, 8, 8)


def test_a_dry_run_needs_no_atc_and_writes_nothing(
    fake_cann: FakeCann, toy: Callable[..., Finished], folder: Path
) -> None:
    fake_cann.remove("atc")
    fake_cann.remove("npu-smi")
    before = sorted(path.name for path in folder.iterdir())
    done = toy("--model", "toy.onnx", "--output", "new/toy_bs1", *CHIP, "--dry-run")
    assert printed(done)["output"] == f"{folder}/new/toy_bs1"
    assert len(done.out.splitlines()) == 1
    assert done.err == "note: the file of --keep_dtype has to hold these lines: OpType::Pow, OpType::Add\n"
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_dry_run_prints_what_a_run_prints(fake_cann: FakeCann, toy: Callable[..., Finished]) -> None:
    words = ("--model", "toy.onnx", "--output", "o", *CHIP)
    dry, wet = toy(*words, "--dry-run"), toy(*words)
    assert dry.out == wet.out.splitlines(keepends=True)[0]
    assert len(fake_cann.calls) == 1


def test_a_dry_run_on_auto_needs_npu_smi(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    fake_cann.remove("npu-smi")
    done = zoo("--model", "toy.onnx", "--output", "o", "--dry-run")
    assert done.code == 3
    assert "npu-smi" in done.error
    assert "--soc_version Ascend310P3" in done.hint


def test_without_atc(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    fake_cann.remove("atc")
    done = zoo("--model", "toy.onnx", "--output", "o", *CHIP)
    assert done.code == 3
    assert done.error == "atc is not on the PATH; it comes with CANN"
    assert done.hint.startswith("source /usr/local/Ascend/ascend-toolkit/set_env.sh")


@pytest.mark.parametrize("behaviour", ["fail EZ9999", "success and exit 1", "nothing", "empty", "silent"])
def test_a_failure_keeps_the_old_om(fake_cann: FakeCann, zoo: Callable[..., Finished], behaviour: str) -> None:
    Path("o.om").write_text("old")
    fake_cann.behave(behaviour)
    done = zoo("--model", "toy.onnx", "--output", "o", *CHIP)
    assert done.code == 1
    assert "o.atc.log" in done.error
    assert done.hint
    assert Path("o.om").read_text() == "old"
    assert not Path("o.json").exists()


def test_an_unknown_chip(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    done = zoo("--model", "toy.onnx", "--output", "o", "--soc_version", "999X9")
    assert done.code == 1
    assert "EE1001: Soc version [Ascend999X9] is invalid" in done.error
    assert "does not know the --soc_version" in done.hint


def test_a_slow_operator_is_told(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    fake_cann.behave("W11001")
    done = zoo("--model", "toy.onnx", "--output", "o", *CHIP)
    assert done.code == 0
    assert done.err.startswith("warning: an operator runs on the AI CPU")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--soc_version", "auto"], 2, "lists 310 and 310P3"),
        (["--soc_version", "Ascend{chip_name}"], 2, "got 'Ascend{chip_name}'"),
        ([*CHIP, "--framework", "0"], 2, "argument --framework: invalid choice"),
        ([*CHIP, "--input_format", "NHWC"], 2, "argument --input_format: invalid choice"),
        ([*CHIP, "--batch", "4", "stray"], 2, "got 'stray'"),
        ([*CHIP, "--batchsize", "0"], 2, "must be a whole number from 1"),
        ([*CHIP, "--input_shape", "x:,3,8,8"], 2, "got 'x:,3,8,8'"),
        ([*CHIP, "--input_shape", "x:4,3,9,9"], 2, "gives x:4,3,9,9"),
        ([*CHIP, "--model", "none.onnx"], 1, "no such model file: none.onnx"),
        ([*CHIP, "--model", "weights.pth"], 1, "weights.pth is not an ONNX file"),
        ([*CHIP, "--model", "real.om"], 1, "real.om is an .om file: there is nothing to convert"),
        ([*CHIP, "--model", "disguised.onnx"], 1, "disguised.onnx is an .om file by its content"),
        ([*CHIP, "--model", "disguised.om"], 1, "disguised.om is an .onnx file by its content"),
        ([*CHIP, "--model", "frames.onnx"], 1, "sizes of x are open"),
        ([*CHIP, "--model", "bs4.onnx", "--batchsize", "2"], 2, "the model is fixed to batch 4"),
        ([*CHIP, "--model", "bs4.onnx", "--input_shape", "x:2,3"], 2, "gives x:2,3"),
        (
            [*CHIP, "--input_shape", "x:4,3,8,8", "--batchsize", "8"],
            2,
            "--input_shape gives batch 4, --batchsize asks for 8",
        ),
        ([*CHIP, "--input_shape", "x:-1,3,8,8", "--batchsize", "8"], 2, "--input_shape gives batch -1"),
        ([*CHIP, "--", "--model=bs4.onnx"], 2, "--model is an option of convert itself"),
        ([*CHIP, "--", "--output", "elsewhere"], 2, "--output is an option of convert itself"),
        ([*CHIP, "--", "--framework=3"], 2, "--framework is an option of convert itself"),
        ([*CHIP, "--", "--input-shape=x:2,3,8,8"], 2, "--input_shape is an option of convert itself"),
        ([*CHIP, "--", "--soc_version=Ascend910"], 2, "--soc_version is an option of convert itself"),
        ([*CHIP, "--output", "a b"], 2, "atc takes only letters"),
    ],
)
def test_bad_input_starts_nothing(
    fake_cann: FakeCann, zoo: Callable[..., Finished], folder: Path, words: list[str], code: int, text: str
) -> None:
    fake_cann.show(npu_smi_table("310P3", "310"))
    Path("weights.pth").write_bytes(b"PK\x03\x04 not a model")
    Path("real.om").write_bytes(b"IMOD" + bytes(300))
    Path("disguised.onnx").write_bytes(b"IMOD" + bytes(300))
    save_model(folder / "disguised.om", doubler(["N", 3]))
    save_model(folder / "frames.onnx", doubler(["N", "frames", 64, 44]))
    save_model(folder / "bs4.onnx", doubler([4, 3]))
    done = zoo("--model", "toy.onnx", "--output", "o", *words)
    assert done.code == code
    assert text in done.error
    assert fake_cann.calls == []
    assert list(folder.glob("o*")) == []


def test_a_model_of_another_package(fake_cann: FakeCann, toy: Callable[..., Finished], folder: Path) -> None:
    other = Identity("other", "1", (X,), (Y,))
    save_model(folder / "other.onnx", doubler(X.shape, identity_=other))
    done = toy("--model", "other.onnx", "--output", "o", *CHIP)
    assert (done.code, done.error) == (1, "other.onnx is a model of other, not of toy")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"inputs": (X, Y)},
            "the inputs of its graph are x float32 (N, 3, 8, 8), its modelzoo metadata says x float32",
        ),
        ({"inputs": (replace(X, name="image"),)}, "its modelzoo metadata says image float32 (N, 3, 8, 8)"),
        ({"inputs": (replace(X, dtype="uint8"),)}, "its modelzoo metadata says x uint8 (N, 3, 8, 8)"),
        ({"inputs": (replace(X, shape=("N", 3, 16, 8)),)}, "its modelzoo metadata says x float32 (N, 3, 16, 8)"),
        ({"inputs": (replace(X, shape=("N", 3)),)}, "its modelzoo metadata says x float32 (N, 3)"),
        ({"outputs": (replace(Y, shape=("N", 4, 8, 8)),)}, "the outputs of its graph are y float32 (N, 3, 8, 8)"),
    ],
)
@pytest.mark.parametrize("shape", [(), ("--input_shape=x:1,3,8,8",)])
def test_metadata_of_another_graph(
    fake_cann: FakeCann,
    toy: Callable[..., Finished],
    folder: Path,
    change: dict[str, Any],
    text: str,
    shape: tuple[str, ...],
) -> None:
    save_model(folder / "other.onnx", doubler(X.shape, identity_=replace(IDENTITY, **change)))
    done = toy("--model", "other.onnx", "--output", "o", *CHIP, *shape)
    assert (done.code, fake_cann.calls) == (1, [])
    assert done.error.startswith("other.onnx: ")
    assert text in done.error


def test_a_batch_that_was_fixed_after_the_export(
    fake_cann: FakeCann, toy: Callable[..., Finished], folder: Path
) -> None:
    save_model(folder / "bs4.onnx", doubler([4, 3, 8, 8], identity_=IDENTITY))
    assert toy("--model", "bs4.onnx", "--output", "o", "--batchsize", "2", *CHIP).code == 2
    assert printed(toy("--model", "bs4.onnx", "--output", "o", *CHIP))["input_shape"] == "x:4,3,8,8"
    assert [tensor.shape for tensor in (*described("o.json").inputs, *described("o.json").outputs)] == 2 * [
        (4, 3, 8, 8)
    ]


@pytest.mark.parametrize("atc", [{"input_format": "NCHW --x"}, {"keep_dtype": "OpType::Pow"}, {"keep_dtype": ["a\nb"]}])
def test_metadata_that_would_reach_atc(
    fake_cann: FakeCann, toy: Callable[..., Finished], folder: Path, atc: dict[str, Any]
) -> None:
    save_model(folder / "other.onnx", doubler(X.shape, identity_=replace(IDENTITY, atc=atc)))
    done = toy("--model", "other.onnx", "--output", "o", *CHIP)
    assert (done.code, fake_cann.calls) == (1, [])
    assert f"other.onnx: its modelzoo metadata cannot be read (atc.{next(iter(atc))} is " in done.error


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
@pytest.mark.parametrize("name", ["package.json", "package_linux_aarch64.json"])
def test_another_json_is_not_replaced(
    fake_cann: FakeCann, zoo: Callable[..., Finished], words: tuple[str, ...], name: str
) -> None:
    Path("oc").mkdir()
    Path("oc", name).write_text('{"name": "web"}')
    done = zoo("--model", "toy.onnx", "--output", "oc/package", *CHIP, *words)
    assert (done.code, fake_cann.calls) == (1, [])
    assert f"oc/{name} is there, and describes no .om file" in done.error
    assert "--output" in done.hint
    assert [path.name for path in Path("oc").iterdir()] == [name]
    assert Path("oc", name).read_text() == '{"name": "web"}'


def test_our_own_json_is_replaced(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    assert zoo("--model", "toy.onnx", "--output", "o", *CHIP).code == 0
    assert zoo("--model", "toy.onnx", "--output", "o", "--batchsize", "4", *CHIP).code == 0
    assert described("o.json").inputs[0].shape == (4, 3, 8, 8)


def test_open_axes_take_the_given_size(fake_cann: FakeCann, zoo: Callable[..., Finished], folder: Path) -> None:
    save_model(folder / "frames.onnx", doubler(["N", "frames", 64, 44]))
    assert zoo("--model", "frames.onnx", "--output", "o", "--input_shape", "x:4,30,64,44", *CHIP).code == 0
    assert described("o.json").inputs[0].shape == (4, 30, 64, 44)


def test_an_unknown_operator_is_told_and_tried(fake_cann: FakeCann, zoo: Callable[..., Finished], folder: Path) -> None:
    model: Any = doubler(["N", 3])
    model.graph.node[0].op_type = "Min"
    save_model(folder / "min.onnx", model)
    done = zoo("--model", "min.onnx", "--output", "o", *CHIP)
    assert done.code == 0
    assert done.err.startswith("warning: no graph of the guides has Min;")
    assert len(fake_cann.calls) == 1


def test_no_abbreviations(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    options = printed(zoo("--model", "toy.onnx", "--output", "o", "--dry-run", "--precision=x", *CHIP))
    assert options["precision"] == "x"
    assert zoo("--mod", "toy.onnx", "--output", "o", *CHIP).code == 2


def test_what_other_commands_do_not_know_is_an_error(command: CommandRunner) -> None:
    done = command(main, "modelzoo", "infer", "--model", "x.onnx", "--unknown=1")
    assert (done.code, done.error) == (2, "unrecognized arguments: --unknown=1")


def test_the_log_of_a_conversion_is_json_free_text(fake_cann: FakeCann, zoo: Callable[..., Finished]) -> None:
    assert zoo("--model", "toy.onnx", "--output", "o", *CHIP).code == 0
    assert json.loads(Path("o.json").read_text())["inputs"][0]["shape"] == [1, 3, 8, 8]
    assert "ATC run success" in Path("o.atc.log").read_text()
