"""Sessions: what they take, what a model file says of itself, and files that are no models."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
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
