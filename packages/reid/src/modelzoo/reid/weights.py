"""Checkpoints of the strong baseline into its network, with an error that names what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from modelzoo.common.checkpoint import describe_keys, load_state_dict, md5_of
from modelzoo.common.errors import CheckpointError
from modelzoo.reid.network import PixelInput, StrongBaseline
from modelzoo.reid.spec import BACKBONES, MEAN, STD

CLASSIFIER = "classifier.weight"
UNUSED = (CLASSIFIER, "base.fc.weight", "base.fc.bias")
"""What a checkpoint may hold and no feature needs: the classifiers of the identities and of ImageNet."""

PUBLISHED_MD5 = {"0811054928b8aa70b6ea64e71ef99aaf": "market_resnet50_model_120_rank1_945.pth"}
"""Checkpoints that were published, by their md5 (the guide gives it)."""


def load_network(
    path: Path, backbone: str = "resnet50", neck_feat: str = "after", dtype: str = "float32"
) -> torch.nn.Module:
    """Load a checkpoint in any of the forms in which people have it.

    Args:
        path: Plain or wrapped state dict, with or without `module.`, with any number of classes.
        backbone: A name in `BACKBONES`.
        neck_feat: `after` or `before` the neck.
        dtype: `float32` for normalised images, `uint8` for pixels.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
    """
    weights = load_state_dict(path)
    network = StrongBaseline(backbone, neck_feat, classes=_classes(weights))
    _check_keys(path, weights, network.state_dict(), backbone)
    network.load_state_dict(weights, strict=False)
    network.eval()
    return network if dtype == "float32" else PixelInput(network, MEAN, STD).eval()


def published_name(path: Path) -> str | None:
    """The name under which exactly this file was published, or None."""
    return PUBLISHED_MD5.get(md5_of(path))


def _classes(weights: Mapping[str, torch.Tensor]) -> int:
    classifier = weights.get(CLASSIFIER)
    return len(classifier) if classifier is not None and classifier.ndim == 2 else 1


def _check_keys(
    path: Path, weights: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], backbone: str
) -> None:
    """Compare the keys and shapes; counters and classifiers may be missing, because they are never used."""
    missing = [key for key in wanted if key not in weights and not _is_optional(key)]
    unexpected = [key for key in weights if key not in wanted]
    misshapen = [key for key in wanted if key in weights and weights[key].shape != wanted[key].shape]
    if not (missing or unexpected or misshapen):
        return
    other = _matching_backbone(weights)
    if other and other != backbone:
        raise CheckpointError(f"{path} holds a {other}, not a {backbone}", f"use --backbone {other}")
    if "classifier.bias" in weights and "bottleneck.weight" not in weights:
        raise CheckpointError(f"{path} was trained without the BNNeck (MODEL.NECK 'no'), which is not supported")
    raise CheckpointError(f"{path} is not a {backbone} strong baseline: {_differences(missing, unexpected, misshapen)}")


def _matching_backbone(weights: Mapping[str, torch.Tensor]) -> str | None:
    """The backbone whose keys and shapes these are."""
    for backbone in BACKBONES:
        with torch.device("meta"):
            wanted = StrongBaseline(backbone, classes=_classes(weights)).state_dict()
        if _needed_shapes(wanted) == _needed_shapes(weights):
            return backbone
    return None


def _needed_shapes(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {key: tensor.shape for key, tensor in weights.items() if not _is_optional(key)}


def _is_optional(key: str) -> bool:
    """Counters and classifiers may be missing."""
    return key in UNUSED or key.endswith(".num_batches_tracked")


def _differences(missing: list[str], unexpected: list[str], misshapen: list[str]) -> str:
    kinds = {"missing": missing, "unknown": unexpected, "of another shape": misshapen}
    return "; ".join(f"{len(keys)} keys {kind} ({describe_keys(keys)})" for kind, keys in kinds.items() if keys)
