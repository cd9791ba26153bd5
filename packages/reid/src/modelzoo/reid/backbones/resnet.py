"""ResNet (He et al., CVPR 2016) as the published weights need it: there is NO ReLU after the stem's normalisation.

The weights of a ResNet with that ReLU load all the same, and give other features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from modelzoo.reid.backbones.residual import WIDTHS, Backbone, MakeBlock, ResidualBlock, convolution


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions (ResNet-18 and 34).

    Args:
        inputs: Channels of the input.
        width: Channels of the convolutions, and of the output.
        stride: Stride of the first one.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__(inputs, width, stride)
        self.conv1 = convolution(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)

    def branch(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, width, H / stride, W / stride)`."""
        return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))


@dataclass(frozen=True)
class BottleneckForm:
    """How the bottlenecks of a family are widened, grouped and strided.

    Args:
        inner: Channels after the first and after the second convolution, in widths of the stage.
        groups: Groups of the 3x3 convolution.
        stride_first: Whether the first 1x1 convolution has the stride, as in Caffe, and not the 3x3.
        shortcut: Kernel size of the shortcuts' convolutions after the first stage.
    """

    inner: tuple[int, int] = (1, 1)
    groups: int = 1
    stride_first: bool = False
    shortcut: int = 1


RESNET = BottleneckForm()


class Bottleneck(ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions (ResNet-50, 101 and 152, and all other families).

    Args:
        inputs: Channels of the input.
        width: Width of the stage; the output has four times as many channels.
        stride: Stride of the block.
        form: That of the family.
    """

    def __init__(self, inputs: int, width: int, stride: int, form: BottleneckForm = RESNET) -> None:
        super().__init__(inputs, 4 * width, stride, form.shortcut if width != WIDTHS[0] else 1)
        first, second = (factor * width for factor in form.inner)
        strides = (stride, 1) if form.stride_first else (1, stride)
        self.conv1 = convolution(inputs, first, 1, strides[0])
        self.bn1 = nn.BatchNorm2d(first)
        self.conv2 = convolution(first, second, 3, strides[1], form.groups)
        self.bn2 = nn.BatchNorm2d(second)
        self.conv3 = convolution(second, self.outputs, 1)
        self.bn3 = nn.BatchNorm2d(self.outputs)

    def branch(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, 4 * width, H / stride, W / stride)`."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.bn3(self.conv3(x))


class ResNet(Backbone):
    """A 7x7 stem without a ReLU, and four stages.

    Args:
        make_block: `BasicBlock` or `Bottleneck`.
        depths: Blocks in each stage.
    """

    def __init__(self, make_block: MakeBlock, depths: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = convolution(3, WIDTHS[0], 7, 2)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.add_stages(WIDTHS[0], depths, make_block)

    def stem(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3, H, W)` to `(N, 64, H / 4, W / 4)`."""
        return self.maxpool(self.bn1(self.conv1(x)))
