"""Non-maximum suppression: of boxes that lie on each other only the surest is kept."""

from __future__ import annotations

import numpy as np

OVERLAP = 0.6
"""Intersection over union from which two boxes are taken for one person."""

CROWD = 100
"""With more boxes than this ..."""

CROWD_OVERLAP = 0.55
"""... they are chosen again, more strictly."""


def suppress(boxes: np.ndarray, overlap: float) -> np.ndarray:
    """Choose boxes greedily: one after the other takes those away that it overlaps.

    Args:
        boxes: `(n, 5) float32`: x1, y1, x2, y2 in pixels and a score, which falls from row to row.
        overlap: Intersection over union, 0..1, from which a box is taken away.

    Returns:
        Which rows are left, ascending: `(m,) int64`.
    """
    areas = _areas(boxes)
    left = np.arange(len(boxes))
    kept = []
    while left.size:
        first, left = left[0], left[1:]
        kept.append(first)
        left = left[~(overlaps(boxes[first], boxes[left], areas[first], areas[left]) >= np.float32(overlap))]
    return np.array(kept, np.int64)


def suppress_crowd(boxes: np.ndarray) -> np.ndarray:
    """Choose the boxes of one picture; of a crowd of more than 100, again with a lower limit.

    The original counts over all pictures that are computed together. That is one where it detects people for the COCO
    numbers, and five in its demo, whose answer thus depends on which pictures come together. Here it is always one.

    Args:
        boxes: `(n, 5) float32`, see `suppress`.

    Returns:
        `(m, 5) float32`: those that are left, in their order.
    """
    kept = suppress(boxes, OVERLAP)
    if len(kept) > CROWD:
        kept = suppress(boxes, CROWD_OVERLAP)
    chosen: np.ndarray = boxes[kept]
    return chosen


def overlaps(box: np.ndarray, others: np.ndarray, area: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Intersection over union of one box with others, where both ends of a box count as pixels of it.

    Args:
        box: `(4 or more,) float32`: x1, y1, x2, y2 in pixels.
        others: `(n, 4 or more) float32`.
        area: Of the box, square pixels.
        areas: Of the others, `(n,) float32`.

    Returns:
        `(n,) float32`, 0..1.
    """
    one = np.float32(1)
    sides = np.minimum(box[2:4], others[:, 2:4]) - np.maximum(box[:2], others[:, :2]) + one
    common = sides.clip(0).prod(1)
    result: np.ndarray = common / (area + areas - common)
    return result


def _areas(boxes: np.ndarray) -> np.ndarray:
    """`(n,) float32`, square pixels."""
    sides = boxes[:, 2:4] - boxes[:, :2] + np.float32(1)
    areas: np.ndarray = sides[:, 0] * sides[:, 1]
    return areas
