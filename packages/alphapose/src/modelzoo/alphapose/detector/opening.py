"""Opening the detector, whatever kind of file it is in."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from modelzoo.alphapose.detector.export import export_detector
from modelzoo.alphapose.spec import DETECTOR
from modelzoo.common.errors import ModelError
from modelzoo.common.session import Session, open_session

WEIGHTS_SUFFIX = ".weights"


def open_detector(path: Path, device: int = 0) -> Session:
    """Open a detector.

    Args:
        path: `.onnx`, `.om`, or darknet's `.weights`, which are exported first.
        device: Number of the accelerator; the CPU ignores it.

    Raises:
        ModelError: The file is no model, or not the detector.
        MissingDependencyError: What runs it is not installed.
    """
    if path.suffix.lower() == WEIGHTS_SUFFIX:
        return open_weights(path)
    session = open_session(path, DETECTOR, device=device)
    for wanted, have in ((DETECTOR.inputs, session.inputs), (DETECTOR.outputs, session.outputs)):
        if [(one.dtype, one.sample_shape) for one in wanted] != [(one.dtype, one.sample_shape) for one in have]:
            tensors = ", ".join(one.describe() for one in have)
            raise ModelError(
                f"{path} is not the detector: it has {tensors} in place of {wanted[0].describe()}",
                "export-detector makes it of yolov3-spp.weights",
            )
    return session


def open_weights(path: Path) -> Session:
    """Open darknet's weights on ONNX Runtime, which is twice as fast as torch; nothing is kept of the export.

    Args:
        path: The weights, of any suffix.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    with TemporaryDirectory(prefix="modelzoo-detector-") as folder:
        return open_session(export_detector(path, Path(folder) / "detector.onnx"), DETECTOR)
