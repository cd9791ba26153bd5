"""The upstream's own network on given crops, in a process of its own: `verify --upstream` starts it.

    python -m modelzoo.alphapose.upstream_runner DIR WEIGHTS INPUT.npz OUTPUT.npz layers=50 joints=17 conv_dim=128

`INPUT.npz` holds one array of crops; `OUTPUT.npz`, which is written, gets one of heat maps.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

from modelzoo.common.checkpoint import describe_keys, load_state_dict
from modelzoo.common.errors import CheckpointError
from modelzoo.common.upstream import serve


def load(
    weights: Path, layers: str = "50", joints: str = "17", conv_dim: str = "128"
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Build the upstream's network; its package `alphapose` must be on the path of the process.

    Args:
        weights: The checkpoint, read as data.
        layers: MODEL.NUM_LAYERS.
        joints: DATA_PRESET.NUM_JOINTS.
        conv_dim: MODEL.CONV_DIM.

    Returns:
        Crops `(N, 3, 256, 192) float32` to a list of the heat maps, `(N, joints, 64, 48) float32`.

    Raises:
        CheckpointError: The file is not a checkpoint, or does not hold these weights.
    """
    import torch

    model = {"TYPE": "FastPose", "NUM_LAYERS": int(layers), "CONV_DIM": int(conv_dim)}
    network = import_module("alphapose.models.builder").build_sppe(model, {"NUM_JOINTS": int(joints)}).eval()
    missing, unexpected = network.load_state_dict(load_state_dict(weights), strict=False)
    wrong = [key for key in missing if not key.endswith(".num_batches_tracked")] + unexpected
    if wrong:
        raise CheckpointError(f"{weights} is not of the upstream's network: {describe_keys(wrong)}")

    def heatmaps(image: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            return [network(torch.from_numpy(image)).numpy()]

    return heatmaps


if __name__ == "__main__":
    serve(load, sys.argv[1:])
