"""JSON files of keypoints: COCO's and AlphaPose's lists of results, and COCO's files of images and annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.common.files import reason
from modelzoo.posec3d.geometry import Size
from modelzoo.posec3d.sources.coco import read_coco
from modelzoo.posec3d.sources.recording import Source
from modelzoo.posec3d.sources.results import read_results

FORM = (
    "it has to be a list of objects with image_id and keypoints, as AlphaPose and COCO tools write it, or an object "
    "with images and annotations"
)

OPENPOSE_FORM = ("bodies", "people")
"""What AlphaPose's formats `cmu` and `open` call the people of an image."""


def read_json(path: Path, image: Size | None, track: int | None) -> list[Source]:
    """The recordings of a JSON file; see `sources.list_recordings` for the arguments.

    Raises:
        DataError: It is no such file, or its frames have no numbers.
    """
    content = _read(path)
    if isinstance(content, list):
        return read_results(content, path, image, track)
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        return read_coco(content, path, image, track)
    if isinstance(content, dict) and any(_is_openpose(entry) for entry in content.values()):
        said = "has the 18 joints of OpenPose, not the 17 of COCO"
        raise DataError(f"{path} {said}", "AlphaPose's own format has those: --format coco")
    raise DataError(f"{path} is not a file of keypoints", FORM)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON, or is cut off: {error}") from error


def _is_openpose(entry: Any) -> bool:
    return isinstance(entry, dict) and any(name in entry for name in OPENPOSE_FORM)
