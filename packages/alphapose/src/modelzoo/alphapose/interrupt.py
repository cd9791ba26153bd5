"""Ctrl-C as the way to end what has no end of its own."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def until_interrupt() -> Iterator[Callable[[], bool]]:
    """In this block the first Ctrl-C only sets a mark; the second one interrupts.

    Only the main thread may use it.

    Yields:
        Tells whether Ctrl-C was pressed.
    """
    pressed = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def mark(_number: int, _frame: Any) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, mark)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
