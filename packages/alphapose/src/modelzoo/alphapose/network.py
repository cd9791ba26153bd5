"""FastPose in PyTorch (Fang et al., "AlphaPose", TPAMI 2022), for its published checkpoints.

A residual network with squeeze and excitation (Hu et al., CVPR 2018) and dense upsampling convolutions (Wang et al.,
"Understanding Convolution for Semantic Segmentation", WACV 2018). Written from the papers and from the keys and
behaviour of the published checkpoints (AlphaPose, commit ddaf4b99).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, relu

from modelzoo.alphapose.spec import Structure

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Bottlenecks of each of the four stages, by the number of layers."""

WIDTHS = (64, 128, 256, 512)
"""Inner channels of the bottlenecks of each stage."""

EXPANSION = 4
"""A bottleneck gives so many times its inner channels."""


class Excitation(nn.Module):
    """Weighs every channel by what all channels hold on average; published without the usual reduction in between."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, channels), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to the same shape."""
        return x * self.fc(adaptive_avg_pool2d(x, 1).flatten(1))[:, :, None, None]


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut; the first block of a stage changes the shape, and it alone is excited.

    Args:
        inputs: Channels that come in.
        width: Channels inside.
        stride: Of the middle convolution and of the shortcut.
        first: Whether it is the first of its stage.
    """

    def __init__(self, inputs: int, width: int, stride: int, first: bool) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.se = Excitation(outputs) if first else nn.Identity()
        self.downsample = _projection(inputs, outputs, stride) if first else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, 4 width, H / stride, W / stride)`."""
        out = relu(self.bn1(self.conv1(x)))
        out = relu(self.bn2(self.conv2(out)))
        out = self.se(self.bn3(self.conv3(out)))
        return relu(out + self.downsample(x))


class SEResNet(nn.Module):
    """The backbone: a stem and four stages of bottlenecks.

    Args:
        layers: Its depth, a key of `BLOCKS`.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        first, second, third, fourth = BLOCKS[layers]
        self.layer1 = _stage(64, WIDTHS[0], first, stride=1)
        self.layer2 = _stage(WIDTHS[0] * EXPANSION, WIDTHS[1], second, stride=2)
        self.layer3 = _stage(WIDTHS[1] * EXPANSION, WIDTHS[2], third, stride=2)
        self.layer4 = _stage(WIDTHS[2] * EXPANSION, WIDTHS[3], fourth, stride=2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3, H, W)` to `(N, 2048, H / 32, W / 32)`."""
        x = self.maxpool(relu(self.bn1(self.conv1(image))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class Upsampling(nn.Module):
    """A convolution whose channels, four at a time, become pixels of a map of twice the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, 4 * outputs, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4 * outputs)
        self.pixel_shuffle = nn.PixelShuffle(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, outputs, 2 H, 2 W)`."""
        return self.pixel_shuffle(relu(self.bn(self.conv(x))))


class FastPose(nn.Module):
    """Crops of people into heat maps of their joints.

    Args:
        structure: Depth, joints and width of the head.

    Raises:
        KeyError: There is no backbone of this depth.
    """

    def __init__(self, structure: Structure = Structure()) -> None:  # noqa: B008 (frozen)
        super().__init__()
        self.structure = structure
        self.preact = SEResNet(structure.layers)
        self.shuffle = nn.PixelShuffle(2)
        self.duc1 = Upsampling(WIDTHS[-1], 256)
        self.duc2 = Upsampling(256, structure.conv_dim)
        self.conv_out = nn.Conv2d(structure.conv_dim, structure.joints, 3, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Heat maps of crops.

        Args:
            image: `(N, 3, 256, 192) float32`, RGB, 0..1 minus the means.

        Returns:
            `(N, joints, 64, 48) float32`, about 0..1 where a joint is likely.
        """
        return self.conv_out(self.duc2(self.duc1(self.shuffle(self.preact(image)))))


def _projection(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """The shortcut of a block that changes the shape."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _stage(inputs: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    rest = (Bottleneck(width * EXPANSION, width, stride=1, first=False) for _ in range(blocks - 1))
    return nn.Sequential(Bottleneck(inputs, width, stride, first=True), *rest)
