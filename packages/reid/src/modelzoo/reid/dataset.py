"""Folders of pedestrian images in the Market-1501 layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.bins import check_stems, stem_of
from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_folder, list_folder, neighbour_hint

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
JUNK = -1
"""Person id of crops that are neither a person nor a distractor; no metric uses them."""

LONGEST_NUMBER = 9
"""Digits of a person id or camera number, sign included; more are no number of anything."""

QUERY, GALLERY = "query", "bounding_box_test"
IDENTITY = re.compile(r"(-?\d+)_c(\d+)")


@dataclass(frozen=True)
class Folder:
    """What is in an image folder.

    Args:
        images: The image files, sorted by name.
        passed_over: How many other entries there are, such as Thumbs.db.
    """

    images: list[Path]
    passed_over: int


@dataclass(frozen=True)
class Crop:
    """A crop of a person.

    Args:
        path: The image.
        person: Person id; -1 is junk, 0 a distractor.
        camera: Camera number.
        split: `query` or `gallery`.
    """

    path: Path
    person: int
    camera: int
    split: str

    @property
    def stem(self) -> str:
        """The stem of its .bin."""
        return stem_of(self.path.name)


def list_images(folder: Path, what: str = "image") -> Folder:
    """List the images of a folder by their suffix; hidden files are no images.

    Args:
        folder: The folder.
        what: What the messages call it.

    Raises:
        DataError: The folder is missing or holds no image, or two images would write the same .bin.
    """
    entries = list_folder(folder, what)
    images = [
        Path(entry.path)
        for entry in entries
        if entry.name.lower().endswith(IMAGE_SUFFIXES) and not entry.name.startswith(".") and not entry.is_dir()
    ]
    if not images:
        raise DataError(f"no images in {folder}", neighbour_hint(folder))
    check_stems(path.name for path in images)
    return Folder(images, len(entries) - len(images))


def parse_crop(path: Path, split: str) -> Crop:
    """Read person and camera from a Market-1501 name; only the name counts, not the folders above it.

    >>> crop = parse_crop(Path("7_c1/0002_c3s1_000451_03.jpg"), "query")
    >>> crop.person, crop.camera
    (2, 3)

    Raises:
        DataError: The name holds none.
    """
    match = IDENTITY.search(path.name)
    if not match or max(len(match[1]), len(match[2])) > LONGEST_NUMBER:
        raise DataError(
            f"{path} has no person id and camera in its name",
            "Market-1501 names begin like 0002_c1s1_000451_03",
        )
    return Crop(path, int(match[1]), int(match[2]), split)


def list_crops(query: Path, gallery: Path) -> list[Crop]:
    """The crops of a query and a gallery folder, in this order, junk included.

    Raises:
        DataError: A folder is missing or empty, or a name holds no person id.
    """
    folders = (("query", query), ("gallery", gallery))
    return [parse_crop(path, split) for split, folder in folders for path in list_images(folder, split).images]


def market1501(root: Path) -> tuple[Path, Path]:
    """The query and gallery folders of a Market-1501 folder.

    Raises:
        DataError: They are not there.
    """
    existing_folder(root, "data")
    if not (root / QUERY).is_dir():
        inner = [child for child in sorted(root.iterdir()) if (child / QUERY).is_dir()]
        raise DataError(
            f"{root} is not a Market-1501 folder: it has no folder '{QUERY}'",
            f"did you mean {inner[0]}?" if inner else None,
        )
    return existing_folder(root / QUERY, "query"), existing_folder(root / GALLERY, "gallery")
