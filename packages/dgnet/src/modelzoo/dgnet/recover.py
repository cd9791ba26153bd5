"""Generated arrays to pixels, as the published scripts do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.dgnet.spec import MEAN, STD

if TYPE_CHECKING:
    import numpy as np


def recover(picture: np.ndarray, name: str) -> np.ndarray:
    """Undo the normalisation in float64, clip to 0..255, and cut off what is behind the point.

    Args:
        picture: `(3, H, W) float32`, normalised RGB; infinite values are clipped as large ones are.
        name: What messages call it.

    Returns:
        `(H, W, 3) uint8`, RGB, 0..255.

    Raises:
        DataError: A value is not a number.
    """
    import numpy as np

    if np.isnan(picture.min()):  # the smallest value is NaN where any is
        count = int(np.isnan(picture).sum())
        raise DataError(
            f"{name} holds NaN in {count} of {picture.size} values",
            "the model has failed on this pair; half precision may do that: convert with the keep_dtype rules",
        )
    pixels = np.empty((*picture.shape[1:], len(STD)), np.uint8)
    for channel, (plane, std, mean) in enumerate(zip(picture, STD, MEAN, strict=True)):
        levels = plane.astype(np.float64)
        levels *= std
        levels += mean
        levels *= 255
        pixels[..., channel] = levels.clip(0, 255, out=levels)
    return pixels


def is_infinite(picture: np.ndarray) -> bool:
    """Whether a picture holds infinite values."""
    import numpy as np

    return bool(np.isinf([picture.min(), picture.max()]).any())
