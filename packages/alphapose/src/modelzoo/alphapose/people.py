"""A person whose pose was estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Box = tuple[float, float, float, float]
"""x and y of the top left corner, width and height, in pixels."""


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody in a picture.

    Args:
        box: Where the detector saw the person: x and y of the top left corner, width and height, in pixels.
        keypoints: `(17, 3) float32`, COCO's joints: x and y in pixels of the picture, score.
        score: Mean of the joints' scores, plus that of the box, plus 1.25 times the best joint's; not 0..1.
        id: Who it is in other frames of the same video, from 1; None where nobody is followed.
    """

    box: Box
    keypoints: np.ndarray
    score: float
    id: int | None = None
