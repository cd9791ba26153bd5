"""COCO's files of images and annotations, of the frames of one or more recordings."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.common.text import printable
from modelzoo.posec3d.geometry import Size
from modelzoo.posec3d.sources.names import frame_of, recording_names
from modelzoo.posec3d.sources.people import Row, load_people
from modelzoo.posec3d.sources.recording import Source
from modelzoo.posec3d.sources.rows import is_person


@dataclass
class _Group:
    """The frames of a recording.

    Args:
        frames: By its number, the image.
        rows: The people in them.
    """

    frames: dict[int, dict[str, Any]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)


def read_coco(content: dict[str, Any], path: Path, image: Size | None, track: int | None) -> list[Source]:
    """The recordings of a file: what stands before the numbers in `file_name` tells one from another.

    Args:
        content: `images` with `id`, `file_name`, `width` and `height`; `annotations` with `image_id` and `keypoints`.
            Those without keypoints, which have only a box, are left out.
        path: The file, for messages; a recording is called by it where its frames have nothing but numbers.
        image: Height and width of the frames in place of what the file says.
        track: The number of the one person that counts; None for all.

    Raises:
        DataError: The file holds anything else, or nobody, or a frame has no number.
    """
    groups, places = _frames(content.get("images"), path)
    for i, row in enumerate(content["annotations"]):
        where = f"{path}: annotation {i}"
        if not isinstance(row, dict) or not _is_id(row.get("image_id")) or row["image_id"] not in places:
            raise DataError(f"{where} is of no image of the file")
        if is_person(row) and "keypoints" in row:
            before, frame = places[row["image_id"]]
            groups[before].rows.append(Row(frame, row, where))
    if not any(group.rows for group in groups.values()):
        raise DataError(f"{path} holds nobody: there is no annotation with keypoints of a person")
    sources = []
    names = recording_names(groups, path)
    for before, group in groups.items():
        name = names[before]
        size = image or _size(group, f"{path}: {printable(name, 80)}")
        sources.append(Source(name, partial(load_people, name, group.rows, size, track, list(group.frames))))
    return sources


def _frames(images: Any, path: Path) -> tuple[dict[str, _Group], dict[Any, tuple[str, int]]]:
    """The frames by recording, and to which recording and frame the `id` of an image belongs."""
    if not isinstance(images, list):
        raise DataError(f"{path} has annotations, but no images")
    groups: dict[str, _Group] = {}
    places: dict[Any, tuple[str, int]] = {}
    for i, image in enumerate(images):
        where = f"{path}: image {i}"
        if not isinstance(image, dict) or not _is_id(image.get("id")):
            raise DataError(f"{where} is not an object with an id")
        before, frame = frame_of(image.get("file_name", image["id"]), where)
        group = groups.setdefault(before, _Group())
        if frame in group.frames or image["id"] in places:
            raise DataError(f"{where} is the second one of frame {frame}")
        group.frames[frame] = image
        places[image["id"]] = before, frame
    return groups, places


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str)


def _size(group: _Group, where: str) -> Size | None:
    """Height and width of the frames of a recording, None where the file does not say."""
    first, *others = [(image.get("height"), image.get("width")) for image in group.frames.values()]
    if any(size != first for size in others):
        raise DataError(f"{where}: its frames are not all of one size", "--image-size says which one is right")
    height, width = first
    return None if height is None or width is None else (height, width)
