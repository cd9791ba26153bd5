"""The backbones of the strong baseline, by their names in the upstream's configuration (MODEL.NAME).

Written from the papers and from the keys and behaviour of the upstream's networks at commit 3da7e6f0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from modelzoo.reid.backbones.ibn import IBNResNet
from modelzoo.reid.backbones.residual import Backbone
from modelzoo.reid.backbones.resnet import BasicBlock, Bottleneck, ResNet
from modelzoo.reid.backbones.senet import SE_RESNET, SE_RESNEXT, SENET154, SENet

DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Blocks in each stage of a ResNet of so many layers."""

BACKBONES: dict[str, Callable[[], Backbone]] = {
    "resnet18": partial(ResNet, BasicBlock, DEPTHS[18]),
    "resnet34": partial(ResNet, BasicBlock, DEPTHS[34]),
    "resnet50": partial(ResNet, Bottleneck, DEPTHS[50]),
    "resnet101": partial(ResNet, Bottleneck, DEPTHS[101]),
    "resnet152": partial(ResNet, Bottleneck, DEPTHS[152]),
    "se_resnet50": partial(SENet, SE_RESNET, DEPTHS[50]),
    "se_resnet101": partial(SENet, SE_RESNET, DEPTHS[101]),
    "se_resnet152": partial(SENet, SE_RESNET, DEPTHS[152]),
    "se_resnext50": partial(SENet, SE_RESNEXT, DEPTHS[50]),
    "se_resnext101": partial(SENet, SE_RESNEXT, DEPTHS[101]),
    "senet154": partial(SENet, SENET154, DEPTHS[152], ((3, 64), (3, 64), (3, 128))),
    "resnet50_ibn_a": partial(IBNResNet, DEPTHS[50]),
}
"""How each is built."""
