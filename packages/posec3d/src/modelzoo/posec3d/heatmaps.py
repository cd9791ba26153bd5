"""Keypoints into heat maps: a Gaussian of the joint's score around every joint, cut to at most 5 x 5 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelzoo.posec3d.geometry import flip, mirrored_joints
from modelzoo.posec3d.spec import SIZE

if TYPE_CHECKING:
    import numpy as np

SIGMA = 0.6
"""Width of the Gaussian in pixels."""

REACH = 3 * SIGMA
"""How far from the joint it is drawn."""

LEAST_SCORE = 1e-4
"""Joints with a lower score are not drawn."""

PATCH = 5
"""Pixels that a joint can reach in a row or a column."""


def draw(joints: np.ndarray, frames: np.ndarray, maps: np.ndarray, out: np.ndarray) -> None:
    """Draw frames, each where its maps are in a large array; where people overlap, the higher value holds.

    Args:
        joints: `(people, distinct, 17, 3) float32`: x and y in pixels of the map, score.
        frames: Numbers of frames, any shape; those from `distinct` on are the flipped ones.
        maps: `frames.shape + (17,)`: which map in `out` each joint of each frame is drawn in; no map twice.
        out: `(..., 56, 56) float32`, C order; overwritten.
    """
    import numpy as np

    out[:] = 0
    pixels = out.reshape(-1)
    for person in joints:
        values, places, drawn = patches(person)
        shown = drawn[frames]
        at = (maps[..., None] * SIZE**2 + places[frames])[shown]
        pixels[at] = np.maximum(pixels[at], values[frames][shown])


def patches(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pixels that the joints of a person light, as they are and flipped.

    The window around a joint at x goes from x - 1.8 to x + 1.8, both cut to whole pixels towards 0 in double precision;
    the Gaussian is in single precision. As `GeneratePoseTarget` under NumPy 1.

    Args:
        joints: `(frames, 17, 3) float32`: x, y, score.

    Returns:
        For all frames and then for all flipped ones, each `(2 * frames, 17, 25)`: values (float32), numbers of the
        pixels in a map (int64), and which of them are drawn (bool); the numbers of others mean nothing.
    """
    import numpy as np

    both = np.concatenate([joints, joints[:, mirrored_joints()]]).astype(np.float64)
    both[len(joints) :, :, 0] = flip(both[len(joints) :, :, 0])
    (columns, across, in_x), (rows, down, in_y) = (_window(both[..., axis]) for axis in (0, 1))
    squares = across[..., None, :] + down[..., :, None]
    values = np.exp(-squares / 2 / np.float32(SIGMA**2)) * both[..., 2, None, None].astype(np.float32)
    places = rows[..., :, None] * SIZE + columns[..., None, :]
    drawn = in_y[..., :, None] & in_x[..., None, :] & (both[..., 2, None, None] >= LEAST_SCORE)
    flat = (*both.shape[:2], PATCH**2)
    return values.reshape(flat), places.reshape(flat), drawn.reshape(flat)


def _window(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pixels of a row or a column around each centre.

    Args:
        centres: Any shape, float64.

    Returns:
        Numbers of pixels (int64), squares of their distances (float32), and which of them are in the window and in
        the map; each of the shape of `centres` with 5 behind.
    """
    import numpy as np

    first = np.clip(np.trunc(centres - REACH), 0, SIZE).astype(np.int64)
    end = np.minimum(np.trunc(centres + REACH) + 1, SIZE)
    pixels = first[..., None] + np.arange(PATCH)
    squares = (pixels.astype(np.float32) - centres[..., None].astype(np.float32)) ** 2
    return pixels, squares, pixels < end[..., None]
