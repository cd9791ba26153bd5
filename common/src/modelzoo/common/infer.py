"""Folders of .bin through a session into a result folder, with the file layout and summary of ais_bench."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from modelzoo.common.batch import BatchBuffers, BatchResult, batch_size, run_batch, timed_run
from modelzoo.common.errors import UsageError
from modelzoo.common.feeds import Feed, find_feeds, read_feed
from modelzoo.common.progress import progress
from modelzoo.common.results import ResultFolder, write_summary
from modelzoo.common.session import Session
from modelzoo.common.spec import TensorSpec
from modelzoo.common.work import Threads, bounded_map, end_pool

if TYPE_CHECKING:
    import numpy as np

PENDING_WRITES = 4
"""How many batches may wait to be written while the model goes on."""

PURE_NAME = "pure_infer_data"
"""What ais_bench calls the data of an inference without input files."""


@dataclass(frozen=True)
class InferOptions:
    """How to run a folder; names and meaning are those of ais_bench.

    Args:
        batchsize: Samples per batch, where the model does not fix it.
        loop: How often each batch is run.
        warmup_count: Runs of the first batch that are not counted.
        pair: `stem` or `order`, see `find_feeds`.
        overwrite: Replace the results that are there.
        args: The command line, for the summary.
    """

    batchsize: int | None = None
    loop: int = 1
    warmup_count: int = 1
    pair: str = "stem"
    overwrite: bool = False
    args: Sequence[str] = ()


@dataclass
class InferStats:
    """What an inference did.

    Args:
        samples: How many samples were run (0 without input files).
        batchsize: Samples per batch.
        milliseconds: Time of every run of a batch.
        loop: How often each sample was run, where a batch may hold less than `batchsize`; None where each is full.
    """

    samples: int
    batchsize: int
    milliseconds: list[float] = field(default_factory=list)
    loop: int | None = None

    @property
    def throughput(self) -> float:
        """Samples per second inside the model; what fills up a fixed batch counts, as it does for ais_bench."""
        done = self.samples * self.loop if self.loop else self.batchsize * len(self.milliseconds)
        return 1e3 * done / sum(self.milliseconds)


def check_dirname(dirname: str | None, output: str | None) -> str:
    """The name of the result folder: the given one, or the time as ais_bench writes it.

    Raises:
        UsageError: It is absolute, leaves `output`, or has no `output`.
    """
    if dirname is None:
        return time.strftime("%Y_%m_%d-%H_%M_%S")
    if output is None:
        raise UsageError("--output_dirname needs --output, the folder that it lies in")
    path = PurePath(dirname)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise UsageError(f"--output_dirname must be a folder inside --output, got '{dirname}'")
    return dirname


def infer_folder(session: Session, inputs: str, results: ResultFolder | None, options: InferOptions) -> InferStats:
    """Run every file of the input folders; nothing is touched unless all of them fit and the warm-up succeeds.

    Args:
        session: The model.
        inputs: Comma-separated folders or files, see `find_feeds`.
        results: Where the outputs go; None only measures.
        options: How to run.

    Raises:
        DataError: An input does not fit, or the result folder is in use.
        WriteError: A result cannot be written, or another run is writing there.
    """
    feeds = find_feeds(inputs, session.inputs, options.pair)
    size = batch_size(session, options.batchsize)
    files = [file for feed in feeds for file in feed.files]
    if results:
        results.check(options.overwrite, files)
    stats = InferStats(len(feeds), size, loop=None if session.inputs[0].batch else options.loop)
    first = [read_feed(feed, session.inputs) for feed in next(_batches(feeds, size))]
    for _ in range(options.warmup_count):
        run_batch(session, first)
    with results.opened(options.overwrite, files) if results else nullcontext():
        _run_batches(session, feeds, results, options, stats)
        if results:
            pairs = [(feed.files, results.names(feed.stem, len(session.outputs))) for feed in feeds]
            write_summary(results, pairs, _timing(stats, session, options))
    return stats


def infer_nothing(session: Session, results: ResultFolder | None, options: InferOptions) -> InferStats:
    """Run a batch of zeros, for timing.

    Args:
        session: The model; its inputs must have no free axis besides the batch.
        results: Where the outputs of the whole batch go, or None.
        options: How to run.

    Raises:
        UsageError: The model has a free axis, or the batch is too large.
        DataError: The result folder is in use.
        WriteError: A result cannot be written, or another run is writing there.
    """
    size = batch_size(session, options.batchsize)
    zeros = [_zeros(spec, size) for spec in session.inputs]
    if results:
        results.check(options.overwrite)
    timed_run(session, zeros, options.warmup_count)
    outputs, milliseconds = timed_run(session, zeros, options.loop)
    stats = InferStats(0, size, milliseconds)
    if results:
        with results.opened(options.overwrite):
            results.write(PURE_NAME, outputs)
            pairs = [([PURE_NAME], results.names(PURE_NAME, len(outputs)))]
            write_summary(results, pairs, _timing(stats, session, options))
    return stats


def _run_batches(
    session: Session,
    feeds: list[Feed],
    results: ResultFolder | None,
    options: InferOptions,
    stats: InferStats,
) -> None:
    """Read ahead in one thread, run in this one, write behind in another."""

    def read(batch: list[Feed]) -> tuple[list[Feed], list[tuple[np.ndarray, ...]]]:
        return batch, [read_feed(feed, session.inputs) for feed in batch]

    batches = list(_batches(feeds, stats.batchsize))
    pending: deque[Future[None]] = deque()
    buffers = BatchBuffers()
    writer = ThreadPoolExecutor(1, thread_name_prefix="modelzoo-writer")
    try:
        for batch, arrays in progress(bounded_map(read, batches, Threads(1)), len(batches), "infer", "batch"):
            result = run_batch(session, arrays, options.loop, buffers)
            stats.milliseconds.extend(result.milliseconds)
            if results:
                pending.append(writer.submit(_write, results, batch, result))
            while len(pending) > PENDING_WRITES:
                pending.popleft().result()
        for write in pending:
            write.result()
    finally:
        end_pool(writer)


def _write(results: ResultFolder, batch: list[Feed], result: BatchResult) -> None:
    for feed, outputs in zip(batch, result.outputs, strict=True):
        results.write(feed.stem, outputs)


def _batches(feeds: list[Feed], size: int) -> Iterator[list[Feed]]:
    """Batches in order; a batch holds equal shapes only."""
    by_shape: dict[tuple[tuple[int, ...], ...], list[Feed]] = {}
    for feed in feeds:
        by_shape.setdefault(feed.shapes, []).append(feed)
    for group in by_shape.values():
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _zeros(spec: TensorSpec, size: int) -> np.ndarray:
    import numpy as np

    free = [axis for axis in spec.sample_shape if not isinstance(axis, int)]
    if free:
        text = f"the model's input {spec.name} has the free axis {free[0]}: --input is needed to know its length"
        raise UsageError(text)
    try:
        return np.zeros((size, *(axis for axis in spec.sample_shape if isinstance(axis, int))), spec.dtype)
    except (MemoryError, OverflowError, ValueError) as error:
        text = f"a batch of {size} samples of {spec.describe()} does not fit into memory"
        raise UsageError(text, "choose a smaller --batchsize") from error


def _timing(stats: InferStats, session: Session, options: InferOptions) -> dict[str, Any]:
    """The keys of ais_bench's summary; there is no device to copy to and from, so those times are zero."""
    runs = max(1, len(stats.milliseconds) // options.loop)
    return {
        "args": list(options.args),
        "NPU_compute_time": _statistics(stats.milliseconds),
        "H2D_latency": _statistics([0.0] * runs * len(session.inputs)),
        "D2H_latency": _statistics([0.0] * runs * len(session.outputs)),
        "throughput": stats.throughput,
        "npu_compute_time_list": stats.milliseconds,
        "pid": os.getpid(),
    }


def _statistics(milliseconds: Sequence[float]) -> dict[str, float]:
    import numpy as np

    return {
        "min": float(np.min(milliseconds)),
        "max": float(np.max(milliseconds)),
        "mean": float(np.mean(milliseconds)),
        "median": float(np.median(milliseconds)),
        "percentile(99%)": float(np.percentile(milliseconds, 99)),
        "count": len(milliseconds),
    }
