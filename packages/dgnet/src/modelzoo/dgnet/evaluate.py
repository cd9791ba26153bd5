"""Outputs of the network into picture files: the evaluator of `run`, and what it shares with `postprocess`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from modelzoo.common.work import SampleInfo, end_pool
from modelzoo.dgnet.images import to_jpeg
from modelzoo.dgnet.recover import is_infinite, recover

if TYPE_CHECKING:
    import numpy as np

WAITING = 8
"""Pictures per thread that may wait to be written."""

Writer = Callable[[str, bytes], None]
"""Keeps a JPEG file: its stem, and its bytes."""


def write_picture(picture: np.ndarray, name: str, write: Callable[[bytes], None]) -> bool:
    """Make a JPEG file of an output.

    Args:
        picture: `(3, H, W) float32`, normalised RGB.
        name: What messages call it.
        write: Takes the bytes.

    Returns:
        Whether the output held infinite values, which were clipped.

    Raises:
        DataError: It holds NaN.
    """
    write(to_jpeg(recover(picture, name)))
    return is_infinite(picture)


class PictureEvaluator:
    """Writes the picture of every output, in threads, while the model computes the next ones.

    Args:
        write: Keeps the files.
        workers: Number of threads.
    """

    def __init__(self, write: Writer, workers: int) -> None:
        self._write = write
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="modelzoo-pictures")
        self._waiting: deque[tuple[str, Future[bool]]] = deque()
        self._most = WAITING * workers
        self.stems: list[str] = []
        """Those of the pictures that are written."""
        self.clipped: list[str] = []
        """Those whose infinite values were clipped."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        end_pool(self._pool)

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the output of one pair, `(1, 3, 256, 128) float32`.

        Raises:
            DataError: One of the outputs so far holds NaN.
            WriteError: A picture cannot be written.
        """
        job = partial(self._write, info.stem)
        self._waiting.append((info.stem, self._pool.submit(write_picture, outputs[0][0], info.stem, job)))
        while len(self._waiting) > self._most:
            self._finish_one()

    def result(self) -> dict[str, Any]:
        """Wait for the last pictures, and count them; see `update`."""
        while self._waiting:
            self._finish_one()
        return {"pictures": len(self.stems)}

    def _finish_one(self) -> None:
        stem, written = self._waiting.popleft()
        if written.result():
            self.clipped.append(stem)
        self.stems.append(stem)
