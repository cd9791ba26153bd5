"""Sessions: one interface to torch, ONNX Runtime and Ascend, chosen by the file's suffix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from modelzoo.common.errors import ModelError
from modelzoo.common.files import existing_file
from modelzoo.common.spec import Identity, ModelSpec, TensorSpec

if TYPE_CHECKING:
    import numpy as np

CHECKPOINT_SUFFIXES = (".pth", ".pt", ".ptm")
OM_SUFFIX = ".om"

ONNX_START = b"\x08"
"""The first byte of an .onnx file: the tag of `ir_version`, the first field of an ONNX message."""

OM_START = b"IMOD"
"""The first bytes of an .om file: the magic number 0x444F4D49 of Ascend's model files."""


class Session(Protocol):
    """A loaded model.

    Attributes:
        backend: `torch`, `onnxruntime` or `ascend`.
        inputs: What `run` takes, in order.
        outputs: What `run` returns, in order.
        identity: What the file says of itself, or None for a file that was exported elsewhere.
    """

    backend: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    identity: Identity | None

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run one batch.

        Args:
            inputs: One C-contiguous array per entry of `self.inputs`, the batch axis first.

        Returns:
            One array per entry of `self.outputs`.

        Raises:
            ModelError: Number, dtype, shape or memory order of the arrays do not fit.
        """
        ...


def open_session(
    path: Path, spec: ModelSpec | None = None, form: Mapping[str, Any] | None = None, device: int = 0
) -> Session:
    """Load a model file with the backend that its suffix names.

    Args:
        path: `.onnx` (ONNX Runtime), `.om` (Ascend), or `.pth`, `.pt`, `.ptm` (torch).
        spec: The model, needed for checkpoints, which do not describe themselves.
        form: How to build the network of a checkpoint (`{"neck_feat": "after"}`); defaults to the spec's own.
        device: Number of the accelerator; the CPU backends ignore it.

    Raises:
        ModelError: The file is not a model, or its suffix is unknown, or it is another model than `spec`.
        MissingDependencyError: The backend is not installed.
    """
    check_content(path)
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        from modelzoo.common.sessions.onnxruntime import OnnxRuntimeSession

        session: Session = OnnxRuntimeSession(path)
    elif suffix == OM_SUFFIX:
        from modelzoo.common.sessions.ascend import AscendSession

        session = AscendSession(path, device)
    elif suffix in CHECKPOINT_SUFFIXES:
        session = _open_checkpoint(path, spec, form or {})
    else:
        raise ModelError(
            f"{path}: no backend runs '{path.suffix}' files",
            "known are .onnx (ONNX Runtime), .om (Ascend) and .pth, .pt, .ptm (checkpoints, torch)",
        )
    check_model(session.identity, spec, path)
    return session


def check_content(path: Path) -> None:
    """Check that a model file is there and, by its first bytes, not an .onnx named .om or the other way round.

    Raises:
        DataError: There is no such file.
        ModelError: It is the other kind.
    """
    with existing_file(path, "model").open("rb") as file:
        start = file.read(len(OM_START))
    if path.suffix.lower() == OM_SUFFIX and start.startswith(ONNX_START):
        raise ModelError(f"{path} is an .onnx file by its content, not an .om", "convert makes an .om of an .onnx")
    if path.suffix.lower() == ".onnx" and start == OM_START:
        raise ModelError(f"{path} is an .om file by its content, not an .onnx", "give it the suffix .om")


def check_model(identity: Identity | None, spec: ModelSpec | None, path: Path) -> None:
    """Check that a file is not of another package, as far as it says.

    Raises:
        ModelError: It is.
    """
    if spec and identity and identity.model not in {"", spec.name}:
        raise ModelError(f"{path} is a model of {identity.model}, not of {spec.name}")


def check_inputs(specs: Sequence[TensorSpec], arrays: Sequence[np.ndarray]) -> None:
    """Check what is given to `Session.run`.

    Raises:
        ModelError: Number, dtype, shape or memory order do not fit.
    """
    if len(arrays) != len(specs):
        names = ", ".join(spec.name for spec in specs)
        raise ModelError(f"the model takes {len(specs)} inputs ({names}), got {len(arrays)}")
    for spec, array in zip(specs, arrays, strict=True):
        if array.dtype != spec.dtype or not spec.accepts(array.shape):
            raise ModelError(f"the model takes {spec.describe()}, got {array.dtype} {array.shape}")
        if not array.flags.c_contiguous:
            raise ModelError(f"the model takes {spec.name} as a C-contiguous array, got strides {array.strides}")
    if len({array.shape[0] for array in arrays}) > 1:
        raise ModelError(f"the inputs have different batch sizes: {[array.shape[0] for array in arrays]}")


def _open_checkpoint(path: Path, spec: ModelSpec | None, form: Mapping[str, Any]) -> Session:
    if spec is None:
        raise ModelError(
            f"{path} is a checkpoint, which does not say of which model",
            "use the infer command of the model's own package, or export it to .onnx first",
        )
    from modelzoo.common.sessions.torch import TorchSession

    return TorchSession(path, spec, form)
