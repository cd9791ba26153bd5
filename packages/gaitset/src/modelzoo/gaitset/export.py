"""A checkpoint of GaitSet into an ONNX file."""

from __future__ import annotations

from pathlib import Path

from modelzoo.common.export import export_onnx, import_exporters
from modelzoo.gaitset.spec import FRAMES, SPEC, identity_of


def export(
    weights: Path,
    output: Path,
    dataset: str = "casia-b",
    frames: int | str = FRAMES,
    padding: str = "zeros",
    dtype: str = "float32",
    simplify: bool = True,
) -> Path:
    """Export a checkpoint.

    Args:
        weights: The checkpoint.
        output: The .onnx file.
        dataset: Which of the published networks it is, a name in `spec.DATASETS`.
        frames: 100, or `dynamic` for a graph with a free frame axis.
        padding: What a sequence of another length than 100 means, a name in `spec.PADDINGS`. A graph of 100 frames
            does not depend on it: there it says what has to be put before a shorter sequence.
        dtype: `float32` for silhouettes of 0..1, `uint8` for pixels.
        simplify: False keeps the graph as torch wrote it.

    Returns:
        `output`.

    Raises:
        CheckpointError: The checkpoint does not fit.
        ExportError: The graph failed a check; nothing was written.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    import_exporters(SPEC.name)
    from modelzoo.gaitset.weights import load_network

    network = load_network(weights, dataset, frames, padding, dtype)
    identity = identity_of(dataset, frames, padding, dtype)
    return export_onnx(network, identity, output, SPEC.tolerance, simplify=simplify)
