"""Heat maps to keypoints: the flip test, the highest pixel of every map, and its place in the photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelzoo.alphapose.joints import mirrored_order
from modelzoo.alphapose.spec import MAP_HEIGHT, MAP_WIDTH

if TYPE_CHECKING:
    import numpy as np

QUARTER = 0.25
"""How far a joint is moved from its pixel towards the higher neighbour."""


def merge_flipped(straight: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """The mean of the heat maps of crops and of their mirror images (Newell et al., ECCV 2016).

    The mirror image's are mirrored back, their left and right joints change places, and they are moved one pixel to the
    right, where they lie better on the crop's (Sun et al., "HRNet", CVPR 2019). The published code moves them over
    themselves, which on a CPU spoils a third of the pixels; this is what it means.

    Args:
        straight: `(n, joints, H, W) float32`.
        mirrored: The same, of the mirrored crops.

    Returns:
        `(n, joints, H, W) float32`.
    """
    import numpy as np

    back = mirrored[:, mirrored_order(mirrored.shape[1]), :, ::-1]
    merged = np.empty_like(straight)
    np.add(straight[..., 1:], back[..., :-1], out=merged[..., 1:])
    np.add(straight[..., 0], back[..., 0], out=merged[..., 0])
    np.divide(merged, np.float32(2), out=merged)
    return merged


def decode(heatmaps: np.ndarray) -> np.ndarray:
    """The first highest pixel of every heat map, a quarter towards the higher neighbour on each axis.

    A pixel on the border or beside it is not moved, and a joint whose highest value is not above 0 is at (0, 0), as
    published.

    Args:
        heatmaps: `(n, joints, H, W) float32`.

    Returns:
        `(n, joints, 3) float32`: x and y in pixels of the heat map, and the highest value, which is the score.
    """
    import numpy as np

    count, joints, height, width = heatmaps.shape
    maps = heatmaps.reshape(count * joints, height, width)
    rows, place = np.arange(len(maps)), maps.reshape(len(maps), -1).argmax(1)
    y, x = np.divmod(place, width)
    score = maps[rows, y, x]
    inside = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
    left, right = np.maximum(x - 1, 0), np.minimum(x + 1, width - 1)
    above, below = np.maximum(y - 1, 0), np.minimum(y + 1, height - 1)
    across = np.sign(maps[rows, y, right] - maps[rows, y, left]) * inside
    down = np.sign(maps[rows, below, x] - maps[rows, above, x]) * inside
    seen = score > 0
    keypoints = np.stack(((x + QUARTER * across) * seen, (y + QUARTER * down) * seen, score), 1)
    return keypoints.astype(np.float32).reshape(count, joints, 3)


def to_photo(keypoints: np.ndarray, crop: Sequence[float]) -> np.ndarray:
    """Keypoints of a crop in its photo; both axes have the scale of the width, as published.

    Args:
        keypoints: `(joints, 3) float32`, x and y in pixels of the heat map, score.
        crop: x1, y1, x2, y2 of what was cut out, in pixels of the photo.

    Returns:
        `(joints, 3) float32`, x and y in pixels of the photo, score.
    """
    import numpy as np

    x1, y1, x2, y2 = crop
    scale = (x2 - x1) / MAP_WIDTH
    centre = ((x1 + x2) / 2, (y1 + y2) / 2)
    placed = keypoints.astype(np.float64)
    placed[:, :2] = centre + (placed[:, :2] - (MAP_WIDTH / 2, MAP_HEIGHT / 2)) * scale
    return placed.astype(np.float32)
