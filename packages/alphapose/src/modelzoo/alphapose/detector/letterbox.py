"""Pictures of any shape into the square that the detector takes, with the proportions that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelzoo.alphapose.spec import DETECTOR_SIZE

if TYPE_CHECKING:
    import numpy as np

GREY = 128
"""What lies around the picture."""


def letterbox(image: np.ndarray) -> np.ndarray:
    """Scale a picture to the detector's size on its longer side, and centre it on grey.

    Args:
        image: `(H, W, 3) uint8`, 0..255, channels in any order.

    Returns:
        `(608, 608, 3) uint8`, channels in the same order.
    """
    import cv2
    import numpy as np

    width, height = scaled_size(image.shape[1], image.shape[0])
    left, top = (DETECTOR_SIZE - width) // 2, (DETECTOR_SIZE - height) // 2
    canvas = np.full((DETECTOR_SIZE, DETECTOR_SIZE, 3), GREY, np.uint8)
    canvas[top : top + height, left : left + width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
    return canvas


def scaled_size(width: int, height: int) -> tuple[int, int]:
    """Size of a picture inside the square, cut to whole pixels as published; at least one pixel.

    Args:
        width: Of the picture, from 1.
        height: Of the picture, from 1.

    Returns:
        Width and height, at most 608.

    >>> scaled_size(640, 425), scaled_size(10000, 4)
    ((608, 403), (608, 1))
    """
    scale = min(DETECTOR_SIZE / width, DETECTOR_SIZE / height)
    return max(1, int(width * scale)), max(1, int(height * scale))


def planes(canvas: np.ndarray, out: np.ndarray) -> None:
    """Turn pixels into the detector's input.

    Args:
        canvas: `(608, 608, 3) uint8`, BGR, 0..255.
        out: `(3, 608, 608) float32`; takes RGB, 0..1.
    """
    import numpy as np

    np.divide(canvas[..., ::-1].transpose(2, 0, 1), np.float32(255), out=out)
