"""The decoder: a structure code, restyled by an appearance code, into a picture."""

from __future__ import annotations

import torch
from torch import nn

from modelzoo.dgnet.networks.blocks import SLOPE, ConvBlock, LayerNorm, StyledResidual

CHANNELS = 128
"""Of a structure code."""

RESIDUALS = 4
"""Residual blocks, and slices of the appearance code; each slice styles a block."""

SLICE = 2048
"""Numbers of an appearance code in a slice: 512 channels of all four stripes, and not a stripe."""

HIDDEN = 512


class Decoder(nn.Module):
    """Structure and appearance codes into pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.deviations = nn.ModuleList(_styling() for _ in range(RESIDUALS))
        self.means = nn.ModuleList(_styling() for _ in range(RESIDUALS))
        self.residuals = nn.ModuleList(StyledResidual(CHANNELS) for _ in range(RESIDUALS))
        self.drawing = nn.Sequential(
            nn.Upsample(scale_factor=2),
            ConvBlock(CHANNELS, CHANNELS // 2, 5, norm=LayerNorm),
            nn.Upsample(scale_factor=2),
            ConvBlock(CHANNELS // 2, CHANNELS // 4, 5, norm=LayerNorm),
            ConvBlock(CHANNELS // 4, CHANNELS // 4, 3),
            ConvBlock(CHANNELS // 4, CHANNELS // 4, 3),
            ConvBlock(CHANNELS // 4, 3, 1, rectified=False),
        )

    def forward(self, structure: torch.Tensor, appearance: torch.Tensor) -> torch.Tensor:
        """Draw pictures.

        Args:
            structure: `(N, 128, 64, 32) float32`.
            appearance: `(N, 8192) float32`.

        Returns:
            `(N, 3, 256, 128) float32`, RGB, normalised.
        """
        slices = appearance.split(SLICE, 1)
        x = structure
        for block, deviations, means, code in zip(self.residuals, self.deviations, self.means, slices, strict=True):
            x = block(x, _per_convolution(deviations(code)), _per_convolution(means(code)))
        return self.drawing(x)


def _styling() -> nn.Sequential:
    """A slice of the appearance code into one number for each channel of both convolutions of a block."""
    first, second = nn.Linear(SLICE, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
    return nn.Sequential(first, nn.LeakyReLU(SLOPE), second, nn.LeakyReLU(SLOPE), nn.Linear(HIDDEN, 2 * CHANNELS))


def _per_convolution(numbers: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Map `(N, 2 C)` to two times `(N, C, 1, 1)`."""
    first, second = numbers[:, :, None, None].split(CHANNELS, 1)
    return first, second
