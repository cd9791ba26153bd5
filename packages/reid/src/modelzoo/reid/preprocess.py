"""Images to network inputs, bit for bit as the published pipeline does it with Pillow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.bins import stem_of
from modelzoo.common.work import Deferred, Sample, SampleInfo, WorkUnit
from modelzoo.reid.dataset import Crop
from modelzoo.reid.decode import read_image
from modelzoo.reid.spec import HEIGHT, MEAN, STD, WIDTH

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

CHUNK = 8
"""Images that a thread takes at a time: one takes half a millisecond."""


def read_pixels(path: Path) -> np.ndarray:
    """Decode and resize an image; see `decode.read_image`.

    Returns:
        `(256, 128, 3) uint8`, RGB, 0..255.
    """
    return _pixels(read_image(path))


def read_planes(path: Path) -> np.ndarray:
    """Decode and resize an image; see `decode.read_image`.

    Returns:
        `(3, 256, 128) uint8`, RGB, 0..255; read-only, not contiguous.
    """
    return _planes(read_image(path))


def _pixels(image: Image.Image) -> np.ndarray:
    import numpy as np

    return np.asarray(image)


def _planes(image: Image.Image) -> np.ndarray:
    import numpy as np

    pixels = image.tobytes("raw", "RGBX")  # as Pillow holds them: three times as fast as without the X
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


def opened_units(images: Iterable[tuple[str, Callable[[], Image.Image]]], dtype: str) -> list[WorkUnit]:
    """One work unit per image, with its number in its fields.

    Args:
        images: What messages call each, and what decodes it to 128 x 256 RGB.
        dtype: `float32` or `uint8`.
    """
    return [
        WorkUnit(name, partial(_load, read, SampleInfo("", name, {"number": number}), dtype))
        for number, (name, read) in enumerate(images)
    ]


def _info(crop: Crop) -> SampleInfo:
    return SampleInfo(crop.stem, crop.source, {"split": crop.split, "person": crop.person, "camera": crop.camera})


def _unit(path: Path, info: SampleInfo, dtype: str) -> WorkUnit:
    return WorkUnit(str(path), partial(_load, partial(read_image, path), info, dtype), samples=(info,), path=path)


def _load(read: Callable[[], Image.Image], info: SampleInfo, dtype: str) -> list[Sample]:
    image = read()
    if dtype == "uint8":
        return [Sample(info, (_pixels(image),))]
    planes = _planes(image)
    return [Sample(info, (Deferred(planes.shape, "float32", partial(normalise, planes)),))]
