"""Drawn people with known joints, seeded weights and one real photo, so that the whole way works without a download."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.alphapose.coco import ANNOTATIONS, PERSON, PHOTOS
from modelzoo.alphapose.people import Box
from modelzoo.alphapose.spec import Structure
from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, make_folder, write_text
from modelzoo.common.synthetic import JOINT_NAMES, Camera, Person, Pose, draw_person, joints

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image

SIZES = ((640, 480), (480, 640))
"""Width and height of the drawn photos, in turn."""

PEOPLE = (1, 2, 3, 1, 2, 3)
"""How many people are in each."""

CAMERA_SEED = 2

MARGINS = (0.09, 0.11, 0.09, 0.05)
"""How far a box reaches beyond the joints to the left, up, right and down, in heights of the joints."""

FILLED = 0.45
"""The part of a box that a person fills."""

JITTER = 0.03
"""How far a detector's box is beside the person's, in parts of its sides."""

PHOTO = Path(__file__).parent / "data" / "000000000785.jpg"
"""A photo of COCO; the README beside it says whose it is."""


@dataclass(frozen=True)
class DrawnPhoto:
    """A photo of drawn people.

    Args:
        number: From 1.
        picture: Mode RGB.
        keypoints: For everybody, `(17, 2) float32`, x and y in pixels.
    """

    number: int
    picture: Image.Image
    keypoints: list[np.ndarray]

    @property
    def name(self) -> str:
        """File name, as COCO has it."""
        return f"{self.number:012d}.jpg"


def make_coco(root: Path) -> Path:
    """Draw a COCO folder; the same on every run.

    Args:
        root: The folder that will hold `val2017` and `annotations`.

    Returns:
        `root`.

    Raises:
        DataError: A folder holds files that do not belong to the demo.
    """
    photos = [draw_photo(number) for number in range(1, len(PEOPLE) + 1)]
    for folder, known in ((PHOTOS, {photo.name for photo in photos}), (ANNOTATIONS.parent, {ANNOTATIONS.name})):
        make_folder(root / folder)
        other = next((path for path in sorted((root / folder).iterdir()) if path.name not in known), None)
        if other:
            raise DataError(f"{other} does not belong to the demo", "choose another --output")
    for photo in photos:
        with atomic_path(root / PHOTOS / photo.name) as partial:
            photo.picture.save(partial, format="JPEG", quality=92)
    write_text(root / ANNOTATIONS, json.dumps(labels_of(photos)))
    return root


def make_detections(path: Path, coco: Path) -> Path:
    """Write what a detector might find in the drawn photos: boxes that are a little beside those of the labels.

    Args:
        path: The JSON file, in COCO's result format.
        coco: The drawn data set.

    Returns:
        `path`.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    rows = []
    for person in json.loads((coco / ANNOTATIONS).read_bytes())["annotations"]:
        x, y, width, height = person["bbox"]
        right, down, wider, higher = rng.uniform(-JITTER, JITTER, 4) * (width, height, width, height)
        box = [x + right, y + down, width + wider, height + higher]
        score = float(rng.uniform(0.8, 1))
        rows.append({"image_id": person["image_id"], "category_id": PERSON, "bbox": box, "score": score})
    write_text(path, json.dumps(rows))
    return path


def make_weights(path: Path) -> Path:
    """Write a checkpoint of seeded random weights, which have learnt nothing.

    Args:
        path: The .pth file.

    Returns:
        `path`.
    """
    import torch

    from modelzoo.alphapose.network import FastPose

    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in FastPose(Structure()).state_dict().items()}
    with atomic_path(path) as partial:
        torch.save({key: _seeded(key, shape) for key, shape in shapes.items()}, partial)
    return path


def read_photo() -> tuple[Box, np.ndarray]:
    """The box and the joints of the person in `PHOTO`, as people have labelled them.

    Returns:
        x, y, width and height; `(17, 3) float32`, x, y and 1: all joints are labelled.
    """
    import numpy as np

    labels = json.loads(PHOTO.with_suffix(".json").read_bytes())
    keypoints = np.array(labels["keypoints"], np.float32).reshape(-1, 3)
    keypoints[:, 2] = 1
    x, y, width, height = map(float, labels["bbox"])
    return (x, y, width, height), keypoints


def draw_photo(number: int) -> DrawnPhoto:
    """Draw one photo: people side by side, each on a part of the same street.

    Args:
        number: From 1.
    """
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(number)
    width, height = SIZES[number % len(SIZES)]
    count = PEOPLE[number - 1]
    edges = [round(width * i / count) for i in range(count + 1)]
    camera = Camera.sample(number, CAMERA_SEED)
    picture, keypoints = Image.new("RGB", (width, height)), []
    for i, (left, right) in enumerate(pairwise(edges)):
        person, pose, size = Person.sample(10 * number + i), Pose.sample(rng), (right - left, height)
        picture.paste(draw_person(person, camera, pose, size, rng=rng), (left, 0))
        keypoints.append(joints(person, camera, pose, size) + np.array((left, 0), np.float32))
    return DrawnPhoto(number, picture, keypoints)


def labels_of(photos: list[DrawnPhoto]) -> dict[str, Any]:
    """What an annotation file of COCO says of the photos."""
    people = [_label(photo, keypoints) for photo in photos for keypoints in photo.keypoints]
    sizes = [{"width": photo.picture.width, "height": photo.picture.height} for photo in photos]
    return {
        "info": {"description": "drawn people, demo of modelzoo-alphapose"},
        "images": [
            {"id": photo.number, "file_name": photo.name, **size} for photo, size in zip(photos, sizes, strict=True)
        ],
        "annotations": [{"id": i, **person} for i, person in enumerate(people, start=1)],
        "categories": [{"id": PERSON, "name": "person", "keypoints": list(JOINT_NAMES), "skeleton": []}],
    }


def _label(photo: DrawnPhoto, keypoints: np.ndarray) -> dict[str, Any]:
    """A person of an annotation file, without number; hidden joints count as seen."""
    import numpy as np

    box = box_around(keypoints, photo.picture.size)
    rows = np.concatenate((keypoints.astype(np.float64).round(2), np.full((len(keypoints), 1), 2.0)), 1)
    return {
        "image_id": photo.number,
        "category_id": PERSON,
        "iscrowd": 0,
        "num_keypoints": len(keypoints),
        "keypoints": rows.ravel().tolist(),
        "bbox": [round(value, 2) for value in box],
        "area": round(FILLED * box[2] * box[3], 2),
    }


def box_around(keypoints: np.ndarray, size: tuple[int, int]) -> Box:
    """The box of a person, whose clothes and head reach beyond the joints.

    Args:
        keypoints: `(17, 2)`, x and y in pixels.
        size: Width and height of the photo, which ends the box.

    Returns:
        x, y, width and height.
    """
    import numpy as np

    low, high = keypoints.min(0).astype(np.float64), keypoints.max(0).astype(np.float64)
    tall = high[1] - low[1]
    (x1, y1), (x2, y2) = (
        np.clip(corner, 0, size).tolist()
        for corner in (low - np.array(MARGINS[:2]) * tall, high + np.array(MARGINS[2:]) * tall)
    )
    return x1, y1, x2 - x1, y2 - y1


def _seeded(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """He-normal weights; norms near the identity, with small residual branches so that depth does not explode."""
    import numpy as np
    import torch

    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if key.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    if len(shape) > 1:
        values = rng.standard_normal(shape) * math.sqrt(2 / math.prod(shape[1:]))
    elif key.endswith(("weight", "running_var")):
        values = np.full(shape, 0.2 if key.endswith("bn3.weight") else 1.0)
    else:
        values = np.zeros(shape)
    return torch.from_numpy(values.astype(np.float32))
