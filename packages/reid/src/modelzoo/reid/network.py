"""The strong baseline in PyTorch (Luo et al., "Bag of Tricks and a Strong Baseline", CVPRW 2019), for its checkpoints.

Written from the paper and from the keys and behaviour of the published checkpoints (reid-strong-baseline, commit
3da7e6f0). Two things differ from the ResNet of He et al. 2015 and are easy to miss, because its weights load all the
same: there is NO ReLU after the stem's normalisation, and the last stage keeps its resolution (stride 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

STAGE_WIDTHS = (64, 128, 256, 512)


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


class ResidualBlock(nn.Module):
    """What both kinds of block share: the shortcut and the final ReLU."""

    expansion: int

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        outputs = width * self.expansion
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(_convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def join(self, x: torch.Tensor, branch: torch.Tensor) -> torch.Tensor:
        """Add a branch to the shortcut of `x`: both `(N, width * expansion, H / stride, W / stride)`."""
        return self.relu(branch + (x if self.downsample is None else self.downsample(x)))


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions (ResNet-18 and 34)."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__(inputs, width, stride)
        self.conv1 = _convolution(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to `(N, width, H / stride, W / stride)`."""
        branch = self.relu(self.bn1(self.conv1(x)))
        return self.join(x, self.bn2(self.conv2(branch)))


class Bottleneck(ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions (ResNet-50, 101 and 152)."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__(inputs, width, stride)
        self.conv1 = _convolution(inputs, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _convolution(width, width * self.expansion, 1)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to `(N, 4 * width, H / stride, W / stride)`."""
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.relu(self.bn2(self.conv2(branch)))
        return self.join(x, self.bn3(self.conv3(branch)))


@dataclass(frozen=True)
class Backbone:
    """A backbone by its blocks.

    Args:
        block: The kind of block.
        depths: Blocks in each of the four stages.
    """

    block: type[ResidualBlock]
    depths: Sequence[int]


BACKBONES = {
    "resnet18": Backbone(BasicBlock, (2, 2, 2, 2)),
    "resnet34": Backbone(BasicBlock, (3, 4, 6, 3)),
    "resnet50": Backbone(Bottleneck, (3, 4, 6, 3)),
    "resnet101": Backbone(Bottleneck, (3, 4, 23, 3)),
    "resnet152": Backbone(Bottleneck, (3, 8, 36, 3)),
}


class ResNet(nn.Module):
    """ResNet without the stem's ReLU and, by default, with stride 1 in the last stage.

    Args:
        backbone: Its blocks.
        last_stride: Stride of the last stage.
    """

    def __init__(self, backbone: Backbone, last_stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, STAGE_WIDTHS[0], 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(STAGE_WIDTHS[0])
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        channels = STAGE_WIDTHS[0]
        for i, (width, depth, stride) in enumerate(
            zip(STAGE_WIDTHS, backbone.depths, (1, 2, 2, last_stride), strict=True)
        ):
            blocks = [backbone.block(channels, width, stride)]
            channels = width * backbone.block.expansion
            blocks += [backbone.block(channels, width, 1) for _ in range(depth - 1)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
        self.channels = channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3, H, W)` to `(N, channels, H / 16, W / 16)`."""
        x = self.maxpool(self.bn1(self.conv1(x)))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class StrongBaseline(nn.Module):
    """Backbone, global average pooling and batch-normalisation neck.

    Args:
        backbone: A name in `BACKBONES`.
        neck_feat: `after` the neck (what the published accuracy was measured with) or `before` it.
        classes: Identities in the training set; the classifier is in the checkpoint but never used here.

    Raises:
        KeyError: There is no such backbone.
    """

    def __init__(self, backbone: str = "resnet50", neck_feat: str = "after", classes: int = 751) -> None:
        super().__init__()
        self.base = ResNet(BACKBONES[backbone])
        self.bottleneck = nn.BatchNorm1d(self.base.channels)
        self.classifier = nn.Linear(self.base.channels, classes, bias=False)
        self.neck_feat = neck_feat

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Features of images.

        Args:
            image: `(N, 3, 256, 128) float32`, RGB, normalised by the ImageNet mean and deviation.

        Returns:
            `(N, channels) float32`, not normalised to length 1.
        """
        pooled = nn.functional.adaptive_avg_pool2d(self.base(image), 1).flatten(1)
        return self.bottleneck(pooled) if self.neck_feat == "after" else pooled


class PixelInput(nn.Module):
    """A network that takes pixels: the normalisation is part of the graph.

    Args:
        network: What takes the normalised images.
        mean: Mean of each channel, 0..1.
        std: Standard deviation of each channel, 0..1.
    """

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Features of images.

        Args:
            image: `(N, 256, 128, 3) uint8`, RGB, 0..255.

        Returns:
            `(N, channels) float32`.
        """
        scaled = image.permute(0, 3, 1, 2).float() / 255
        return self.network((scaled - self.mean) / self.std)
