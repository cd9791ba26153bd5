"""The people in a recording as 17 joints each: what every sample is made of, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from modelzoo.common.errors import DataError
from modelzoo.posec3d.geometry import Size
from modelzoo.posec3d.spec import JOINTS
from modelzoo.posec3d.values import shown

if TYPE_CHECKING:
    import numpy as np

LARGEST = 2.0**24
"""Coordinates from which on single precision knows no single pixels."""

MOST_FRAMES = 500_000
"""Frames of a recording, at most: hours of a video. A file of a few bytes can claim to have any number."""

EMPTY = "have no person: their heat maps are empty"
UNSEEN = "have coordinates that are NaN, which count as not seen"
UNSCORED = "have no keypoint_score: every joint counts as certain"
REMARKS = (EMPTY, UNSEEN, UNSCORED)
"""What is done as upstream does it, and has to be known."""


@dataclass(frozen=True)
class Skeletons:
    """The people in the frames of a recording.

    Args:
        image: Height and width of the frames in pixels.
        keypoints: `(people, frames, 17, 2)`, x and y in pixels; 0 and NaN stand for what was not seen. Numbers of any
            type.
        scores: `(people, frames, 17)`, 0..1. Numbers of any type.
        remarks: What of `REMARKS` holds.
    """

    image: Size
    keypoints: np.ndarray
    scores: np.ndarray
    remarks: tuple[str, ...] = ()


def check_skeletons(image: Any, keypoints: Any, scores: Any = None) -> Skeletons:
    """The people in a recording, after all checks.

    Args:
        image: Height and width of the frames in pixels.
        keypoints: See `Skeletons`.
        scores: See `Skeletons`; None for 1 everywhere.

    Raises:
        DataError: They are not what they should be; the message does not say of which recording.
    """
    import numpy as np

    _check_keypoints(keypoints)
    remarks = [EMPTY] if not len(keypoints) else []
    if _not_seen(keypoints):
        remarks.append(UNSEEN)
    if scores is None:
        scores = np.ones(keypoints.shape[:3], np.float32)
        remarks.append(UNSCORED)
    _check_scores(scores, keypoints)
    return Skeletons(_image_size(image), keypoints, scores, tuple(remarks))


def _check_keypoints(keypoints: Any) -> None:
    if not _is_numbers(keypoints) or keypoints.ndim != 4:
        raise DataError(f"keypoint is {_described(keypoints)}, not an array (people, frames, {JOINTS}, 2)")
    _, frames, joints, axes = keypoints.shape
    if axes != 2:
        raise DataError(
            f"keypoint has {axes} numbers a joint, not 2",
            "PoseC3D takes keypoints in the image, x and y; the third number of 3-d keypoints has no place in it",
        )
    if joints != JOINTS:
        raise DataError(f"keypoint has {joints} joints, not the {JOINTS} of COCO")
    if not frames:
        raise DataError("keypoint has no frames")
    if frames > MOST_FRAMES:
        raise DataError(f"keypoint has {frames:,} frames, more than the {MOST_FRAMES:,} of a recording")


def _not_seen(keypoints: np.ndarray) -> bool:
    """Whether a coordinate is NaN; others have to be pixels."""
    import numpy as np

    sizes = np.abs(keypoints.astype(np.float64))
    if (sizes >= LARGEST).any():
        raise DataError(f"keypoint holds {np.nanmax(sizes):g}, which is no pixel of an image")
    return bool(np.isnan(sizes).any())


def _check_scores(scores: Any, keypoints: np.ndarray) -> None:
    import numpy as np

    if not _is_numbers(scores) or scores.shape != keypoints.shape[:3]:
        raise DataError(
            f"keypoint_score is {_described(scores)}, but keypoint has (people, frames, joints) = {keypoints.shape[:3]}"
        )
    if not np.isfinite(scores).all():
        raise DataError("keypoint_score holds NaN or infinite values")


def _image_size(image: Any) -> Size:
    import numpy as np

    is_sequence = isinstance(image, (tuple, list)) or (isinstance(image, np.ndarray) and image.ndim == 1)
    sides = list(image[:3]) if is_sequence else []
    if len(sides) != 2 or not all(is_whole(side) and 0 < side < LARGEST for side in sides):
        raise DataError(f"img_shape is {shown(image)}, not height and width in pixels")
    return int(sides[0]), int(sides[1])


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number; True and False are none."""
    import numpy as np

    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _is_numbers(value: Any) -> bool:
    import numpy as np

    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu"


def _described(value: Any) -> str:
    import numpy as np

    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
