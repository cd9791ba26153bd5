"""Images to network inputs, bit for bit as the published pipeline does it with Pillow."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.bins import stem_of
from modelzoo.common.errors import DataError
from modelzoo.common.files import reason
from modelzoo.common.work import Deferred, Sample, SampleInfo, WorkUnit
from modelzoo.reid.dataset import Crop
from modelzoo.reid.spec import HEIGHT, MEAN, STD, WIDTH

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

CHUNK = 8
"""Images that a thread takes at a time: one takes half a millisecond."""

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
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode not in EIGHT_BIT_MODES or SIXTEEN_BITS in repr(image.tile):
                raise DataError(
                    f"{path} has pixels of more than 8 bits (mode {image.mode})", "save it with 8 bits a channel"
                )
            rgb = image if image.mode == "RGB" else image.convert("RGB")
            return rgb.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    except UnidentifiedImageError as error:
        raise DataError(f"{path} is not an image") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except (SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is a damaged image: {error}") from error


def read_pixels(path: Path) -> np.ndarray:
    """Decode and resize an image; see `read_image`.

    Returns:
        `(256, 128, 3) uint8`, RGB, 0..255.
    """
    import numpy as np

    return np.asarray(read_image(path))


def read_planes(path: Path) -> np.ndarray:
    """Decode and resize an image; see `read_image`.

    Returns:
        `(3, 256, 128) uint8`, RGB, 0..255; read-only, not contiguous.
    """
    import numpy as np

    pixels = read_image(path).tobytes("raw", "RGBX")  # as Pillow holds them: three times as fast as without the X
    return np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH, 4).transpose(2, 0, 1)[:3]


def normalise(planes: np.ndarray, out: np.ndarray) -> None:
    """Scale to 0..1, then subtract the mean and divide by the deviation, in float32 and in this order.

    Args:
        planes: `(3, H, W) uint8`, RGB, 0..255.
        out: `(3, H, W) float32`; takes the result, about -2.1..2.7.
    """
    import numpy as np

    mean, std = _statistics()
    np.divide(planes, np.float32(255), out=out)
    np.subtract(out, mean, out=out)
    np.divide(out, std, out=out)


@cache
def _statistics() -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation, each `(3, 1, 1) float32`."""
    import numpy as np

    mean, std = (np.array(values, np.float32).reshape(3, 1, 1) for values in (MEAN, STD))
    return mean, std


def crop_units(crops: Sequence[Crop], dtype: str) -> list[WorkUnit]:
    """One work unit per crop, with split, person and camera in its fields.

    Args:
        crops: The crops.
        dtype: `float32` for normalised planes, `uint8` for pixels.
    """
    return [_unit(crop.path, _info(crop), dtype) for crop in crops]


def image_units(images: Sequence[Path], dtype: str) -> list[WorkUnit]:
    """One work unit per image of any name.

    Args:
        images: The images.
        dtype: `float32` or `uint8`.
    """
    return [_unit(path, SampleInfo(stem_of(path.name), path.name), dtype) for path in images]


def _info(crop: Crop) -> SampleInfo:
    return SampleInfo(crop.stem, crop.path.name, {"split": crop.split, "person": crop.person, "camera": crop.camera})


def _unit(path: Path, info: SampleInfo, dtype: str) -> WorkUnit:
    return WorkUnit(str(path), partial(_load, path, info, dtype), samples=(info,), path=path)


def _load(path: Path, info: SampleInfo, dtype: str) -> list[Sample]:
    if dtype == "uint8":
        return [Sample(info, (read_pixels(path),))]
    planes = read_planes(path)
    return [Sample(info, (Deferred(planes.shape, "float32", partial(normalise, planes)),))]
