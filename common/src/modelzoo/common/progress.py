"""Progress bars: on standard error, and only when that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}]"
COUNTER = "{desc}: {n_fmt} [{elapsed}, {rate_noinv_fmt}]"
"""What is shown; the rate is in items a second, however slow they are."""


def progress(items: Iterable[Item], total: int | None, label: str, unit: str = "it") -> Iterator[Item]:
    """Pass the items through, with a progress bar on a terminal.

    Args:
        items: What is counted.
        total: How many there will be, if known.
        label: What is being done.
        unit: What one item is.

    Yields:
        The items.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    from tqdm import tqdm

    bar = BAR if total else COUNTER
    yield from tqdm(items, total=total, desc=label, unit=f" {unit}", leave=False, dynamic_ncols=True, bar_format=bar)
