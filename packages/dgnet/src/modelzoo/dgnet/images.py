"""Image files to RGB of the network's size, and generated pictures to JPEG."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import reason
from modelzoo.dgnet.spec import HEIGHT, WIDTH

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""What image files are called, in small letters, as torchvision's ImageFolder has it; others are passed over."""

EIGHT_BIT_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV", "LAB")

SIXTEEN_BITS = ";16"
"""What Pillow's raw modes hold for colour images of 16 bits, which it opens as if they had 8."""


def is_image(name: str) -> bool:
    """Whether a file is an image by its name; hidden files are none.

    >>> is_image("0002_c1s1_000451_03.JPG"), is_image("Thumbs.db"), is_image("._0002_c1s1_000451_03.jpg")
    (True, False, False)
    """
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def read_pixels(path: Path) -> np.ndarray:
    """Decode an image and resize it with Pillow's bicubic filter; EXIF orientation is not applied.

    Args:
        path: Any image with 8 bits a channel; grey, palette and CMYK become RGB, transparency is dropped.

    Returns:
        `(256, 128, 3) uint8`, RGB, 0..255.

    Raises:
        DataError: The file is not such an image, or is damaged.
    """
    import numpy as np
    from PIL import Image

    with _decoding(path), Image.open(path) as image:
        _check_depth(image, path)
        return np.asarray(image.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def to_jpeg(pixels: np.ndarray) -> bytes:
    """A picture as a JPEG file of Pillow's default quality, 75, as the published script writes it.

    Args:
        pixels: `(H, W, 3) uint8`, RGB, 0..255.
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG")
    return file.getvalue()


def _check_depth(image: Image.Image, path: Path) -> None:
    if image.mode not in EIGHT_BIT_MODES or SIXTEEN_BITS in repr(getattr(image, "tile", "")):
        raise DataError(f"{path} has pixels of more than 8 bits (mode {image.mode})", "save it with 8 bits a channel")


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Whatever Pillow raises for a bad image becomes one error that names it."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except UnidentifiedImageError as error:
        raise DataError(f"{path} is not an image") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except Image.DecompressionBombError as error:
        raise DataError(f"{path} has too many pixels: {error}") from error
    except (SyntaxError, ValueError, EOFError, struct.error) as error:
        raise DataError(f"{path} is a damaged image: {error}") from error
