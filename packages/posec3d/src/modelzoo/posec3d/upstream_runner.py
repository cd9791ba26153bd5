"""The upstream's own network on given clips, in a process of its own: `verify --upstream` starts it.

    python -m modelzoo.posec3d.upstream_runner DIR WEIGHTS INPUT.npz OUTPUT.npz blocks=3-4-6 classes=51

`INPUT.npz` holds one array of clips; `OUTPUT.npz`, which is written, gets one of scores.
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

BACKBONE = {
    "type": "ResNet3dSlowOnly",
    "depth": 50,
    "num_stages": 3,
    "out_indices": (2,),
    "conv1_stride_s": 1,
    "pool1_stride_s": 1,
    "inflate": (0, 1, 1),
    "spatial_strides": (2, 2, 2),
    "temporal_strides": (1, 1, 2),
    "dilations": (1, 1, 1),
    "pretrained": None,
}
"""What all published networks have alike."""


def load(
    weights: Path, joints: str = "17", width: str = "32", blocks: str = "3-4-6", classes: str = "51"
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Build the upstream's network; its package `mmaction` must be on the path of the process.

    Args:
        weights: The checkpoint, read as data.
        joints: `in_channels` of the backbone.
        width: Its `base_channels`.
        blocks: Its `stage_blocks`.
        classes: `num_classes` of the head.

    Returns:
        Clips `(N, 20, joints, 48, 56, 56) float32` to a list of the scores, `(N * 20, classes) float32`.

    Raises:
        CheckpointError: The file is not a checkpoint, or does not hold these weights.
    """
    import torch

    own = {"in_channels": int(joints), "base_channels": int(width), "stage_blocks": tuple(map(int, blocks.split("-")))}
    head = {"type": "I3DHead", "in_channels": 16 * int(width), "num_classes": int(classes)}
    model = {"type": "Recognizer3D", "backbone": BACKBONE | own, "cls_head": head}
    network = import_module("mmaction.models").build_model(model).eval()
    missing, unexpected = network.load_state_dict(load_state_dict(weights), strict=False)
    wrong = [key for key in missing if not key.endswith(".num_batches_tracked")] + unexpected
    if wrong:
        raise CheckpointError(f"{weights} is not of the upstream's network: {describe_keys(wrong)}")

    def scores(clips: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            (rows,) = network.forward_dummy(torch.from_numpy(clips))
        return [rows.numpy()]

    return scores


if __name__ == "__main__":
    serve(load, sys.argv[1:])
