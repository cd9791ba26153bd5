"""Work around the network that an exported graph can do itself: the flip test, the keypoints, the normalisation.

Every size but the batch is a number when the graph is traced. Pixels are counted in whole numbers: half precision, in
which an NPU computes, has no odd numbers above 2048, and a heat map has 3072 pixels.
"""

from __future__ import annotations

import torch
from torch import nn

from modelzoo.alphapose.heatmaps import QUARTER
from modelzoo.alphapose.joints import mirrored_order
from modelzoo.alphapose.network import FastPose
from modelzoo.alphapose.spec import MAP_HEIGHT, MAP_WIDTH, MEAN, WIDTH, Form


def in_form(network: FastPose, form: Form) -> nn.Module:
    """Wrap a network in what a form asks for.

    Args:
        network: Normalised crops to heat maps.
        form: What the graph is to do.

    Returns:
        The network itself where there is nothing to do; in evaluation mode.

    Raises:
        UsageError: The form has the flip test, and nobody knows which of so many joints are left and right.
    """
    joints = network.structure.joints
    wrapped: nn.Module = FlipTest(network, joints) if form.flip_test else network
    wrapped = KeypointOutput(wrapped, joints) if form.decode else wrapped
    return (PixelInput(wrapped) if form.dtype == "uint8" else wrapped).eval()


class FlipTest(nn.Module):
    """Heat maps that are the mean of those of the image and of its mirror image (Newell et al., ECCV 2016).

    The mirror image's are mirrored back, their left and right joints change places, and they are moved one pixel to the
    right, where they lie better on the image's (Sun et al., "HRNet", CVPR 2019).

    Args:
        network: What makes the heat maps.
        joints: How many it makes.
    """

    def __init__(self, network: nn.Module, joints: int) -> None:
        super().__init__()
        self.network = network
        self.joints = joints
        self.register_buffer("mirrored", torch.arange(WIDTH).flip(0), persistent=False)
        self.register_buffer("joint", torch.tensor(mirrored_order(joints)), persistent=False)
        moved = (torch.arange(MAP_WIDTH) - 1).clamp(min=0)
        self.register_buffer("column", MAP_WIDTH - 1 - moved, persistent=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map `(N, 3, 256, 192) float32` to `(N, joints, 64, 48) float32`."""
        both = self.network(torch.cat((image, image.index_select(3, self.mirrored))))
        straight, mirrored = both.reshape(2, -1, self.joints, MAP_HEIGHT, MAP_WIDTH).unbind()
        return (straight + mirrored.index_select(1, self.joint).index_select(3, self.column)) / 2


class KeypointOutput(nn.Module):
    """Keypoints in place of heat maps: the first highest pixel, a quarter towards the higher neighbour on each axis.

    A pixel on the border of the heat map or beside it is not moved, and a joint whose highest value is not above 0 is
    at (0, 0), as published. Everything that a pixel implies is looked up.

    Args:
        network: What makes the heat maps.
        joints: How many it makes.
    """

    def __init__(self, network: nn.Module, joints: int) -> None:
        super().__init__()
        self.network = network
        self.joints = joints
        self.register_buffer("position", _positions().float(), persistent=False)
        self.register_buffer("neighbours", _neighbours(), persistent=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Keypoints of crops.

        Args:
            image: What the network takes.

        Returns:
            `(N, joints, 3) float32`: x and y in heat-map pixels, 0 at the centre of the first one, and the highest
            value of the heat map, which is the score.
        """
        pixels = self.network(image).reshape(-1, self.joints, MAP_HEIGHT * MAP_WIDTH)
        score, place = pixels.amax(2, keepdim=True), pixels.argmax(2)
        values = pixels.gather(2, self.neighbours[place])
        quarter = QUARTER * torch.sign(values[:, :, :2] - values[:, :, 2:])
        return torch.cat(((self.position[place] + quarter) * (score > 0), score), 2)


class PixelInput(nn.Module):
    """A network that takes pixels: the normalisation is part of the graph.

    A crop without a value above 1 is not divided by 255, as published, where it counts as 0..1 already.

    Args:
        network: What takes the normalised crops.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map `(N, 256, 192, 3) uint8`, RGB, 0..255, to what the network gives."""
        planes = image.permute(0, 3, 1, 2).float()
        highest = planes.amax((1, 2, 3), keepdim=True)
        return self.network(planes / torch.where(highest > 1, 255.0, 1.0) - self.mean)


def _positions() -> torch.Tensor:
    """Column and row of every pixel of a heat map: `(3072, 2) int64`."""
    y, x = torch.meshgrid(torch.arange(MAP_HEIGHT), torch.arange(MAP_WIDTH), indexing="ij")
    return torch.stack((x, y), 2).flatten(0, 1)


def _neighbours() -> torch.Tensor:
    """The pixels right of, below, left of and above every pixel, near the border itself: `(3072, 4) int64`."""
    pixels, last = torch.arange(MAP_HEIGHT * MAP_WIDTH)[:, None], torch.tensor((MAP_WIDTH - 1, MAP_HEIGHT - 1))
    inside = ((_positions() > 1) & (_positions() < last)).all(1, keepdim=True)
    return pixels + inside * torch.tensor((1, MAP_WIDTH, -1, -MAP_WIDTH))
