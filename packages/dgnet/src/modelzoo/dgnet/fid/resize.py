"""The resize of TensorFlow 1 before its Inception network, for feature networks of another size than the protocol's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def resize_bilinear(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """ResizeBilinear of TensorFlow 1: pixel `i` of the result lies at `i * before / after`, centres are not aligned.

    Args:
        planes: `(3, H, W)`, any numbers.
        size: Height and width of the result.

    Returns:
        `(3, *size) float32`, in the range of `planes`.
    """
    import numpy as np

    rows, columns = (_interpolation(*lengths) for lengths in zip(planes.shape[1:], size, strict=True))
    resized: np.ndarray = rows @ planes.astype(np.float32) @ columns.T
    return resized


def _interpolation(before: int, after: int) -> np.ndarray:
    """The weights of `before` pixels in each of `after`: `(after, before) float32`, 0..1."""
    import numpy as np

    places = np.minimum(np.arange(after, dtype=np.float32) * np.float32(before / after), before - 1)
    weights: np.ndarray = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(before, dtype=np.float32)))
    return weights
