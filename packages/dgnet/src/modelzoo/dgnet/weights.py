"""The two files of a checkpoint, generator and appearance encoder, into their network, strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from modelzoo.common.checkpoint import describe_keys, load_state_dict
from modelzoo.common.errors import CheckpointError
from modelzoo.dgnet.checkpoints import WHICH, given_checkpoint
from modelzoo.dgnet.networks.decoder import CHANNELS, RESIDUALS
from modelzoo.dgnet.networks.dgnet import DGNet, part_of

Weights = Mapping[str, torch.Tensor]
Shape = tuple[int | None, ...]
"""None where any size will do."""


@dataclass(frozen=True)
class File:
    """One of the two files.

    Args:
        name: What it holds.
        places: Beginnings of our keys, and of the published ones.
        unused: Published keys that no picture depends on, and their shapes.
    """

    name: str
    places: Mapping[str, str]
    unused: Mapping[str, Shape] = field(default_factory=dict)

    def published(self, key: str) -> str | None:
        """The published name of one of our keys; None where it is in the other file."""
        start = next((start for start in self.places if key.startswith(start)), None)
        return None if start is None else self.places[start] + key.removeprefix(start)

    def keys(self, state: Weights) -> dict[str, str]:
        """Our keys and their published names, of those that are in this file."""
        return {key: name for key in state if (name := self.published(key))}


def _statistics() -> dict[str, Shape]:
    """Buffers of the styled normalisations, which take their statistics from each picture."""
    layers = [f"dec.model.1.model.{block}.model.{layer}.norm" for block in range(RESIDUALS) for layer in range(2)]
    return {f"{layer}.running_{kind}": (CHANNELS,) for layer in layers for kind in ("mean", "var")}


def _classifier(name: str) -> dict[str, Shape]:
    """One of the two classifiers of identities, whose number depends on the data set."""
    one: dict[str, Shape] = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (512,))
    block = {f"{name}.add_block.1.{key}": shape for key, shape in one.items()}
    block |= {f"{name}.add_block.1.num_batches_tracked": ()}
    block |= {f"{name}.add_block.0.weight": (512, 2048), f"{name}.add_block.0.bias": (512,)}
    return block | {f"{name}.classifier.0.weight": (None, 512), f"{name}.classifier.0.bias": (None,)}


GENERATOR = File(
    "generator",
    {
        "structure.stem.": "enc_content.model.",
        "structure.residuals.": "enc_content.model.4.model.",
        "structure.pyramid.": "enc_content.model.5.",
        "decoder.residuals.": "dec.model.1.model.",
        **{f"decoder.drawing.{i}.": f"dec.model.{i + 2}." for i in range(7)},
        **{f"decoder.deviations.{i}.{2 * j}.": f"mlp_w{i + 1}.model.{j}.fc." for i in range(4) for j in range(3)},
        **{f"decoder.means.{i}.{2 * j}.": f"mlp_b{i + 1}.model.{j}.fc." for i in range(4) for j in range(3)},
    },
    _statistics(),
)
"""Structure encoder and decoder."""

APPEARANCE = File(
    "appearance encoder",
    {"appearance.": "model."},
    {
        "model.fc.weight": (1000, 2048),
        "model.fc.bias": (1000,),
        **_classifier("classifier1"),
        **_classifier("classifier2"),
    },
)
"""The appearance encoder, which is the network that re-identifies people: its classifiers are not built."""


def load_network(
    path: Path, id_path: Path | None = None, part: str = "whole", dtype: str = "float32"
) -> torch.nn.Module:
    """Load a checkpoint into the network, or into a part of it.

    Args:
        path: The generator's file.
        id_path: The appearance encoder's file; None for the one beside the generator's, `id_` in place of `gen_`.
        part: A key of `spec.PARTS`.
        dtype: `float32` for normalised pictures, `uint8` for pixels.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: A file does not hold the weights of this network, or the files are not of one checkpoint.
        DataError: A file is missing.
    """
    return part_of(load_dgnet(path, id_path), part, dtype).eval()


def load_dgnet(path: Path, id_path: Path | None = None) -> DGNet:
    """Load a checkpoint; see `load_network`."""
    files = given_checkpoint(path, id_path)
    with torch.device("meta"):
        network = DGNet()
    state = network.state_dict()
    weights: dict[str, torch.Tensor] = {}
    for file, source in ((GENERATOR, files.gen), (APPEARANCE, files.id)):
        held = load_state_dict(source)
        _check_keys(file, source, held, state)
        weights |= {key: held[name] for key, name in file.keys(state).items()}
    network.to_empty(device="cpu").load_state_dict(weights)
    network.eval()
    return network


def _check_keys(file: File, path: Path, held: Weights, state: Weights) -> None:
    """Compare the keys and shapes of a file with those that are published."""
    wanted: dict[str, Shape] = {name: tuple(state[key].shape) for key, name in file.keys(state).items()}
    wanted |= file.unused
    kinds = {
        "missing": [key for key in wanted if key not in held],
        "unknown": [key for key in held if key not in wanted],
        "of another shape": [key for key in wanted if key in held and not _fits(held[key], wanted[key])],
    }
    texts = [f"{len(keys)} keys {kind} ({describe_keys(keys)})" for kind, keys in kinds.items() if keys]
    other = APPEARANCE if file is GENERATOR else GENERATOR
    if texts and set(held) >= set(other.keys(state).values()):
        raise CheckpointError(f"{path} holds the {other.name}, not the {file.name}", WHICH)
    if texts:
        raise CheckpointError(f"{path} is not the {file.name} of a DG-Net: {'; '.join(texts)}")


def _fits(tensor: torch.Tensor, shape: Shape) -> bool:
    sizes = zip(tensor.shape, shape, strict=False)
    return tensor.ndim == len(shape) and all(want in (None, have) for have, want in sizes)
