"""Mirrored borders without ONNX's Pad, whose mode `reflect` some CANN releases refuse."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn


class GatheredPadding(nn.Module):
    """Mirrored borders as two look-ups, of rows and of columns.

    Args:
        width: Pixels on each side.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to `(N, C, H + 2 width, W + 2 width)`."""
        for axis in (2, 3):
            places = np.pad(np.arange(x.shape[axis]), self.width, mode="reflect")
            x = x.index_select(axis, torch.from_numpy(places))
        return x


def with_padding(network: nn.Module, padding: type[nn.Module]) -> nn.Module:
    """A copy of a network with another way to mirror borders.

    Args:
        network: Has `ReflectionPad2d` of one width on all sides.
        padding: Takes that width.
    """
    other = copy.deepcopy(network)
    for module in list(other.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReflectionPad2d):
                setattr(module, name, padding(child.padding[0]))
    return other
