"""People's own pictures: one file, or all images below a folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file, neighbour_hint, reason
from modelzoo.reid.dataset import IMAGE_SUFFIXES

TABLE, DRAWN = "ranking.csv", "ranked"
"""What a search writes: a folder of drawn rankings, and last of all, beside it, a table."""

UNFINISHED = ".ranked.part"
"""Where it draws; a folder of this name is there until the table is."""


@dataclass(frozen=True)
class Picture:
    """A picture file.

    Args:
        path: Where it is.
        name: Its path below the folder that was given, with `/`.
        size: Bytes.
        mtime: When it was changed, nanoseconds.
        inode: Device and number of the file, the same for every path that leads to it.
    """

    path: Path
    name: str
    size: int
    mtime: int
    inode: tuple[int, int]


@dataclass(frozen=True)
class Pictures:
    """What is in a place.

    Args:
        folder: The folder, absolute.
        pictures: The pictures, sorted by name.
        passed_over: How many other files there are.
    """

    folder: Path
    pictures: Sequence[Picture]
    passed_over: int


def find_pictures(place: Path, what: str) -> Pictures:
    """The picture that a path names, or all below a folder by their suffix; hidden files and folders are none.

    Links are followed, but every folder is searched once: by its own path where that is below the place, else by the
    first link that leads to it. What an earlier search drew is left out, and so is what is no regular file (a pipe).

    Args:
        place: A file of any name, or a folder.
        what: What messages call it.

    Raises:
        DataError: There is no such place, it cannot be read, or the folder holds no picture.
    """
    if not place.exists():
        raise DataError(f"no such {what}: {place}", neighbour_hint(place))
    if not place.is_dir():
        existing_file(place, what)
        return Pictures(place.parent.absolute(), [_picture(place, place.parent)], 0)
    return _below(place)


def _below(folder: Path) -> Pictures:
    files = sorted(_files_below(folder), key=lambda path: path.relative_to(folder).as_posix())
    images = [_picture(path, folder) for path in files if _is_image(path)]
    if not images:
        raise DataError(f"no images in {folder}", neighbour_hint(folder))
    return Pictures(folder.absolute(), images, len(files) - len(images))


def _files_below(folder: Path) -> Iterator[Path]:
    places, visited = [folder], set()
    for place in places:  # it grows: links wait until all real folders are searched
        for parent, folders, files in os.walk(place, onerror=_unreadable):
            if (inode := _inode(_status(Path(parent)))) in visited:
                folders.clear()
                continue
            visited.add(inode)
            drawn = DRAWN if TABLE in files or UNFINISHED in folders else None
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name != drawn)
            places += [path for name in folders if (path := Path(parent, name)).is_symlink()]
            yield from (Path(parent, name) for name in files)


def _unreadable(error: OSError) -> None:
    raise DataError(f"cannot read the folder {error.filename}: {reason(error)}") from error


def _is_image(path: Path) -> bool:
    """By its name; a link to nothing is one too, so that it is named when it cannot be read."""
    named = path.name.lower().endswith(IMAGE_SUFFIXES) and not path.name.startswith(".")
    return named and stat.S_IFMT(_status(path).st_mode) in {stat.S_IFREG, stat.S_IFLNK}


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError:
        return path.lstat()


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _picture(path: Path, folder: Path) -> Picture:
    status = _status(path)
    name = path.relative_to(folder).as_posix()
    return Picture(path, name, status.st_size, status.st_mtime_ns, _inode(status))
