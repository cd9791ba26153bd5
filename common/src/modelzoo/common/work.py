"""Work units: what is decoded once (an image, a sequence, an annotation), and threads that do them in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from modelzoo.common.errors import DataError, UsageError, ZooError
from modelzoo.common.files import reason

if TYPE_CHECKING:
    import numpy as np

Item = TypeVar("Item")
Result = TypeVar("Result")
ON_ERROR = ("fail", "skip")


@dataclass(frozen=True)
class SampleInfo:
    """A sample without its arrays: one row of an index.

    Args:
        stem: The name of its .bin files without the suffix.
        source: The file name (or key) that it comes from.
        fields: The model's own facts (person, camera, crop box), JSON values.
    """

    stem: str
    source: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One input of the model.

    Args:
        info: What it is.
        arrays: One array per model input, without the batch axis.
    """

    info: SampleInfo
    arrays: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class WorkUnit:
    """What is decoded once; it may give several samples.

    Args:
        source: What messages and the list of skipped sources call it.
        load: Decodes it. Raises DataError or OSError for bad data.
        samples: What it will give, where that is known beforehand; None where only loading tells.
        path: The file that it reads, so that an interrupted run does a changed file again.
    """

    source: str
    load: Callable[[], Sequence[Sample]]
    samples: tuple[SampleInfo, ...] | None = None
    path: Path | None = None


@dataclass(frozen=True)
class Skipped:
    """A source that could not be used, and why."""

    source: str
    reason: str


def in_order(
    work: Callable[[WorkUnit], Result], units: Iterable[WorkUnit], workers: int, on_error: str = "fail"
) -> Iterator[Result | Skipped]:
    """Do the units in threads and yield the results in the order of the units, in bounded memory.

    Args:
        work: What is done with each unit.
        units: The units.
        workers: Number of threads.
        on_error: `fail` raises the first unit's error; `skip` yields `Skipped` in its place.

    Yields:
        The results.

    Raises:
        DataError: A unit cannot be used and `on_error` is `fail`.
    """
    return bounded_map(lambda unit: _guarded(work, unit, on_error), units, workers)


def bounded_map(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Call a function on items in threads and yield the results in order.

    At most three times as many items as workers are under way or waiting to be taken. Threads, because image
    decoders, NumPy, ONNX Runtime and file access release the interpreter lock.

    Args:
        function: What is called.
        items: Its arguments, taken as they are needed.
        workers: Number of threads.

    Yields:
        The results.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="modelzoo")
    source = iter(items)
    waiting: deque[Future[Result]] = deque()
    try:
        waiting.extend(pool.submit(function, item) for item in islice(source, 3 * workers))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(source, 1))
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def check_workers(workers: int | None) -> int:
    """The number of threads to use: the given one, or one per available core.

    Raises:
        UsageError: It is less than 1.
    """
    import os

    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers < 1:
        raise UsageError(f"--workers must be at least 1, got {workers}")
    return workers


def _guarded(work: Callable[[WorkUnit], Result], unit: WorkUnit, on_error: str) -> Result | Skipped:
    """Do one unit; every error leaves with the unit's name."""
    try:
        return work(unit)
    except (DataError, OSError) as error:
        named = error if isinstance(error, DataError) else DataError(f"cannot read {unit.source}: {reason(error)}")
        if on_error == "skip":
            return Skipped(unit.source, str(named))
        raise named from error
    except ZooError:
        raise
    except Exception as error:
        raise ZooError(f"{unit.source}: {type(error).__name__}: {error}") from error
