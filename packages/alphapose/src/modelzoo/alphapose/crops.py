"""A box in a photo to the crop that the pose network takes, bit for bit as published with OpenCV 4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.alphapose.spec import HEIGHT, MEAN, WIDTH
from modelzoo.common.errors import DataError

if TYPE_CHECKING:
    import numpy as np

ASPECT = WIDTH / HEIGHT

MARGIN = 1.25
"""How much larger than the box a crop is."""

LONGEST = 32_766
"""Pixels on a side of a photo out of which OpenCV can cut: it counts them in 16 bits."""


@dataclass(frozen=True)
class Windows:
    """What is cut out of a photo around several boxes.

    Args:
        centres: `(n, 2) float32`, x and y in pixels.
        sizes: `(n, 2) float32`, width and height in pixels, in the ratio of 3 to 4.
    """

    centres: np.ndarray
    sizes: np.ndarray

    def corners(self) -> np.ndarray:
        """Top left and bottom right: `(n, 4) float32`, x1, y1, x2, y2 in pixels."""
        import numpy as np

        first = self.centres - self.sizes * np.float32(0.5)
        return np.concatenate((first, first + self.sizes), 1)


def windows(boxes: Sequence[Sequence[float]]) -> Windows:
    """The windows around boxes: the shorter side grows to the network's aspect ratio, then both by a quarter.

    Args:
        boxes: `(n, 4)`, x, y, width and height in pixels.
    """
    import numpy as np

    x, y, width, height = np.array(boxes, np.float64).reshape(-1, 4).T
    width, height = (x + width) - x, (y + height) - y  # the published pipeline goes by the corners
    centres = np.stack((x + width * 0.5, y + height * 0.5), 1).astype(np.float32)
    sizes = np.stack((np.maximum(width, height * ASPECT), np.maximum(height, width / ASPECT)), 1).astype(np.float32)
    return Windows(centres, sizes * np.float32(MARGIN))


def affine(centre: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The map from a photo to a crop, through three points: the centre, the one above it, the one left of that.

    A formula would differ in the last digits, and with it the pixels.

    Args:
        centre: `(2,) float32`, x and y in pixels.
        size: `(2,) float32`, width and height in pixels.

    Returns:
        `(2, 3) float64`.
    """
    import cv2
    import numpy as np

    matrix: np.ndarray = cv2.getAffineTransform(
        _corner(centre, float(size[0])), _corner(np.array((WIDTH * 0.5, HEIGHT * 0.5), np.float32), float(WIDTH))
    )
    return matrix


def cut(image: np.ndarray, matrices: Sequence[np.ndarray], name: str = "the picture") -> np.ndarray:
    """Cut crops out of a photo; what lies outside is black.

    Args:
        image: `(H, W, 3) uint8`, BGR, 0..255.
        matrices: One for each crop, see `affine`.
        name: What messages call the photo.

    Returns:
        `(n, 256, 192, 3) uint8`, RGB, 0..255.

    Raises:
        DataError: The photo is larger than OpenCV can cut out of.
    """
    import cv2
    import numpy as np

    height, width = image.shape[:2]
    if max(height, width) > LONGEST:
        text = f"{name} has {width} x {height} pixels; people are cut out of photos of at most {LONGEST} on a side"
        raise DataError(text, "scale it down, or cut it into parts")
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    crops = np.empty((len(matrices), HEIGHT, WIDTH, 3), np.uint8)  # at once: small pieces cost page faults every time
    for matrix, crop in zip(matrices, crops, strict=True):
        cv2.warpAffine(rgb, matrix, (WIDTH, HEIGHT), dst=crop, flags=cv2.INTER_LINEAR)
    return crops


def mirror(crops: np.ndarray) -> np.ndarray:
    """The mirror images of crops.

    Args:
        crops: `(n, 256, 192, 3) uint8`.

    Returns:
        The same.
    """
    import cv2
    import numpy as np

    mirrored = np.empty_like(crops)
    for crop, out in zip(crops, mirrored, strict=True):
        cv2.flip(crop, 1, dst=out)
    return mirrored


def normalise(crop: np.ndarray, out: np.ndarray) -> None:
    """What the network takes of a crop, in float32 and in this order: to 0..1, then minus the means.

    A crop without a value above 1 is not divided by 255, as published: what is black stays so, to a 255th.

    Args:
        crop: `(256, 192, 3) uint8`, RGB, 0..255.
        out: `(3, 256, 192) float32`; takes the result, -0.48..0.594.
    """
    import cv2
    import numpy as np

    scale = np.float32(255 if crop.max() > 1 else 1)
    for plane, values, mean in zip(cv2.split(crop), out, MEAN, strict=True):
        np.divide(plane, scale, out=values)
        np.subtract(values, np.float32(mean), out=values)


def _corner(centre: np.ndarray, width: float) -> np.ndarray:
    """The three points of a window: `(3, 2) float32`."""
    import numpy as np

    x, y = centre
    above = np.float32(y - width * 0.5)
    return np.array(((x, y), (x, above), (x - (y - above), above)), np.float32)
