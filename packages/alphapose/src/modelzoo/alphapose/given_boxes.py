"""People's own boxes in place of the detector's: a JSON file that names pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from modelzoo.alphapose.coco import PERSON, read_json
from modelzoo.alphapose.detections import checked_box, checked_score
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
        self._taken: dict[str, str] = {}  # picture by image_id

    def of(self, name: str) -> list[Scored]:
        """The boxes in a picture, which they may name by its file name, that without the suffix, or its number.

        Args:
            name: File name of the picture.

        Raises:
            DataError: They are those of another picture as well, by the same `image_id`.
        """
        key = next((key for key in _keys(name) if key in self._boxes), None)
        if key is None:
            return []
        if (other := self._taken.setdefault(key, name)) != name:
            raise DataError(f"{self._path}: {key} may be {other} or {name}", "write the whole file name as image_id")
        return self._boxes[key]

    def check_fit(self) -> None:
        """Check that there were boxes in at least one of the pictures that were asked for.

        Raises:
            DataError: They are those of others.
        """
        if not self._taken:
            raise DataError(
                f"{self._path} has no box in any of the pictures: it is of others, such as {next(iter(self._boxes))}",
                "its image_id is a picture's file name, with or without suffix, or its number",
            )

    def remarks(self) -> list[str]:
        """What was not used, once all pictures were asked for."""
        unused = [key for key in self._boxes if key not in self._taken]
        if not unused:
            return []
        text = f"{len(unused)} of the {len(self._boxes)} names are of no picture, the first is {unused[0]}"
        return [f"{self._path}: {text}"]


def read_boxes(path: Path) -> GivenBoxes:
    """Read boxes of people; those of other categories are left out.

    Args:
        path: The JSON file: COCO's result format, where `score` and `category_id` may be missing; or an object of lists
            `[x, y, width, height]` or `[x, y, width, height, score]` by image name.

    Raises:
        DataError: The file is missing or is no such file, or a box has no area, or a score is not one of 0..1.
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
            score = checked_score(row.get("score", SURE), where)
            yield str(row["image_id"]), checked_box(row.get("bbox"), where), score


def _named(content: dict[str, Any], path: Path) -> Iterator[tuple[str, Box, float]]:
    for name, rows in content.items():
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise DataError(f"{path}: {name} has no list of boxes", FORM)
        for i, row in enumerate(rows):
            where = f"{path}: box {i} of {name}"
            score = checked_score(row[4], where) if len(row) == 5 else SURE
            yield name, checked_box(row[:4] if len(row) == 5 else row, where), score


def _keys(name: str) -> list[str]:
    """What an `image_id` may call a picture."""
    stem = Path(name).stem
    folder = name.removesuffix(Path(name).name)
    number = [folder + str(int(stem))] if stem.isascii() and stem.isdigit() else []
    return [name, folder + stem, *number]
