"""The pieces of the structure encoder and the decoder."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

SLOPE = 0.2
"""Of the leaky rectifiers."""


class ConvBlock(nn.Module):
    """A convolution of a picture that is mirrored at its borders, then a normalisation and a leaky rectifier.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: Width of the kernel.
        stride: Of the convolution.
        dilation: Of the kernel.
        norm: Makes the normalisation of so many channels; None for none.
        rectified: Whether the leaky rectifier is there.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        dilation: int = 1,
        norm: Callable[[int], nn.Module] | None = None,
        rectified: bool = True,
    ) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.pad = nn.ReflectionPad2d(padding) if padding else nn.Identity()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, dilation=dilation)
        self.norm = norm(outputs) if norm else nn.Identity()
        self.activation = nn.LeakyReLU(SLOPE) if rectified else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, outputs, H / stride, W / stride)`."""
        return self.activation(self.norm(self.conv(self.pad(x))))


class LayerNorm(nn.Module):
    """Every sample to mean 0 and deviation 1, then a scale and a shift for every channel.

    The deviation is the published network's: over n - 1, with epsilon added to it and not to the variance. The guide's
    conversion divides by n instead, which in double precision moves a picture by 2e-6 of its range of about 8.

    It is written as a power and a mean, which ATC can be told to compute in single precision.
    """

    EPSILON = 1e-5

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to the same shape."""
        numbers = x.shape[1] * x.shape[2] * x.shape[3]
        centred = x - x.mean((1, 2, 3), keepdim=True)
        variance = centred.pow(2).mean((1, 2, 3), keepdim=True) * (numbers / (numbers - 1))
        scaled = centred / (variance.sqrt() + self.EPSILON)
        return scaled * self.gamma[:, None, None] + self.beta[:, None, None]


class Residual(nn.Module):
    """Two convolutions beside a shortcut.

    Args:
        channels: That come in and go out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        first = ConvBlock(channels, channels, 3, norm=nn.InstanceNorm2d)
        self.model = nn.Sequential(first, ConvBlock(channels, channels, 3, norm=nn.InstanceNorm2d, rectified=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to the same shape."""
        return self.model(x) + x


class StyledConv(nn.Module):
    """A convolution whose result takes a deviation and a mean from outside (AdaIN, Huang and Belongie, ICCV 2017).

    Args:
        channels: That come in and go out.
        rectified: Whether the leaky rectifier is there.
    """

    def __init__(self, channels: int, rectified: bool) -> None:
        super().__init__()
        self.pad = nn.ReflectionPad2d(1)
        self.conv = nn.Conv2d(channels, channels, 3)
        self.norm = nn.InstanceNorm2d(channels)
        self.activation = nn.LeakyReLU(SLOPE) if rectified else nn.Identity()

    def forward(self, x: torch.Tensor, deviation: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to the same shape.

        Args:
            x: The features.
            deviation: `(N, C, 1, 1)`, what they are multiplied by.
            mean: `(N, C, 1, 1)`, what is added.
        """
        return self.activation(self.norm(self.conv(self.pad(x))) * deviation + mean)


class StyledResidual(nn.Module):
    """Two styled convolutions beside a shortcut.

    Args:
        channels: That come in and go out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.ModuleList([StyledConv(channels, rectified=True), StyledConv(channels, rectified=False)])

    def forward(
        self, x: torch.Tensor, deviations: tuple[torch.Tensor, ...], means: tuple[torch.Tensor, ...]
    ) -> torch.Tensor:
        """Map `(N, C, H, W)` to the same shape; deviations and means are those of each convolution, `(N, C, 1, 1)`."""
        styled = x
        for layer, deviation, mean in zip(self.model, deviations, means, strict=True):
            styled = layer(styled, deviation, mean)
        return styled + x
