"""The appearance encoder: clothes, shoes and other hints of identity, as a vector; it also re-identifies people."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import adaptive_max_pool2d, relu

STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 1))
"""Inner channels, blocks and stride of the stages of a ResNet-50; the last keeps the size of its map."""

EXPANSION = 4
"""A bottleneck gives so many times its inner channels."""

PARTS = 4
"""Horizontal stripes of a person, each with a vector of its own."""


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut (He et al., CVPR 2016).

    Args:
        inputs: Channels that come in.
        width: Channels inside.
        stride: Of the middle convolution and of the shortcut.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _projection(inputs, outputs, stride) if inputs != outputs else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, 4 width, H / stride, W / stride)`."""
        out = relu(self.bn1(self.conv1(x)))
        out = relu(self.bn2(self.conv2(out)))
        return relu(self.bn3(self.conv3(out)) + self.downsample(x))


class AppearanceEncoder(nn.Module):
    """Colour pictures into appearance codes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs = 64
        for number, (width, blocks, stride) in enumerate(STAGES, start=1):
            self.add_module(f"layer{number}", _stage(inputs, width, blocks, stride))
            inputs = width * EXPANSION

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Encode colour pictures.

        Args:
            image: `(N, 3, 256, 128) float32`, RGB, normalised.

        Returns:
            `(N, 8192) float32`: 2048 channels of 4 stripes each, `code[:, 4 * channel + stripe]`.
        """
        x = self.maxpool(relu(self.bn1(self.conv1(image))))
        for number in range(1, len(STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return adaptive_max_pool2d(x, (PARTS, 1)).flatten(1)


def _projection(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """The shortcut of a block that changes the shape."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    rest = (Bottleneck(width * EXPANSION, width, stride=1) for _ in range(blocks - 1))
    return nn.Sequential(Bottleneck(inputs, width, stride), *rest)
