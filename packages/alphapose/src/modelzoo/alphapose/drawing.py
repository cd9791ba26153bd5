"""People drawn into a photo: limbs and joints, left and right in colours of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelzoo.alphapose.pose_nms import SEEN

if TYPE_CHECKING:
    import numpy as np

LIMBS = (
    *((0, 1), (0, 2), (1, 3), (2, 4)),  # nose, eyes, ears
    *((5, 6), (5, 7), (7, 9), (6, 8), (8, 10)),  # shoulders, elbows, wrists
    *((5, 11), (6, 12), (11, 12)),  # hips
    *((11, 13), (13, 15), (12, 14), (14, 16)),  # knees, ankles
)
"""Joints that are joined by a line; odd ones are on the person's left, even ones from 2 on the right."""

LEFT, RIGHT, MIDDLE = (90, 210, 60), (40, 120, 255), (250, 190, 40)
OUTLINE, PAPER = (30, 30, 30), (255, 255, 255)
"""Colours, BGR; the outline keeps them readable on any photo."""

FACE = 5
"""Joints below this one are in the face, close together."""

LIMB_SHARE = 70
"""A limb is as thick as this part of the person's height or width."""

THICKEST_SHARE = 100
"""No limb is thicker than this part of the photo's longer side."""

FRACTION_BITS = 4
"""OpenCV takes places in sixteenths of a pixel, so that skeletons of a video do not jump."""

TEXT_HEIGHT = 22
"""Of OpenCV's letters at their own size, in pixels."""


def draw_people(
    image: np.ndarray, people: np.ndarray, threshold: float = SEEN, ids: Sequence[int | None] = ()
) -> np.ndarray:
    """Draw skeletons into a copy of a photo.

    Args:
        image: `(H, W, 3) uint8`, BGR.
        people: `(n, 17, 3) float32`, x and y in pixels, score.
        threshold: Joints with a lower score are left out, and with them their limbs.
        ids: The number to be written beside each person, or None; empty for none at all.

    Returns:
        `(H, W, 3) uint8`, BGR.
    """
    drawn = image.copy()
    for person, number in zip(people, ids or [None] * len(people), strict=True):
        seen = {i: joint[:2] for i, joint in enumerate(person) if joint[2] >= threshold}
        if not seen:
            continue
        width = limb_width(seen, image.shape)
        _draw_skeleton(drawn, seen, width)
        if number is not None:
            _write(drawn, str(number), _above(seen, width), width)
    return drawn


def limb_width(seen: dict[int, np.ndarray], shape: tuple[int, ...]) -> int:
    """How thick the limbs of a person are drawn, in pixels.

    Args:
        seen: x and y of the joints that are seen, in pixels.
        shape: Height and width of the photo.
    """
    import numpy as np

    extent = np.ptp(list(seen.values()), axis=0).max()
    return int(np.clip(round(float(extent) / LIMB_SHARE), 1, max(1, max(shape[:2]) // THICKEST_SHARE)))


def _draw_skeleton(drawn: np.ndarray, seen: dict[int, np.ndarray], width: int) -> None:
    """Outlines first, so that no limb is cut by that of another."""
    import cv2

    places = {i: tuple(round(float(value) * 2**FRACTION_BITS) for value in joint) for i, joint in seen.items()}
    limbs = [(a, b) for a, b in LIMBS if a in seen and b in seen]
    for margin in (max(1, width // 2), 0):
        for a, b in limbs:
            colour = OUTLINE if margin else _colour(a, b)
            thickness = _finer(a, width) + 2 * margin
            cv2.line(drawn, places[a], places[b], colour, thickness, cv2.LINE_AA, FRACTION_BITS)
        for i, place in places.items():
            radius = round((0.9 * _finer(i, width) + 1 + margin) * 2**FRACTION_BITS)
            cv2.circle(
                drawn, place, radius, OUTLINE if margin else _colour(i, i), cv2.FILLED, cv2.LINE_AA, FRACTION_BITS
            )


def _finer(joint: int, width: int) -> int:
    return max(1, width // 2) if joint < FACE else width


def _above(seen: dict[int, np.ndarray], width: int) -> tuple[int, int]:
    """Where a number is written: above the highest joint, and inside the photo."""
    x, y = min(seen.values(), key=lambda joint: float(joint[1]))
    return max(0, round(float(x))), max(8 * width + TEXT_HEIGHT, round(float(y)) - 6 * width)


def _write(drawn: np.ndarray, text: str, place: tuple[int, int], width: int) -> None:
    import cv2

    scale = max(0.5, 8 * width / TEXT_HEIGHT)
    for thickness, colour in ((3 + width, OUTLINE), (max(1, width // 2 + 1), PAPER)):
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA)


def _colour(a: int, b: int) -> tuple[int, int, int]:
    """The colour of a limb by its two joints."""
    if a == 0 or b == 0 or a % 2 != b % 2:
        return MIDDLE
    return LEFT if a % 2 else RIGHT
