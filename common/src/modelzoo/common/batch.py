"""Samples of one shape into the batch that a session takes, and its outputs back into samples."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.common.errors import ModelError
from modelzoo.common.session import Session

if TYPE_CHECKING:
    import numpy as np

SampleArrays = Sequence["np.ndarray"]
"""One array per model input, without the batch axis."""


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


def run_batch(session: Session, samples: Sequence[SampleArrays], repeat: int = 1) -> BatchResult:
    """Run samples as one batch.

    Where the model is fixed to a larger batch it is filled up with copies of the first sample, whose outputs are dropped.

    Args:
        session: The model.
        samples: At least one, at most a batch; all of one shape.
        repeat: How often the batch is run; the outputs are the last run's.

    Raises:
        ModelError: The arrays do not fit the model, or its outputs cannot be divided among the samples.
    """
    import numpy as np

    size = session.inputs[0].batch or len(samples)
    filled = [*samples, *[samples[0]] * (size - len(samples))]
    inputs = [np.stack(arrays) for arrays in zip(*filled, strict=True)]
    outputs, milliseconds = timed_run(session, inputs, repeat)
    parts = [_split(output, size) for output in outputs]
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


def _split(output: np.ndarray, size: int) -> list[np.ndarray]:
    import numpy as np

    if output.ndim == 0 or len(output) % size:
        raise ModelError(f"an output of shape {output.shape} cannot be divided among the {size} samples of a batch")
    return np.split(output, size)
