"""Images to network inputs, bit for bit as the published pipeline does it with Pillow."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.bins import stem_of
from modelzoo.common.errors import DataError
from modelzoo.common.files import reason
from modelzoo.common.work import Sample, SampleInfo, WorkUnit
from modelzoo.reid.dataset import Crop
from modelzoo.reid.spec import HEIGHT, MEAN, STD, WIDTH

if TYPE_CHECKING:
    import numpy as np

EIGHT_BIT_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV", "LAB")


def read_pixels(path: Path) -> np.ndarray:
    """Decode an image and resize it with Pillow's bilinear filter; EXIF orientation is not applied.

    Args:
        path: Any image with 8 bits a channel; grey, palette and CMYK become RGB.

    Returns:
        `(256, 128, 3) uint8`, RGB, 0..255.

    Raises:
        DataError: The file is not such an image, or is damaged.
    """
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if image.mode not in EIGHT_BIT_MODES:
                raise DataError(
                    f"{path} has pixels of more than 8 bits (mode {image.mode})", "save it with 8 bits a channel"
                )
            rgb = image if image.mode == "RGB" else image.convert("RGB")
            return np.asarray(rgb.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
    except UnidentifiedImageError as error:
        raise DataError(f"{path} is not an image") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except (SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is a damaged image: {error}") from error


def normalise(pixels: np.ndarray) -> np.ndarray:
    """Scale to 0..1, then subtract the mean and divide by the deviation, in float32 and in this order.

    Args:
        pixels: `(H, W, 3) uint8`, RGB, 0..255.

    Returns:
        `(3, H, W) float32`, about -2.1..2.7.
    """
    import numpy as np

    planes = np.empty((3, *pixels.shape[:2]), np.float32)
    planes[:] = pixels.transpose(2, 0, 1)
    planes /= np.float32(255)
    planes -= np.array(MEAN, np.float32)[:, None, None]
    planes /= np.array(STD, np.float32)[:, None, None]
    return planes


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
    return SampleInfo(
        crop.stem, crop.path.name, {"split": crop.split, "person": crop.person, "camera": crop.camera}
    )


def _unit(path: Path, info: SampleInfo, dtype: str) -> WorkUnit:
    return WorkUnit(str(path), partial(_load, path, info, dtype), samples=(info,), path=path)


def _load(path: Path, info: SampleInfo, dtype: str) -> list[Sample]:
    pixels = read_pixels(path)
    return [Sample(info, (pixels if dtype == "uint8" else normalise(pixels),))]
