"""Drawing primitives in pixels; all positions are floats and all colours RGB."""

from collections.abc import Sequence
from itertools import pairwise
from math import hypot

from PIL.ImageDraw import ImageDraw

from modelzoo.common.synthetic.figure import Pixel
from modelzoo.common.synthetic.palette import RGB, shade

_DARK_SIDE = 0.82


def oval(draw: ImageDraw, centre: Pixel, radius_x: float, radius_y: float, colour: RGB) -> None:
    """A filled ellipse."""
    x, y = centre
    draw.ellipse((x - radius_x, y - radius_y, x + radius_x, y + radius_y), fill=colour)


def limb(draw: ImageDraw, points: Sequence[Pixel], radii: Sequence[float], colour: RGB) -> None:
    """A chain of tapered rods with round joints through `points`, lit from the left."""
    shift = 0.25 * min(radii)
    _chain(draw, points, radii, shade(colour, _DARK_SIDE))
    lit = [(x - shift, y) for x, y in points]
    _chain(draw, lit, [radius - shift for radius in radii], colour)


def between(start: Pixel, end: Pixel, share: float) -> Pixel:
    """The point at `share` (0 to 1) of the way from `start` to `end`.

    >>> between((0.0, 0.0), (4.0, 8.0), 0.25)
    (1.0, 2.0)
    """
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _chain(draw: ImageDraw, points: Sequence[Pixel], radii: Sequence[float], colour: RGB) -> None:
    """Tapered rods with round joints in one colour."""
    for point, radius in zip(points, radii, strict=True):
        oval(draw, point, radius, radius, colour)
    for (start, wide), (end, narrow) in pairwise(zip(points, radii, strict=True)):
        run, rise = end[0] - start[0], end[1] - start[1]
        length = max(hypot(run, rise), 1e-6)
        x, y = -rise / length, run / length
        right = [(start[0] + x * wide, start[1] + y * wide), (end[0] + x * narrow, end[1] + y * narrow)]
        left = [(end[0] - x * narrow, end[1] - y * narrow), (start[0] - x * wide, start[1] - y * wide)]
        draw.polygon(right + left, fill=colour)
