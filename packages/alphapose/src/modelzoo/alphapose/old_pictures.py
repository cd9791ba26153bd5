"""Skeleton pictures of an older `predict`, which would lie among the new ones as if they were of the same run."""

from __future__ import annotations

from pathlib import Path

from modelzoo.alphapose.coco import read_json
from modelzoo.alphapose.formats import RESULTS
from modelzoo.alphapose.images import SUFFIXES
from modelzoo.alphapose.predict import PICTURES
from modelzoo.common.errors import DataError
from modelzoo.common.files import list_folder


def remove_old_pictures(folder: Path) -> None:
    """Remove the pictures directly in `vis` that the results in a folder name, and nothing else.

    Pictures of images without people, which the results do not name, stay, and so does what lies in folders of `vis`.

    Args:
        folder: What an older run has written into, or any other.
    """
    names = old_names(folder / RESULTS)
    place = folder / PICTURES
    for entry in list_folder(place, "picture") if names and place.is_dir() else ():
        if entry.name in names and entry.name.lower().endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
            Path(entry.path).unlink()


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
