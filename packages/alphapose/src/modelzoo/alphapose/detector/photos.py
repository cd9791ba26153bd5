"""The photos of a COCO folder, with the numbers by which detections name them."""

from __future__ import annotations

from pathlib import Path

from modelzoo.alphapose.coco import ANNOTATIONS, PHOTOS, Photo, read_coco
from modelzoo.alphapose.images import SUFFIXES
from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_folder, list_folder


def list_photos(root: Path) -> list[Photo]:
    """List the photos by their numbers: those of the annotations, else the files, whose names are their numbers.

    Args:
        root: The folder with `val2017`, and `annotations` if there are.

    Returns:
        The photos, ascending.

    Raises:
        DataError: There is no such folder, no photo, one whose name is no number, or two of one number.
    """
    existing_folder(root, "COCO")
    if (root / ANNOTATIONS).exists():
        return list(read_coco(root).photos.values())
    entries = list_folder(root / PHOTOS, "photo")
    photos = [_photo(Path(entry)) for entry in entries if entry.name.lower().endswith(SUFFIXES)]
    if not photos:
        raise DataError(f"no photos in {root / PHOTOS}")
    by_number: dict[int, Photo] = {}
    for photo in photos:
        if (other := by_number.setdefault(photo.number, photo)) is not photo:
            raise DataError(f"{other.path} and {photo.path} have one number, {photo.number}")
    return [by_number[number] for number in sorted(by_number)]


def _photo(path: Path) -> Photo:
    if not (path.stem.isascii() and path.stem.isdigit()):
        raise DataError(
            f"{path} has no number for a name, which COCO's detections are by",
            f"{ANNOTATIONS} in the folder says which number a name has; predict takes photos of any name",
        )
    return Photo(int(path.stem), path.name, path)
