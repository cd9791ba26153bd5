"""ONNX Runtime on the CPU, the backend that is always there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common import identity
from modelzoo.common.errors import ModelError
from modelzoo.common.session import check_inputs
from modelzoo.common.spec import BATCH, Dimension, TensorSpec

if TYPE_CHECKING:
    import numpy as np

DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}

SILENT = 4
"""The severity of what ONNX Runtime cannot survive; all below it is not printed."""


class OnnxRuntimeSession:
    """An .onnx file on ONNX Runtime.

    Args:
        path: The model.

    Raises:
        ModelError: The file is not an ONNX model that this version of ONNX Runtime can run.
    """

    backend = "onnxruntime"

    def __init__(self, path: Path) -> None:
        self._session = _load(path)
        self.identity = identity.from_metadata(_metadata(path, self._session), source=str(path))
        self.inputs = _described(path, self._session.get_inputs(), self.identity.inputs if self.identity else ())
        self.outputs = _described(path, self._session.get_outputs(), self.identity.outputs if self.identity else ())
        self._output_names = [output.name for output in self.outputs]

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run one batch; see `modelzoo.common.session.Session.run`."""
        check_inputs(self.inputs, inputs)
        feeds = {spec.name: array for spec, array in zip(self.inputs, inputs, strict=True)}
        try:
            return tuple(self._session.run(self._output_names, feeds))
        except Exception as error:  # ONNX Runtime's own classes have no common base
            raise ModelError(f"the model fails on {_shapes(inputs)}: {_message(error)}") from error


def _load(path: Path) -> Any:
    import onnxruntime

    _be_quiet(onnxruntime)
    options = onnxruntime.SessionOptions()
    # Threads that spin while they wait for work take the cores from pre- and postprocessing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = SILENT  # what fails is raised, and is one line of ours
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes have no common base
        raise ModelError(f"{path} is not a model that ONNX Runtime can run: {_message(error)}") from error


def _be_quiet(onnxruntime: Any) -> None:
    """No telemetry, where a build has it, and no lines of its own before ours."""
    if hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(SILENT)


def _metadata(path: Path, session: Any) -> dict[str, str]:
    try:
        return dict(session.get_modelmeta().custom_metadata_map)
    except UnicodeError as error:
        raise ModelError(f"{path}: its metadata are no text ({error})") from error


def _message(error: Exception) -> str:
    return str(error).splitlines()[0].rsplit(" : ", maxsplit=1)[-1]


def _shapes(inputs: Sequence[np.ndarray]) -> str:
    return " and ".join(str(array.shape) for array in inputs)


def _described(path: Path, nodes: list[Any], known: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    """The file's own tensors, with the layout that its identity gives to the name."""
    layouts = {tensor.name: tensor.layout for tensor in known}
    strange = [node for node in nodes if node.type not in DTYPES]
    if strange:
        raise ModelError(f"{path}: {strange[0].name} is a {strange[0].type}; known are {', '.join(DTYPES.values())}")
    return tuple(
        TensorSpec(node.name, DTYPES[node.type], _shape(node.shape), layouts.get(node.name, "")) for node in nodes
    )


def _shape(shape: list[int | str | None]) -> tuple[Dimension, ...]:
    """Sizes as numbers; a free axis keeps its name, and the first one is the batch."""
    named = [size if isinstance(size, int) and size > 0 else str(size or f"axis{i}") for i, size in enumerate(shape)]
    return tuple([BATCH, *named[1:]] if named and isinstance(named[0], str) else named)
