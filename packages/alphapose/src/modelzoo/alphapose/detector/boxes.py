"""What the detector gives, into boxes of people in the picture."""

from __future__ import annotations

import numpy as np

from modelzoo.alphapose.detector.nms import suppress_crowd
from modelzoo.alphapose.spec import DETECTOR_SIZE
from modelzoo.common.errors import ModelError

CONFIDENCE = 0.1
"""Objectness that a box has to exceed; the original takes 0.3 where it tracks people."""

OBJECTNESS, CLASSES = 4, 5
"""Columns of a row: the objectness, and the first of the classes, which is a person."""


def people(rows: np.ndarray, width: int, height: int, confidence: float = CONFIDENCE) -> np.ndarray:
    """The people in one picture.

    Boxes that lie wholly on the grey beside the picture, which the original keeps without area, are left out.

    Args:
        rows: `(R, 85) float32`: centre x and y, width and height in pixels of the letterboxed picture, objectness
            0..1, and the score 0..1 of every class.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        confidence: Objectness that a box has to exceed, 0..1.

    Returns:
        `(n, 5) float32`: x1, y1, x2, y2 in pixels of the picture, and the objectness, which falls from row to row.

    Raises:
        ModelError: A box has no finite size.
    """
    boxes = in_picture(suppress_crowd(candidates(rows, confidence)), width, height)
    return boxes[(boxes[:, 2:4] > boxes[:, :2]).all(1)]


def candidates(rows: np.ndarray, confidence: float) -> np.ndarray:
    """The rows that show a person, as corners; many for each person.

    Only the objectness is compared with the limit, and it is the score of the box, not its product with that of the
    class. Of equal ones the first comes first.

    Args:
        rows: See `people`.
        confidence: Objectness that a box has to exceed, 0..1.

    Returns:
        `(n, 5) float32`: x1, y1, x2, y2 in pixels of the letterboxed picture and the objectness, falling.

    Raises:
        ModelError: A box has no finite size.
    """
    sure = rows[rows[:, OBJECTNESS] > np.float32(confidence)]
    scores = sure[:, CLASSES:]
    found = sure[(scores.argmax(1) == 0) & (scores[:, 0] > 0)]
    found = found[np.argsort(-found[:, OBJECTNESS], kind="stable")]
    half = found[:, 2:4] / np.float32(2)
    boxes = np.concatenate([found[:, :2] - half, found[:, :2] + half, found[:, OBJECTNESS : OBJECTNESS + 1]], 1)
    if not np.isfinite(boxes).all():
        raise ModelError("the detector gives boxes without a finite size", "its weights are not what they should be")
    return boxes


def in_picture(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """Map boxes of the letterboxed picture back, and cut off what lies outside.

    The original does it with the unrounded scale and margin, up to half a pixel beside those that the picture was
    placed with.

    Args:
        boxes: `(n, 5) float32`: x1, y1, x2, y2 in pixels of the letterboxed picture, and anything.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Returns:
        `(n, 5) float32`: the corners in pixels of the picture, 0..width and 0..height; the rest as it was.
    """
    size = np.array((width, height), np.float32)
    side = np.float32(DETECTOR_SIZE)
    scale = (np.float32(1) / size * side).min()  # as torch divides a number by a tensor
    margin = (side - scale * size) / np.float32(2)
    corners = ((boxes[:, :4].reshape(-1, 2, 2) - margin) / scale).clip(0, size)
    return np.concatenate([corners.reshape(-1, 4), boxes[:, 4:]], 1)
