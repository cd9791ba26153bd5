"""A COCO folder: its photos, and the people whose keypoints are labelled in them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelzoo.alphapose.spec import JOINTS
from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file, existing_folder

ANNOTATIONS = Path("annotations", "person_keypoints_val2017.json")
PHOTOS = "val2017"

PERSON = 1
"""The category of people."""

MEASURES = ("id", "image_id", "category_id", "iscrowd", "num_keypoints", "area")
"""The numbers of an annotation that its metric reads."""


@dataclass(frozen=True)
class Photo:
    """A photo of the data set.

    Args:
        number: Its id.
        name: Its file name.
        path: Where it is.
    """

    number: int
    name: str
    path: Path


@dataclass(frozen=True)
class CocoPeople:
    """Photos with labelled people.

    Args:
        photos: The photos by id, ascending.
        labels: The whole annotation file as JSON values.
        source: The annotation file.
    """

    photos: Mapping[int, Photo]
    labels: Mapping[str, Any]
    source: Path

    def labelled_photos(self) -> list[Photo]:
        """The photos in which somebody's keypoints are labelled, ascending."""
        numbers = {row["image_id"] for row in self.labels["annotations"] if _is_labelled(row)}
        return [photo for number, photo in self.photos.items() if number in numbers]


def read_coco(root: Path) -> CocoPeople:
    """Read the annotations of a COCO folder; its photos are not touched.

    Args:
        root: The folder with `annotations/person_keypoints_val2017.json` and `val2017`.

    Raises:
        DataError: The annotations are missing, damaged, or without keypoints.
    """
    existing_folder(root, "COCO")
    path = existing_file(root / ANNOTATIONS, "annotation")
    labels = read_json(path, "an annotation file of COCO")
    if not isinstance(labels, dict):
        raise DataError(f"{path} is not an annotation file of COCO: it holds no object")
    for part in ("images", "annotations", "categories"):
        if not isinstance(labels.get(part), list) or not all(isinstance(row, dict) for row in labels[part]):
            raise DataError(f"{path} is not an annotation file of COCO: it has no list '{part}'")
    photos = _photos(labels["images"], root / PHOTOS, path)
    _check_people(labels["annotations"], photos, path)
    return CocoPeople(photos, labels, path)


def read_json(path: Path, what: str) -> Any:
    """Read a JSON file.

    Args:
        path: The file.
        what: What it should be, for the message.

    Raises:
        DataError: It cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is not {what} ({error})") from error


def is_number(value: object) -> bool:
    """Whether a JSON value is a finite number that a float can hold; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _photos(rows: Sequence[Mapping[str, Any]], folder: Path, path: Path) -> dict[int, Photo]:
    photos: dict[int, Photo] = {}
    for i, row in enumerate(rows):
        number, name = row.get("id"), row.get("file_name")
        if type(number) is not int or not isinstance(name, str) or not name or "\0" in name:
            raise DataError(f"{path}: images[{i}] has no id and file_name")
        if number in photos:
            raise DataError(f"{path}: {photos[number].name} and {name} have one id, {number}")
        photos[number] = Photo(number, name, folder / name)
    return dict(sorted(photos.items()))


def _check_people(rows: Sequence[Mapping[str, Any]], photos: Mapping[int, Photo], path: Path) -> None:
    """Check what the metric reads of every annotation.

    Raises:
        DataError: Something is missing, or nobody has a labelled keypoint.
    """
    hint = f"the labels are those of {ANNOTATIONS.name}; instances_val2017.json has no keypoints"
    for i, row in enumerate(rows):
        keypoints, box = row.get("keypoints"), row.get("bbox")
        where = f"{path}: annotations[{i}]"
        if not isinstance(keypoints, list) or len(keypoints) != 3 * JOINTS or not all(map(is_number, keypoints)):
            raise DataError(f"{where} has no keypoints (x, y and visibility of {JOINTS} joints)", hint)
        if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
            raise DataError(f"{where} has no bbox of x, y, width and height")
        missing = [key for key in MEASURES if not is_number(row.get(key))]
        if missing:
            raise DataError(f"{where} has no number as {missing[0]}")
        if row["image_id"] not in photos:
            raise DataError(f"{where} is of the image {row['image_id']}, which is not listed")
    if not any(map(_is_labelled, rows)):
        raise DataError(f"{path} labels nobody's keypoints", hint)


def _is_labelled(row: Mapping[str, Any]) -> bool:
    return bool(row["category_id"] == PERSON and row["num_keypoints"] and not row["iscrowd"])
