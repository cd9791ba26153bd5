"""Paints the head: hair, face and cap."""

from math import cos, sin

from PIL.ImageDraw import ImageDraw

from modelzoo.common.synthetic.figure import Figure, Pixel
from modelzoo.common.synthetic.palette import shade
from modelzoo.common.synthetic.pen import limb, oval
from modelzoo.common.synthetic.person import Person


def paint_long_hair(draw: ImageDraw, person: Person, figure: Figure) -> None:
    """Hair that falls over the shoulders, on the far side from the face."""
    if person.hair_style != "long":
        return
    unit = figure.size_at(0.9)
    x, y = figure.at("head")
    back = -0.022 * sin(figure.turn) * unit
    start, end = (x + back, y), (x + 1.6 * back, y + 0.12 * unit)
    limb(draw, (start, end), (0.066 * unit, 0.056 * unit), person.hair)


def paint_head(draw: ImageDraw, person: Person, figure: Figure) -> None:
    """Skull with hair, then the face as far as it is turned to the camera, then bun or cap."""
    unit = figure.size_at(0.9)
    x, y = centre = figure.at("head")
    right, front = sin(figure.turn), cos(figure.turn)
    share = min(1.0, max(0.0, (front + 0.5) / 1.2))
    nape = person.hair if person.hair_style == "long" else person.skin
    oval(draw, centre, 0.056 * unit, 0.076 * unit, shade(nape, 0.86))
    crown = y - (0.012 + 0.012 * share) * unit
    oval(draw, (x, crown), 0.066 * unit, 0.066 * unit, shade(person.hair, 0.85))
    oval(draw, (x - 0.008 * unit, crown - 0.006 * unit), 0.055 * unit, 0.056 * unit, person.hair)
    if front > -0.5:
        face = (x + 0.024 * right * unit, y + 0.02 * unit)
        oval(draw, face, (0.028 + 0.028 * share) * unit, 0.058 * unit, person.skin)
        _paint_features(draw, person, figure, unit)
    if person.hair_style == "bun":
        bun = (x - 0.05 * right * unit, y - 0.072 * unit)
        oval(draw, bun, 0.032 * unit, 0.03 * unit, person.hair)
    elif person.hair_style == "hat":
        _paint_cap(draw, person, centre, right, front, unit)


def _paint_features(draw: ImageDraw, person: Person, figure: Figure, unit: float) -> None:
    """Ear, nose, eyes and mouth where they can be seen."""
    for side in ("left", "right"):
        if figure.spots[f"{side}_ear"][2] > 0.02:
            oval(draw, figure.at(f"{side}_ear"), 0.012 * unit, 0.018 * unit, shade(person.skin, 0.84))
    oval(draw, figure.at("nose"), 0.011 * unit, 0.013 * unit, shade(person.skin, 0.88))
    for side in ("left", "right"):
        if figure.spots[f"{side}_eye"][2] > 0.0:
            oval(draw, figure.at(f"{side}_eye"), 0.009 * unit, 0.011 * unit, (36, 30, 30))
    x, y = figure.at("nose")
    if cos(figure.turn) > 0.0:
        mouth = (x - 0.01 * sin(figure.turn) * unit, y + 0.034 * unit)
        oval(draw, mouth, 0.016 * unit, 0.006 * unit, shade(person.skin, 0.7))


def _paint_cap(draw: ImageDraw, person: Person, centre: Pixel, right: float, front: float, unit: float) -> None:
    """A cap: a dome, and a brim towards the face."""
    x, y = centre
    top, brow = y - 0.088 * unit, y - 0.026 * unit
    half = 0.07 * unit
    draw.pieslice((x - half, top, x + half, 2 * brow - top), 180, 360, fill=person.hat)
    brim = shade(person.hat, 0.8)
    if front > -0.5:
        middle, half = x + 0.06 * right * unit, (0.05 - 0.01 * abs(right)) * unit
        ends = ((middle - half, brow), (middle + half, brow))
        limb(draw, ends, (0.012 * unit, 0.012 * unit), brim)
