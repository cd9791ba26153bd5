"""The structure encoder: pose, background and body shape of a grey picture, as a map."""

from __future__ import annotations

import torch
from torch import nn

from modelzoo.dgnet.networks.blocks import ConvBlock, Residual

WIDTH = 16
"""Channels of the first convolution; every encoder has four times as many where the residual blocks are."""

RESIDUALS = 4


class Pyramid(nn.Module):
    """Convolutions of unlike reach, side by side (ASPP, Chen et al., 2017); their names are those of the checkpoints.

    Args:
        channels: That come in; twice as many go out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = ConvBlock(channels, half, 1, norm=nn.InstanceNorm2d, rectified=False)
        self.conv6 = _branch(channels, half, 3)
        self.conv12 = _branch(channels, half, 6)
        self.conv18 = _branch(channels, half, 9)
        self.fuse = ConvBlock(4 * half, 2 * channels, 1, norm=nn.InstanceNorm2d, rectified=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to `(N, 2 C, H, W)`."""
        return self.fuse(torch.cat((self.conv1(x), self.conv6(x), self.conv12(x), self.conv18(x)), 1))


class StructureEncoder(nn.Module):
    """Grey pictures into structure codes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvBlock(1, WIDTH, 3, stride=2, norm=nn.InstanceNorm2d),
            ConvBlock(WIDTH, 2 * WIDTH, 3, norm=nn.InstanceNorm2d),
            ConvBlock(2 * WIDTH, 2 * WIDTH, 3, norm=nn.InstanceNorm2d),
            ConvBlock(2 * WIDTH, 4 * WIDTH, 3, stride=2, norm=nn.InstanceNorm2d),
        )
        self.residuals = nn.Sequential(*(Residual(4 * WIDTH) for _ in range(RESIDUALS)))
        self.pyramid = Pyramid(4 * WIDTH)

    def forward(self, grey: torch.Tensor) -> torch.Tensor:
        """Encode grey pictures.

        Args:
            grey: `(N, 1, 256, 128) float32`, the mean of normalised R, G and B.

        Returns:
            `(N, 128, 64, 32) float32`.
        """
        return self.pyramid(self.residuals(self.stem(grey)))


def _branch(inputs: int, outputs: int, dilation: int) -> nn.Sequential:
    """A convolution that sees pixels `dilation` apart."""
    narrow = ConvBlock(inputs, outputs, 1, norm=nn.InstanceNorm2d)
    wide = ConvBlock(outputs, outputs, 3, dilation=dilation, norm=nn.InstanceNorm2d, rectified=False)
    return nn.Sequential(narrow, wide)
