"""The numbers of frames, which stand in the names of images, or for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.common.text import printable
from modelzoo.posec3d.values import shown

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
        raise DataError(f"{where}: the image is {shown(image)}, not a number or a name")
    path = PurePosixPath(image)
    found = NUMBERED.fullmatch(path.stem)
    if not found:
        raise DataError(
            f"{where}: the image is called {printable(image, 60)}, which has no number of a frame",
            "frames are called by numbers, such as 12.jpg, which say in which order they are",
        )
    return image[: len(image) - len(path.name)] + found[1], int(found[2])


def recording_names(befores: Iterable[str], path: Path) -> dict[str, str]:
    """What the recordings of a file are called, by what stands before the numbers of their frames.

    That is their name, without what joins it to the number where this leaves every recording a name of its own.

    Args:
        befores: What stands before the numbers, of each recording once.
        path: The file, by which a recording is called where that is nothing.

    Raises:
        DataError: Two recordings would have the same name.

    >>> recording_names(["walk_", "wave_", "wave-"], Path("a.json"))
    {'walk_': 'walk', 'wave_': 'wave_', 'wave-': 'wave-'}
    """
    short = {before: before.rstrip("/_- .") or path.stem for before in befores}
    times = Counter(short.values())
    names = {before: name if times[name] == 1 else before or name for before, name in short.items()}
    owners: dict[str, str] = {}
    for before, name in names.items():
        other = owners.setdefault(name, before)
        if other != before:
            both = " and ".join(f"'{printable(one, 60)}'" for one in (other, before))
            text = (
                f"{path}: the frames whose numbers follow {both} would be two recordings called {printable(name, 60)}"
            )
            raise DataError(text, "give the file another name")
    return names
