"""IBN-Net-a (Pan et al., ECCV 2018): instance and batch normalisation side by side in the first three stages."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from modelzoo.reid.backbones.residual import WIDTHS
from modelzoo.reid.backbones.resnet import Bottleneck, ResNet

IMAGENET_CLASSES = 1000


class InstanceBatchNorm(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the second.

    Args:
        channels: An even number.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.half = channels // 2
        self.IN = nn.InstanceNorm2d(self.half, affine=True)
        self.BN = nn.BatchNorm2d(self.half)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, channels, H, W)` to the same shape."""
        return torch.cat((self.IN(x[:, : self.half]), self.BN(x[:, self.half :])), 1)


class IBNBottleneck(Bottleneck):
    """A bottleneck whose first normalisation is mixed, but for the last stage.

    Args:
        inputs: Channels of the input.
        width: Width of the stage.
        stride: Stride of the block.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__(inputs, width, stride)
        if width != WIDTHS[-1]:
            self.bn1 = InstanceBatchNorm(width)


class IBNResNet(ResNet):
    """ResNet of such blocks. Its stem HAS the ReLU; a classifier of ImageNet is in its checkpoints and never used.

    Args:
        depths: Blocks in each stage.
    """

    def __init__(self, depths: Sequence[int]) -> None:
        super().__init__(IBNBottleneck, depths)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(self.channels, IMAGENET_CLASSES)

    def stem(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3, H, W)` to `(N, 64, H / 4, W / 4)`."""
        return self.maxpool(self.relu(self.bn1(self.conv1(x))))
