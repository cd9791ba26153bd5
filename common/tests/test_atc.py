"""The wrapper of atc, on a fake atc that obeys what is written of the real one."""

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest

from modelzoo.common import identity
from modelzoo.common.ascend.atc import (
    CODE,
    Conversion,
    at_batch,
    atc_command,
    atc_environment,
    convert,
    identity_path,
    known,
    passed_on,
    sized_inputs,
)
from modelzoo.common.errors import MissingDependencyError, UsageError, WriteError, ZooError
from modelzoo.common.spec import Identity, TensorSpec
from modelzoo.common.testing.cann import FakeCann, read_fake_om
from modelzoo.common.testing.toys import doubler, save_model

OPTIONS = {"input_format": "ND", "input_shape": "x:4,3", "log": "error", "soc_version": "Ascend310P3"}
IMAGE = TensorSpec("image", "float32", ("N", 3, 8, "W"))
MASK = TensorSpec("mask", "uint8", ("N", 8))
IDENTITY = Identity("toy", "1.2", (IMAGE,), (MASK,))


@pytest.fixture
def conversion(tmp_path: Path) -> Conversion:
    """A conversion of `y = 2 * x` at batch 4."""
    model = save_model(tmp_path / "model.onnx", doubler(["N", 3]))
    return Conversion(model, tmp_path / "out" / "model_bs4", OPTIONS)


def files(conversion: Conversion) -> list[str]:
    return sorted(path.name for path in conversion.output.parent.iterdir())


def test_the_command_is_absolute_and_in_the_guides_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert atc_command(Conversion(Path("a.onnx"), Path("b/a_bs4"), {**OPTIONS, "precision_mode": "force_fp32"})) == [
        "atc",
        "--framework=5",
        f"--model={tmp_path}/a.onnx",
        f"--output={tmp_path}/b/a_bs4",
        "--input_format=ND",
        "--input_shape=x:4,3",
        "--log=error",
        "--soc_version=Ascend310P3",
        "--precision_mode=force_fp32",
    ]


def test_the_command_names_the_file_of_kept_types(tmp_path: Path) -> None:
    command = atc_command(Conversion(tmp_path / "a.onnx", tmp_path / "a_bs4", OPTIONS, ("OpType::Pow",)))
    assert f"--keep_dtype={tmp_path}/a_bs4.keep_dtype.cfg" in command


@pytest.mark.parametrize("name", ["a b", "a=b", "a+b", "a(1)", "a;b"])
def test_paths_that_atc_does_not_take(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path}/{name}'")):
        atc_command(Conversion(tmp_path / "a.onnx", tmp_path / name, OPTIONS))


def test_letters_of_all_languages_are_taken(tmp_path: Path) -> None:
    assert f"--output={tmp_path}/模型_bs4" in atc_command(
        Conversion(tmp_path / "a.onnx", tmp_path / "模型_bs4", OPTIONS)
    )


def test_a_conversion_leaves_the_model_its_identity_and_the_log(fake_cann: FakeCann, conversion: Conversion) -> None:
    om, warnings = convert(conversion, IDENTITY)
    assert (om, warnings) == (conversion.output.with_name("model_bs4.om"), [])
    assert files(conversion) == ["model_bs4.atc.log", "model_bs4.json", "model_bs4.om"]
    assert identity.from_json(identity_path(om).read_text(), "test") == IDENTITY
    log = conversion.output.with_name("model_bs4.atc.log").read_text().splitlines()
    assert shlex.split(log[0]) == ["atc", *fake_cann.calls[0]["words"]]
    assert log[1:] == [
        "ATC start working now, please wait for a moment.",
        "ATC run success, welcome to the next use.",
    ]


def test_the_fake_om_is_the_model_at_its_batch(fake_cann: FakeCann, conversion: Conversion) -> None:
    om, _ = convert(conversion, None)
    session = onnxruntime.InferenceSession(read_fake_om(om))
    assert [value.shape for value in (*session.get_inputs(), *session.get_outputs())] == [[4, 3], [4, 3]]
    with pytest.raises(Exception, match="INVALID_PROTOBUF"):
        onnxruntime.InferenceSession(om.read_bytes())


def test_atc_works_in_a_folder_of_its_own_that_is_gone_afterwards(
    fake_cann: FakeCann, conversion: Conversion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    convert(conversion, None)
    (call,) = fake_cann.calls
    assert Path(call["folder"]).parent == conversion.output.parent
    assert not Path(call["folder"]).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "out"]


def test_kept_types_reach_atc_in_a_file(fake_cann: FakeCann, conversion: Conversion) -> None:
    kept = Conversion(conversion.model, conversion.output, OPTIONS, ("OpType::InstanceNorm", "OpType::Pow"))
    convert(kept, None)
    assert fake_cann.calls[0]["keep_dtype"] == "OpType::InstanceNorm\nOpType::Pow\n"
    assert files(conversion) == ["model_bs4.atc.log", "model_bs4.om"]


@pytest.mark.parametrize("machine", ["linux_x86_64", "linux_aarch64"])
def test_an_om_that_names_its_machine(fake_cann: FakeCann, conversion: Conversion, machine: str) -> None:
    fake_cann.behave(machine)
    om, _ = convert(conversion, IDENTITY)
    assert om.name == f"model_bs4_{machine}.om"
    assert files(conversion) == ["model_bs4.atc.log", f"model_bs4_{machine}.json", f"model_bs4_{machine}.om"]
    assert read_fake_om(om)


def test_a_slow_operator_is_told(fake_cann: FakeCann, conversion: Conversion) -> None:
    fake_cann.behave("W11001")
    om, warnings = convert(conversion, IDENTITY)
    assert om.exists()
    assert len(warnings) == 1
    assert warnings[0].startswith("an operator runs on the AI CPU, which is slow: W11001: Op [fake]")


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        ("success and exit 1", "atc failed with exit code 1, although it printed its line of success"),
        ("nothing", "atc ended without an .om file, although its exit code is 0"),
        ("empty", "atc ended without an .om file, although its exit code is 0"),
        ("silent", "atc ended without its line of success, although its exit code is 0"),
        ("fail E99999", "atc failed with exit code 255: no code that is known"),
    ],
)
def test_a_failure_leaves_what_was_there(
    fake_cann: FakeCann, conversion: Conversion, behaviour: str, text: str
) -> None:
    om, _ = convert(conversion, IDENTITY)
    before = {path.name: path.read_bytes() for path in (om, identity_path(om))}
    fake_cann.behave(behaviour)
    with pytest.raises(ZooError) as caught:
        convert(conversion, IDENTITY)
    log = conversion.output.with_name("model_bs4.atc.log")
    assert str(caught.value).startswith(text)
    assert str(caught.value).endswith(f"(log: {log})")
    assert caught.value.hint == f"read {log}"
    assert {path.name: path.read_bytes() for path in (om, identity_path(om))} == before
    assert files(conversion) == ["model_bs4.atc.log", "model_bs4.json", "model_bs4.om"]


def test_a_failure_makes_nothing(fake_cann: FakeCann, conversion: Conversion) -> None:
    fake_cann.behave("success and exit 1")
    with pytest.raises(ZooError):
        convert(conversion, IDENTITY)
    assert files(conversion) == ["model_bs4.atc.log"]


@pytest.mark.parametrize("code", ["E10016", "ED0001", "EE1001", "EZ9999"])
def test_a_known_code_gives_its_hint(fake_cann: FakeCann, conversion: Conversion, code: str) -> None:
    fake_cann.behave(f"fail {code}")
    with pytest.raises(ZooError, match=rf"^atc failed with exit code 255: .*{code}: \[fake\]") as caught:
        convert(conversion, None)
    assert caught.value.exit_code == 1
    assert caught.value.hint == known()["hints"][code]


def test_hints_are_one_line_and_their_codes_are_found() -> None:
    for code, hint in known()["hints"].items():
        assert CODE.fullmatch(code)
        assert hint.strip() == hint
        assert 0 < len(hint) < 120
        assert "\n" not in hint


def test_the_first_code_counts_and_the_command_line_has_none(fake_cann: FakeCann, tmp_path: Path) -> None:
    model = save_model(tmp_path / "E19010.onnx", doubler(["N", 3]))
    fake_cann.behave("fail W11001: slow\nE16005: first\nEZ9999: second\nE16005: third")
    with pytest.raises(ZooError, match=r"255: E16005: first \(log: ") as caught:
        convert(Conversion(model, tmp_path / "out", OPTIONS), None)
    assert caught.value.hint == known()["hints"]["E16005"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"soc_version": "Ascend999"}, "EE1001"),
        ({"input_format": "NHWC"}, "E10001"),
        ({"input_shape": "y:4,3"}, "E10016"),
        ({"input_shape": "x:4,0"}, "E10011"),
        ({"input_shape": "x:-1,3"}, "E10011"),
        ({"input_shape": "x:4,3,1"}, "E10049"),
        ({"input_shape": "4,3"}, "E10002"),
        ({"log": "loud"}, "E10010"),
        ({"keep_dtype": "keep.cfg"}, "E10410"),
        ({"insert_op_conf": "aipp.config"}, "E13001"),
        ({"disable_reuse_memory": "yes"}, "E10006"),
        ({"enable_single_stream": "1"}, "E10005"),
        ({"auto_tune_mode": "RL,GA"}, "E10001"),
        ({"dynamic_batch_size": "1,4"}, "E10040"),
        ({"dynamic_batch_size": "4", "input_shape": "x:-1,3"}, "E10035"),
        ({"dynamic_batch_size": "4,4", "input_shape": "x:-1,3"}, "E10039"),
        ({"dynamic_batch_size": "1,4", "dynamic_dims": "1;4", "input_shape": "x:-1,3"}, "E10009"),
        ({"framework": ""}, "E10001"),
        ({"soc_version": ""}, "E10054"),
    ],
)
def test_what_the_fake_refuses(fake_cann: FakeCann, conversion: Conversion, options: dict[str, str], code: str) -> None:
    with pytest.raises(ZooError, match=rf"exit code 255: .*\b{code}: "):
        convert(Conversion(conversion.model, conversion.output, {**OPTIONS, **options}), None)


@pytest.mark.parametrize(
    ("opsets", "code"), [([("", 11), ("com.microsoft", 1)], "E16005"), ([("", 23)], "E19010"), ([("", 8)], "E19010")]
)
def test_what_the_fake_refuses_in_a_graph(
    fake_cann: FakeCann, conversion: Conversion, opsets: list[tuple[str, int]], code: str
) -> None:
    model = doubler(["N", 3])
    del model.opset_import[:]
    model.opset_import.extend(onnx.helper.make_opsetid(*opset) for opset in opsets)
    save_model(conversion.model, model)
    with pytest.raises(ZooError, match=rf"\b{code}: "):
        convert(conversion, None)


def test_an_interruption_leaves_what_was_there(
    fake_cann: FakeCann, conversion: Conversion, monkeypatch: pytest.MonkeyPatch
) -> None:
    om, _ = convert(conversion, IDENTITY)
    before = om.read_bytes()

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("subprocess.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(conversion, IDENTITY)
    assert om.read_bytes() == before
    assert files(conversion) == ["model_bs4.atc.log", "model_bs4.json", "model_bs4.om"]


def test_without_atc(fake_cann: FakeCann, conversion: Conversion) -> None:
    fake_cann.remove("atc")
    with pytest.raises(MissingDependencyError, match="atc is not on the PATH") as caught:
        convert(conversion, IDENTITY)
    assert "source /usr/local/Ascend/ascend-toolkit/set_env.sh" in str(caught.value.hint)
    assert not conversion.output.parent.exists()


def test_an_output_folder_that_cannot_be_made(fake_cann: FakeCann, conversion: Conversion) -> None:
    with pytest.raises(WriteError, match="cannot make the folder"):
        convert(Conversion(conversion.model, conversion.model / "out", OPTIONS), None)
    assert fake_cann.calls == []


def test_atc_runs_without_our_virtual_environment(
    fake_cann: FakeCann, conversion: Conversion, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = str(Path(sys.prefix, "bin"))
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setenv("PATH", os.pathsep.join((ours, os.environ["PATH"])))
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    convert(conversion, None)
    environment = fake_cann.calls[0]["environment"]
    assert ours not in environment["PATH"].split(os.pathsep)
    assert str(fake_cann.folder) in environment["PATH"].split(os.pathsep)
    assert not {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"} & set(environment)


def test_what_cann_set_stays() -> None:
    cann = {
        "ASCEND_TOOLKIT_HOME": "/opt/cann/latest",
        "ASCEND_OPP_PATH": "/opt/cann/latest/opp",
        "ASCEND_SLOG_PRINT_TO_STDOUT": "/",
        "LD_LIBRARY_PATH": "/opt/cann/lib64",
        "PATH": "/opt/cann/bin:/usr/bin",
    }
    modules = "/opt/cann/latest/python/site-packages:/opt/cann/latest-old:/home/me/lib:/opt/cann/latest/opp/impl"
    clean = atc_environment({**cann, "PYTHONPATH": modules, "PYTHONHOME": "/home/me", "VIRTUAL_ENV": "/home/me/v"})
    assert clean == {**cann, "PYTHONPATH": "/opt/cann/latest/python/site-packages:/opt/cann/latest/opp/impl"}


def test_no_module_path_without_cann() -> None:
    assert atc_environment({"PATH": "/usr/bin", "PYTHONPATH": "/home/me:"}) == {"PATH": "/usr/bin"}


def test_only_the_bin_folder_of_a_virtual_environment_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.pathsep.join((f"{sys.prefix}/bin/", f"{sys.prefix}/bin", f"{sys.prefix}/binary", "/usr/bin"))
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    assert atc_environment({"PATH": path})["PATH"] == f"{sys.prefix}/binary{os.pathsep}/usr/bin"
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    assert atc_environment({"PATH": path})["PATH"] == path


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], {}),
        (["--op_select_implmode=high_precision"], {"op_select_implmode": "high_precision"}),
        (["--op_select_implmode", "high_precision"], {"op_select_implmode": "high_precision"}),
        (["--op-select-implmode=high_precision"], {"op_select_implmode": "high_precision"}),
        (["--", "--out_nodes=Conv_1:0;Conv_2:0"], {"out_nodes": "Conv_1:0;Conv_2:0"}),
        (["--a", "1", "--b=x=y"], {"a": "1", "b": "x=y"}),
    ],
)
def test_options_that_are_passed_on(words: list[str], options: dict[str, str]) -> None:
    assert passed_on(words) == options


def test_files_that_are_passed_on_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("keep.cfg").touch()
    words = ["--keep_dtype=keep.cfg", "--insert_op_conf=missing.cfg", f"--optypelist_for_implmode={'Sigmoid,' * 99}"]
    assert passed_on(words) == {
        "keep_dtype": f"{tmp_path}/keep.cfg",
        "insert_op_conf": "missing.cfg",
        "optypelist_for_implmode": "Sigmoid," * 99,
    }


@pytest.mark.parametrize("words", [["stray"], ["-x"], ["--flag"], ["--flag="], ["--flag", "--other=1"], ["--a=1", "b"]])
def test_options_without_form(words: list[str]) -> None:
    with pytest.raises(UsageError, match="options of atc are written --name=value"):
        passed_on(words)


@pytest.mark.parametrize("words", [["--model=b.onnx"], ["--output", "b"], ["--framework=3"], ["--a=1", "--model=b"]])
def test_options_that_are_ours(words: list[str]) -> None:
    with pytest.raises(UsageError, match="is an option of convert itself"):
        passed_on(words)
    assert passed_on(words, ours=()) != {}


@pytest.mark.parametrize("ending", ["", "_linux_x86_64", "_linux_aarch64"])
@pytest.mark.parametrize("content", [b"{}", b"[]", b"\xff\xfe{", b"["])
def test_another_json_is_not_replaced(fake_cann: FakeCann, conversion: Conversion, content: bytes, ending: str) -> None:
    path = conversion.output.with_name(f"{conversion.output.name}{ending}.json")
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(WriteError, match=re.escape(f"{path} is there")):
        convert(conversion, IDENTITY)
    assert (files(conversion), path.read_bytes(), fake_cann.calls) == ([path.name], content, [])


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("image:4,3,8,16;mask:4,8", [(4, 3, 8, 16), (4, 8)]),
        ("mask:4,8; image:4,3,8,16", [(4, 3, 8, 16), (4, 8)]),
        ("image:-1,3,8,-1;mask:-1,8", [("-1", 3, 8, "-1"), ("-1", 8)]),
        ("image:1~8,3,8,16;mask:1~8,8", [("1~8", 3, 8, 16), ("1~8", 8)]),
        ("onnx::Reshape_0:4,3,8,16;mask:4,8", [(4, 3, 8, 16), (4, 8)]),
    ],
)
def test_shapes_of_the_user(text: str, shapes: list[tuple[Any, ...]]) -> None:
    sized = sized_inputs(text, [IMAGE, MASK], {"onnx::Reshape_0": "image", "mask": "image"})
    assert [(tensor.name, tensor.dtype) for tensor in sized] == [("image", "float32"), ("mask", "uint8")]
    assert [tensor.shape for tensor in sized] == shapes


@pytest.mark.parametrize(
    "text", ["image", "image:", "image:,3,8,8", "image:4,3,8,x", "image:0,3", ":4,3", "a:1;", "a:01"]
)
def test_shapes_without_form(text: str) -> None:
    with pytest.raises(UsageError, match="--input_shape takes NAME:1,3,256,128, got '"):
        sized_inputs(text, [IMAGE], {})


@pytest.mark.parametrize(
    "text", ["picture:4,3,8,8", "image:4,3,8", "image:4,1,8,8", "image:4,3,8,8,1", "image:4,3,8,8;mask:4,8"]
)
def test_shapes_that_do_not_fit(text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"gives {text}, but the model takes image float32 (N, 3, 8, W)")):
        sized_inputs(text, [IMAGE], {})


def test_a_batch_fixes_its_axis_and_multiples_of_it() -> None:
    tensors = [TensorSpec("a", "float32", ("N", 3, "W")), TensorSpec("b", "float32", ("N*20", 51))]
    assert [tensor.shape for tensor in at_batch(tensors, 4)] == [(4, 3, "W"), (80, 51)]
