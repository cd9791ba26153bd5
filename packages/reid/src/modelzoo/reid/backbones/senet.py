"""Squeeze-and-Excitation networks (Hu et al., CVPR 2018): SE-ResNet, SE-ResNeXt and SENet-154.

Their stems HAVE the ReLU, and their pooling is that of Caffe, where the ImageNet weights come from: no padding at the
start, and a last window that may reach over the border.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from modelzoo.reid.backbones.residual import WIDTHS, Backbone, convolution
from modelzoo.reid.backbones.resnet import Bottleneck, BottleneckForm

SE_RESNET = BottleneckForm(stride_first=True)
SE_RESNEXT = BottleneckForm(inner=(2, 2), groups=32)
SENET154 = BottleneckForm(inner=(2, 4), groups=64, shortcut=3)

REDUCTION = 16


class SqueezeExcitation(nn.Module):
    """Weigh each channel by what all of them hold on average.

    Args:
        channels: A multiple of 16.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, channels // REDUCTION, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(channels // REDUCTION, channels, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, channels, H, W)` to the same shape."""
        return x * self.sigmoid(self.fc2(self.relu(self.fc1(self.squeeze(x)))))


class SEBottleneck(Bottleneck):
    """A bottleneck whose branch ends with a squeeze-and-excitation.

    Args:
        inputs: Channels of the input.
        width: Width of the stage.
        stride: Stride of the block.
        form: That of the family.
    """

    def __init__(self, inputs: int, width: int, stride: int, form: BottleneckForm) -> None:
        super().__init__(inputs, width, stride, form)
        self.se_module = SqueezeExcitation(self.outputs)

    def branch(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, 4 * width, H / stride, W / stride)`."""
        return self.se_module(super().branch(x))


class SENet(Backbone):
    """A stem of a 7x7 or of several 3x3 convolutions, and four stages.

    Args:
        form: That of the blocks.
        depths: Blocks in each stage.
        kernels: Kernel size and outputs of each convolution of the stem; the first has stride 2.
    """

    def __init__(
        self,
        form: BottleneckForm,
        depths: Sequence[int],
        kernels: Sequence[tuple[int, int]] = ((7, WIDTHS[0]),),
    ) -> None:
        super().__init__()
        self.layer0 = nn.Sequential()
        channels = 3
        for i, (size, outputs) in enumerate(kernels, start=1):
            self.layer0.add_module(f"conv{i}", convolution(channels, outputs, size, stride=2 if i == 1 else 1))
            self.layer0.add_module(f"bn{i}", nn.BatchNorm2d(outputs))
            self.layer0.add_module(f"relu{i}", nn.ReLU(inplace=True))
            channels = outputs
        self.layer0.add_module("pool", nn.MaxPool2d(3, 2, ceil_mode=True))
        self.add_stages(channels, depths, partial(SEBottleneck, form=form))

    def stem(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3, H, W)` to `(N, channels of the stem, H / 4, W / 4)`."""
        return self.layer0(x)
