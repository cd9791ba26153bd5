"""Parametric pose NMS: poses of one person found several times become one (Fang et al., "RMPE", ICCV 2017).

The published demo chooses poses in this way; the COCO numbers are computed with `pose_nms` instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelzoo.alphapose.people import Box, Person

if TYPE_CHECKING:
    import numpy as np

NEAR = 1.0
"""Joints that are at most so many pixels apart count with their scores."""

FALL_OFF = 2.65
"""Pixels at which the nearness of two joints has fallen to 1/e."""

NEARNESS_WEIGHT = 1.7
"""What nearness counts, beside the scores."""

SAME_PERSON = 22.48
"""Poses that are more similar belong to one person."""

SAME_JOINTS = 5
"""So do poses that share so many joints."""

REACH = 0.1
"""How far apart two estimates of one joint may lie, as a part of the longer side of the box ..."""

SHARED_LIMIT, MERGED_LIMIT = 7.0, 15.0
"""... and at most, in pixels, to be shared and to be merged."""

CONVINCING = 0.3
"""A pose without a joint of this score is dropped."""

LEAST_WEIGHT = 1e-5
"""The weight of joints without a positive score."""


def choose_people(boxes: Sequence[Box], box_scores: Sequence[float], poses: np.ndarray) -> list[Person]:
    """Merge the poses of each person, drop those that convince nobody, and score the rest.

    Args:
        boxes: Of the detector.
        box_scores: Its scores, 0..1.
        poses: `(n, 17, 3) float32`, a pose for each box: x and y in pixels, score.

    Returns:
        The people, surest pose first.
    """
    sides = [max(width, height) for _, _, width, height in boxes]
    return [
        Person(boxes[i], pose, proposal_score(box_scores[i], pose))
        for i, pose in merge_duplicates(poses, sides)
        if min(poses[i, :, 2].max(), pose[:, 2].max()) >= CONVINCING
    ]


def proposal_score(box_score: float, pose: np.ndarray) -> float:
    """What the published demo calls the score of a person.

    Args:
        box_score: Of the detector.
        pose: `(17, 3)`, x, y, score.
    """
    scores = pose[:, 2]
    return float(scores.mean()) + box_score + 1.25 * float(scores.max())


def merge_duplicates(poses: np.ndarray, sides: Sequence[float]) -> list[tuple[int, np.ndarray]]:
    """One after the other, from the surest on, a pose takes those away that are of its person, and is merged with them.

    Args:
        poses: `(n, 17, 3) float32`, x and y in pixels, score.
        sides: The longer side of each pose's box, in pixels.

    Returns:
        Which pose was the surest of its person, and the merged one, `(17, 3) float32`.
    """
    import numpy as np

    left, sureness = np.arange(len(poses)), poses[..., 2].mean(1)
    merged = []
    while left.size:
        best = left[sureness[left].argmax()]
        reach = REACH * sides[best]
        same = is_same(poses[best], poses[left], reach) | (left == best)
        merged.append((int(best), merge(poses[best], poses[left[same]], reach)))
        left = left[~same]
    return merged


def is_same(pose: np.ndarray, others: np.ndarray, reach: float) -> np.ndarray:
    """Which poses are of the same person.

    Args:
        pose: `(17, 3)`, x and y in pixels, score.
        others: `(n, 17, 3)`, the same.
        reach: How far apart two estimates of one joint may lie, in pixels.

    Returns:
        `(n,) bool`.
    """
    import numpy as np

    distances = _distances(pose, others)
    agreement = np.tanh(pose[:, 2]) * np.tanh(others[..., 2]) * (distances <= NEAR)
    similarity = agreement.sum(1) + NEARNESS_WEIGHT * np.exp(-distances / FALL_OFF).sum(1)
    shared = (distances <= min(reach, SHARED_LIMIT)).sum(1)
    same: np.ndarray = (similarity > SAME_PERSON) | (shared >= SAME_JOINTS)
    return same


def merge(pose: np.ndarray, others: np.ndarray, reach: float) -> np.ndarray:
    """Every joint as the mean of the estimates that lie near, weighted by their scores.

    Args:
        pose: `(17, 3)`, x and y in pixels, score.
        others: `(n, 17, 3)`, the same, of the same person; `pose` is among them.
        reach: How far from `pose` an estimate may lie, in pixels.

    Returns:
        `(17, 3) float32`.
    """
    import numpy as np

    near = _distances(pose, others) <= min(reach, MERGED_LIMIT)
    weights = np.maximum(others[..., 2], LEAST_WEIGHT) * near
    merged: np.ndarray = (others * (weights / weights.sum(0))[..., None]).sum(0)
    return merged.astype(np.float32)


def _distances(pose: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far joints are from those of a pose, in pixels: `(n, 17)`."""
    import numpy as np

    distances: np.ndarray = np.linalg.norm(others[..., :2] - pose[:, :2], axis=2)
    return distances
