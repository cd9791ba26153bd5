"""Crops of persons and their labels, and the images of a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.bins import check_stems, stem_of
from modelzoo.common.errors import DataError
from modelzoo.common.files import list_folder, neighbour_hint

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
SPLITS = ("query", "gallery")

JUNK = -1
"""Person id of crops that are neither a person nor a distractor; no metric uses them."""

NUMBER = re.compile(r"-?[0-9]{1,9}")
"""A label that stands for itself; with more digits it is a name."""


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
class LabelledImage:
    """An image with its labels as the data set writes them.

    Args:
        path: The image.
        source: What the data set calls it; unique in its split.
        person: Number or name of the person; -1 is junk.
        camera: Number or name of the camera.
        split: `query` or `gallery`.
    """

    path: Path
    source: str
    person: str
    camera: str
    split: str


@dataclass(frozen=True)
class Crop:
    """A crop of a person.

    Args:
        path: The image.
        source: What the data set calls it; unique in its split.
        person: Person id; -1 is junk. In Market-1501, 0 is a distractor.
        camera: Camera number.
        split: `query` or `gallery`.
        label: Person and camera as people read them.
    """

    path: Path
    source: str
    person: int
    camera: int
    split: str
    label: str

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


def to_crops(images: Sequence[LabelledImage]) -> list[Crop]:
    """The crops of a data set, queries before gallery: a number for every person and camera."""
    persons = numbers_of(image.person for image in images)
    cameras = numbers_of(image.camera for image in images)
    return [
        Crop(image.path, image.source, persons[image.person], cameras[image.camera], split, _label(image))
        for split in SPLITS
        for image in images
        if image.split == split
    ]


def numbers_of(labels: Iterable[str]) -> dict[str, int]:
    """A number for every label: whole numbers stand for themselves, names get those above them in alphabetical order.

    >>> numbers_of(["7", "bob", "-1", "007", "alice"]) == {"7": 7, "bob": 9, "-1": -1, "007": 7, "alice": 8}
    True
    """
    known = set(labels)
    numbers = {label: int(label) for label in known if NUMBER.fullmatch(label)}
    names = sorted(known - numbers.keys())
    return numbers | {name: number for number, name in enumerate(names, max([0, *numbers.values()]) + 1)}


def _label(image: LabelledImage) -> str:
    return f"{image.person} {'c' * image.camera.isdecimal()}{image.camera}"
