"""A fake `aclruntime` for tests: what is written of Ascend's runtime, computed by ONNX Runtime. No NPU is involved.

A fake .om file is a magic line and an ONNX file whose batch is fixed. As in the original, only the number of bytes of
an input is checked, never its dtype or shape.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

MAGIC = b"FAKEOM\n"
"""The first bytes of a fake .om file; an ONNX file follows."""

FAILURE = "[-1][ACL: general failure] "
TYPES = {"float": "float32", "float16": "float16", "double": "double", "bool": "bool"}


class DataType(Enum):
    """Fake `aclruntime.dtype`: only its names are used."""

    int8 = 1
    uint8 = 2
    int16 = 3
    uint16 = 4
    int32 = 5
    uint32 = 6
    int64 = 7
    uint64 = 8
    float16 = 9
    float32 = 10
    double = 11
    bool = 12


@dataclass
class TensorDesc:
    """Fake `tensor_desc`: an input or output of a model.

    Args:
        name: Its name.
        datatype: Its type.
        shape: Its sizes.
    """

    name: str
    datatype: DataType
    shape: list[int]
    format: int = 2

    @property
    def numpy_type(self) -> np.dtype[Any]:
        """The type in NumPy."""
        return np.dtype(self.datatype.name)

    @property
    def realsize(self) -> int:
        """Its bytes."""
        return self.numpy_type.itemsize * int(np.prod(self.shape))

    size = realsize


@dataclass
class SessionOptions:
    """Fake `session_options`."""

    loop: int = 1
    log_level: int = 2
    acl_json_path: str = ""


@dataclass
class SessionSummary:
    """Fake result of `sumary()`: milliseconds of every run."""

    exec_time_list: list[float] = field(default_factory=list)


class BaseTensor:
    """Fake `BaseTensor`: memory, by its address and number of bytes.

    Args:
        address: Where it starts.
        size: Its bytes.
    """

    def __init__(self, address: int, size: int) -> None:
        self.data = ctypes.string_at(address, size)


class Tensor:
    """Fake `Tensor`: an array on a device; as input its bytes are taken in the order in which they lie in memory.

    Args:
        array: The array.
    """

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.data = array.ravel(order="K").tobytes()

    def to_host(self) -> None:
        """Nothing to do."""

    def to_device(self, device: int) -> None:
        """Nothing to do."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._array, dtype)


class InferenceSession:
    """Fake `InferenceSession`: loads a fake .om file and says what the original says on standard output.

    Args:
        model_path: The file.
        device_id: Appears in the messages.
        options: How often each run is repeated.

    Raises:
        RuntimeError: It is not a fake .om file.
    """

    def __init__(self, model_path: str, device_id: int, options: SessionOptions) -> None:
        import onnxruntime

        self._options, self._device = options, device_id
        self._summary = SessionSummary()
        info("acl init success")
        info(f"open device {device_id} success")
        content = Path(model_path).read_bytes() if Path(model_path).is_file() else b""
        if not content.startswith(MAGIC):
            error(f"load model from file failed, model file is {model_path}")
            raise RuntimeError(FAILURE)
        quiet = onnxruntime.SessionOptions()
        quiet.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(content[len(MAGIC) :], quiet, ["CPUExecutionProvider"])
        info(f"load model {model_path} success")
        info("create model description success")

    def get_inputs(self) -> list[TensorDesc]:
        """The inputs."""
        return [_desc(node) for node in self._session.get_inputs()]

    def get_outputs(self) -> list[TensorDesc]:
        """The outputs; a compiler may leave other names than the graph's."""
        return [_desc(node) for node in self._session.get_outputs()]

    def options(self) -> SessionOptions:
        """The options, which may be changed."""
        return self._options

    def set_staticbatch(self) -> None:
        """Nothing to do."""

    def run(self, output_names: Sequence[str], feeds: Sequence[BaseTensor | Tensor]) -> list[Tensor]:
        """Run the model `options.loop` times.

        Args:
            output_names: What to return.
            feeds: One per input, in order; only their bytes count.

        Raises:
            RuntimeError: Number or size of the feeds do not fit.
        """
        inputs = self.get_inputs()
        if len(feeds) != len(inputs):
            error(f"invalid inputs size:{len(feeds)} need:{len(inputs)}")
            raise RuntimeError(FAILURE)
        arrays = {}
        for i, (want, feed) in enumerate(zip(inputs, feeds, strict=True)):
            if len(feed.data) != want.realsize:
                error(
                    f"Check i:{i} name:{want.name} in size:{len(feed.data)} needsize:{want.realsize} not match",
                )
                raise RuntimeError(FAILURE)
            arrays[want.name] = np.frombuffer(feed.data, want.numpy_type).reshape(want.shape)
        for i in range(self._options.loop):
            start = time.perf_counter()
            outputs = self._session.run(list(output_names), arrays)
            self._summary.exec_time_list.append(1e3 * (time.perf_counter() - start))
            if self._options.loop > 1:
                say(f"\n\rloop inference exec: ({i + 1}/{self._options.loop})")
        return [Tensor(output) for output in outputs]

    def sumary(self) -> SessionSummary:
        """The times so far; spelt as in the original."""
        return self._summary

    def reset_sumaryinfo(self) -> None:
        """Forget the times."""
        self._summary = SessionSummary()

    def finalize(self) -> None:
        """Unload the model."""
        info("unload model success, model Id is 1")
        info(f"end to reset device is {self._device}")
        info("end to finalize acl")


def say(text: str) -> None:
    """Print as C++ does, without a line end of its own."""
    sys.stdout.write(text)
    sys.stdout.flush()


def info(text: str) -> None:
    """Print an information."""
    say(f"[INFO] {text}\n")


def error(text: str) -> None:
    """Print an error."""
    say(f"[ERROR] {text}\n")


def _desc(node: Any) -> TensorDesc:
    name = node.type.removeprefix("tensor(").removesuffix(")")
    return TensorDesc(node.name, DataType[TYPES.get(name, name)], list(node.shape))
