"""A checkpoint of PoseC3D into an ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.export import compare_output, export_onnx, import_exporters, run_graph
from modelzoo.common.files import atomic_path, make_folder
from modelzoo.posec3d.examples import SAMPLES, make_examples
from modelzoo.posec3d.spec import CLIPS, SPEC, VIEWS, Structure, identity_of

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.common.spec import Identity, TensorSpec


def export(
    weights: Path,
    output: Path,
    form: str = "volumes",
    persons: int | None = None,
    structure: Structure | None = None,
    simplify: bool = True,
    compare: bool = True,
) -> Structure:
    """Export a checkpoint.

    Args:
        weights: The checkpoint.
        output: The .onnx file; replaced if it exists.
        form: What the graph takes, a key of `spec.INPUTS`.
        persons: People of a sample where the graph of `keypoints` is to fix their number.
        structure: What the network has to be; None takes what the checkpoint holds.
        simplify: False keeps the graph as torch wrote it.
        compare: False leaves the comparison with torch to the caller.

    Returns:
        What the checkpoint holds.

    Raises:
        CheckpointError: The checkpoint does not fit.
        UsageError: The form draws heat maps, and nobody knows which of so many joints are left and right.
        ExportError: The graph failed a check; nothing was written.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    import_exporters(SPEC.name)
    from modelzoo.posec3d.forms import in_form
    from modelzoo.posec3d.weights import load_posec3d

    network = load_posec3d(weights, structure)
    held = network.structure
    wrapped, identity = in_form(network, form, persons), identity_of(form, held.classes, persons, held.joints)
    make_folder(output.absolute().parent)
    with atomic_path(output) as partial:
        export_onnx(
            wrapped, identity, partial, SPEC.tolerance, (), simplify, traced=tuple(map(_few_clips, identity.inputs))
        )
        if compare:
            compare_graph(wrapped, partial, identity, SPEC.tolerance)
    return held


def compare_graph(network: Any, path: Path, identity: Identity, tolerance: float) -> None:
    """Run a graph on ONNX Runtime: two samples in one batch beside the network, and beside a batch of one.

    Torch takes several times as long, so that it is given the first sample only.

    Args:
        network: The torch module in evaluation mode.
        path: The .onnx file.
        identity: What it takes and gives.
        tolerance: Largest difference of a score, in units of the largest one where that is above 1.

    Raises:
        ExportError: The graph does not run, or gives other scores.
    """
    import torch

    from modelzoo.common.sessions.onnxruntime import OnnxRuntimeSession

    session, name = OnnxRuntimeSession(path), identity.outputs[0].name
    both = make_examples(identity.inputs)
    (scores,), (alone,) = run_graph(session, both), run_graph(session, _sample(both, 1))
    with torch.inference_mode():
        wanted = network(*map(torch.from_numpy, _sample(both, 0))).numpy()
    compare_output(name, wanted, scores[: len(scores) // 2], tolerance, SAMPLES)
    compare_output(name, alone, scores[len(scores) // 2 :], tolerance, SAMPLES, "itself at batch 1")


def _sample(arrays: Sequence[np.ndarray], number: int) -> list[np.ndarray]:
    return [array[number : number + 1] for array in arrays]


def _few_clips(tensor: TensorSpec) -> TensorSpec:
    """The tensor with its axis of clips free: nothing in the graph depends on it, and a few trace sooner than 20."""
    return replace(tensor, shape=tuple("clips" if axis in (CLIPS, VIEWS) else axis for axis in tensor.shape))
