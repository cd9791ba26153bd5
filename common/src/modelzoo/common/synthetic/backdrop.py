"""Paints the place a camera looks at, and what stands in front of the person."""

from collections.abc import Callable
from math import sin

from PIL.ImageDraw import ImageDraw

from modelzoo.common.synthetic.camera import Camera, Structure
from modelzoo.common.synthetic.palette import RGB, shade
from modelzoo.common.synthetic.pen import oval
from modelzoo.common.synthetic.pose import Pose

_STEPS = 12


def paint_backdrop(draw: ImageDraw, camera: Camera, size: tuple[int, int], shift: float) -> None:
    """Wall, floor and the camera's structure.

    Args:
        draw: Where to paint.
        camera: Gives colours, structure and, by its height, the horizon.
        size: Width and height of the picture in pixels.
        shift: Where along the scene the person stands, 0 to 1.
    """
    width, height = size
    horizon = height * (0.44 - 0.3 * camera.height)
    for step in range(_STEPS):
        low, high = step / _STEPS, (step + 1) / _STEPS
        wall = shade(camera.wall, 0.88 + 0.14 * high)
        draw.rectangle((0, low * horizon, width, high * horizon), fill=wall)
        floor = shade(camera.floor, 0.86 + 0.2 * high)
        depth = height - horizon
        draw.rectangle((0, horizon + low * depth, width, horizon + high * depth), fill=floor)
    _PAINTERS[camera.structure](draw, camera, size, horizon, shift)


def paint_occluder(draw: ImageDraw, pose: Pose, size: tuple[int, int]) -> None:
    """The thing that stands between camera and person, if any."""
    width, height = size
    x = pose.occluder_at * width
    if pose.occluder == "post":
        draw.rectangle((x - 0.05 * width, 0, x + 0.05 * width, height), fill=(92, 96, 100))
        draw.rectangle((x - 0.05 * width, 0, x - 0.01 * width, height), fill=(128, 132, 136))
    elif pose.occluder == "bin":
        draw.rectangle((x - 0.22 * width, 0.72 * height, x + 0.22 * width, height), fill=(58, 84, 74))
        draw.rectangle((x - 0.25 * width, 0.69 * height, x + 0.25 * width, 0.73 * height), fill=(42, 60, 54))
    elif pose.occluder == "bush":
        _paint_bush(draw, x, 0.98 * height, 0.3 * width, (70, 116, 62))


def _paint_bush(draw: ImageDraw, x: float, y: float, radius: float, colour: RGB) -> None:
    """A round bush of a few lighter and darker balls."""
    for across, up, share, light in (
        (-0.6, 0.1, 0.7, 0.8),
        (0.6, 0.1, 0.7, 0.75),
        (0.0, 0.4, 0.9, 0.9),
        (-0.3, 0.7, 0.55, 1.1),
        (0.4, 0.6, 0.45, 1.0),
    ):
        centre = (x + across * radius, y - up * radius)
        oval(draw, centre, share * radius, share * radius, shade(colour, light))


def _paint_tiles(draw: ImageDraw, camera: Camera, size: tuple[int, int], horizon: float, shift: float) -> None:
    """Square floor tiles in perspective, and a skirting board."""
    width, height = size
    line, thick = shade(camera.floor, 0.82), max(1, height // 200)
    for row in range(1, 7):
        y = horizon + (height - horizon) * (row / 6.0) ** 1.7
        draw.line((0, y, width, y), fill=line, width=thick)
    for column in range(-6, 8):
        near = (column + shift) * 0.5 * width
        far = width / 2 + 0.45 * (near - width / 2)
        draw.line((far, horizon, near, height), fill=line, width=thick)
    draw.rectangle((0, horizon - 0.02 * height, width, horizon), fill=shade(camera.wall, 0.7))


def _paint_poles(draw: ImageDraw, camera: Camera, size: tuple[int, int], horizon: float, shift: float) -> None:
    """A railing of thin posts with two bars."""
    width, height = size
    top, foot = horizon - 0.13 * height, horizon + 0.06 * height
    metal = shade(camera.wall, 0.55)
    for post in range(-1, 5):
        x = (post + shift) * 0.3 * width
        draw.rectangle((x, top, x + 0.045 * width, foot), fill=metal)
    for y in (top, horizon - 0.03 * height):
        draw.rectangle((0, y, width, y + 0.018 * height), fill=shade(metal, 1.25))


def _paint_crossing(draw: ImageDraw, camera: Camera, size: tuple[int, int], horizon: float, shift: float) -> None:
    """The white bars of a pedestrian crossing, and a kerb."""
    width, height = size
    for bar in range(-3, 5):
        near = (bar + shift) * 0.62 * width
        far = width / 2 + 0.5 * (near - width / 2)
        top = horizon + 0.16 * (height - horizon)
        corners = [(far, top), (far + 0.16 * width, top), (near + 0.32 * width, height), (near, height)]
        draw.polygon(corners, fill=(214, 214, 208))
    draw.rectangle((0, horizon - 0.02 * height, width, horizon + 0.02 * height), fill=shade(camera.floor, 1.5))


def _paint_bricks(draw: ImageDraw, camera: Camera, size: tuple[int, int], horizon: float, shift: float) -> None:
    """Courses of bricks above the horizon."""
    width, height = size
    course, mortar = 0.035 * height, shade(camera.wall, 1.3)
    thick = max(1, height // 170)
    rows = int(horizon / course) + 1
    for row in range(rows):
        bottom = horizon - row * course
        draw.line((0, bottom, width, bottom), fill=mortar, width=thick)
        for brick in range(-1, 6):
            x = (brick + shift + 0.5 * (row % 2)) * 0.22 * width
            draw.line((x, bottom - course, x, bottom), fill=mortar, width=thick)


def _paint_windows(draw: ImageDraw, camera: Camera, size: tuple[int, int], horizon: float, shift: float) -> None:
    """Shop windows with frames and a reflection."""
    width, height = size
    for window in range(-1, 2):
        left = (window + shift) * 0.8 * width
        box = (left, -0.1 * height, left + 0.62 * width, horizon - 0.05 * height)
        if box[3] <= box[1]:
            continue
        draw.rectangle(box, fill=(84, 106, 122), outline=shade(camera.wall, 0.55), width=max(1, height // 90))
        gleam = [(left + 0.2 * width, 0), (left + 0.34 * width, 0), (left + 0.2 * width, box[3])]
        draw.polygon(gleam, fill=(118, 140, 154))
    draw.line((0, horizon, width, horizon), fill=shade(camera.wall, 0.6), width=max(1, height // 100))


def _paint_hedge(draw: ImageDraw, camera: Camera, size: tuple[int, int], horizon: float, shift: float) -> None:
    """A row of bushes on the horizon and a path across the grass."""
    width, height = size
    for bush in range(-1, 5):
        grow = 0.2 + 0.05 * sin(2.4 * bush)
        _paint_bush(draw, (bush + shift) * 0.3 * width, horizon, grow * width, (64, 104, 58))
    middle = (0.2 + 0.6 * shift) * width
    corners = [
        (middle - 0.12 * width, horizon + 0.03 * height),
        (middle + 0.12 * width, horizon + 0.03 * height),
    ]
    draw.polygon([*corners, (0.95 * width, height), (0.05 * width, height)], fill=(188, 174, 146))


_PAINTERS: dict[Structure, Callable[[ImageDraw, Camera, tuple[int, int], float, float], None]] = {
    "tiles": _paint_tiles,
    "poles": _paint_poles,
    "crossing": _paint_crossing,
    "bricks": _paint_bricks,
    "windows": _paint_windows,
    "hedge": _paint_hedge,
}
