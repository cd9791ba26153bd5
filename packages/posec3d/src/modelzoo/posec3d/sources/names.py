"""The numbers of frames, which stand in the names of images, or for them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.common.text import printable

NUMBERED = re.compile(r"(.*?)(?<![0-9])([0-9]{1,15})[^0-9]*")
"""What stands before the last number, and the number; a longer one is no frame's."""

LARGEST_NUMBER = 10**15


def frame_of(image: Any, where: str) -> tuple[str, int]:
    """Of which recording a frame is, and its number.

    Args:
        image: The number itself, or the name of an image, perhaps with folders: the last number in it.
        where: What the message calls the row.

    Returns:
        What stands before the number, and the number.

    Raises:
        DataError: It is neither, or there is no number in the name.

    >>> frame_of("12.jpg", ""), frame_of("walk/cam1_0012.png", ""), frame_of(7, "")
    (('', 12), ('walk/cam1_', 12), ('', 7))
    """
    if isinstance(image, int) and not isinstance(image, bool) and 0 <= image < LARGEST_NUMBER:
        return "", image
    if not isinstance(image, str):
        raise DataError(f"{where}: the image is {printable(str(image), 60)}, not a number or a name")
    path = PurePosixPath(image)
    found = NUMBERED.fullmatch(path.stem)
    if not found:
        raise DataError(
            f"{where}: the image is called {printable(image, 60)}, which has no number of a frame",
            "frames are called by numbers, such as 12.jpg, which say in which order they are",
        )
    return image[: len(image) - len(path.name)] + found[1], int(found[2])


def recording_name(before: str, otherwise: str) -> str:
    """What a recording is called.

    Args:
        before: What stands before the numbers of its frames.
        otherwise: Its name where that is nothing.
    """
    return before.rstrip("/_- .") or otherwise
