"""The detector's darknet weights into an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelzoo.alphapose import __version__
from modelzoo.alphapose.spec import DETECTOR, DETECTOR_SIZE
from modelzoo.common.errors import ExportError
from modelzoo.common.export import export_onnx, import_exporters
from modelzoo.common.files import atomic_path, make_folder
from modelzoo.common.spec import Identity

NETWORK = "yolov3-spp"
"""What a file says of itself; the pose network's files do not say it."""

BATCH = 1
"""The batch that the file is compared at: not that of the trace, and no more, because a picture takes seconds."""


def identity() -> Identity:
    """What an exported file says of itself."""
    inputs, outputs = DETECTOR.inputs, DETECTOR.outputs
    return Identity(
        DETECTOR.name,
        __version__,
        inputs,
        outputs,
        {"network": NETWORK},
        atc={"input_format": DETECTOR.input_format},
    )


def export_detector(weights: Path, output: Path) -> Path:
    """Export the detector.

    Args:
        weights: A darknet file.
        output: The .onnx file; replaced if it exists.

    Returns:
        `output`.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
        ExportError: The graph failed a check; nothing was written.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    import_exporters(DETECTOR.name)
    from modelzoo.alphapose.detector.weights import load_network

    network = load_network(weights)
    make_folder(output.absolute().parent)
    with atomic_path(output) as partial:
        export_onnx(network, identity(), partial, DETECTOR.tolerance, check_batches=())
        compare_rows(network, partial, DETECTOR.tolerance)
    return output


def compare_rows(network: Any, path: Path, tolerance: float) -> None:
    """Run a file on ONNX Runtime beside the network on the same picture.

    The picture is seeded noise. Every number is compared on its own scale: beside boxes of hundreds of pixels, a score
    that is wrong by a tenth would not be seen.

    Args:
        network: The torch module.
        path: The .onnx file.
        tolerance: Largest difference of each number, divided by 1 and its absolute value.

    Raises:
        ExportError: The graph does not run, or gives other rows.
    """
    import numpy as np
    import torch

    from modelzoo.common.sessions.onnxruntime import OnnxRuntimeSession

    shape = (BATCH, 3, DETECTOR_SIZE, DETECTOR_SIZE)
    image = np.random.default_rng(0).random(shape, np.float32)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(image)).numpy()
    (have,) = OnnxRuntimeSession(path).run(image)
    if have.shape != wanted.shape:
        raise ExportError(f"the exported graph gives {have.shape}, the network {wanted.shape}")
    difference = float((np.abs(have - wanted) / (1 + np.abs(wanted))).max())
    if not difference <= tolerance:
        raise ExportError(f"the exported graph differs from torch by {difference:.2e} (allowed: {tolerance:.0e})")
