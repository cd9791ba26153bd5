"""Samples of one shape into the batch that a session takes, and its outputs back into samples."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.common.errors import ModelError
from modelzoo.common.session import Session
from modelzoo.common.work import Deferred

if TYPE_CHECKING:
    import numpy as np

SampleArrays = Sequence["np.ndarray | Deferred"]
"""One array per model input, without the batch axis."""


class BatchBuffers:
    """The inputs of the last batch, filled again while the shape stays the same: fresh memory costs page faults."""

    def __init__(self) -> None:
        self._held: dict[int, np.ndarray] = {}

    def assemble(self, number: int, arrays: Sequence[np.ndarray | Deferred]) -> np.ndarray:
        """Put the arrays of one model input into a batch.

        Args:
            number: Which input.
            arrays: One per sample, all of one shape and dtype.

        Returns:
            `(len(arrays), ...)`, valid until the next call for this input.

        Raises:
            ModelError: They are of different shapes or dtypes.
        """
        import numpy as np

        shape, dtype = arrays[0].shape, np.dtype(arrays[0].dtype)
        held = self._held.get(number)
        if held is None or held.shape[1:] != shape or held.dtype != dtype or len(held) < len(arrays):
            held = self._held[number] = np.empty((len(arrays), *shape), dtype)
        for place, array in zip(held, arrays, strict=False):
            if array.shape != shape or np.dtype(array.dtype) != dtype:
                raise ModelError(f"a batch cannot hold {array.dtype} {array.shape} beside {dtype} {shape}")
            if isinstance(array, Deferred):
                array.fill(place)
            else:
                place[:] = array
        return held[: len(arrays)]


@dataclass(frozen=True)
class BatchResult:
    """The outputs of one batch.

    Args:
        outputs: For each sample, one array per model output; the first axis holds the rows that belong to the
            sample (one, for most models).
        milliseconds: How long each repetition of `Session.run` took.
    """

    outputs: list[tuple[np.ndarray, ...]]
    milliseconds: list[float]


def batch_size(session: Session, wanted: int | None) -> int:
    """How many samples go into one batch: what the model is fixed to, else what is wanted, else 1."""
    return session.inputs[0].batch or wanted or 1


def run_batch(
    session: Session, samples: Sequence[SampleArrays], repeat: int = 1, buffers: BatchBuffers | None = None
) -> BatchResult:
    """Run samples as one batch.

    Where the model is fixed to a larger batch, copies of the first sample fill it up; their outputs are dropped.

    Args:
        session: The model.
        samples: At least one, at most a batch; all of one shape.
        repeat: How often the batch is run; the outputs are the last run's.
        buffers: Holds the memory of the inputs between batches.

    Raises:
        ModelError: The arrays do not fit the model, or its outputs cannot be divided among the samples.
    """
    size = session.inputs[0].batch or len(samples)
    buffers = buffers or BatchBuffers()
    filled = [*samples, *[samples[0]] * (size - len(samples))]
    inputs = [buffers.assemble(number, arrays) for number, arrays in enumerate(zip(*filled, strict=True))]
    outputs, milliseconds = timed_run(session, inputs, repeat)
    parts = [_split(_own(output, inputs), size) for output in outputs]
    return BatchResult(list(zip(*parts, strict=True))[: len(samples)], milliseconds)


def timed_run(
    session: Session, inputs: Sequence[np.ndarray], repeat: int
) -> tuple[tuple[np.ndarray, ...], list[float]]:
    """Run a batch `repeat` times.

    Returns:
        The outputs of the last run, and the milliseconds of each.
    """
    milliseconds = []
    outputs: tuple[np.ndarray, ...] = ()
    for _ in range(repeat):
        start = time.perf_counter()
        outputs = session.run(*inputs)
        milliseconds.append(1e3 * (time.perf_counter() - start))
    return outputs, milliseconds


def _own(output: np.ndarray, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """The output, copied if the model handed back a view of its input, which the next batch overwrites."""
    import numpy as np

    return output.copy() if any(np.may_share_memory(output, array) for array in inputs) else output


def _split(output: np.ndarray, size: int) -> list[np.ndarray]:
    if output.ndim == 0 or len(output) % size:
        raise ModelError(f"an output of shape {output.shape} cannot be divided among the {size} samples of a batch")
    rows = len(output) // size
    return [output[start : start + rows] for start in range(0, len(output), rows)]
