"""Keypoints of an image into the square that the heat maps are drawn in: compact, resize, crop, flip.

A coordinate of exactly 0 means "not seen", for x and y apart, and stays where it is; as upstream.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelzoo.posec3d.spec import SIZE

if TYPE_CHECKING:
    import numpy as np

MARGIN = 1.25
"""How much larger than the joints the compact box is."""

SMALLEST = 10
"""Width and height in pixels below which the joints are no box to crop to."""

LEFT, RIGHT = range(1, 17, 2), range(2, 17, 2)
"""Joints of COCO that change places in a mirror."""

Size = tuple[int, int]
"""Height and width in pixels."""


def place(keypoints: np.ndarray, image: Size) -> np.ndarray:
    """Bring the keypoints of a recording into the square of a heat map.

    Args:
        keypoints: `(people, frames, 17, 2) float32`, x and y in pixels of the image, finite.
        image: Height and width of the image.

    Returns:
        `(people, frames, 17, 2) float32`, x and y in pixels of the 56 x 56 map, or outside it.
    """
    return crop(*resize(*compact(keypoints, image)))


def compact(keypoints: np.ndarray, image: Size) -> tuple[np.ndarray, Size]:
    """Move the origin to the corner of a square box around all joints, a quarter larger than they need.

    The box is cut to whole pixels towards 0, so that it may be off square by one. Joints that span fewer than 10
    pixels in x or y are left as they are. As `PoseCompact`, whose sums are in single and whose products in double
    precision.

    Args:
        keypoints: See `place`.
        image: See `place`.

    Returns:
        Keypoints of the same shape, and height and width of the box.
    """
    import numpy as np

    spans = [_span(keypoints[..., axis]) for axis in (0, 1)]
    if any(high - low < SMALLEST for low, high in spans):
        return keypoints, image
    half = max(float(high - low) / 2 * MARGIN for low, high in spans)
    left, right, top, bottom = (int(float(low + high) / 2 + side) for low, high in spans for side in (-half, half))
    moved = np.where(keypoints != 0, keypoints - np.array([left, top], np.float32), keypoints)
    return moved, (bottom - top, right - left)


def _span(values: np.ndarray) -> tuple[np.float32, np.float32]:
    """Smallest and largest coordinate that was seen; an empty span where none was."""
    import numpy as np

    seen = values[values != 0]
    return np.min(seen, initial=np.float32(np.inf)), np.max(seen, initial=np.float32(-np.inf))


def resize(keypoints: np.ndarray, image: Size) -> tuple[np.ndarray, Size]:
    """Scale so that the shorter side is 56 pixels; each side is rounded to whole pixels, as `Resize`.

    Args:
        keypoints: See `place`.
        image: Height and width before.

    Returns:
        Keypoints of the same shape, and height and width after.
    """
    import numpy as np

    factor = SIZE / min(image)
    height, width = (math.floor(side * factor + 0.5) for side in image)
    factors = np.array([width / image[1], height / image[0]], np.float32)
    return keypoints * factors, (height, width)


def crop(keypoints: np.ndarray, image: Size) -> np.ndarray:
    """Move the origin to the corner of the 56 x 56 pixels in the middle.

    Args:
        keypoints: See `place`.
        image: Height and width, both at least 56.
    """
    import numpy as np

    height, width = image
    return keypoints - np.array([(width - SIZE) // 2, (height - SIZE) // 2], np.float32)


def flip(x: np.ndarray) -> np.ndarray:
    """Mirror x of the keypoints, to 56 - x; the joints keep their places in the array.

    Args:
        x: In pixels of the map, any shape, float64: in single precision the result would not be exact.
    """
    import numpy as np

    return np.where(x != 0, SIZE - x, x)


def mirrored_joints() -> list[int]:
    """For every joint the one in whose place it is seen in a mirror.

    >>> mirrored_joints()[:5]
    [0, 2, 1, 4, 3]
    """
    joints = [0]
    for left, right in zip(LEFT, RIGHT, strict=True):
        joints += [right, left]
    return joints
