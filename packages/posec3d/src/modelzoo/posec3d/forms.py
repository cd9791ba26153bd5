"""What a graph can take: whole clips of heat maps, the skeletons themselves, or every distinct frame once.

Every size but the free axes is a number when the graph is traced.
"""

from __future__ import annotations

import copy

import torch
from torch import nn

from modelzoo.common.errors import UsageError
from modelzoo.posec3d.heatmap_layer import HeatMaps
from modelzoo.posec3d.network import PoseC3D
from modelzoo.posec3d.spec import FRAMES, JOINTS, SIZE


def in_form(network: PoseC3D, form: str, persons: int | None = None) -> nn.Module:
    """Wrap a network in what it is to take.

    Args:
        network: Clips to scores.
        form: A key of `spec.INPUTS`.
        persons: People of a sample where the network of `keypoints` fixes their number.

    Returns:
        The wrapped network, in evaluation mode.

    Raises:
        UsageError: The form draws heat maps, and nobody knows which of so many joints are left and right.
    """
    joints = network.structure.joints
    if form == "keypoints" and joints != JOINTS:
        raise UsageError(
            f"the network has {joints} joints, and keypoints are flipped for the {JOINTS} of COCO",
            "export it without --input keypoints",
        )
    if form == "keypoints":
        return KeypointInput(network, persons).eval()
    return (FrameInput(network) if form == "frames" else VolumeInput(network)).eval()


class VolumeInput(nn.Module):
    """A network that takes all clips of a sample.

    Args:
        network: Clips to scores.
    """

    def __init__(self, network: PoseC3D) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Map `(N, 20, joints, 48, 56, 56) float32` to `(N * 20, classes) float32`."""
        return self.network(clips.reshape(-1, self.network.structure.joints, FRAMES, SIZE, SIZE))


class KeypointInput(nn.Module):
    """A network that takes skeletons: the heat maps are drawn in the graph.

    Args:
        network: Clips to scores.
        persons: People of a sample where their number is fixed.
    """

    def __init__(self, network: PoseC3D, persons: int | None) -> None:
        super().__init__()
        self.heat_maps = HeatMaps(persons)
        self.network = network

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Map `(N, persons, 10, 48, 17, 3) float32`, x and y in pixels, score, to `(N * 20, classes) float32`."""
        return self.network(self.heat_maps(keypoints).reshape(-1, JOINTS, FRAMES, SIZE, SIZE))


class FrameInput(nn.Module):
    """A network that takes every distinct frame once: what sees a frame alone is computed before they become clips.

    Args:
        network: Clips to scores.
    """

    def __init__(self, network: PoseC3D) -> None:
        super().__init__()
        self.joints = network.structure.joints
        backbone = network.backbone
        alone = nn.Sequential(backbone.conv1, nn.ReLU(), backbone.maxpool, backbone.layer1)
        self.images = for_images(alone)
        self.over_frames = nn.Sequential(backbone.layer2, backbone.layer3)
        self.cls_head = network.cls_head

    def forward(self, frames: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """Scores of the clips that are made of the frames.

        Args:
            frames: `(N, F, joints, 56, 56) float32`, heat maps of the distinct frames, and of the same ones flipped.
            indices: `(N, 20, 48) int64`, which of `frames`, 0..F - 1, each clip is made of.

        Returns:
            `(N * 20, classes) float32`.
        """
        maps = self.images(frames.reshape(-1, self.joints, SIZE, SIZE))
        first = torch.arange(frames.shape[0], device=frames.device)[:, None, None] * frames.shape[1]
        clips = maps.index_select(0, (indices + first).reshape(-1))
        clips = clips.reshape(-1, FRAMES, *map(int, maps.shape[1:])).transpose(1, 2)
        return self.cls_head(self.over_frames(clips))


def for_images(module: nn.Module) -> nn.Module:
    """Layers that see every frame alone, for images: the same weights without the axis of frames.

    Args:
        module: Takes `(n, C, T, H, W)`; its kernels are one frame long.

    Returns:
        A copy that takes `(n, C, H, W)`.
    """
    if isinstance(module, nn.Conv3d):
        (_, *kernel), (_, *stride), (_, *padding) = module.kernel_size, module.stride, module.padding
        image = nn.Conv2d(module.in_channels, module.out_channels, kernel, stride, padding, bias=False)
        image.weight = nn.Parameter(module.weight.squeeze(2))
        return image
    if isinstance(module, nn.BatchNorm3d):
        norm = nn.BatchNorm2d(module.num_features)
        norm.load_state_dict(module.state_dict())
        return norm
    if isinstance(module, nn.MaxPool3d):
        return nn.MaxPool2d(module.kernel_size[1:], module.stride, module.padding[1:])
    copied = copy.deepcopy(module)
    for name, child in module.named_children():
        copied.add_module(name, for_images(child))
    return copied
