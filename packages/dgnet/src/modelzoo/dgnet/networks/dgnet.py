"""The whole network, and its parts as the exported graphs have them."""

from __future__ import annotations

import torch
from torch import nn

from modelzoo.dgnet.networks.appearance import AppearanceEncoder
from modelzoo.dgnet.networks.decoder import Decoder
from modelzoo.dgnet.networks.structure import StructureEncoder
from modelzoo.dgnet.spec import MEAN, STD


class DGNet(nn.Module):
    """The structure of one picture in the appearance of another; what trains it is not here."""

    def __init__(self) -> None:
        super().__init__()
        self.structure = StructureEncoder()
        self.appearance = AppearanceEncoder()
        self.decoder = Decoder()

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> torch.Tensor:
        """Generate pictures.

        Args:
            image1: `(N, 1, 256, 128) float32`, grey, whose structure they get.
            image2: `(N, 3, 256, 128) float32`, RGB, whose appearance they get.

        Returns:
            `(N, 3, 256, 128) float32`, RGB, normalised.
        """
        return self.decoder(self.structure(image1), self.appearance(image2))


class FromPixels(nn.Module):
    """A part that takes pixels in place of normalised pictures.

    Args:
        network: The network or one of its encoders.
        grey: For every input, whether the part takes it in grey.
    """

    def __init__(self, network: nn.Module, grey: tuple[bool, ...]) -> None:
        super().__init__()
        self.network = network
        self.grey = grey
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, *pixels: torch.Tensor) -> torch.Tensor:
        """Map pictures `(N, 256, 128, 3) uint8`, RGB, to what the part gives."""
        return self.network(*map(self._normalised, pixels, self.grey))

    def _normalised(self, pixels: torch.Tensor, grey: bool) -> torch.Tensor:
        colours = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        return colours.mean(1, keepdim=True) if grey else colours


def part_of(network: DGNet, part: str, dtype: str) -> nn.Module:
    """The network, or a part of it.

    Args:
        network: The whole.
        part: A key of `spec.PARTS`.
        dtype: `float32` for normalised pictures, `uint8` for pixels; the decoder, which takes none, is the same.

    Raises:
        AttributeError: There is no such part.
    """
    module = network if part == "whole" else network.get_submodule(part)
    grey = {"whole": (True, False), "structure": (True,), "appearance": (False,)}
    return FromPixels(module, grey[part]) if dtype == "uint8" and part in grey else module
