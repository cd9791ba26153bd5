"""A checkpoint of the strong baseline into an ONNX file."""

from __future__ import annotations

from pathlib import Path

from modelzoo.common.export import export_onnx, import_exporters
from modelzoo.reid.spec import SPEC, identity_of


def export(
    weights: Path,
    output: Path,
    backbone: str = "resnet50",
    neck_feat: str = "after",
    dtype: str = "float32",
    simplify: bool = True,
) -> Path:
    """Export a checkpoint.

    Args:
        weights: The checkpoint.
        output: The .onnx file.
        backbone: A name in `spec.BACKBONES`.
        neck_feat: `after` or `before` the neck.
        dtype: `float32` for normalised images, `uint8` for pixels.
        simplify: False keeps the graph as torch wrote it.

    Returns:
        `output`.

    Raises:
        CheckpointError: The checkpoint does not fit.
        ExportError: The graph failed a check; nothing was written.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    import_exporters(SPEC.name)
    from modelzoo.reid.weights import load_network

    network = load_network(weights, backbone, neck_feat, dtype)
    return export_onnx(network, identity_of(backbone, neck_feat, dtype), output, SPEC.tolerance, simplify=simplify)
