"""A published checkpoint run by torch, the reference for every other backend."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import MissingDependencyError
from modelzoo.common.session import check_inputs
from modelzoo.common.spec import Identity, ModelSpec

if TYPE_CHECKING:
    import numpy as np


class TorchSession:
    """A checkpoint in the network of its package.

    Args:
        path: The checkpoint.
        spec: The model; `spec.network` loads the checkpoint.
        form: Keyword arguments for that function.

    Raises:
        CheckpointError: The file is not a checkpoint of this model.
        MissingDependencyError: torch is not installed.
    """

    backend = "torch"
    identity: Identity | None = None

    def __init__(self, path: Path, spec: ModelSpec, form: Mapping[str, Any]) -> None:
        self._torch = import_torch(spec.name)
        self._network = load_network(spec, path, form)
        self.inputs = spec.inputs
        self.outputs = spec.outputs

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run one batch; see `modelzoo.common.session.Session.run`."""
        check_inputs(self.inputs, inputs)
        with self._torch.inference_mode():
            result = self._network(*(self._torch.from_numpy(array) for array in inputs))
        outputs = result if isinstance(result, tuple) else (result,)
        return tuple(output.numpy() for output in outputs)


def import_torch(model: str) -> Any:
    """Import torch, or say how to install it.

    Args:
        model: The package whose extra brings it.

    Raises:
        MissingDependencyError: torch is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise MissingDependencyError(
            "a checkpoint needs torch, which is not installed",
            f"pip install './packages/{model}[export]', or use an exported .onnx file",
        ) from error


def load_network(spec: ModelSpec, path: Path, form: Mapping[str, Any]) -> Any:
    """Load a checkpoint into its package's network, in evaluation mode.

    Args:
        spec: The model.
        path: The checkpoint.
        form: Keyword arguments of the package's loader.

    Returns:
        The torch module.
    """
    module, _, function = spec.network.partition(":")
    return getattr(importlib.import_module(module), function)(path, **form).eval()
