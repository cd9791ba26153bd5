"""The upstream's own network on given pictures, in a process of its own: `verify --upstream` starts it.

    python -m modelzoo.dgnet.upstream_runner DIR GEN.pt INPUT.npz OUTPUT.npz id_path=ID.pt

`INPUT.npz` holds the grey and the colour pictures; `OUTPUT.npz`, which is written, gets the generated ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np

from modelzoo.common.checkpoint import load_state_dict
from modelzoo.common.upstream import serve
from modelzoo.dgnet.config import GENERATOR, NETWORK

UNSEEN = {"dropout": 0, "init": "kaiming"}
"""What the published configuration says of the generator that no picture depends on."""


def load(gen: Path, id_path: str) -> Callable[[np.ndarray, np.ndarray], list[np.ndarray]]:
    """Build the upstream's networks; its folder must be on the path of the process.

    Args:
        gen: The generator's file, read as data.
        id_path: The appearance encoder's.

    Returns:
        Grey `(N, 1, 256, 128) float32` and colour `(N, 3, 256, 128) float32` pictures, normalised, to a list of the
        generated ones, `(N, 3, 256, 128) float32`.

    Raises:
        CheckpointError: A file is not a checkpoint.
        RuntimeError: It holds other weights.
    """
    import torch

    generator = import_module("networks").AdaINGen(NETWORK["input_dim_a"], {**GENERATOR, **UNSEEN}, fp16=False).eval()
    generator.load_state_dict(load_state_dict(gen))
    weights = load_state_dict(Path(id_path))
    classes = len(weights["classifier1.classifier.0.weight"])
    encoder = import_module("reIDmodel").ft_netAB(classes, stride=NETWORK["ID_stride"], pool=NETWORK["pool"]).eval()
    encoder.load_state_dict(weights)

    def pictures(image1: np.ndarray, image2: np.ndarray) -> list[np.ndarray]:
        with torch.inference_mode():
            appearance, _ = encoder(torch.from_numpy(image2))
            return [generator.decode(generator.encode(torch.from_numpy(image1)), appearance).numpy()]

    return pictures


if __name__ == "__main__":
    serve(load, sys.argv[1:])
