"""PoseC3D in PyTorch (Duan et al., "Revisiting Skeleton-based Action Recognition", CVPR 2022).

SlowOnly (Feichtenhofer et al., "SlowFast Networks", ICCV 2019) of three stages on stacks of heat maps, with a head that
averages over frames and pixels. Written from the papers and from the keys and behaviour of the published checkpoints
(mmaction2 0.24.1, commit 699e31a0).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool3d, relu

from modelzoo.posec3d.spec import Structure

EXPANSION = 4
"""A bottleneck gives so many times its inner channels."""


class Convolution(nn.Module):
    """A convolution over (frames, rows, columns) that keeps the size, divided by its stride, and its normalisation."""

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int, int], stride: tuple[int, int, int] = (1, 1, 1)
    ) -> None:
        super().__init__()
        frames, rows, columns = kernel
        padding = (frames // 2, rows // 2, columns // 2)
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm3d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(n, inputs, T, H, W)` to `(n, outputs, T, H, W)`, each size divided by the stride."""
        return self.bn(self.conv(x))


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut; the first block of a stage changes the shape.

    Args:
        inputs: Channels that come in.
        width: Channels inside.
        frames: Frames that its first convolution sees at once, 1 or 3.
        stride: Of the middle convolution and of the shortcut.
        first: Whether it is the first of its stage.
    """

    def __init__(self, inputs: int, width: int, frames: int, stride: tuple[int, int, int], first: bool) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = Convolution(inputs, width, (frames, 1, 1))
        self.conv2 = Convolution(width, width, (1, 3, 3), stride)
        self.conv3 = Convolution(width, outputs, (1, 1, 1))
        self.downsample = Convolution(inputs, outputs, (1, 1, 1), stride) if first else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(n, inputs, T, H, W)` to `(n, 4 width, T, H, W)`, each size divided by the stride."""
        out = relu(self.conv1(x))
        out = relu(self.conv2(out))
        return relu(self.conv3(out) + self.downsample(x))


class SlowOnly(nn.Module):
    """The backbone: a stem and a stage that see every frame alone, and two stages that see three frames at once.

    Args:
        structure: Channels and blocks.
    """

    def __init__(self, structure: Structure) -> None:
        super().__init__()
        width = structure.width
        first, second, third = structure.blocks
        self.conv1 = Convolution(structure.joints, width, (1, 7, 7))
        self.maxpool = nn.MaxPool3d((1, 3, 3), stride=1, padding=(0, 1, 1))
        self.layer1 = _stage(width, width, first, frames=1, stride=(1, 2, 2))
        self.layer2 = _stage(width * EXPANSION, 2 * width, second, frames=3, stride=(1, 2, 2))
        self.layer3 = _stage(2 * width * EXPANSION, 4 * width, third, frames=3, stride=(2, 2, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(n, joints, 48, 56, 56)` to `(n, 16 width, 24, 7, 7)`."""
        return self.over_frames(self.of_frames(x))

    def of_frames(self, x: torch.Tensor) -> torch.Tensor:
        """What sees every frame alone: `(n, joints, T, 56, 56)` to `(n, 4 width, T, 28, 28)`."""
        return self.layer1(self.maxpool(relu(self.conv1(x))))

    def over_frames(self, x: torch.Tensor) -> torch.Tensor:
        """What sees the frames of a clip together: `(n, 4 width, 48, 28, 28)` to `(n, 16 width, 24, 7, 7)`."""
        return self.layer3(self.layer2(x))


class Head(nn.Module):
    """A score for every class from the mean over frames, rows and columns; published with dropout, for training."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.fc_cls = nn.Linear(inputs, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(n, inputs, T, H, W)` to `(n, classes)`."""
        return self.fc_cls(adaptive_avg_pool3d(x, 1).flatten(1))


class PoseC3D(nn.Module):
    """Clips of heat maps into scores of actions.

    Args:
        structure: Channels, blocks and classes.
    """

    def __init__(self, structure: Structure = Structure()) -> None:  # noqa: B008 (frozen)
        super().__init__()
        self.structure = structure
        self.backbone = SlowOnly(structure)
        self.cls_head = Head(4 * structure.width * EXPANSION, structure.classes)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Scores of clips.

        Args:
            clips: `(n, joints, 48, 56, 56) float32`, a heat map of every joint in every frame, 0..1.

        Returns:
            `(n, classes) float32`, before the softmax.
        """
        return self.cls_head(self.backbone(clips))


def _stage(inputs: int, width: int, blocks: int, frames: int, stride: tuple[int, int, int]) -> nn.Sequential:
    rest = (Bottleneck(width * EXPANSION, width, frames, (1, 1, 1), first=False) for _ in range(blocks - 1))
    return nn.Sequential(Bottleneck(inputs, width, frames, stride, first=True), *rest)
