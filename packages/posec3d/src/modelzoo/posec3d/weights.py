"""Checkpoints of PoseC3D into its network, whose structure is read off their keys and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch

from modelzoo.common.checkpoint import describe_keys, load_state_dict
from modelzoo.common.errors import CheckpointError
from modelzoo.posec3d.forms import in_form
from modelzoo.posec3d.network import PoseC3D
from modelzoo.posec3d.spec import Structure

Weights = Mapping[str, torch.Tensor]

STEM = "backbone.conv1.conv.weight"
"""`(width, joints, 1, 7, 7)`."""

LAST = "cls_head.fc_cls.weight"
"""`(classes, 16 width)`."""

STAGES = 3

COUNTER = ".num_batches_tracked"
"""How keys end that are never used, and may be missing."""

HINT = "supported are PoseC3D networks on keypoints, such as slowonly_kinetics400_pretrained_r50_u48_120e_hmdb51_..."


def load_network(path: Path, input: str = "volumes", persons: int | None = None) -> torch.nn.Module:  # noqa: A002
    """Load a checkpoint into a network that takes one of the forms of input.

    Args:
        path: See `load_posec3d`.
        input: What the network takes, a key of `spec.INPUTS`.
        persons: People of a sample where the network of `keypoints` fixes their number.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
        UsageError: The form needs the joints of COCO, and the checkpoint has others.
    """
    return in_form(load_posec3d(path), input, persons)


def load_posec3d(path: Path, structure: Structure | None = None) -> PoseC3D:
    """Load a checkpoint in any of the ways in which people have it.

    Args:
        path: Plain or wrapped state dict, with or without `module.`.
        structure: What the network has to be; None takes what the checkpoint holds.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
    """
    weights = load_state_dict(path)
    held = structure_of(weights, path)
    if structure and held != structure:
        raise CheckpointError(f"{path} is a {held}, not a {structure}", "the configuration is of another checkpoint")
    with torch.device("meta"):
        network = PoseC3D(held)
    _check_keys(path, weights, network.state_dict())
    network.to_empty(device="cpu").load_state_dict(weights, strict=False)
    network.eval()
    return network


def structure_of(weights: Weights, path: Path) -> Structure:
    """What the keys and shapes of a checkpoint say of its network.

    Args:
        weights: The tensors.
        path: The checkpoint, for the message.

    Raises:
        CheckpointError: It is of no PoseC3D.
    """
    stem, last = weights.get(STEM), weights.get(LAST)
    if stem is None or last is None or stem.ndim != 5 or last.ndim != 2 or 0 in (*stem.shape, *last.shape):
        raise CheckpointError(f"{path} is not a PoseC3D: its keys are {describe_keys(list(weights))}", HINT)
    blocks = tuple(_blocks(weights, stage) for stage in range(1, STAGES + 2))
    if not all(blocks[:STAGES]) or blocks[STAGES]:
        stages = sum(map(bool, blocks))
        raise CheckpointError(f"{path} is not a PoseC3D: its backbone has {stages} stages, not {STAGES}", HINT)
    width, joints, *_ = stem.shape
    return Structure(joints, width, blocks[:STAGES], last.shape[0])


def _blocks(weights: Weights, stage: int) -> int:
    """How many bottlenecks a stage has."""
    pattern = re.compile(rf"backbone\.layer{stage}\.\d+\.conv3\.conv\.weight")
    return sum(pattern.fullmatch(key) is not None for key in weights)


def _check_keys(path: Path, weights: Weights, wanted: Weights) -> None:
    """Compare the keys and shapes; counters of batches may be missing."""
    kinds = {
        "missing": [key for key in wanted if key not in weights and not key.endswith(COUNTER)],
        "unknown": [key for key in weights if key not in wanted],
        "of another shape": [key for key in wanted if key in weights and weights[key].shape != wanted[key].shape],
    }
    texts = [f"{len(keys)} keys {kind} ({describe_keys(keys)})" for kind, keys in kinds.items() if keys]
    if texts:
        raise CheckpointError(f"{path} is not a PoseC3D: {'; '.join(texts)}", HINT)
