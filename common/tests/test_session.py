"""Sessions: what they take, what a model file says of itself, and files that are no models."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx.helper import make_node

from modelzoo.common import identity
from modelzoo.common.errors import DataError, ModelError
from modelzoo.common.session import check_inputs, open_session
from modelzoo.common.spec import Identity, ModelSpec, TensorSpec, Upstream
from modelzoo.common.testing.processes import run_python
from modelzoo.common.testing.toys import colour, doubler, grey, onnx_model, save_model, toy_b

IMAGE1 = TensorSpec("image1", "float32", ("N", 1, 4, 4))
IMAGE2 = TensorSpec("image2", "float32", ("N", 3, 4, 4))
X = TensorSpec("x", "float32", ("N", 3), layout="NC, 0..1")
Y = TensorSpec("y", "float32", ("N", 3), layout="twice x")
IDENTITY = Identity("toy", "1.2", (X,), (Y,), {"neck": "after", "frames": 100, "flip": False}, {"input_format": "ND"})
SPEC = ModelSpec("toy", "Toy", (X,), (Y,), Upstream("", "", ""), "toy_network:load_network", "ND", 1e-5)
NETWORK = """
import torch
from modelzoo.common.checkpoint import load_state_dict

class Scale(torch.nn.Module):
    def __init__(self, weights, factor, several):
        super().__init__()
        self.weight = torch.nn.Parameter(weights["weight"] * factor)
        self.several = several

    def forward(self, x):
        y = x * self.weight if not self.training else x
        return (y,) if self.several else y

def load_network(path, factor=1.0, several=False):
    return Scale(load_state_dict(path), factor, several)
"""


def batch(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


ONE, THREE = batch(2, 1, 4, 4), batch(2, 3, 4, 4)
BAD_INPUTS = {
    "too few": ((ONE,), r"2 inputs \(image1, image2\), got 1"),
    "too many": ((ONE, THREE, ONE), "2 inputs .*, got 3"),
    "float64": ((ONE.astype(np.float64), THREE), r"image1 float32 \(N, 1, 4, 4\), got float64"),
    "float16": ((ONE, THREE.astype(np.float16)), "image2 .*got float16"),
    "integers": ((ONE.astype(np.int32), THREE), "image1 .*got int32"),
    "swapped": ((THREE, ONE), r"image1 .*got float32 \(2, 3, 4, 4\)"),
    "no batch axis": ((ONE[0], THREE[0]), r"got float32 \(1, 4, 4\)"),
    "other size": ((ONE, batch(2, 3, 4, 5)), r"got float32 \(2, 3, 4, 5\)"),
    "Fortran order": ((ONE, np.asfortranarray(THREE)), "image2 as a C-contiguous array"),
    "strided": ((ONE, batch(2, 3, 4, 8)[..., ::2]), "image2 as a C-contiguous array"),
    "unequal batches": ((ONE, batch(3, 3, 4, 4)), r"different batch sizes: \[2, 3\]"),
}


@pytest.mark.parametrize(("arrays", "text"), BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_arrays_that_do_not_fit_are_refused(toys: Path, arrays: tuple[np.ndarray, ...], text: str) -> None:
    with pytest.raises(ModelError, match=text):
        check_inputs([IMAGE1, IMAGE2], arrays)
    with pytest.raises(ModelError, match=text):
        open_session(toys / "toyB_free.onnx").run(*arrays)


@pytest.mark.parametrize("size", [1, 3, 8])
def test_batch_that_the_model_does_not_have_is_refused(toys: Path, size: int) -> None:
    with pytest.raises(ModelError, match=r"\(4, 1, 4, 4\), got float32 "):
        open_session(toys / "toyB_bs4.onnx").run(batch(size, 1, 4, 4), batch(size, 3, 4, 4))


@pytest.mark.parametrize("size", [1, 4, 6])
def test_inputs_and_outputs_come_in_the_order_of_the_graph(toys: Path, size: int) -> None:
    session = open_session(toys / "toyB_free.onnx")
    assert (session.backend, session.identity) == ("onnxruntime", None)
    assert session.inputs == (IMAGE1, IMAGE2)
    assert [output.describe() for output in session.outputs] == ["sum float32 (N, 3, 4, 4)", "top float32 (N)"]
    first, second = (np.stack([make(k) for k in range(size)]) for make in (grey, colour))
    total, top = session.run(first, second)
    assert np.array_equal(total, first + second)
    assert np.array_equal(top, (first + second).max(axis=(1, 2, 3)))


def test_fixed_batch_is_known(toys: Path) -> None:
    session = open_session(toys / "toyB_bs4.onnx")
    assert [tensor.batch for tensor in (*session.inputs, *session.outputs)] == [4, 4, 4, 4]


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "uint8", "int8", "int32", "int64"])
def test_every_dtype_is_run(tmp_path: Path, dtype: str) -> None:
    shape = TensorSpec("x", dtype, ("N", 2))
    nodes = [make_node("Identity", ["x"], ["y"])]
    path = save_model(tmp_path / "m.onnx", onnx_model(nodes, [shape], [replace(shape, name="y")]))
    session = open_session(path)
    assert session.inputs == (shape,)
    (output,) = session.run(np.array([[1, 2]], dtype))
    assert output.dtype == dtype
    assert output.tolist() == [[1, 2]]


@pytest.mark.parametrize("name", ["batch_size", "N", "unk__0", None])
def test_free_batch_is_named_n_whatever_the_file_calls_it(tmp_path: Path, name: str | None) -> None:
    path = save_model(tmp_path / "m.onnx", doubler((name, "T", 3)))
    assert open_session(path).inputs[0].shape == ("N", "T", 3)


@pytest.mark.parametrize("dtype", [onnx.TensorProto.STRING, onnx.TensorProto.UINT16])
def test_tensor_without_numbers_we_know_is_an_error(tmp_path: Path, dtype: int) -> None:
    values = [onnx.helper.make_tensor_value_info(name, dtype, ["N", 2]) for name in "xy"]
    graph = onnx.helper.make_graph([make_node("Identity", ["x"], ["y"])], "g", values[:1], values[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 11)], ir_version=8)
    with pytest.raises(ModelError, match=r"m\.onnx"):
        open_session(save_model(tmp_path / "m.onnx", model))


def test_graph_that_fails_while_it_runs_is_an_error(tmp_path: Path) -> None:
    """An export with the batch size baked in, the most frequent fault."""
    nodes = [make_node("Reshape", ["x", "shape"], ["y"])]
    constants = {"shape": np.array([1, 3])}
    model = onnx_model(nodes, [X], [Y], constants)
    session = open_session(save_model(tmp_path / "m.onnx", model))
    assert session.run(batch(1, 3))[0].shape == (1, 3)
    with pytest.raises(ModelError):
        session.run(batch(2, 3))


NO_MODELS = {
    "garbage.onnx": bytes(range(256)) * 8,
    "text.onnx": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "empty.onnx": b"",
    "cut.onnx": toy_b().SerializeToString()[:100],
    "zip.onnx": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("name", NO_MODELS)
def test_file_that_is_no_model_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(NO_MODELS[name])
    with pytest.raises(ModelError, match=f"{name} is not a model that ONNX Runtime can run: ."):
        open_session(tmp_path / name)


@pytest.mark.parametrize("name", ["model.xyz", "model", "model.onnx.bak"])
def test_unknown_suffix_is_an_error(tmp_path: Path, name: str) -> None:
    save_model(tmp_path / name, doubler(("N", 3)))
    with pytest.raises(ModelError, match=name) as caught:
        open_session(tmp_path / name)
    assert ".onnx" in caught.value.hint


def test_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    assert open_session(save_model(tmp_path / "m.ONNX", doubler(("N", 3)))).backend == "onnxruntime"


def test_missing_model_names_its_neighbour(toys: Path) -> None:
    with pytest.raises(DataError, match=r"no such model file: .*toyC_bs4\.onnx") as caught:
        open_session(toys / "toyC_bs4.onnx")
    assert "did you mean" in caught.value.hint


@pytest.mark.parametrize("suffix", ["pth", "pt", "ptm", "PTH"])
def test_checkpoint_needs_the_command_of_its_model(tmp_path: Path, suffix: str) -> None:
    torch.save({"weight": torch.ones(3)}, tmp_path / f"w.{suffix}")
    with pytest.raises(ModelError, match=f"w.{suffix} is a checkpoint") as caught:
        open_session(tmp_path / f"w.{suffix}")
    assert ".onnx" in caught.value.hint


def test_identity_goes_through_a_file(tmp_path: Path) -> None:
    path = save_model(tmp_path / "m.onnx", doubler(("N", 3), identity_=IDENTITY))
    session = open_session(path, SPEC)
    assert session.identity == IDENTITY
    assert (session.inputs, session.outputs) == ((X,), (Y,))
    assert identity.from_json(identity.to_json(IDENTITY), "") == IDENTITY


def test_shapes_are_those_of_the_graph_whatever_the_identity_says(tmp_path: Path) -> None:
    """A file whose batch was fixed later keeps its metadata."""
    session = open_session(save_model(tmp_path / "m.onnx", doubler((4, 3), identity_=IDENTITY)))
    assert session.inputs == (replace(X, shape=(4, 3)),)


def test_model_of_another_package_is_refused(tmp_path: Path) -> None:
    path = save_model(tmp_path / "m.onnx", doubler(("N", 3), identity_=IDENTITY))
    with pytest.raises(ModelError, match=r"m\.onnx is a model of toy, not of other"):
        open_session(path, replace(SPEC, name="other"))


def test_model_without_identity_is_taken(tmp_path: Path) -> None:
    session = open_session(save_model(tmp_path / "m.onnx", doubler(("N", 3))), SPEC)
    assert session.identity is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"model": "toy"}', '{"model": "toy", "version": "1", "inputs": 3}']
)
def test_damaged_identity_is_an_error(tmp_path: Path, text: str) -> None:
    model = doubler(("N", 3))
    onnx.helper.set_model_props(model, {identity.METADATA_KEY: text})
    with pytest.raises(ModelError, match=r"m\.onnx: its modelzoo metadata"):
        open_session(save_model(tmp_path / "m.onnx", model))


def tensor(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "x", "dtype": "float32", "shape": ["N", 3], "layout": ""} | fields]


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "model that is a number": ({"model": 3}, "model is 3"),
    "model of two lines": ({"model": "a\nb"}, "model is 'a\\nb'"),
    "no version": ({"version": None}, "version is None"),
    "no inputs": ({"inputs": []}, "inputs is []"),
    "no outputs": ({"outputs": []}, "outputs is []"),
    "inputs by name": ({"inputs": {"x": 1}}, "inputs is {'x': 1}"),
    "input that is a text": ({"inputs": ["x"]}, "inputs[0] is 'x'"),
    "empty name": ({"inputs": tensor(name="")}, "inputs[0].name is ''"),
    "name that is a number": ({"outputs": tensor(name=1)}, "outputs[0].name is 1"),
    "unknown dtype": ({"inputs": tensor(dtype="nonsense")}, "inputs[0].dtype is 'nonsense'"),
    "dtype that is a list": ({"inputs": tensor(dtype=["float32"])}, "inputs[0].dtype is ['float32']"),
    "dtype with lines": ({"inputs": tensor(dtype="float32,")}, "inputs[0].dtype is"),
    "shape that is a text": ({"inputs": tensor(shape="N3")}, "inputs[0].shape is 'N3'"),
    "no axes": ({"inputs": tensor(shape=[])}, "inputs[0].shape is []"),
    "batch 0": ({"inputs": tensor(shape=[0, 3])}, "inputs[0].shape is [0, 3]"),
    "negative size": ({"outputs": tensor(shape=["N", -5])}, "outputs[0].shape is ['N', -5]"),
    "truth as size": ({"inputs": tensor(shape=[True, 3])}, "inputs[0].shape is [True, 3]"),
    "null as size": ({"inputs": tensor(shape=["N", None])}, "inputs[0].shape is ['N', None]"),
    "broken size": ({"inputs": tensor(shape=["N", 3.0])}, "inputs[0].shape is ['N', 3.0]"),
    "huge size": ({"inputs": tensor(shape=["N", 2**31])}, "inputs[0].shape is ['N', 2147483648]"),
    "name of an axis of two lines": ({"inputs": tensor(shape=["N\n", 3])}, "inputs[0].shape is ['N\\n', 3]"),
    "layout": ({"inputs": tensor(layout=7)}, "inputs[0].layout is 7"),
    "form": ({"form": [1]}, "form is [1]"),
    "form that is deep": ({"form": {"neck_feat": {"a": 1}}}, "form is {'neck_feat': {'a': 1}}"),
    "half a character": ({"form": {"neck": "\ud800"}}, "surrogates not allowed"),
    "rules": ({"atc": [1]}, "atc is [1]"),
    "format": ({"atc": {"input_format": "NCHW --x"}}, "atc.input_format is 'NCHW --x'"),
    "format that is a list": ({"atc": {"input_format": ["ND"]}}, "atc.input_format is ['ND']"),
    "types that are a text": ({"atc": {"keep_dtype": "OpType::Pow"}}, "atc.keep_dtype is 'OpType::Pow'"),
    "types of two lines": ({"atc": {"keep_dtype": ["a\nb"]}}, "atc.keep_dtype is ['a\\nb']"),
    "types that are numbers": ({"atc": {"keep_dtype": [1]}}, "atc.keep_dtype is [1]"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_every_field_of_an_identity_is_checked(what: str) -> None:
    change, text = HOSTILE[what]
    with pytest.raises(ModelError) as caught:
        identity.from_json(json.dumps(json.loads(identity.to_json(IDENTITY)) | change), "m.onnx")
    assert str(caught.value).startswith("m.onnx: its modelzoo metadata cannot be read (")
    assert text in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, b"\xff\xfe\xfd", b'{"model": "\xe9"}', "9" * 5000])
def test_what_json_chokes_on_is_an_error(text: str | bytes) -> None:
    with pytest.raises(ModelError, match=r"m\.json: its modelzoo metadata cannot be read"):
        identity.from_json(text, "m.json")


@pytest.mark.parametrize(
    "change",
    [
        {"form": {"骨干": "残差网络", "neck": None, "scale": 0.5}},
        {"model": "", "version": ""},
        {"inputs": (replace(X, shape=("-1", 3)),)},
        {"inputs": (replace(X, shape=("1~8", 3), name="onnx::Reshape_0"),)},
        {"outputs": (replace(Y, shape=("N*20", "floor(H/2 - 1) + 1")), replace(Y, shape=()))},
        {"atc": {"input_format": "NCDHW", "keep_dtype": ["OpType::Pow"], "of a later version": 1}},
    ],
)
def test_what_exports_and_conversions_write_is_read(change: dict[str, Any]) -> None:
    changed = replace(IDENTITY, **change)
    assert identity.from_json(identity.to_json(changed), "") == changed
    assert identity.from_json(identity.to_json(changed).encode(), "") == changed


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "toy_network.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(tmp_path)
    torch.save({"weight": torch.tensor([1.0, 2.0, 3.0])}, tmp_path / "w.pth")
    return tmp_path / "w.pth"


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(("form", "factor"), [({}, 1), ({"factor": 2.0}, 2)])
def test_checkpoint_runs_in_its_network(checkpoint: Path, form: dict, factor: int, several: bool) -> None:
    """In evaluation mode, built as the form says."""
    session = open_session(checkpoint, SPEC, {**form, "several": several})
    assert (session.backend, session.identity, session.inputs) == ("torch", None, (X,))
    (output,) = session.run(np.ones((2, 3), np.float32))
    assert output.tolist() == 2 * [[factor, 2 * factor, 3 * factor]]
    with pytest.raises(ModelError, match="got float64"):
        session.run(np.ones((2, 3)))


def test_checkpoint_without_torch_says_what_to_install(checkpoint: Path) -> None:
    program = """
import sys
from functools import partial
from modelzoo.common import cli
from modelzoo.common.commands import infer
from modelzoo.common.spec import ModelSpec, TensorSpec, Upstream
sys.modules["torch"] = None  # as if it were not installed
X = TensorSpec("x", "float32", ("N", 3))
spec = ModelSpec("toy", "Toy", (X,), (X,), Upstream("", "", ""), "toy_network:load_network", "ND", 1e-5)
sys.argv[0] = "toy"
command = cli.Command("infer", "", infer.add_arguments, partial(infer.handle, spec=spec))
sys.exit(cli.run_program("toy", "", "1", [command]))
"""
    done = run_python(program, "infer", "--model", checkpoint)
    assert done.code == 3
    assert "torch" in done.error
    assert "./packages/toy[export]" in done.hint


def test_onnx_runtime_is_quiet_before_a_model_is_opened(toys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    opened = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "disable_telemetry_events", lambda: calls.append("telemetry"), raising=False)
    monkeypatch.setattr(onnxruntime, "set_default_logger_severity", calls.append)
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **k: calls.append("open") or opened(*a, **k))
    open_session(toys / "toyA_bs1.onnx")
    assert calls == ["telemetry", 4, "open"]
    monkeypatch.delattr(onnxruntime, "disable_telemetry_events")
    open_session(toys / "toyA_bs1.onnx")


def test_metadata_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    model = doubler(("N", 3))
    onnx.helper.set_model_props(model, {"modelzoo": "TEXT"})
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString().replace(b"TEXT", b"\xff\xfe\xff\xfe"))
    with pytest.raises(ModelError, match=r"m\.onnx"):
        open_session(path)
