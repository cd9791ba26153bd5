"""Draws one person as one camera takes them."""

from math import cos

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from modelzoo.common.synthetic.backdrop import paint_backdrop, paint_occluder
from modelzoo.common.synthetic.body import paint_arm, paint_leg, paint_skirt, paint_torso
from modelzoo.common.synthetic.camera import Camera
from modelzoo.common.synthetic.figure import Figure, build_figure
from modelzoo.common.synthetic.head import paint_head, paint_long_hair
from modelzoo.common.synthetic.luggage import paint_backpack, paint_handbag, paint_straps
from modelzoo.common.synthetic.palette import shade
from modelzoo.common.synthetic.pen import oval
from modelzoo.common.synthetic.person import Person
from modelzoo.common.synthetic.pose import Pose

_OVERSAMPLE = 4
_FAR = -0.04


def draw_person(
    person: Person,
    camera: Camera,
    pose: Pose,
    size: tuple[int, int] = (64, 128),
    *,
    rng: np.random.Generator,
) -> Image.Image:
    """Draws a person.

    Args:
        person: Who is drawn.
        camera: Scene, light and viewpoint.
        pose: The moment.
        size: Width and height of the picture in pixels.
        rng: Draws the place along the scene, the flicker of the light and the pixel noise; it moves on, so
            that one generator gives a different picture at every call.

    Returns:
        The picture, mode RGB, of `size`. `joints` gives the keypoints for the same inputs.
    """
    large = (size[0] * _OVERSAMPLE, size[1] * _OVERSAMPLE)
    canvas = Image.new("RGB", large)
    draw = ImageDraw.Draw(canvas)
    paint_backdrop(draw, camera, large, float(rng.random()))
    _paint_figure(draw, person, build_figure(person, camera, pose, large), camera)
    paint_occluder(draw, pose, large)
    return _expose(canvas.reduce(_OVERSAMPLE), camera, rng)


def _paint_figure(draw: ImageDraw.ImageDraw, person: Person, figure: Figure, camera: Camera) -> None:
    """Paints the body's parts from far to near."""
    x, y = figure.origin
    oval(draw, (x, y - 0.01 * figure.unit), 0.17 * figure.unit, 0.028 * figure.unit, shade(camera.floor, 0.72))
    arms = {side: figure.spots[f"{side}_wrist"][2] for side in ("left", "right")}
    towards = cos(figure.turn) > 0.0
    for side in (side for side, depth in arms.items() if depth < _FAR):
        _paint_arm(draw, person, figure, side)
    if towards:
        _paint_back(draw, person, figure)
    for side in sorted(("left", "right"), key=lambda side: figure.spots[f"{side}_knee"][2]):
        paint_leg(draw, person, figure, side)
    if person.bottom_kind == "skirt":
        paint_skirt(draw, person, figure)
    paint_torso(draw, person, figure)
    if towards and person.bag == "backpack":
        paint_straps(draw, person, figure)
    if not towards:
        _paint_back(draw, person, figure)
    paint_head(draw, person, figure)
    for side in (side for side, depth in arms.items() if depth >= _FAR):
        _paint_arm(draw, person, figure, side)


def _paint_arm(draw: ImageDraw.ImageDraw, person: Person, figure: Figure, side: str) -> None:
    """An arm and what it carries."""
    if side == "right" and person.bag == "handbag":
        paint_handbag(draw, person, figure)
    paint_arm(draw, person, figure, side)


def _paint_back(draw: ImageDraw.ImageDraw, person: Person, figure: Figure) -> None:
    """What hangs on the person's back."""
    if person.bag == "backpack":
        paint_backpack(draw, person, figure)
    paint_long_hair(draw, person, figure)


def _expose(picture: Image.Image, camera: Camera, rng: np.random.Generator) -> Image.Image:
    """Blur, light and noise of the camera."""
    if camera.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(camera.blur * picture.height))
    levels = np.asarray(picture, dtype=np.float32) / 255.0
    gain = camera.brightness * rng.uniform(0.94, 1.06) * np.asarray(camera.cast)
    levels = 255.0 * levels**camera.gamma * gain.astype(np.float32)
    levels += camera.noise * rng.standard_normal(levels.shape, dtype=np.float32)
    return Image.fromarray(levels.clip(0.0, 255.0).round().astype(np.uint8))
