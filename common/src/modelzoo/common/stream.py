"""The whole way in one process: work units, threads, batches, session, evaluator, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from modelzoo.common.batch import BatchBuffers, run_batch
from modelzoo.common.session import Session
from modelzoo.common.work import Sample, SampleInfo, Skipped, Threads, WorkUnit, in_order

if TYPE_CHECKING:
    import numpy as np

WAITING_BATCHES = 4
"""How many batches of samples may wait for others of their shape before the fullest one is run as it is."""


class Evaluator(Protocol):
    """What turns outputs into a metric; one for `run` and for `postprocess`."""

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the outputs of one sample.

        Args:
            info: The sample.
            outputs: One array per model output; the first axis holds the sample's rows (one, for most models).
        """
        ...

    def result(self) -> dict[str, Any]:
        """The metrics, as JSON values."""
        ...


@dataclass
class StreamStats:
    """What happened on the way.

    Args:
        samples: How many samples went through the model.
        skipped: The sources that could not be used.
        wall_s: Seconds from the first unit to the metrics.
        preprocess_s: Seconds of loading, summed over the workers, and of putting batches together.
        inference_s: Seconds inside `Session.run`.
        postprocess_s: Seconds inside `Evaluator.update`.
        batch_ms: Milliseconds of every batch.
    """

    samples: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    wall_s: float = 0.0
    preprocess_s: float = 0.0
    inference_s: float = 0.0
    postprocess_s: float = 0.0
    batch_ms: list[float] = field(default_factory=list)


def stream(
    units: Iterable[WorkUnit],
    session: Session,
    evaluator: Evaluator,
    batchsize: int,
    threads: Threads,
    on_error: str = "fail",
) -> StreamStats:
    """Send every sample of the units through the model into the evaluator.

    While the model computes, the workers prepare what comes next. Memory does not depend on the number of units.

    Args:
        units: The work.
        session: The model.
        evaluator: Takes each sample's outputs; the order is that of the units where all samples have one shape.
        batchsize: Samples per batch.
        threads: What prepares the samples.
        on_error: `fail` raises the first unit's error, `skip` lists it in the result.

    Raises:
        DataError: A unit cannot be used and `on_error` is `fail`.
    """
    stats = StreamStats()
    start = time.perf_counter()
    prepared = in_order(_timed_load, units, threads, on_error)
    buffers = BatchBuffers()
    for batch in _batches(_samples(prepared, stats), batchsize):
        _run(batch, session, evaluator, stats, buffers)
    stats.wall_s = time.perf_counter() - start
    return stats


def finish(evaluator: Evaluator, stats: StreamStats) -> dict[str, Any]:
    """The metrics; the time that they take is added to the stats."""
    start = time.perf_counter()
    metrics = evaluator.result()
    seconds = time.perf_counter() - start
    stats.postprocess_s += seconds
    stats.wall_s += seconds
    return metrics


def _timed_load(unit: WorkUnit) -> tuple[Sequence[Sample], float]:
    start = time.perf_counter()
    samples = unit.load()
    return samples, time.perf_counter() - start


def _samples(prepared: Iterable[tuple[Sequence[Sample], float] | Skipped], stats: StreamStats) -> Iterator[Sample]:
    for result in prepared:
        if isinstance(result, Skipped):
            stats.skipped.append(result)
            continue
        samples, seconds = result
        stats.preprocess_s += seconds
        yield from samples


def _batches(samples: Iterable[Sample], batchsize: int) -> Iterator[list[Sample]]:
    """Group samples by shape into full batches; what is left over comes last."""
    waiting: dict[tuple[tuple[int, ...], ...], list[Sample]] = {}
    count = 0
    for sample in samples:
        shapes = tuple(array.shape for array in sample.arrays)
        waiting.setdefault(shapes, []).append(sample)
        count += 1
        if len(waiting[shapes]) < batchsize:
            if count < WAITING_BATCHES * batchsize:
                continue
            shapes = max(waiting, key=lambda key: len(waiting[key]))
        count -= len(waiting[shapes])
        yield waiting.pop(shapes)
    yield from waiting.values()


def _run(
    batch: list[Sample], session: Session, evaluator: Evaluator, stats: StreamStats, buffers: BatchBuffers
) -> None:
    start = time.perf_counter()
    result = run_batch(session, [sample.arrays for sample in batch], buffers=buffers)
    inference_s = sum(result.milliseconds) / 1e3
    stats.preprocess_s += time.perf_counter() - start - inference_s
    stats.batch_ms.extend(result.milliseconds)
    stats.inference_s += inference_s
    stats.samples += len(batch)
    start = time.perf_counter()
    for sample, outputs in zip(batch, result.outputs, strict=True):
        evaluator.update(sample.info, outputs)
    stats.postprocess_s += time.perf_counter() - start
