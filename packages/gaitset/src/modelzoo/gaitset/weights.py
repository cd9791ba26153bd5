"""Checkpoints of GaitSet into their network, with an error that names what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from modelzoo.common.checkpoint import describe_keys, git_blob_of, load_state_dict
from modelzoo.common.errors import CheckpointError
from modelzoo.gaitset.network import CasiaB, Oumvlp, PixelInput, SetNetwork
from modelzoo.gaitset.spec import DATASETS, FRAMES

NETWORKS: Mapping[str, type[CasiaB | Oumvlp]] = {"casia-b": CasiaB, "oumvlp": Oumvlp}
"""By `--dataset`."""

PUBLISHED_BLOBS = {
    "965afa133b1ee6806e6f354b1c58a75f7cb5a8fa": "GaitSet_CASIA-B_73_False_256_0.2_128_full_30-80000-encoder.ptm"
}
"""Checkpoints in the published repository, by their git object hash."""


def load_network(
    path: Path,
    dataset: str | None = None,
    frames: int | str = FRAMES,
    padding: str = "none",
    dtype: str = "float32",
) -> torch.nn.Module:
    """Load a checkpoint in any of the forms in which people have it.

    Args:
        path: Plain or wrapped state dict, with or without `module.`.
        dataset: Which of the published networks it is, a name in `spec.DATASETS`; None for the one that fits.
        frames: 100 for sequences of that many frames, `dynamic` for any number.
        padding: What a sequence means to a `dynamic` network: `none` for itself, `zeros` for its first 100 frames,
            which zero frames make of a shorter one.
        dtype: `float32` for silhouettes of 0..1, `uint8` for pixels.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
    """
    weights = load_state_dict(path)
    dataset = dataset or _matching_dataset(weights) or DATASETS[0]
    fixed = frames if isinstance(frames, int) else None
    network: torch.nn.Module = NETWORKS[dataset](fixed, padded=padding == "zeros")
    _check_keys(path, weights, network.state_dict(), dataset)
    network.load_state_dict(weights)
    return (network if dtype == "float32" else PixelInput(network)).eval()


def published_name(path: Path) -> str | None:
    """The name under which exactly this file was published, or None."""
    return PUBLISHED_BLOBS.get(git_blob_of(path))


def _check_keys(
    path: Path, weights: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], dataset: str
) -> None:
    missing = [key for key in wanted if key not in weights]
    unexpected = [key for key in weights if key not in wanted]
    misshapen = [key for key in wanted if key in weights and weights[key].shape != wanted[key].shape]
    if not (missing or unexpected or misshapen):
        return
    other = _matching_dataset(weights)
    if other:
        raise CheckpointError(f"{path} holds the network of {other}, not of {dataset}", f"use --dataset {other}")
    kinds = {"missing": missing, "unknown": unexpected, "of another shape": misshapen}
    texts = [f"{len(keys)} keys {kind} ({describe_keys(keys)})" for kind, keys in kinds.items() if keys]
    raise CheckpointError(f"{path} is not a GaitSet of {dataset}: {'; '.join(texts)}")


def _matching_dataset(weights: Mapping[str, torch.Tensor]) -> str | None:
    """The published network whose keys and shapes these are."""
    for dataset, network in NETWORKS.items():
        with torch.device("meta"):
            wanted: SetNetwork = network()
        if {key: value.shape for key, value in wanted.state_dict().items()} == {k: v.shape for k, v in weights.items()}:
            return dataset
    return None
