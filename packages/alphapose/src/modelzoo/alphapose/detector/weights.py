"""Darknet weights into the detector's network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from modelzoo.alphapose.detector.darknet import Convolution, read_weights
from modelzoo.alphapose.detector.network import YoloV3Spp
from modelzoo.alphapose.spec import DETECTOR_SIZE


def load_network(path: Path) -> YoloV3Spp:
    """Load the published detector.

    Args:
        path: yolov3-spp.weights, or one that was trained with the same configuration.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
    """
    network = YoloV3Spp(DETECTOR_SIZE)
    fill(network, path)
    network.eval()
    return network


def fill(network: nn.Module, path: Path) -> None:
    """Take the weights of all convolutions from a file, in the order in which the network has them.

    Args:
        network: Its convolutions have either a bias, or batch normalisation after them.
        path: A darknet file.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
    """
    pairs = list(_convolutions(network))
    read = read_weights(path, [_shape(conv, norm) for conv, norm in pairs])
    with torch.no_grad():
        for (conv, norm), arrays in zip(pairs, read, strict=True):
            for name, target in _targets(conv, norm).items():
                target.copy_(torch.tensor(arrays[name]))


def _convolutions(network: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Every convolution, with the normalisation that follows where it has no bias."""
    modules = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.BatchNorm2d)]
    for module, following in zip(modules, [*modules[1:], None], strict=True):
        if isinstance(module, nn.Conv2d):
            yield module, following if module.bias is None else None


def _shape(conv: nn.Conv2d, norm: nn.BatchNorm2d | None) -> Convolution:
    return Convolution(conv.in_channels, conv.out_channels, conv.kernel_size[0], normalised=norm is not None)


def _targets(conv: nn.Conv2d, norm: nn.BatchNorm2d | None) -> dict[str, torch.Tensor]:
    """Where the arrays of a convolution belong, by their names in `darknet`."""
    if norm is None:
        return {"bias": conv.bias, "weight": conv.weight}
    return {
        "beta": norm.bias,
        "gamma": norm.weight,
        "mean": norm.running_mean,
        "variance": norm.running_var,
        "weight": conv.weight,
    }
