"""YOLOv3 with spatial pyramid pooling in PyTorch, for its published darknet weights.

Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018); the pyramid is that of He et al., "Spatial Pyramid
Pooling in Deep Convolutional Networks" (ECCV 2014), as darknet's yolov3-spp.cfg places it. Every convolution is made in
the order of the file of weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import interpolate, max_pool2d

STAGES = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))
"""Channels and residual blocks of each stage of the backbone, Darknet-53; each halves the picture."""

CLASSES = 80
"""Classes of COCO; the first is a person."""

ANCHORS = {
    32: ((116, 90), (156, 198), (373, 326)),
    16: ((30, 61), (62, 45), (59, 119)),
    8: ((10, 13), (16, 30), (33, 23)),
}
"""Width and height in pixels that the boxes of each scale start from, by the pixels between its cells."""

POOLS = (13, 9, 5)
"""Windows of the pyramid."""

SLOPE = 0.1
"""Of the activation below zero."""

BELOW_ALL = -3.4e38
"""Nothing in a picture is below it."""


class ConvolutionBlock(nn.Module):
    """A convolution, batch normalisation and a leaky rectifier.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: Height and width of the window.
        stride: Pixels between two windows.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.LeakyReLU(SLOPE)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, outputs, H / stride, W / stride)`."""
        return self.activation(self.norm(self.conv(x)))


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.narrow = ConvolutionBlock(channels, channels // 2, 1)
        self.wide = ConvolutionBlock(channels // 2, channels, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, channels, H, W)` to the same shape."""
        return x + self.wide(self.narrow(x))


class SpatialPyramid(nn.Module):
    """The largest values around every pixel, in windows of three sizes, beside the values themselves.

    The published network pads with zeros and not with nothing, so that at the border, where a window reaches out of the
    picture, no value is below zero. ONNX Runtime's Pad_Fusion turns a padding with zeros into one with nothing
    (onnxruntime pull request 18136), hence the constant mask.

    Args:
        size: Height and width of what comes in.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        for window in POOLS:
            self.register_buffer(f"border{window}", border_of(size, window), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, size, size)` to `(N, 4 C, size, size)`."""
        pooled = [max_pool2d(x, window, stride=1, padding=window // 2) for window in POOLS]
        borders = [self.get_buffer(f"border{window}") for window in POOLS]
        return torch.cat([*map(torch.maximum, pooled, borders), x], 1)


class Scale(nn.Module):
    """The convolutions of one scale: features for the next one, and boxes.

    Args:
        inputs: Channels that come in.
        width: Channels of the features.
        stride: Pixels of the picture between two cells.
        size: Height and width of the picture.
        pyramid: Whether features are pooled on the way.
    """

    def __init__(self, inputs: int, width: int, stride: int, size: int, pyramid: bool = False) -> None:
        super().__init__()
        twice = 2 * width
        self.features = nn.Sequential(
            ConvolutionBlock(inputs, width, 1), ConvolutionBlock(width, twice, 3), ConvolutionBlock(twice, width, 1)
        )
        middle = [SpatialPyramid(size // stride), ConvolutionBlock(4 * width, width, 1)] if pyramid else []
        self.features.extend([*middle, ConvolutionBlock(width, twice, 3), ConvolutionBlock(twice, width, 1)])
        self.boxes = nn.Sequential(
            ConvolutionBlock(width, twice, 3), nn.Conv2d(twice, len(ANCHORS[stride]) * (5 + CLASSES), 1)
        )
        self.decode = Decode(stride, size)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map `(N, inputs, G, G)` to features `(N, width, G, G)` and rows `(N, 3 G G, 85)`."""
        features = self.features(x)
        return features, self.decode(self.boxes(features))


class Decode(nn.Module):
    """What the convolutions say of every cell and anchor, as boxes in pixels of the picture."""

    def __init__(self, stride: int, size: int) -> None:
        super().__init__()
        self.stride, self.cells = stride, size // stride
        y, x = torch.meshgrid(torch.arange(self.cells), torch.arange(self.cells), indexing="ij")
        self.register_buffer("cell", torch.stack((x, y), 2).float().unsqueeze(2), persistent=False)
        self.register_buffer("anchor", torch.tensor(ANCHORS[stride], dtype=torch.float32), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3 85, G, G)` to `(N, 3 G G, 85)`: cell by cell, in each its anchors."""
        x = x.reshape(-1, len(self.anchor), 5 + CLASSES, self.cells, self.cells).permute(0, 3, 4, 1, 2)
        centre = (x[..., :2].sigmoid() + self.cell) * self.stride
        size = x[..., 2:4].exp() * self.anchor
        rows = torch.cat((centre, size, x[..., 4:].sigmoid()), -1)
        return rows.reshape(-1, self.cells * self.cells * len(self.anchor), 5 + CLASSES)


class Narrowed(nn.Module):
    """Features of a coarse scale, beside those of the backbone that are twice as fine."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv = ConvolutionBlock(inputs, inputs // 2, 1)

    def forward(self, coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
        """Join `(N, inputs, G, G)` and `(N, C, 2 G, 2 G)` to `(N, inputs / 2 + C, 2 G, 2 G)`."""
        return torch.cat((interpolate(self.conv(coarse), scale_factor=2, mode="nearest"), fine), 1)


class YoloV3Spp(nn.Module):
    """Letterboxed pictures into rows of boxes.

    Args:
        size: Height and width of a picture; a multiple of 32.
        stages: Channels and residual blocks of the backbone's stages.
    """

    def __init__(self, size: int, stages: Sequence[tuple[int, int]] = STAGES) -> None:
        super().__init__()
        first = stages[0][0] // 2
        self.stem = ConvolutionBlock(3, first, 3)
        widths = [first, *(width for width, _ in stages)]
        self.stages = nn.ModuleList(
            nn.Sequential(ConvolutionBlock(inputs, width, 3, stride=2), *(Residual(width) for _ in range(blocks)))
            for inputs, (width, blocks) in zip(widths, stages, strict=False)
        )
        fine, middle, coarse = widths[-3:]
        self.coarse = Scale(coarse, coarse // 2, 32, size, pyramid=True)
        self.to_middle = Narrowed(coarse // 2)
        self.middle = Scale(coarse // 4 + middle, middle // 2, 16, size)
        self.to_fine = Narrowed(middle // 2)
        self.fine = Scale(middle // 4 + fine, fine // 2, 8, size)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Boxes of pictures.

        Args:
            image: `(N, 3, size, size) float32`, RGB, 0..1.

        Returns:
            `(N, rows, 85) float32`: centre x and y, width and height in pixels of `image`, objectness 0..1, and the
            score 0..1 of every class; the coarse scale first.
        """
        maps = [self.stem(image)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        features, coarse = self.coarse(maps[-1])
        features, middle = self.middle(self.to_middle(features, maps[-2]))
        _, fine = self.fine(self.to_fine(features, maps[-3]))
        return torch.cat((coarse, middle, fine), 1)


def border_of(size: int, window: int) -> torch.Tensor:
    """The lowest value that a maximum over windows can have when what lies outside the picture is zero.

    Args:
        size: Height and width of the picture.
        window: Height and width of a window, odd.

    Returns:
        `(1, 1, size, size) float32`: 0 where the window around a pixel reaches outside, far below all else.
    """
    border = torch.zeros(1, 1, size, size)
    reach = window // 2
    border[..., reach : size - reach, reach : size - reach] = BELOW_ALL
    return border
