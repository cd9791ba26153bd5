"""The upstream's own network on given sequences, in a process of its own: `verify --upstream` starts it.

    python -m modelzoo.gaitset.upstream_runner DIR WEIGHTS INPUT.npz OUTPUT.npz dataset=casia-b

`INPUT.npz` holds one array of sequences; `OUTPUT.npz`, which is written, gets one of features.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from modelzoo.common.checkpoint import load_state_dict
from modelzoo.common.upstream import serve

FEATURES = 256
"""What the upstream calls `hidden_dim`."""


def load(weights: Path, dataset: str = "casia-b") -> Callable[[np.ndarray], list[np.ndarray]]:
    """Build the upstream's network; its folder must be on the path of the process.

    Args:
        weights: The checkpoint, read as data.
        dataset: Which of its networks.

    Returns:
        Sequences `(N, frames, 64, 44) float32`, 0..1, to a list of the features, `(N, 62, 256) float32`.

    Raises:
        CheckpointError: The file is not a checkpoint.
        RuntimeError: It holds other weights.
    """
    import torch

    published, white = (_oumvlp(), 255) if dataset == "oumvlp" else (import_module("model.network").SetNet, 1)
    network = published(FEATURES).eval()
    network.load_state_dict(load_state_dict(weights))

    def features(image_seq: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            feature, _ = network(torch.from_numpy(image_seq * np.float32(white)))
        return [feature.numpy()]

    return features


def _oumvlp() -> Any:
    """The class of OU-MVLP's network, whose file is published without its imports, as a piece to be copied."""
    blocks = import_module("work.OUMVLP_network.basic_blocks")
    file = Path(str(blocks.__file__)).with_name("gaitset.py")
    return runpy.run_path(str(file), init_globals=vars(blocks))["SetNet"]


if __name__ == "__main__":
    serve(load, sys.argv[1:])
