"""GaitSet in PyTorch (Chao et al., "GaitSet: Regarding Gait as a Set", AAAI 2019), for its two published checkpoints.

Written from the paper and from the keys and behaviour of the published checkpoints (GaitSet, commit 14ee4e67). Two
things keep the exported graph small and fast: frames come before the batch, so that the maximum over the frames reads
memory in order, and every size but that of the batch is a number when the graph is traced.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, leaky_relu, max_pool2d

from modelzoo.gaitset.spec import FRAMES, HEIGHT, WIDTH

STRIP_HEIGHTS = (16, 8, 4, 2, 1)
"""Rows of a strip of the last maps, 16 rows high, at each level of the pyramid: 1, 2, 4, 8 and 16 strips."""

STRIPS = 31
"""Strips of all levels of one map."""

FEATURES = 256
"""Length of the feature of a strip."""


class Layer(nn.Module):
    """A convolution that keeps the size, without bias, and a leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, inputs, H, W)` to `(N, outputs, H, W)`."""
        return leaky_relu(self.conv(x))


class FrameLayer(nn.Module):
    """A layer that sees every frame alone; the published keys have one more part here."""

    def __init__(self, inputs: int, outputs: int, size: int = 3) -> None:
        super().__init__()
        self.forward_block = Layer(inputs, outputs, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(frames * N, inputs, H, W)` to `(frames * N, outputs, H, W)`."""
        return self.forward_block(x)


class SetPooling:
    """The maximum over the frames of each sequence.

    Args:
        frames: How many frames every sequence has.
        padded: Whether a sequence stands for its zero-padded form where it has fewer than `FRAMES` frames. Without
            biases a zero frame is 0 in every layer, so that all it does is to keep the maximum from being negative.
    """

    def __init__(self, frames: int | torch.Tensor, padded: bool) -> None:
        self.frames = frames
        # Decided by tensors, so that a traced graph decides it anew for every length.
        self.floor = torch.where(torch.as_tensor(frames) < FRAMES, 0.0, -math.inf) if padded else None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(frames * N, C, H, W)` to `(N, C, H, W)`."""
        strongest = x.reshape(self.frames, -1, *_sizes(x)[1:]).amax(0)
        return strongest if self.floor is None else torch.maximum(strongest, self.floor)


class SetNetwork(nn.Module):
    """What both published networks share: maps of the set of frames, and of the whole of all its levels.

    Args:
        widths: Channels of the three stages.
        frames: The frame count that a traced graph is made for; None leaves it free.
        padded: Whether a sequence, where the count is free, stands for its first `FRAMES` frames, zero-padded.
    """

    def __init__(self, widths: tuple[int, int, int], frames: int | None = None, padded: bool = False) -> None:
        super().__init__()
        first, second, third = widths
        self.set_layer1 = FrameLayer(1, first, size=5)
        self.set_layer2 = FrameLayer(first, first)
        self.set_layer3 = FrameLayer(first, second)
        self.set_layer4 = FrameLayer(second, second)
        self.set_layer5 = FrameLayer(second, third)
        self.set_layer6 = FrameLayer(third, third)
        self.gl_layer1 = Layer(first, second)
        self.gl_layer2 = Layer(second, second)
        self.gl_layer3 = Layer(second, third)
        self.gl_layer4 = Layer(third, third)
        self.frames = frames
        self.padded = padded and frames is None

    def maps(self, image_seq: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The last maps of both branches.

        Args:
            image_seq: `(N, frames, 64, 44) float32`, silhouettes, 0..1.

        Returns:
            The set's and the global branch's, `(N, third width, 16, 11) float32` each.
        """
        if self.padded:
            image_seq = image_seq[:, :FRAMES]
        pool = SetPooling(self.frames or image_seq.shape[1], self.padded)
        x = image_seq.transpose(0, 1).reshape(-1, 1, HEIGHT, WIDTH)
        x = max_pool2d(self.set_layer2(self.set_layer1(x)), 2)
        whole = max_pool2d(self.gl_layer2(self.gl_layer1(pool(x))), 2)
        x = max_pool2d(self.set_layer4(self.set_layer3(x)), 2)
        whole = self.gl_layer4(self.gl_layer3(whole + pool(x)))
        x = pool(self.set_layer6(self.set_layer5(x)))
        return x, whole + x


class CasiaB(SetNetwork):
    """The network of CASIA-B, which the guide is about; arguments as `SetNetwork` without the widths."""

    def __init__(self, frames: int | None = None, padded: bool = False) -> None:
        super().__init__((32, 64, 128), frames, padded)
        self.fc_bin = strip_weights(2 * STRIPS, 128)

    def forward(self, image_seq: torch.Tensor) -> torch.Tensor:
        """Features of sequences.

        Args:
            image_seq: `(N, frames, 64, 44) float32`, silhouettes, 0..1.

        Returns:
            `(N, 62, 256) float32`; at each level the strips of the set's map, then those of the global one.
        """
        return map_strips(torch.cat(self.maps(image_seq), dim=2), self.fc_bin[0])


class Oumvlp(SetNetwork):
    """The network of OU-MVLP: twice as wide, with a pyramid for each branch; arguments as `CasiaB`."""

    def __init__(self, frames: int | None = None, padded: bool = False) -> None:
        super().__init__((64, 128, 256), frames, padded)
        self.gl_hpm = Pyramid(256)
        self.x_hpm = Pyramid(256)

    def forward(self, image_seq: torch.Tensor) -> torch.Tensor:
        """Features of sequences.

        Args:
            image_seq: `(N, frames, 64, 44) float32`, silhouettes, 0..1; the published code takes 0..255.

        Returns:
            `(N, 62, 256) float32`; all strips of the global map, then all of the set's.
        """
        of_set, of_whole = self.maps(image_seq)
        return torch.cat([self.gl_hpm(of_whole), self.x_hpm(of_set)], dim=1)


class Pyramid(nn.Module):
    """Horizontal pyramid mapping of one map, with weights of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc_bin = strip_weights(STRIPS, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, channels, 16, 11)` to `(N, 31, 256)`."""
        return map_strips(x, self.fc_bin[0])


def strip_weights(strips: int, channels: int) -> nn.ParameterList:
    """A matrix for every strip, `(strips, channels, 256)`, as a list of one, which is how it was published."""
    return nn.ParameterList([nn.Parameter(nn.init.xavier_uniform_(torch.empty(strips, channels, FEATURES)))])


def map_strips(x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Horizontal pyramid mapping: mean plus maximum of every strip, times the strip's own matrix.

    Args:
        x: `(N, C, 16 k, 11) float32`, k maps on top of each other.
        weights: `(31 k, C, 256) float32`.

    Returns:
        `(N, 31 k, 256) float32`, from the highest strips to the lowest ones, each level from top to bottom.
    """
    kernels = [(height, _sizes(x)[3]) for height in STRIP_HEIGHTS]
    levels = [avg_pool2d(x, kernel) + max_pool2d(x, kernel) for kernel in kernels]
    strips, channels, _ = weights.shape
    columns = torch.cat(levels, dim=2).reshape(-1, channels, strips).permute(2, 0, 1)
    return columns.matmul(weights).permute(1, 0, 2)


class PixelInput(nn.Module):
    """A network that takes pixels: the scaling is part of the graph.

    Args:
        network: What takes silhouettes of 0..1.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image_seq: torch.Tensor) -> torch.Tensor:
        """Features of sequences.

        Args:
            image_seq: `(N, frames, 64, 44) uint8`, silhouettes, 0..255.

        Returns:
            `(N, 62, 256) float32`.
        """
        return self.network(image_seq.float() / 255)


def _sizes(x: torch.Tensor) -> list[int]:
    """The sizes as numbers: what a traced graph would look up at run time becomes a constant."""
    return [int(size) for size in x.shape]
