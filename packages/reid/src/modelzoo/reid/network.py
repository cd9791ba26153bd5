"""The strong baseline in PyTorch (Luo et al., "Bag of Tricks and a Strong Baseline", CVPRW 2019), for its checkpoints.

Written from the paper and from the keys and behaviour of the published checkpoints (reid-strong-baseline, commit
3da7e6f0).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from modelzoo.reid.backbones import BACKBONES


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
        self.base = BACKBONES[backbone]()
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
