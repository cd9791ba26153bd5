"""Lists of people in frames: COCO's result format, whose `image_id` are numbers, and AlphaPose's, whose are names."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.posec3d.geometry import Size
from modelzoo.posec3d.sources.names import frame_of, recording_names
from modelzoo.posec3d.sources.people import Row, load_people
from modelzoo.posec3d.sources.recording import Source
from modelzoo.posec3d.sources.rows import is_person


def read_results(content: list[Any], path: Path, image: Size | None, track: int | None) -> list[Source]:
    """The recordings of a list of people: what stands before the numbers of frames tells one from another.

    Args:
        content: Objects with `image_id` and `keypoints`, and perhaps `category_id`, and `idx` or `track_id`.
        path: The file, for messages; a recording is called by it where its frames have nothing but numbers.
        image: Height and width of the frames, if known.
        track: The number of the one person that counts; None for all.

    Raises:
        DataError: The list holds anything else, or nobody, or a frame has no number.
    """
    groups: dict[str, list[Row]] = {}
    for i, row in enumerate(content):
        where = f"{path}: entry {i}"
        if not isinstance(row, dict) or "image_id" not in row or "keypoints" not in row:
            raise DataError(f"{where} is not an object with image_id and keypoints", "see what AlphaPose writes")
        if is_person(row):
            before, frame = frame_of(row["image_id"], where)
            groups.setdefault(before, []).append(Row(frame, row, where))
    if not groups:
        raise DataError(f"{path} holds nobody: there is no frame with a person")
    names = recording_names(groups, path)
    return [
        Source(names[before], partial(load_people, names[before], rows, image, track))
        for before, rows in groups.items()
    ]
