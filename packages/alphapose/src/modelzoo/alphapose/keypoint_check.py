"""Does a graph that ends in keypoints give those of the network's heat maps?

The keypoints themselves cannot be compared: of two pixels that are nearly equal either may be the higher one, so that a
difference in the last digit moves a joint. What a joint is at is compared: the heat map's values there and around it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelzoo.alphapose.heatmaps import QUARTER
from modelzoo.common.errors import ExportError
from modelzoo.common.export import CHECK_BATCHES, random_inputs

if TYPE_CHECKING:
    from modelzoo.common.spec import Identity


def compare_keypoints(heatmaps: Any, path: Path, identity: Identity, tolerance: float) -> None:
    """Run a graph on ONNX Runtime beside the network on the same inputs.

    Args:
        heatmaps: The torch module that makes the heat maps.
        path: The .onnx file, which ends in keypoints.
        identity: What it takes and gives.
        tolerance: Largest difference of a heat map's values, in units of the largest one where that is above 1.

    Raises:
        ExportError: The graph does not run, or gives other keypoints.
    """
    import torch

    from modelzoo.common.sessions.onnxruntime import OnnxRuntimeSession

    session = OnnxRuntimeSession(path)
    for batch in CHECK_BATCHES:
        (image,) = random_inputs(identity.inputs, batch)
        with torch.inference_mode():
            wanted = heatmaps(torch.from_numpy(image)).numpy()
        (keypoints,) = session.run(image)
        count = wanted.shape[0] * wanted.shape[1]
        wrong = misplaced(wanted, keypoints, tolerance * max(1.0, float(np.abs(wanted).max())))
        if wrong:
            raise ExportError(f"{wrong} of {count} keypoints of the exported graph are not those of torch's heat maps")


def misplaced(heatmap: np.ndarray, keypoints: np.ndarray, tolerance: float) -> int:
    """Count the keypoints that no heat map gives which differs from this one by at most the tolerance.

    Args:
        heatmap: `(N, joints, H, W) float32`.
        keypoints: `(N, joints, 3) float32`: x and y in pixels, score.
        tolerance: Largest absolute difference.
    """
    height, width = heatmap.shape[2:]
    pixel = np.floor(np.nan_to_num(keypoints[..., :2]) + 0.5).clip(0, (width - 1, height - 1)).astype(int)
    moved, score, highest = keypoints[..., :2] - pixel, keypoints[..., 2], heatmap.max((2, 3))
    inside = ((pixel > 1) & (pixel < (width - 1, height - 1))).all(2, keepdims=True)
    slope = _slope(heatmap, pixel)
    level = (np.abs(slope) <= 2 * tolerance) & np.isin(np.abs(moved), (0, QUARTER))
    towards = np.where(inside, level | (moved == QUARTER * np.sign(slope)), moved == 0).all(2)
    seen = (_at(heatmap, pixel) >= highest - 2 * tolerance) & towards
    unseen = (highest <= tolerance) & (keypoints[..., :2] == 0).all(2)
    right = (np.abs(score - highest) <= tolerance) & (seen | unseen)
    return int(right.size - right.sum())


def _slope(heatmap: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """How much higher the next pixel is than the one before, on both axes: `(N, joints, 2)`."""
    right, down = np.array((1, 0)), np.array((0, 1))
    steps = [_at(heatmap, pixel + step) - _at(heatmap, pixel - step) for step in (right, down)]
    return np.stack(steps, 2)


def _at(heatmap: np.ndarray, pixel: np.ndarray) -> np.ndarray:
    """Values at pixels, of which those beside the heat map are taken on its border: `(N, joints)`."""
    n, joints, height, width = heatmap.shape
    x, y = pixel[..., 0].clip(0, width - 1), pixel[..., 1].clip(0, height - 1)
    values: np.ndarray = heatmap[np.arange(n)[:, None], np.arange(joints), y, x]
    return values
