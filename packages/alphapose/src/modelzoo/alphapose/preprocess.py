"""Detections into crops of people: every photo is decoded once, however many people are in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from modelzoo.alphapose.coco import Photo
from modelzoo.alphapose.crops import affine, cut, mirror, normalise, windows
from modelzoo.alphapose.detections import Detection
from modelzoo.alphapose.images import read_bgr
from modelzoo.alphapose.spec import HEIGHT, WIDTH
from modelzoo.common.work import Deferred, Sample, SampleInfo, WorkUnit

if TYPE_CHECKING:
    import numpy as np

PLANES = (3, HEIGHT, WIDTH)


@dataclass(frozen=True)
class Person:
    """A crop to be cut.

    Args:
        info: The sample.
        matrix: The map from the photo to the crop, see `crops.affine`.
    """

    info: SampleInfo
    matrix: np.ndarray


def crop_units(detections: Sequence[Detection], dtype: str, mirrored: bool = False) -> list[WorkUnit]:
    """One work unit per photo, which gives the crops of all people in it; photos without any are not read.

    Samples are numbered in the order of the detections. Their fields: `image_id`, `box` (the detector's x, y, width and
    height), `score`, and `crop` (x1, y1, x2, y2 of what is cut out), in pixels of the photo.

    Args:
        detections: The boxes.
        dtype: `float32` for normalised planes, `uint8` for pixels.
        mirrored: Whether a sample has a second array, that of the mirrored crop.
    """
    people: dict[Photo, list[Person]] = {}
    for detection, person in zip(detections, _people(detections), strict=True):
        people.setdefault(detection.photo, []).append(person)
    return [
        WorkUnit(
            str(photo.path),
            partial(_load, photo, group, dtype, mirrored),
            samples=tuple(person.info for person in group),
            path=photo.path,
        )
        for photo, group in people.items()
    ]


def samples_of(detections: Sequence[Detection]) -> list[SampleInfo]:
    """The samples that `crop_units` gives, in the order of the detections."""
    corners = windows([detection.box for detection in detections]).corners().tolist()
    return [
        SampleInfo(
            f"{i:012d}",
            one.photo.name,
            {"image_id": one.photo.number, "box": list(one.box), "score": one.score, "crop": corner},
        )
        for i, (one, corner) in enumerate(zip(detections, corners, strict=True))
    ]


def _people(detections: Sequence[Detection]) -> list[Person]:
    frames = windows([detection.box for detection in detections])
    matrices = map(affine, frames.centres, frames.sizes)
    return [Person(info, matrix) for info, matrix in zip(samples_of(detections), matrices, strict=True)]


def _load(photo: Photo, people: Sequence[Person], dtype: str, mirrored: bool) -> list[Sample]:
    crops = cut(read_bgr(photo.path), [person.matrix for person in people], str(photo.path))
    both = (crops, mirror(crops)) if mirrored else (crops,)
    return [
        Sample(person.info, tuple(as_input(crop, dtype) for crop in pair))
        for person, *pair in zip(people, *both, strict=True)
    ]


def as_input(crop: np.ndarray, dtype: str) -> np.ndarray | Deferred:
    """A crop as the network takes it.

    Args:
        crop: `(256, 192, 3) uint8`, RGB, 0..255.
        dtype: `float32` for normalised planes, `uint8` for pixels.
    """
    return crop if dtype == "uint8" else Deferred(PLANES, "float32", partial(normalise, crop))
