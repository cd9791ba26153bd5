"""A converted .om on an Ascend NPU, in this process, through InferSession of ais_bench."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.ascend.ais_bench import SET_ENV, describe, find_tool
from modelzoo.common.errors import MissingDependencyError, ModelError
from modelzoo.common.session import check_inputs
from modelzoo.common.spec import Identity, TensorSpec

if TYPE_CHECKING:
    import numpy as np


class AscendSession:
    """An .om file on an NPU.

    `<om name>.json` beside it says what it is; without that file the runtime gives names and shapes.

    Args:
        path: The model.
        device: Number of the NPU.

    Raises:
        MissingDependencyError: ais_bench or a library of CANN is missing in this Python.
        ModelError: The file cannot be loaded, or nothing says what it takes.
    """

    backend = "ascend"

    def __init__(self, path: Path, device: int = 0) -> None:
        self.identity = describe(path)
        self._session = _load(path, device)
        described = self.identity or _described(self._session, path)
        self.inputs, self.outputs = described.inputs, described.outputs

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run one batch; see `modelzoo.common.session.Session.run`."""
        import numpy as np

        check_inputs(self.inputs, inputs)
        # The runtime takes an address and a number of bytes: strides and other dtypes would become garbage.
        arrays = [np.ascontiguousarray(array, spec.dtype) for array, spec in zip(inputs, self.inputs, strict=True)]
        try:
            outputs = tuple(self._session.infer(arrays))
        except RuntimeError as error:
            raise ModelError(f"the NPU failed to run the model: {error}") from error
        have, wanted = [output.dtype.name for output in outputs], [spec.dtype for spec in self.outputs]
        if have != wanted:
            raise ModelError(f"the .om returned {have}, its description says {wanted}")
        return outputs


def _load(path: Path, device: int) -> Any:
    try:
        from ais_bench.infer.interface import InferSession
    except ImportError as error:
        find_tool(sys.executable)
        raise MissingDependencyError(f"ais_bench cannot be loaded: {error}", SET_ENV) from error
    try:
        return InferSession(device, str(path))
    except RuntimeError as error:
        raise ModelError(f"{path} cannot be loaded on NPU {device}: {error}", "was it made for this chip?") from error


def _described(session: Any, path: Path) -> Identity:
    """What the runtime tells of a model without description."""
    import numpy as np

    if not hasattr(session, "get_inputs"):
        raise ModelError(f"nothing says what {path} takes", "convert writes a .json beside the .om that does")
    inputs, outputs = (
        tuple(TensorSpec(tensor.name, np.dtype(tensor.datatype.name).name, tuple(tensor.shape)) for tensor in tensors)
        for tensors in (session.get_inputs(), session.get_outputs())
    )
    return Identity("", "", inputs, outputs)
