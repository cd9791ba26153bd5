"""What is found in an .onnx file before atc sees it."""

import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

from modelzoo.common.ascend.atc import known
from modelzoo.common.ascend.preflight import examine, load_graph, preflight
from modelzoo.common.errors import DataError, MissingDependencyError, ModelError
from modelzoo.common.testing.toys import doubler, save_model


def with_opset(version: int) -> Any:
    model = doubler(["N", 3])
    model.opset_import[0].version = version
    return model


def with_second_opset() -> Any:
    model = doubler(["N", 3])
    model.opset_import.add(domain="com.microsoft", version=1)
    return model


def with_other_domain() -> Any:
    model = doubler(["N", 3])
    model.graph.node[0].domain = "com.microsoft"
    return model


def with_weights_outside() -> Any:
    model = doubler(["N", 3])
    weight = model.graph.initializer.add(name="w", data_type=1, dims=[3], data_location=1)
    weight.external_data.add(key="location", value="weights.bin")
    return model


def with_ir_version(version: int) -> Any:
    model = doubler(["N", 3])
    model.ir_version = version
    return model


def without_shape() -> Any:
    model = doubler(["N", 3])
    model.graph.input[0].type.tensor_type.ClearField("shape")
    return model


def with_operator(name: str) -> Any:
    model = doubler(["N", 3])
    model.graph.node[0].op_type = name
    return model


@pytest.mark.parametrize("version", range(9, 14))
def test_a_plain_model_gives_no_findings(version: int) -> None:
    assert examine(with_opset(version), given=False) == ([], [])


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (with_opset(8), "opset ai.onnx 8, and only 9 to 13"),
        (with_opset(14), "opset ai.onnx 14, and only 9 to 13"),
        (with_second_opset(), "the opsets ai.onnx 11 and com.microsoft 1, and only one"),
        (with_other_domain(), "operators of other domains: com.microsoft::Add"),
        (with_weights_outside(), "weights lie outside"),
        (doubler(["N", 3, "frames", 4]), "sizes of x are open; give --input_shape"),
        (without_shape(), "sizes of x are open; give --input_shape"),
    ],
)
def test_what_atc_would_refuse(model: Any, text: str, tmp_path: Path) -> None:
    errors, warnings = examine(model, given=False)
    assert len(errors) == 1
    assert text in errors[0]
    assert warnings == []
    path = save_model(tmp_path / "model.onnx", model)
    with pytest.raises(ModelError) as caught:
        preflight(path, given=False)
    assert str(caught.value) == f"atc would refuse {path}: {errors[0]}"


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (with_ir_version(9), "its IR version is 9, newer than 8"),
        (with_operator("Einsum"), "no graph of the guides has Einsum; your CANN release may not know them"),
    ],
)
def test_what_atc_may_stumble_over(model: Any, text: str, tmp_path: Path) -> None:
    assert preflight(save_model(tmp_path / "model.onnx", model), given=False) == [text]


def test_every_finding_is_told_at_once(tmp_path: Path) -> None:
    model = with_opset(17)
    model.graph.node[0].domain = "custom"
    with pytest.raises(ModelError, match=r"opset ai\.onnx 17.*; it has operators of other domains: custom::Add"):
        preflight(save_model(tmp_path / "model.onnx", model), given=False)


def test_given_sizes_settle_open_axes() -> None:
    assert examine(doubler(["N", 3, "frames", 4]), given=True) == ([], [])


def test_weights_among_the_inputs_are_no_inputs() -> None:
    model = doubler(["N", 3])
    model.graph.initializer.add(name="w", data_type=1, dims=[3], float_data=[1, 2, 3])
    model.graph.input.add(name="w").type.tensor_type.elem_type = 1
    assert examine(model, given=False) == ([], [])


def test_two_gigabytes_are_too_much() -> None:
    class Large:
        """A model whose only wrong thing is its size."""

        def __init__(self, size: int) -> None:
            self.model = doubler(["N", 3])
            self.size = size

        def __getattr__(self, name: str) -> Any:
            return getattr(self.model, name)

        def ByteSize(self) -> int:  # noqa: N802 - protobuf's name
            return self.size

    assert examine(Large(2**31), given=False) == (["it has 2 GB or more"], [])
    assert examine(Large(2**31 - 1), given=False) == ([], [])


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 a checkpoint", b"\x08\x08"])
def test_what_is_no_onnx_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx is not an ONNX file") as caught:
        load_graph(path)
    assert caught.value.hint == "export the checkpoint first"


def test_half_a_file(tmp_path: Path) -> None:
    whole = doubler(["N", 3]).SerializeToString()
    path = tmp_path / "model.onnx"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"model\.onnx is not an ONNX file"):
        load_graph(path)


@pytest.mark.parametrize("name", ["model.onnx", "model.om"])
def test_an_om_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"IMOD" + bytes(300))
    with pytest.raises(ModelError, match=r"is an \.om file"):
        load_graph(path)


def test_an_onnx_file_that_is_named_om(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is an \.onnx file by its content"):
        load_graph(save_model(tmp_path / "model.om", doubler(["N", 3])))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such model file"):
        load_graph(tmp_path / "model.onnx")


@pytest.mark.parametrize(("model", "package"), [("toy", "packages/toy"), ("", "common")])
def test_without_onnx(model: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_model(tmp_path / "model.onnx", doubler(["N", 3]))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingDependencyError, match="needs onnx") as caught:
        load_graph(path, model)
    assert caught.value.hint == f"pip install './{package}[export]'"


def test_every_known_operator_is_one_of_onnx() -> None:
    assert [name for name in known()["operators"] if not onnx.defs.has(name)] == []
