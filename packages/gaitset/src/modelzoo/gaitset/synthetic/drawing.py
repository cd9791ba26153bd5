"""A camera that sees nothing but silhouettes, as those of CASIA-B stand around their walkers."""

from __future__ import annotations

from collections.abc import Sequence
from math import radians
from typing import TYPE_CHECKING

import numpy as np

from modelzoo.common.synthetic.skeleton import turned
from modelzoo.gaitset.synthetic.body import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS, COLUMNS = 240, 320
"""Size of a frame in pixels."""

FIGURE = 255
DISTANCE, EYE = 6.0, 1.0
"""Metres from the camera to the middle of the walk, and above the ground."""

FOCAL = 440.0
"""Focal length in pixels."""

CORNERS = 24
"""Corners of the polygon that a ball is drawn as."""

FRACTION_BITS = 4
"""Binary places of the corners' coordinates."""


def draw_silhouette(parts: Sequence[Part], view: float, ahead: float) -> NDArray[np.uint8]:
    """The silhouette of a body.

    Args:
        parts: The body, see `Walker.parts`.
        view: Degrees from the walking direction to the direction of the camera: 0 sees the front, 90 a side, walking to
            the picture's right, 180 the back.
        ahead: How far the body is beyond the middle of the walk, in metres.

    Returns:
        `(240, 320) uint8`: 255 for the body, 0 for everything else.
    """
    import cv2

    turn = radians(view)
    balls = [(*turned((x, y, z + ahead), turn), radius) for part in parts for (x, y, z), radius in part]
    corners = np.rint(_outlines(np.array(balls)) * 2**FRACTION_BITS).astype(np.int32)
    frame = np.zeros((ROWS, COLUMNS), np.uint8)
    ends = np.cumsum([len(part) for part in parts])
    for outlines in np.split(corners, ends[:-1]):
        hull = cv2.convexHull(outlines.reshape(-1, 2))
        cv2.fillConvexPoly(frame, hull, FIGURE, cv2.LINE_8, FRACTION_BITS)
    return frame


def _outlines(balls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Polygons around balls.

    Args:
        balls: `(n, 4)`: right, up, towards the camera, radius, in metres.

    Returns:
        `(n, 24, 2)`: columns and rows.
    """
    right, up, toward, radius = balls.T[:, :, None]
    scale = FOCAL / (DISTANCE - toward)
    angles = np.arange(CORNERS) * (2 * np.pi / CORNERS)
    columns = COLUMNS / 2 + scale * (right + radius * np.cos(angles))
    rows = ROWS / 2 - scale * (up - EYE + radius * np.sin(angles))
    return np.stack([columns, rows], axis=-1)
