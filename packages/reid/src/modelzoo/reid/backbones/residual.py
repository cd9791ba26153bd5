"""What all backbones are made of: a stem, then four stages of residual blocks (He et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

WIDTHS = (64, 128, 256, 512)
"""Width of the blocks in each stage."""

STRIDES = (1, 2, 2, 1)
"""Stride of the first block of each stage; with 1 in place of 2 the last one keeps its resolution (CVPRW 2019)."""


def convolution(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution that keeps the resolution (at stride 1) and leaves the bias to the normalisation after it."""
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, groups=groups, bias=False)


class ResidualBlock(nn.Module):
    """A branch and its shortcut, added and rectified.

    Args:
        inputs: Channels of the input.
        outputs: Channels of the output.
        stride: Stride of the block.
        shortcut: Kernel size of the shortcut's convolution, where the block needs one.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, shortcut: int = 1) -> None:
        super().__init__()
        self.outputs = outputs
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(convolution(inputs, outputs, shortcut, stride), nn.BatchNorm2d(outputs))

    def branch(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, outputs, H / stride, W / stride)`."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, outputs, H / stride, W / stride)`."""
        return self.relu(self.branch(x) + (x if self.downsample is None else self.downsample(x)))


MakeBlock = Callable[[int, int, int], ResidualBlock]
"""From the channels of the input, the width of the stage and the stride to a block."""


class Backbone(nn.Module):
    """A stem and four stages; a subclass makes its stem, then the stages."""

    channels: int

    def add_stages(self, inputs: int, depths: Sequence[int], make_block: MakeBlock) -> None:
        """Make `layer1` to `layer4`, and set `channels`, of what the last one gives.

        Args:
            inputs: Channels of what the stem gives.
            depths: Blocks in each stage.
            make_block: The kind of block.
        """
        for i, (width, depth, stride) in enumerate(zip(WIDTHS, depths, STRIDES, strict=True), start=1):
            first = make_block(inputs, width, stride)
            inputs = first.outputs
            rest = [make_block(inputs, width, 1) for _ in range(depth - 1)]
            self.add_module(f"layer{i}", nn.Sequential(first, *rest))
        self.channels = inputs

    def stem(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3, H, W)` to `(N, inputs, H / 4, W / 4)`."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3, H, W)` to `(N, channels, H / 16, W / 16)`."""
        return self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
