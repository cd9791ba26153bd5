"""People's own boxes in place of the detector's: a JSON file that names pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from modelzoo.alphapose.coco import PERSON, is_number, read_json
from modelzoo.alphapose.detections import checked_box
from modelzoo.alphapose.people import Box
from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file

FORM = 'it holds COCO results, or {"image.jpg": [[x, y, width, height], ...], ...}'

SURE = 1.0
"""The score of a box that comes without one."""

Scored = tuple[Box, float]


class GivenBoxes:
    """Boxes by the names of pictures.

    Args:
        path: Where they come from, for messages.
        boxes: Boxes with scores by `image_id`.
    """

    def __init__(self, path: Path, boxes: dict[str, list[Scored]]) -> None:
        self._path = path
        self._boxes = boxes
        self.fitting = False
        """Whether `of` has found boxes for any picture."""

    def of(self, name: str) -> list[Scored]:
        """The boxes in a picture, which they may name by its file name, that without the suffix, or its number.

        Args:
            name: File name of the picture.
        """
        found = next((self._boxes[key] for key in _keys(name) if key in self._boxes), [])
        self.fitting |= bool(found)
        return found

    def check_fit(self, names: Sequence[str]) -> None:
        """Check that the boxes are of at least one of the pictures.

        Raises:
            DataError: They are those of others.
        """
        if not any(self.of(name) for name in names):
            raise self.other_pictures()

    def other_pictures(self) -> DataError:
        """The error for boxes that are in none of the pictures."""
        return DataError(
            f"{self._path} has no box in any of the pictures: it is of others, such as {next(iter(self._boxes))}",
            "its image_id is a picture's file name, with or without suffix, or its number",
        )


def read_boxes(path: Path) -> GivenBoxes:
    """Read boxes of people; those of other categories are left out.

    Args:
        path: The JSON file: COCO's result format, where `score` and `category_id` may be missing; or an object of lists
            `[x, y, width, height]` or `[x, y, width, height, score]` by image name.

    Raises:
        DataError: The file is missing or is no such file, or a box has no area.
    """
    content = read_json(existing_file(path, "boxes"), "a file of boxes")
    if isinstance(content, list):
        rows = _results(content, path)
    elif isinstance(content, dict):
        rows = _named(content, path)
    else:
        raise DataError(f"{path} is not a file of boxes", FORM)
    boxes: dict[str, list[Scored]] = {}
    for name, box, score in rows:
        boxes.setdefault(name, []).append((box, score))
    if not boxes:
        raise DataError(f"{path} holds no box of a person")
    return GivenBoxes(path, boxes)


def _results(content: Sequence[Any], path: Path) -> Iterator[tuple[str, Box, float]]:
    for i, row in enumerate(content):
        where = f"{path}: box {i}"
        if not isinstance(row, dict) or not isinstance(row.get("image_id"), int | str):
            raise DataError(f"{where} is not an object with image_id and bbox", FORM)
        if row.get("category_id", PERSON) == PERSON:
            yield str(row["image_id"]), checked_box(row.get("bbox"), where), _score(row.get("score", SURE), where)


def _named(content: dict[str, Any], path: Path) -> Iterator[tuple[str, Box, float]]:
    for name, rows in content.items():
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise DataError(f"{path}: {name} has no list of boxes", FORM)
        for i, row in enumerate(rows):
            where = f"{path}: box {i} of {name}"
            score = _score(row[4], where) if len(row) == 5 else SURE
            yield name, checked_box(row[:4] if len(row) == 5 else row, where), score


def _score(value: Any, where: str) -> float:
    if not is_number(value):
        raise DataError(f"{where} has a score that is no number: {value}")
    return float(value)


def _keys(name: str) -> list[str]:
    """What an `image_id` may call a picture."""
    stem = Path(name).stem
    folder = name.removesuffix(Path(name).name)
    number = [folder + str(int(stem))] if stem.isascii() and stem.isdigit() else []
    return [name, folder + stem, *number]
