"""Silhouettes to 64 x 64, the figure as high as the picture and in its middle, bit for bit as the upstream does it.

Import this module inside functions: it imports OpenCV at its top, since an import for every frame costs time.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))  # OpenCV reads it once; its own limit is 1 GB of pixels

import cv2
import numpy as np

from modelzoo.common.errors import DataError
from modelzoo.common.files import reason
from modelzoo.gaitset.spec import HEIGHT, WIDTH

SIZE = HEIGHT
"""Height and width of an aligned silhouette, in pixels."""

LEAST_SUM = 10_000
"""A frame with no larger sum of pixels shows nobody: some 40 white pixels."""

cv2.setNumThreads(1)  # walks are shared among our threads already; OpenCV's own would wait beside them, and spin


def read_silhouette(path: str) -> np.ndarray:
    """Decode a silhouette; of a coloured one the blue channel counts, as in the upstream.

    Args:
        path: An image; 16 bits become the upper 8.

    Returns:
        `(h, w) uint8`, 0..255.

    Raises:
        DataError: The file cannot be read, is no image, or is damaged.
    """
    name: Any = os.fsencode(path)  # a str that is no text ends the process; the stubs do not know that bytes are taken
    try:
        image: np.ndarray | None = cv2.imread(name, cv2.IMREAD_ANYCOLOR)
    except cv2.error as error:
        raise DataError(f"{path} is too large an image, or is damaged: {error.err}") from error
    if image is None:
        raise _unreadable(path)
    if image.ndim == 3:
        image = cv2.extractChannel(image, 0)
    return image


def _unreadable(path: str) -> DataError:
    """Why OpenCV, which gives no reason, could not read a file."""
    try:
        Path(path).read_bytes()
    except OSError as error:
        return DataError(f"cannot read {path}: {reason(error)}")
    return DataError(f"{path} is not an image, or is damaged")


def align(frame: np.ndarray, out: np.ndarray) -> bool:
    """Cut off the empty rows, scale to 64 rows, and take the columns around the one that halves the sum of the pixels.

    Args:
        frame: `(h, w) uint8`, 0 where the background is.
        out: `(64, columns) uint8`; takes the aligned silhouette, 0 beside the frame. 64 columns are the upstream's.

    Returns:
        Whether the frame shows a figure; if not, `out` is as it was.

    Raises:
        DataError: The figure is more than 64 times as high as the frame is wide.

    The upstream's `pretreatment.py` at 14ee4e67.
    """
    rows = _running_sum(frame, axis=1)
    if rows[-1] <= LEAST_SUM:
        return False
    figure = _scale(frame[rows.searchsorted(0, "right") : rows.searchsorted(rows[-1]) + 1])
    columns = _running_sum(figure, axis=0)
    if not columns[-1]:  # single pixels of a huge frame fall between those that are kept
        return False
    _cut(figure, int(columns.searchsorted(columns[-1] // 2, "right")), out)
    return True


def _running_sum(image: np.ndarray, axis: int) -> np.ndarray:
    """The sum of every row (axis 1) or column (axis 0) and those before it."""
    return np.add.accumulate(cv2.reduce(image, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel(), dtype=np.int64)


def _scale(figure: np.ndarray) -> np.ndarray:
    """Scale to 64 rows."""
    height, width = figure.shape
    scaled = SIZE * width // height
    if not scaled:
        raise DataError(f"a figure of {height} rows in a frame of {width} columns is too narrow")
    resized: np.ndarray = cv2.resize(figure, (scaled, SIZE), interpolation=cv2.INTER_CUBIC)
    return resized


def _cut(figure: np.ndarray, centre: int, out: np.ndarray) -> None:
    """Copy the columns around one of them."""
    columns = out.shape[1]
    left = centre - columns // 2
    start, stop = max(left, 0), min(left + columns, figure.shape[1])
    if stop - start < columns:
        out[:] = 0
    out[:, start - left : stop - left] = figure[:, start:stop]


@dataclass(frozen=True)
class Stack:
    """The frames of a sequence that show a figure.

    Args:
        names: Their file names.
        frames: `(n, 64, columns) uint8`, aligned, 0..255.
    """

    names: list[str]
    frames: np.ndarray


def read_stack(
    folder: Path, names: Sequence[str], limit: int | None = None, columns: int = WIDTH, aligned: bool = False
) -> Stack:
    """Read and align the frames of a sequence.

    Args:
        folder: Where they are.
        names: Their file names.
        limit: How many to take at most, the first ones that show a figure.
        columns: How many columns of each to take, from their middle.
        aligned: Whether they are aligned already.

    Raises:
        DataError: A frame cannot be read.
    """
    read = _read_aligned if aligned else _read_raw
    kept: list[str] = []
    frames = np.empty((min(len(names), limit or len(names)), SIZE, columns), np.uint8)
    for name in names:
        if len(kept) == len(frames):
            break
        if read(f"{folder}/{name}", frames[len(kept)]):
            kept.append(name)
    return Stack(kept, frames[: len(kept)])


def _read_raw(path: str, out: np.ndarray) -> bool:
    frame = read_silhouette(path)
    try:
        return align(frame, out)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _read_aligned(path: str, out: np.ndarray) -> bool:
    frame = read_silhouette(path)
    if frame.shape != (SIZE, SIZE):
        height, width = frame.shape
        hint = "raw silhouettes go to `gaitset preprocess`, or through `gaitset preprocess-step1` first"
        raise DataError(f"{path} has {width} x {height} pixels; an aligned silhouette has {SIZE} x {SIZE}", hint)
    _cut(frame, SIZE // 2, out)
    return True
