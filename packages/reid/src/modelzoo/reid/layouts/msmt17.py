"""The layout of MSMT17: lists of the queries and of the gallery, and a folder with a folder for every person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.reid.dataset import SPLITS, Crop, LabelledImage, to_crops
from modelzoo.reid.layouts.lists import Row, check_rows, read_text
from modelzoo.reid.layouts.names import MSMT17, NamePattern

IMAGES = ("test", "mask_test_v2")
"""The folder of the images in the first and in the second edition."""


def is_msmt17(root: Path) -> bool:
    """Whether a folder holds a list of queries."""
    return _list(root, "query").is_file()


def read_msmt17(root: Path, names: NamePattern = MSMT17) -> list[Crop]:
    """The crops of an MSMT17 folder, queries first, in the order of the lists.

    Args:
        root: The folder with `list_query.txt`, `list_gallery.txt` and `test` (`mask_test_v2` in the second edition).
        names: Where the names hold the camera; who the person is stands in the lists.

    Raises:
        DataError: A list is missing, empty or not of this form, or an image is missing or listed twice.
    """
    folder = next((root / name for name in IMAGES if (root / name).is_dir()), root / IMAGES[0])
    images: list[LabelledImage] = []
    for split in SPLITS:
        file = _list(root, split)
        rows = list(_rows(file, folder, split, names))
        if not rows:
            raise DataError(f"{file} is empty")
        check_rows(file, rows, folder)
        images += [row.image for row in rows]
    return to_crops(images)


def _list(root: Path, split: str) -> Path:
    return root / f"list_{split}.txt"


def _rows(file: Path, folder: Path, split: str, names: NamePattern) -> Iterator[Row]:
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        source, _, person = line.strip().rpartition(" ")
        if source and person.isdecimal():
            camera = names.read(folder / source, split).camera
            yield Row(number, LabelledImage(folder / source, source, person, camera, split))
        elif person:
            raise DataError(
                f"{file}, line {number}: '{line}' is not an image and the number of a person",
                "lines look like 0000/0000_003_01_0303morning_0015_0.jpg 0",
            )
