"""Heat maps drawn inside the graph, of plain operators: the pixels of `heatmaps.draw`, values within 1e-6.

Which pixels a joint lights is decided in double precision there, which a graph for an NPU has not. Here whole numbers
and the fractions of coordinates are compared, which single precision holds exactly wherever it matters.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import nn

from modelzoo.posec3d.geometry import mirrored_joints
from modelzoo.posec3d.heatmaps import LEAST_SCORE, SIGMA
from modelzoo.posec3d.spec import SIZE

STARTS_LATE = 0.8
"""A window starts 1.8 pixels before its joint: two pixels before the joint's own, or one where its fraction is this."""

ENDS_LATE = 0.2
"""A window ends 1.8 pixels behind its joint: one pixel behind the joint's own, or two where its fraction is this."""

LAST = SIZE - 1
"""The last pixel of a row."""


class HeatMaps(nn.Module):
    """Skeletons into the heat maps of all clips.

    Args:
        persons: People of a sample where their number is fixed: then the maps of one at a time are held in memory.
    """

    def __init__(self, persons: int | None = None) -> None:
        super().__init__()
        self.persons = persons
        pixels = torch.arange(SIZE, dtype=torch.float32)
        ends = pixels.clone()
        ends[0] = -1  # a window that ends at -1 is cut to 0
        halves = torch.tensor((False, True)).reshape(2, 1, 1, 1, 1)
        constants = {"pixels": pixels, "ends": ends, "flipped": halves, "mirrored": torch.tensor(mirrored_joints())}
        for name, constant in constants.items():
            self.register_buffer(name, constant, persistent=False)

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Draw every person, the higher value holds.

        Args:
            keypoints: `(N, persons, 10, 48, 17, 3) float32`: x and y in pixels of the map, score.

        Returns:
            `(N, 2, 10, 17, 48, 56, 56) float32`: as they are and flipped.
        """
        both = torch.stack((keypoints, keypoints.index_select(4, self.mirrored)), 2).transpose(4, 5)
        x, y, score = both.split(1, dim=6)
        drawn = score > LEAST_SCORE  # in single precision the bound is a little lower, and not a score that is drawn
        columns = self._columns(x).unsqueeze(6)
        rows = (self._rows(y) * torch.where(drawn, score, 0.0)).unsqueeze(7)
        if self.persons is None:
            return (columns * rows).amax(1)
        return reduce(torch.maximum, (columns[:, i] * rows[:, i] for i in range(self.persons)))

    def _columns(self, x: torch.Tensor) -> torch.Tensor:
        """The Gaussian along x; an x of 0 was not seen, and is not flipped.

        Args:
            x: `(N, persons, 2, 10, 17, 48, 1) float32`, not flipped.

        Returns:
            `(N, persons, 2, 10, 17, 48, 56) float32`.
        """
        whole = torch.floor(x)
        moved = self.flipped & (x != 0)
        firsts = torch.where(moved, LAST - self.ends, self.pixels)
        lasts = torch.where(moved, LAST - self.pixels, self.ends)
        inside = _inside(firsts - whole, lasts - whole, x - whole)
        return _gaussian(self.pixels - torch.where(moved, SIZE - x, x), inside)

    def _rows(self, y: torch.Tensor) -> torch.Tensor:
        """The Gaussian along y; shapes as in `_columns`."""
        whole = torch.floor(y)
        return _gaussian(self.pixels - y, _inside(self.pixels - whole, self.ends - whole, y - whole))


def _inside(first: torch.Tensor, last: torch.Tensor, fraction: torch.Tensor) -> torch.Tensor:
    """Whether pixels are in the window of a joint.

    Args:
        first: How many pixels they are behind the joint's own, as compared with the start of the window.
        last: The same, as compared with its end.
        fraction: Of the joint's coordinate.
    """
    started = (first > -1.5) | ((first > -2.5) & (fraction < STARTS_LATE))
    ended = (last > 2.5) | ((last > 1.5) & (fraction < ENDS_LATE))
    return started & ~ended


def _gaussian(distance: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    return torch.where(inside, torch.exp(distance * distance * (-0.5 / SIGMA**2)), 0.0)
