"""Boxes of people in the photos of a data set: a JSON file in COCO's result format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelzoo.alphapose.coco import PERSON, CocoPeople, Photo, is_number, read_json
from modelzoo.alphapose.people import Box
from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file

GUIDE_DETECTIONS = Path("exp", "json", "test_det_yolo.json")
"""Where the guide's preprocessing keeps its detections, below the working directory."""

FARTHEST = 1e6
"""No photo has so many pixels on a side."""


@dataclass(frozen=True)
class Detection:
    """A box around somebody.

    Args:
        photo: The photo.
        box: x and y of its top left corner, width and height, in pixels.
        score: How sure the detector is, 0..1.
    """

    photo: Photo
    box: Box
    score: float


def read_detections(path: Path, data: CocoPeople) -> list[Detection]:
    """Read the boxes of people; their order is the order of the samples.

    Args:
        path: The JSON file; `image_id` is an image's number, or its file name with or without the suffix.
        data: The data set that they are of.

    Returns:
        The detections of people in the order of the file; those of other categories are left out.

    Raises:
        DataError: The file is missing or is no such list, is of another data set, holds a box without area, or nobody.
    """
    rows = read_json(existing_file(path, "detection"), "a list of detections")
    if not isinstance(rows, list):
        raise DataError(f"{path} is not a list of detections in COCO's result format")
    names = _by_names(data.photos.values())
    detections = []
    for i, row in enumerate(rows):
        detection = _detection(row, f"{path}: detection {i}", data, names)
        if row["category_id"] == PERSON:
            detections.append(detection)
    if not detections:
        raise DataError(f"{path} holds no detection of a person")
    return detections


def _by_names(photos: Iterable[Photo]) -> dict[str, list[Photo]]:
    """The photos that a text can mean: those of this file name, or of this stem."""
    names: dict[str, list[Photo]] = {}
    for photo in photos:
        for name in {photo.name, Path(photo.name).stem}:
            names.setdefault(name, []).append(photo)
    return names


def _detection(row: Any, where: str, data: CocoPeople, names: dict[str, list[Photo]]) -> Detection:
    if not isinstance(row, dict) or not is_number(row.get("score")) or type(row.get("category_id")) is not int:
        raise DataError(f"{where} is not an object with image_id, category_id, bbox and score")
    photo = _photo(row.get("image_id"), where, data, names)
    if photo is None:
        hint = "the detections are those of another data set; detect again, or give the fitting --detections"
        raise DataError(f"{where} is in the image {row.get('image_id')}, which {data.source} does not list", hint)
    return Detection(photo, checked_box(row.get("bbox"), f"{where}, in {photo.name},"), float(row["score"]))


def _photo(number: Any, where: str, data: CocoPeople, names: dict[str, list[Photo]]) -> Photo | None:
    if type(number) is int:
        return data.photos.get(number)
    found = names.get(str(number), [])
    found = [photo for photo in found if photo.name == number] or found
    if len(found) > 1:
        text = f"{where} is in the image {number}, which may be {found[0].name} or {found[1].name}"
        raise DataError(text, "an image's number says which one")
    return found[0] if found else None


def checked_box(values: Any, where: str) -> Box:
    """A box as numbers.

    Args:
        values: x, y, width and height, as they were in a file.
        where: What messages call it.

    Raises:
        DataError: They are no box, or one without area.
    """
    if not isinstance(values, Sequence) or len(values) != 4 or not all(map(is_number, values)):
        raise DataError(f"{where} has no bbox of x, y, width and height: {values}")
    x, y, width, height = map(float, values)
    if max(abs(x), abs(y), width, height) > FARTHEST:
        raise DataError(f"{where} has a box far from any photo: {width:g} x {height:g} at {x:g}, {y:g}", "remove it")
    if x + width <= x or y + height <= y:  # also where rounding leaves nothing of it
        raise DataError(f"{where} has a box without area: {width:g} x {height:g} at {x:g}, {y:g}", "remove it")
    return x, y, width, height


def checked_score(value: Any, where: str) -> float:
    """The score of a box.

    Args:
        value: As it was given.
        where: What messages call the box.

    Raises:
        DataError: It is no number, or not one of 0..1.
    """
    if not is_number(value):
        raise DataError(f"{where} has a score that is no number: {value}")
    if not 0 <= value <= 1:
        raise DataError(f"{where} has a score of {value:g}; scores are 0..1")
    return float(value)


def fingerprint(detections: Sequence[Detection]) -> str:
    """What tells these detections from others: a digest of photos, boxes, scores and their order."""
    import hashlib

    rows = [(detection.photo.name, detection.box, detection.score) for detection in detections]
    return hashlib.sha256(repr(rows).encode(errors="backslashreplace")).hexdigest()
