"""Stand-ins for models: sessions that need no file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from modelzoo.common.session import check_inputs
from modelzoo.common.spec import BATCH, Dimension, Identity, TensorSpec


class StubSession:
    """A session that calls a function on its one input.

    Args:
        function: Batch to batch.
        shape: Of the input, batch axis included.
        dtype: Of the input and the output.
    """

    backend = "stub"
    identity: Identity | None = None

    def __init__(
        self,
        function: Callable[[np.ndarray], np.ndarray] = np.negative,
        shape: Sequence[Dimension] = (BATCH, "L"),
        dtype: str = "float32",
    ) -> None:
        self.function = function
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("x", dtype, tuple(shape)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("y", dtype, tuple(shape)),)
        self.batches: list[int] = []

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run one batch; its size is kept in `batches`."""
        check_inputs(self.inputs, inputs)
        self.batches.append(len(inputs[0]))
        return (self.function(inputs[0]),)
