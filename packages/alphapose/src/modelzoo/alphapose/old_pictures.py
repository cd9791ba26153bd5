"""Skeleton pictures of an older `predict`, which would lie among the new ones as if they were of the same run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from modelzoo.alphapose.coco import read_json
from modelzoo.alphapose.formats import RESULTS
from modelzoo.alphapose.images import SUFFIXES
from modelzoo.alphapose.predict import PICTURES
from modelzoo.common.errors import DataError


def find_old_pictures(folder: Path) -> dict[Path, int]:
    """The pictures in `vis` that the results in a folder name, and nothing else.

    Pictures of images without people, which the results do not name, are not among them.

    Args:
        folder: What an older run has written into, or any other.

    Returns:
        The number of the file's content on the disk (its inode), by path.
    """
    paths = (folder / PICTURES / name for name in old_names(folder / RESULTS) if _is_plain(name))
    return {path: path.lstat().st_ino for path in paths if path.is_file() and not path.is_symlink()}


def remove_unchanged(pictures: Mapping[Path, int]) -> None:
    """Remove those that have not been written anew since.

    Args:
        pictures: What `find_old_pictures` found.
    """
    for path, number in pictures.items():
        if path.exists() and path.lstat().st_ino == number:
            path.unlink()


def _is_plain(name: str) -> bool:
    """Whether it is the name of a picture, or that of a video's frame in a folder called as the video."""
    path = PurePosixPath(name)
    return (
        name.lower().endswith(SUFFIXES) and not path.is_absolute() and len(path.parts) <= 2 and ".." not in path.parts
    )


def old_names(results: Path) -> set[str]:
    """The file names of images in a file of results, in any of its formats; none where there is no such file."""
    if not results.is_file():
        return set()
    try:
        content = read_json(results, "a file of results")
    except DataError:  # it is replaced, and nothing that it might name is removed
        return set()
    rows = content if isinstance(content, list) else []
    named = {row["image_id"] for row in rows if isinstance(row, dict) and isinstance(row.get("image_id"), str)}
    return named | (set(content) if isinstance(content, dict) else set())
