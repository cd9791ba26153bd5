"""The Inception network of TensorFlow's graph of 2015-12-05, whose features FID compares, by the keys of its weights.

Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, figures 5, 6, 7 and 10, with the
pooling that this one graph has: averages leave out the border, and the last block takes the maximum instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

SIZE = 299
"""Height and width of what the convolutions take."""

CLASSES = 1008
"""What the classifier tells apart; the features come from before it."""


class Conv(NamedTuple):
    """A convolution: output channels, height and width of the kernel, stride, and whether the border is padded."""

    channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True


Path = Sequence[Conv | tuple[Conv, Conv]]
"""Convolutions in a row; where there are two in one place, both take what came before, and give their channels."""


class Unit(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, conv: Conv) -> None:
        super().__init__()
        padding = tuple(length // 2 for length in conv.kernel) if conv.padded else (0, 0)
        self.conv = nn.Conv2d(inputs, conv.channels, conv.kernel, conv.stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(conv.channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, H, W)` to `(N, channels, H', W')`."""
        return torch.relu(self.bn(self.conv(x)))


class Mixed(nn.Module):
    """Paths side by side, their channels one after the other, and those of a pool last.

    Args:
        inputs: Channels of the input.
        paths: Each by the name that its keys begin with.
        pool: The pool.
        projected: Channels to which a convolution brings what is pooled; None for no convolution.
    """

    def __init__(self, inputs: int, paths: Mapping[str, Path], pool: nn.Module, projected: int | None = None) -> None:
        super().__init__()
        self._paths = [self._add_path(inputs, name, path) for name, path in paths.items()]
        self._pool = pool
        if projected:
            self.branch_pool = Unit(inputs, Conv(projected))
        self._projects = bool(projected)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, inputs, H, W)` to `(N, channels, H', W')`."""
        outputs = []
        for steps in self._paths:
            parts = [x]
            for names in steps:
                parts = [self.get_submodule(name)(parts[0]) for name in names]
            outputs += parts
        pooled = self._pool(x)
        outputs.append(self.branch_pool(pooled) if self._projects else pooled)
        return torch.cat(outputs, dim=1)

    def _add_path(self, inputs: int, prefix: str, path: Path) -> list[list[str]]:
        """Add the units of a path; return their names, step by step."""
        steps = []
        for number, step in enumerate(path, start=1):
            place = prefix if len(path) == 1 else f"{prefix}_{number}"
            convs = {place: step} if isinstance(step, Conv) else {place + "a": step[0], place + "b": step[1]}
            for name, conv in convs.items():
                self.add_module(name, Unit(inputs, conv))
                inputs_next = conv.channels
            inputs = inputs_next
            steps.append(list(convs))
        return steps


def average_pool() -> nn.Module:
    """The mean of 3 x 3; at the border, of those that are there."""
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def figure5(inputs: int, projected: int) -> Mixed:
    """A block of figure 5, 35 x 35."""
    paths = {
        "branch1x1": [Conv(64)],
        "branch5x5": [Conv(48), Conv(64, (5, 5))],
        "branch3x3dbl": [Conv(64), Conv(96, (3, 3)), Conv(96, (3, 3))],
    }
    return Mixed(inputs, paths, average_pool(), projected)


def figure6(inputs: int, width: int) -> Mixed:
    """A block of figure 6, 17 x 17, with 7 x 7 as 1 x 7 and 7 x 1."""
    row, column = (1, 7), (7, 1)
    paths = {
        "branch1x1": [Conv(192)],
        "branch7x7": [Conv(width), Conv(width, row), Conv(192, column)],
        "branch7x7dbl": [Conv(width), Conv(width, column), Conv(width, row), Conv(width, column), Conv(192, row)],
    }
    return Mixed(inputs, paths, average_pool(), 192)


def figure7(inputs: int, pool: nn.Module) -> Mixed:
    """A block of figure 7, 8 x 8, whose paths end in two."""
    ends = (Conv(384, (1, 3)), Conv(384, (3, 1)))
    paths: dict[str, Path] = {
        "branch1x1": [Conv(320)],
        "branch3x3": [Conv(384), ends],
        "branch3x3dbl": [Conv(448), Conv(384, (3, 3)), ends],
    }
    return Mixed(inputs, paths, pool, 192)


def reduction35() -> Mixed:
    """From 35 x 35 to 17 x 17, figure 10."""
    halving = Conv(384, (3, 3), stride=2, padded=False)
    paths = {"branch3x3": [halving], "branch3x3dbl": [Conv(64), Conv(96, (3, 3)), halving._replace(channels=96)]}
    return Mixed(288, paths, nn.MaxPool2d(3, stride=2))


def reduction17() -> Mixed:
    """From 17 x 17 to 8 x 8."""
    halving = Conv(320, (3, 3), stride=2, padded=False)
    seven = [Conv(192), Conv(192, (1, 7)), Conv(192, (7, 1)), halving._replace(channels=192)]
    return Mixed(768, {"branch3x3": [Conv(192), halving], "branch7x7x3": seven}, nn.MaxPool2d(3, stride=2))


class Inception(nn.Module):
    """Pictures to features; the module names are those of the published weights."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(3, Conv(32, (3, 3), stride=2, padded=False))
        self.Conv2d_2a_3x3 = Unit(32, Conv(32, (3, 3), padded=False))
        self.Conv2d_2b_3x3 = Unit(32, Conv(64, (3, 3)))
        self.Conv2d_3b_1x1 = Unit(64, Conv(80))
        self.Conv2d_4a_3x3 = Unit(80, Conv(192, (3, 3), padded=False))
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = figure5(192, 32), figure5(256, 64), figure5(288, 64)
        self.Mixed_6a = reduction35()
        self.Mixed_6b, self.Mixed_6c = figure6(768, 128), figure6(768, 160)
        self.Mixed_6d, self.Mixed_6e = figure6(768, 160), figure6(768, 192)
        self.Mixed_7a = reduction17()
        self.Mixed_7b = figure7(1280, average_pool())
        self.Mixed_7c = figure7(2048, nn.MaxPool2d(3, stride=1, padding=1))
        self.fc = nn.Linear(2048, CLASSES)
        self._halve = nn.MaxPool2d(3, stride=2)

    def forward(self, image: Tensor) -> Tensor:
        """Compute features.

        Args:
            image: `(N, 3, H, W)`, RGB, 0..255.

        Returns:
            `(N, 2048)`, from 0: the layer `pool_3` of TensorFlow's graph.
        """
        x = (resize(image) - 128) / 128
        x = self._halve(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = self._halve(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return x.mean(dim=(2, 3))


def resize(image: Tensor) -> Tensor:
    """Resize to 299 x 299 as the graph does: ResizeBilinear of TensorFlow 1, which does not align pixel centres.

    Written as two products of matrices: ONNX Runtime's Resize (asymmetric, linear) rounds the positions otherwise, and
    comes out 100 times farther from TensorFlow's values.

    Args:
        image: `(N, 3, H, W)`.

    Returns:
        `(N, 3, 299, 299)`.
    """
    rows, columns = (interpolation(image.shape[axis], image.dtype) for axis in (2, 3))
    return rows @ image @ columns.T


def interpolation(length: int, dtype: torch.dtype) -> Tensor:
    """The weights of `length` pixels in each of 299: pixel `i` lies at `i * length / 299`, between two, or on the last.

    Returns:
        `(299, length)`, 0..1.
    """
    places = (torch.arange(SIZE, dtype=dtype) * (length / SIZE)).clamp(max=length - 1)
    distances = (places[:, None] - torch.arange(length, dtype=dtype)).abs()
    return (1 - distances).clamp(min=0)
