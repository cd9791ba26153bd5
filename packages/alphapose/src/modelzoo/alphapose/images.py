"""Image files into arrays, as the published pipeline decodes them with OpenCV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.alphapose.quiet import silence_opencv
from modelzoo.common.errors import DataError, WriteError
from modelzoo.common.files import reason, write_bytes

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
"""What image files are called; in a folder, others are passed over."""


def read_bgr(path: Path) -> np.ndarray:
    """Decode an image file; its EXIF orientation is applied, grey becomes colour, transparency is dropped.

    Args:
        path: Any image that OpenCV reads.

    Returns:
        `(H, W, 3) uint8`, BGR, 0..255.

    Raises:
        DataError: The file cannot be read, is no image, or is cut short.
    """
    import cv2
    import numpy as np

    silence_opencv()
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    try:
        image: np.ndarray | None = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        raise DataError(f"{path} cannot be decoded: {error.err}") from error
    if image is None:
        raise DataError(f"{path} is not an image, or is damaged")
    return image


def write_bgr(path: Path, image: np.ndarray) -> None:
    """Write an image file; it gets its name when it is whole.

    Args:
        path: Its suffix, one of `SUFFIXES`, names the format.
        image: `(H, W, 3) uint8`, BGR, 0..255.

    Raises:
        WriteError: It cannot be written.
    """
    import cv2

    try:
        encoded = cv2.imencode(path.suffix, image)[1]
    except cv2.error as error:
        raise WriteError(f"cannot write {path}: {error.err}") from error
    write_bytes(path, encoded.data)


def check_bgr(image: np.ndarray, name: str) -> None:
    """Check that an array is a picture.

    Args:
        image: What should be `(H, W, 3) uint8`, BGR, 0..255.
        name: What messages call it.

    Raises:
        DataError: It is not.
    """
    if image.dtype != "uint8" or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(
            f"{name} is {image.dtype} {image.shape}; an image is uint8 (height, width, 3)",
            "BGR, 0..255; a grey one is np.stack([grey] * 3, axis=-1)",
        )
