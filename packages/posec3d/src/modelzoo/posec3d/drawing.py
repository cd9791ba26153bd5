"""Skeletons as small pictures: some frames of a recording, all in the same place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelzoo.posec3d.ink import STAGE
from modelzoo.posec3d.skeletons import Skeletons

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image, ImageDraw

LIMBS = (
    *((0, 1), (0, 2), (1, 3), (2, 4)),  # nose, eyes, ears
    *((5, 11), (6, 12), (11, 12), (5, 6)),  # trunk
    *((11, 13), (13, 15), (12, 14), (14, 16)),  # hips, knees, ankles
    *((5, 7), (7, 9), (6, 8), (8, 10)),  # shoulders, elbows, wrists
)
"""Joints that are joined by a line; odd ones are on the person's left, even ones from 2 on the right."""

NOSE, SHOULDERS = 0, (5, 6)
"""A neck is drawn between them."""

LEFT, RIGHT, MIDDLE = "#4cc9a4", "#ff9f5a", "#9db7ff"

FACE = 5
"""Joints below this one are in the face, close together."""

SEEN = 0.2
"""Joints with a lower score are not shown."""

FINER = 4
"""Pictures are drawn so many times larger and made smaller, which makes lines smooth."""

MARGIN = 0.1
"""Room around the joints, as a share of the side."""

CENTRAL = (1, 99)
"""The percentiles of coordinates between which the middle of the picture lies: joints are sometimes far off."""

LIMB_SHARE = 45
"""A limb is as thick as this part of the person's extent."""


def frames_with_people(skeletons: Skeletons) -> list[int]:
    """In which frames there is something to draw; all of them where there is nothing at all."""
    import numpy as np

    seen = np.flatnonzero((skeletons.scores >= SEEN).any(axis=(0, 2)))
    return list(map(int, seen)) or list(range(skeletons.scores.shape[1]))


def evenly_spaced(frames: Sequence[int], count: int) -> list[int]:
    """So many frames at equal distances, or all where there are no more; each in the middle of its part.

    >>> evenly_spaced(range(10, 50), 4)
    [15, 25, 35, 45]
    """
    shown = min(count, len(frames))
    return [frames[int((i + 0.5) * len(frames) / shown)] for i in range(shown)]


def draw_frames(skeletons: Skeletons, frames: Sequence[int], side: int) -> list[Image.Image]:
    """Draw the people in some frames, left and right in colours of their own.

    Args:
        skeletons: Who is seen in the recording.
        frames: Which frames, counted from 0.
        side: Width and height of each picture, in pixels.

    Returns:
        RGB, one for each frame.
    """
    import numpy as np
    from PIL import Image, ImageDraw

    keypoints = np.nan_to_num(skeletons.keypoints[:, list(frames)].astype(np.float64))
    seen = (skeletons.scores[:, list(frames)] >= SEEN) & (keypoints != 0).any(axis=-1)
    places = _placed(keypoints, seen, side * FINER)
    pictures = []
    for number in range(len(frames)):
        picture = Image.new("RGB", (side * FINER, side * FINER), STAGE)
        draw = ImageDraw.Draw(picture)
        for person, there in zip(places[:, number], seen[:, number], strict=True):
            if there.any():
                _draw_person(draw, person, there)
        pictures.append(picture.resize((side, side), Image.Resampling.LANCZOS))
    return pictures


def _placed(keypoints: np.ndarray, seen: np.ndarray, side: int) -> np.ndarray:
    """Keypoints moved and scaled so that all that are seen fill a square of `side` pixels."""
    import numpy as np

    shown = keypoints[seen]
    if not len(shown):
        return keypoints
    low, high = np.percentile(shown, CENTRAL, axis=0)
    scale = side * (1 - 2 * MARGIN) / max(1.0, float((high - low).max()))
    placed: np.ndarray = (keypoints - (low + high) / 2) * scale + side / 2
    return placed


def _draw_person(draw: ImageDraw.ImageDraw, places: np.ndarray, seen: np.ndarray) -> None:
    """Draw one person.

    Args:
        draw: Draws.
        places: `(17, 2) float64`, x and y in pixels of the picture.
        seen: `(17,) bool`.
    """
    import numpy as np

    width = max(FINER, float(np.ptp(places[seen], axis=0).max()) / LIMB_SHARE)
    for a, b in LIMBS:
        if seen[a] and seen[b]:
            thickness = width / 2 if a < FACE else width
            draw.line([*places[a], *places[b]], _colour(a, b), round(thickness))
    if seen[[NOSE, *SHOULDERS]].all():
        draw.line([*places[list(SHOULDERS)].mean(axis=0), *places[NOSE]], MIDDLE, round(width / 2))
    for joint in map(int, np.flatnonzero(seen)):
        radius = width * (0.45 if joint < FACE else 0.9)
        draw.circle(tuple(places[joint]), radius, _colour(joint, joint))


def _colour(a: int, b: int) -> str:
    """The colour of a limb by its two joints."""
    if 0 in (a, b) or a % 2 != b % 2:
        return MIDDLE
    return LEFT if a % 2 else RIGHT
