"""Work units: what is decoded once (an image, a sequence, an annotation), and threads that do them in order."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from modelzoo.common.errors import DataError, ZooError
from modelzoo.common.files import reason

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

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
class Deferred:
    """An array that is computed where it is needed: straight into its place in a batch, or for a file.

    What waits for the model is then smaller (pixels, not normalised planes), and nothing is copied.

    Args:
        shape: The shape of the array.
        dtype: Its NumPy dtype name.
        fill: Writes the values into an array of that shape and dtype; what can fail belongs before it, into the unit.
    """

    shape: tuple[int, ...]
    dtype: str
    fill: Callable[[np.ndarray], None]

    def array(self) -> np.ndarray:
        """The array."""
        import numpy as np

        values = np.empty(self.shape, self.dtype)
        self.fill(values)
        return values


@dataclass(frozen=True)
class Sample:
    """One input of the model.

    Args:
        info: What it is.
        arrays: One array per model input, without the batch axis.
    """

    info: SampleInfo
    arrays: tuple[np.ndarray | Deferred, ...]


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
class Threads:
    """How work is shared among threads.

    Args:
        workers: Number of threads.
        chunk: Units that a thread takes at a time: more for small units, whose hand-over would cost as much as they do.
    """

    workers: int
    chunk: int = 1


@dataclass(frozen=True)
class Skipped:
    """A source that could not be used, and why."""

    source: str
    reason: str


def in_order(
    work: Callable[[WorkUnit], Result], units: Iterable[WorkUnit], threads: Threads, on_error: str = "fail"
) -> Iterator[Result | Skipped]:
    """Do the units in threads and yield the results in the order of the units, in bounded memory.

    Args:
        work: What is done with each unit.
        units: The units.
        threads: How many threads, and how many units each takes at a time.
        on_error: `fail` raises the first unit's error; `skip` yields `Skipped` in its place.

    Yields:
        The results.

    Raises:
        DataError: A unit cannot be used and `on_error` is `fail`.
    """
    return bounded_map(lambda unit: _guarded(work, unit, on_error), units, threads)


def bounded_map(function: Callable[[Item], Result], items: Iterable[Item], threads: Threads) -> Iterator[Result]:
    """Call a function on items in threads and yield the results in order.

    At most three chunks a thread are under way or waiting to be taken. Threads, because image decoders, NumPy, ONNX
    Runtime and file access release the interpreter lock.

    Args:
        function: What is called.
        items: Its arguments, taken as they are needed.
        threads: How many threads, and how many items each takes at a time.

    Yields:
        The results.
    """
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads.workers, thread_name_prefix="modelzoo")
    source = iter(items)
    chunks = iter(lambda: list(islice(source, threads.chunk)), [])
    waiting: deque[Future[list[Result]]] = deque()
    try:
        waiting.extend(pool.submit(_call_each, function, chunk) for chunk in islice(chunks, 3 * threads.workers))
        while waiting:
            results = waiting.popleft().result()
            waiting.extend(pool.submit(_call_each, function, chunk) for chunk in islice(chunks, 1))
            yield from results
    finally:
        end_pool(pool)


def end_pool(pool: ThreadPoolExecutor) -> None:
    """Drop what has not begun, and wait for what has, so that nothing is written after an error was shown.

    After Ctrl-C there is no waiting here.
    """
    pool.shutdown(wait=not isinstance(sys.exception(), KeyboardInterrupt), cancel_futures=True)


def _call_each(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def available_cores() -> int:
    """How many cores this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _guarded(work: Callable[[WorkUnit], Result], unit: WorkUnit, on_error: str) -> Result | Skipped:
    """Do one unit; every error leaves with the unit's name."""
    try:
        return work(unit)
    except (DataError, OSError) as error:
        named = _named(error, unit.source)
        if on_error == "skip":
            return Skipped(unit.source, str(named))
        raise named from error
    except ZooError:
        raise
    except Exception as error:
        raise ZooError(f"{unit.source}: {type(error).__name__}: {error}") from error


def _named(error: DataError | OSError, source: str) -> DataError:
    """The error, with the unit's name in its text."""
    if isinstance(error, OSError):
        return DataError(f"cannot read {source}: {reason(error)}")
    return error if source in str(error) else DataError(f"{source}: {error}", error.hint)
