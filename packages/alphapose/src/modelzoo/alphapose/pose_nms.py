"""Scores of poses, and the suppression of poses that lie on a better one, by object keypoint similarity (OKS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SIGMAS = (
    *(0.026, 0.025, 0.025, 0.035, 0.035),  # nose, eyes, ears
    *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),  # shoulders, elbows, wrists
    *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),  # hips, knees, ankles
)
"""How far people's labels of every joint lie apart, in units of the root of the person's area (COCO)."""

SEEN = 0.2
"""Joints with a higher score count for the score of a pose."""

SAME_POSE = 0.9
"""Of poses with a higher similarity, only the best one stays."""


def rescore(box_scores: np.ndarray, joint_scores: np.ndarray) -> np.ndarray:
    """The score of a pose: that of its box, times the mean of those of the joints that are seen, or 0 without any.

    Args:
        box_scores: `(n,)`.
        joint_scores: `(n, joints)`.

    Returns:
        `(n,) float64`.
    """
    import numpy as np

    scores = joint_scores.astype(np.float64)
    seen = scores > SEEN
    rescored: np.ndarray = np.where(seen, scores, 0).sum(1) / np.maximum(seen.sum(1), 1) * box_scores
    return rescored


def similarity(pose: np.ndarray, others: np.ndarray, area: float, areas: np.ndarray) -> np.ndarray:
    """How near poses lie to one, 0..1; all joints count.

    Args:
        pose: `(17, 2)`, x and y in pixels.
        others: `(n, 17, 2)`, the same.
        area: Area of the pose's crop, in pixels.
        areas: `(n,)`, the same of the others.

    Returns:
        `(n,) float64`.
    """
    import numpy as np

    variances = (2 * np.array(SIGMAS)) ** 2
    distances = ((others.astype(np.float64) - pose) ** 2).sum(2)
    means = (area + areas)[:, None] / 2 + np.spacing(1)
    similarities: np.ndarray = np.exp(-distances / variances / means / 2).mean(1)
    return similarities


def suppress(poses: np.ndarray, areas: np.ndarray, scores: np.ndarray, threshold: float = SAME_POSE) -> list[int]:
    """Keep the best pose, drop those that lie on it, and go on with the rest; of equal scores the last is first.

    Args:
        poses: `(n, 17, 2)`, x and y in pixels.
        areas: `(n,)`, areas of the crops, in pixels.
        scores: `(n,)`.
        threshold: Poses with a higher similarity are dropped.

    Returns:
        The numbers of the poses that stay, best first.
    """
    import numpy as np

    order = np.argsort(scores, kind="stable")[::-1]
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[similarity(poses[best], poses[rest], areas[best], areas[rest]) <= threshold]
    return kept
