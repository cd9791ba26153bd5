"""Image files, and images that are in memory already, to RGB of the network's size."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import reason
from modelzoo.reid.spec import HEIGHT, WIDTH

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

EIGHT_BIT_MODES = (
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBX",
    "RGBa",
    "CMYK",
    "YCbCr",
    "HSV",
    "LAB",
)


SIXTEEN_BITS = ";16"
"""What Pillow's raw modes hold for colour images of 16 bits, which it opens as if they had 8."""


def read_image(path: Path) -> Image.Image:
    """Decode an image and resize it with Pillow's bilinear filter; EXIF orientation is not applied.

    Args:
        path: Any image with 8 bits a channel; grey, palette and CMYK become RGB.

    Returns:
        128 x 256 RGB.

    Raises:
        DataError: The file is not such an image, or is damaged.
    """
    return _resized(read_rgb(path))


def read_rgb(path: Path) -> Image.Image:
    """Decode an image; see `read_image`.

    Returns:
        RGB of its own size.
    """
    from PIL import Image

    with _decoding(str(path)), Image.open(path) as image:
        return _to_rgb(image, str(path))


def fit_image(image: Image.Image, name: str) -> Image.Image:
    """Resize an opened image; see `read_image`.

    Args:
        image: Any image with 8 bits a channel.
        name: What messages call it.

    Returns:
        128 x 256 RGB.
    """
    with _decoding(name):
        return _resized(_to_rgb(image, name))


def fit_pixels(pixels: np.ndarray, name: str) -> Image.Image:
    """Resize an image that is an array; see `read_image`.

    Args:
        pixels: `(H, W, 3) uint8`, RGB, 0..255.
        name: What messages call it.

    Returns:
        128 x 256 RGB.

    Raises:
        DataError: It is another array.
    """
    from PIL import Image

    if pixels.dtype != "uint8" or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise DataError(
            f"{name} is {pixels.dtype} {pixels.shape}; an image is uint8 (height, width, 3)",
            "RGB, 0..255; a grey one is np.stack([grey] * 3, axis=-1)",
        )
    return _resized(Image.fromarray(pixels))


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode not in EIGHT_BIT_MODES or SIXTEEN_BITS in repr(getattr(image, "tile", "")):
        raise DataError(f"{name} has pixels of more than 8 bits (mode {image.mode})", "save it with 8 bits a channel")
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")


def _resized(image: Image.Image) -> Image.Image:
    from PIL import Image

    return image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)


@contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Whatever Pillow raises for a bad image becomes one error that names it."""
    from PIL import Image, UnidentifiedImageError

    _allow_large_images()
    try:
        yield
    except UnidentifiedImageError as error:
        raise DataError(f"{name} is not an image") from error
    except OSError as error:
        raise DataError(f"cannot read {name}: {reason(error)}") from error
    except Image.DecompressionBombError as error:
        raise DataError(f"{name} has too many pixels: {error}") from error
    except (SyntaxError, ValueError, EOFError, struct.error) as error:
        raise DataError(f"{name} is a damaged image: {error}") from error


@cache
def _allow_large_images() -> None:
    """Let Pillow decode what it warns of, up to twice as many pixels, which it refuses.

    Once for the whole process: warnings cannot be silenced for one of several threads.
    """
    from PIL import Image

    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
