"""What all benchmarks share: interleaved timing, peak memory, and lines that state a ratio to a floor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


def interleaved(
    rounds: int, clock: Callable[[], float] = time.perf_counter, **candidates: Callable[[], object]
) -> dict[str, list[float]]:
    """Time every candidate once per round, so that a noisy machine disturbs all of them alike.

    Args:
        rounds: How often each is called.
        clock: Seconds; `time.thread_time` leaves out what others do meanwhile, for work of one thread.
        candidates: What is timed, by name.

    Returns:
        Seconds of every call, by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, call in candidates.items():
            start = clock()
            call()
            seconds[name].append(clock() - start)
    return seconds


def median_ratio(seconds: dict[str, list[float]], name: str, floor: str) -> float:
    """Median over the rounds of the time of one candidate divided by that of the floor in the same round."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[floor], strict=True))


def peak_above(call: Callable[[], Result]) -> tuple[Result, float]:
    """Call once, and tell by how many MB (10^6 bytes) the resident memory rose meanwhile at most; Linux only.

    A first call shows more than a second one, which finds memory that the first has returned to the allocator.
    """
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again from what is resident now
    before = _status("VmRSS")
    result = call()
    return result, (_status("VmHWM") - before) / 1e6


def _status(name: str) -> int:
    """A field of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name))) * 1024


def line(what: str, seconds: list[float], note: str = "") -> str:
    """One line of a table: name, median and best time, and a note."""
    return f"{what:<34} median {statistics.median(seconds):8.3f} s   best {min(seconds):8.3f} s   {note}"
