"""Checkpoints of FastPose into its network, whose structure is read off their keys and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch

from modelzoo.alphapose.forms import in_form
from modelzoo.alphapose.network import BLOCKS, FastPose
from modelzoo.alphapose.spec import Form, Structure
from modelzoo.common.checkpoint import describe_keys, load_state_dict
from modelzoo.common.errors import CheckpointError
from modelzoo.common.files import existing_file

Weights = Mapping[str, torch.Tensor]

LAST = "conv_out.weight"
"""`(joints, CONV_DIM, 3, 3)`."""

OTHERS = {
    "duc3": "a FastPose_DUC",
    "duc_dense": "a FastPose_DUC_Dense",
    "deconv_layers": "a SimplePose",
    "stage4": "an HRNet",
    "denseBlocksUp": "a HarDNetPose",
}
"""The other networks of the upstream, by a name that their keys begin with."""

DEFORMABLE = ".conv2_offset."
"""What is in the keys of deformable convolutions."""

DARKNET_START = bytes(4)
"""The major version, 0, that a darknet file begins with; nothing that torch writes does."""


def load_network(path: Path, flip_test: bool = False, decode: bool = False, dtype: str = "float32") -> torch.nn.Module:
    """Load a checkpoint into a network of the wanted form.

    Args:
        path: See `load_fastpose`.
        flip_test: Whether the network gives the mean of the image's and the mirror image's heat maps.
        decode: Whether it gives keypoints in place of heat maps.
        dtype: `float32` for normalised crops, `uint8` for pixels.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
        UsageError: The form has the flip test, and nobody knows which of so many joints are left and right.
    """
    return in_form(load_fastpose(path), Form(flip_test, decode, dtype))


def load_fastpose(path: Path, structure: Structure | None = None) -> FastPose:
    """Load a checkpoint in any of the ways in which people have it.

    Args:
        path: Plain or wrapped state dict, with or without `module.`.
        structure: What the network has to be; None takes what the checkpoint holds.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
    """
    weights = read_weights(path)
    held = structure_of(weights, path)
    if structure and held != structure:
        raise CheckpointError(f"{path} is a {held}, not a {structure}", "the configuration is of another checkpoint")
    with torch.device("meta"):
        network = FastPose(held)
    _check_keys(path, weights, network.state_dict())
    network.to_empty(device="cpu").load_state_dict(weights, strict=False)
    network.eval()
    return network


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a checkpoint.

    Raises:
        CheckpointError: The file is no checkpoint, or the detector's.
    """
    with existing_file(path, "checkpoint").open("rb") as file:
        if file.read(len(DARKNET_START)) == DARKNET_START:
            raise CheckpointError(
                f"{path} is a darknet file, of the detector and not of the pose network",
                "the pose network's checkpoint is fast_res50_256x192.pth; export-detector takes the detector's",
            )
    return load_state_dict(path)


def structure_of(weights: Weights, path: Path) -> Structure:
    """What the keys and shapes of a checkpoint say of its network.

    Args:
        weights: The tensors.
        path: The checkpoint, for the message.

    Raises:
        CheckpointError: It is of no FastPose, or of one that is not supported.
    """
    _refuse_others(weights, path)
    blocks = tuple(_blocks(weights, stage) for stage in range(1, 5))
    depths = {count: layers for layers, count in BLOCKS.items()}
    last = weights.get(LAST)
    if last is None or last.ndim != 4 or 0 in last.shape or not any(blocks):
        raise CheckpointError(f"{path} is not a FastPose: its keys are {describe_keys(list(weights))}")
    if blocks not in depths:
        known = ", ".join(f"{layers} layers {'-'.join(map(str, count))}" for count, layers in depths.items())
        counts = "-".join(map(str, blocks))
        raise CheckpointError(f"{path} has a backbone of {counts} blocks, which is not supported; known are {known}")
    return Structure(depths[blocks], joints=last.shape[0], conv_dim=last.shape[1])


def _refuse_others(weights: Weights, path: Path) -> None:
    """Name the other networks of the upstream, whose files lie in the same place."""
    hint = "supported are FastPose networks without deformable convolutions, such as fast_res50_256x192.pth"
    tops = {key.split(".")[0] for key in weights}
    if other := next((OTHERS[top] for top in OTHERS if top in tops), None):
        raise CheckpointError(f"{path} holds {other}, not a FastPose", hint)
    if any(DEFORMABLE in key for key in weights):
        raise CheckpointError(f"{path} holds a FastPose with deformable convolutions (DCN)", hint)


def _blocks(weights: Weights, stage: int) -> int:
    """How many bottlenecks a stage has."""
    pattern = re.compile(rf"preact\.layer{stage}\.\d+\.conv3\.weight")
    return sum(pattern.fullmatch(key) is not None for key in weights)


def _check_keys(path: Path, weights: Weights, wanted: Weights) -> None:
    """Compare the keys and shapes; counters of batches may be missing, because they are never used."""
    kinds = {
        "missing": [key for key in wanted if key not in weights and not key.endswith(".num_batches_tracked")],
        "unknown": [key for key in weights if key not in wanted],
        "of another shape": [key for key in wanted if key in weights and weights[key].shape != wanted[key].shape],
    }
    texts = [f"{len(keys)} keys {kind} ({describe_keys(keys)})" for kind, keys in kinds.items() if keys]
    if texts:
        raise CheckpointError(f"{path} is not a FastPose: {'; '.join(texts)}")
