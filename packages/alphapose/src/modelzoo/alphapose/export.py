"""A checkpoint of FastPose into an ONNX file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from modelzoo.alphapose.spec import SPEC, Form, Structure, identity_of
from modelzoo.common.export import export_onnx, import_exporters
from modelzoo.common.files import atomic_path, make_folder


def export(
    weights: Path,
    output: Path,
    form: Form = Form(),  # noqa: B008 (frozen)
    structure: Structure | None = None,
    simplify: bool = True,
) -> Structure:
    """Export a checkpoint.

    Args:
        weights: The checkpoint.
        output: The .onnx file; replaced if it exists.
        form: What of the work around the network is in the graph.
        structure: What the network has to be; None takes what the checkpoint holds.
        simplify: False keeps the graph as torch wrote it.

    Returns:
        What the checkpoint holds.

    Raises:
        CheckpointError: The checkpoint does not fit.
        UsageError: The form has the flip test, and nobody knows which of so many joints are left and right.
        ExportError: The graph failed a check; nothing was written.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    import_exporters(SPEC.name)
    from modelzoo.alphapose.forms import in_form
    from modelzoo.alphapose.keypoint_check import compare_keypoints
    from modelzoo.alphapose.weights import load_fastpose

    network = load_fastpose(weights, structure)
    wrapped, identity = in_form(network, form), identity_of(network.structure, form)
    if not form.decode:
        export_onnx(wrapped, identity, output, SPEC.tolerance, simplify=simplify)
        return network.structure
    make_folder(output.absolute().parent)
    with atomic_path(output) as partial:
        export_onnx(wrapped, identity, partial, SPEC.tolerance, check_batches=(), simplify=simplify)
        compare_keypoints(in_form(network, replace(form, decode=False)), partial, identity, SPEC.tolerance)
    return network.structure
