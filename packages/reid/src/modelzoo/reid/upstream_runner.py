"""The upstream's own network on given images, in a process of its own: `verify --upstream` starts it.

    python -m modelzoo.reid.upstream_runner DIR WEIGHTS INPUT.npz OUTPUT.npz backbone=resnet50 neck_feat=after

`INPUT.npz` holds one array of images; `OUTPUT.npz`, which is written, gets one of features.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from modelzoo.common.checkpoint import describe_keys, load_state_dict
from modelzoo.common.errors import CheckpointError
from modelzoo.common.upstream import serve

CLASSIFIER = "classifier."
UNUSED = (CLASSIFIER, "base.fc.")
"""The classifiers of the identities and of ImageNet, which a checkpoint may lack."""


def load(
    weights: Path, backbone: str = "resnet50", neck_feat: str = "after"
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Build the upstream's network; its `config` and `modeling` must be on the path of the process.

    Args:
        weights: The checkpoint, read as data.
        backbone: MODEL.NAME.
        neck_feat: TEST.NECK_FEAT.

    Returns:
        Images `(N, 3, 256, 128) float32` to a list of the features, `(N, channels) float32`.

    Raises:
        CheckpointError: The file is not a checkpoint, or does not hold these weights.
    """
    import torch

    config = import_module("config").cfg.clone()
    config.merge_from_list(["MODEL.NAME", backbone, "MODEL.PRETRAIN_CHOICE", "self", "TEST.NECK_FEAT", neck_feat])
    network = import_module("modeling").build_model(config, 1).eval()
    _fill(network, weights)

    def features(image: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            return [network(torch.from_numpy(image)).numpy()]

    return features


def _fill(network: Any, path: Path) -> None:
    """Load all that is used: the upstream, too, leaves out the classifier."""
    weights = {key: tensor for key, tensor in load_state_dict(path).items() if not key.startswith(CLASSIFIER)}
    missing, unexpected = network.load_state_dict(weights, strict=False)
    missing = [key for key in missing if not key.startswith(UNUSED) and not key.endswith(".num_batches_tracked")]
    if missing or unexpected:
        raise CheckpointError(f"{path} is not of the upstream's network: {describe_keys(missing + unexpected)}")


if __name__ == "__main__":
    serve(load, sys.argv[1:])
