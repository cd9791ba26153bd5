"""Paints legs, arms and torso with their clothes."""

from math import cos, hypot, sin

import numpy as np
from PIL.ImageDraw import ImageDraw

from modelzoo.common.synthetic.figure import Figure, Pixel
from modelzoo.common.synthetic.palette import RGB, shade
from modelzoo.common.synthetic.pen import between, limb, oval
from modelzoo.common.synthetic.person import Person

_HEM, _COLLAR = 0.465, 0.842

_OUTLINE_UP = (0.42, 0.50, 0.60, 0.70, 0.76, 0.79, 0.812, 0.828, 0.842)
_OUTLINE_WIDTH = (0.092, 0.102, 0.090, 0.106, 0.114, 0.116, 0.100, 0.068, 0.036)
_OUTLINE_DEPTH = (0.078, 0.084, 0.074, 0.082, 0.080, 0.070, 0.058, 0.046, 0.034)
_THIGH, _KNEE, _ANKLE = 0.058, 0.040, 0.029
_SHOULDER, _ELBOW, _WRIST = _ARM = 0.032, 0.028, 0.022
_LIT_SHARE = 0.55


def torso_width(figure: Figure, build: float, up: float) -> float:
    """Half the width of the torso at height `up`, in body units, as seen from the figure's direction."""
    width = float(np.interp(up, _OUTLINE_UP, _OUTLINE_WIDTH)) * build
    depth = float(np.interp(up, _OUTLINE_UP, _OUTLINE_DEPTH)) * build
    return hypot(width * cos(figure.turn), depth * sin(figure.turn))


def paint_leg(draw: ImageDraw, person: Person, figure: Figure, side: str) -> None:
    """One leg: shoe, skin or trouser below the knee, and the thigh."""
    hip, knee, ankle, toe = (figure.at(f"{side}_{part}") for part in ("hip", "knee", "ankle", "toe"))
    thin = person.build * figure.size_at(0.25)
    near = 1.0 if figure.spots[f"{side}_knee"][2] >= 0 else 0.86
    cloth, skin = shade(person.bottom, near), shade(person.skin, near)
    limb(draw, (ankle, toe), (0.032 * thin, 0.024 * thin), shade(person.shoes, near))
    if person.bottom_kind == "trousers":
        limb(draw, (hip, knee, ankle), (_THIGH * thin, 1.05 * _KNEE * thin, 1.15 * _ANKLE * thin), cloth)
    else:
        limb(draw, (hip, knee, ankle), (0.85 * _THIGH * thin, 0.85 * _KNEE * thin, 0.8 * _ANKLE * thin), skin)
    if person.bottom_kind == "shorts":
        limb(draw, (hip, knee), (_THIGH * thin, 1.15 * _KNEE * thin), cloth)


def paint_skirt(draw: ImageDraw, person: Person, figure: Figure) -> None:
    """A skirt from the waist to just above the knees, as wide as the step."""
    knees = [figure.spots[f"{side}_knee"] for side in ("left", "right")]
    hem = max(0.29, min(knee[1] for knee in knees) - figure.rise + 0.02)
    waist = torso_width(figure, person.build, 0.5)
    left = min(min(knee[0] for knee in knees) * 0.85 - 0.045, -waist)
    right = max(max(knee[0] for knee in knees) * 0.85 + 0.045, waist)
    for share, light in ((1.0, 0.84), (0.4, 1.0)):
        belt, floor = _HEM + 0.05 + figure.rise, hem + figure.rise
        corners = [(-waist, belt), (waist * share, belt), (right * share, floor), (left, floor)]
        pixels = [figure.to_pixel((x, up, 0.0)) for x, up in corners]
        draw.polygon(pixels, fill=shade(person.bottom, light))


def paint_arm(draw: ImageDraw, person: Person, figure: Figure, side: str) -> None:
    """One arm with its sleeve."""
    shoulder, elbow, wrist, hand = (figure.at(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist", "hand"))
    thin = person.build * figure.size_at(0.65)
    sleeve = person.accent if person.pattern == "two-tone" else person.top
    oval(draw, hand, 0.026 * thin, 0.026 * thin, person.skin)
    if person.sleeves == "long":
        limb(draw, (shoulder, elbow, wrist), (_SHOULDER * thin, _ELBOW * thin, _WRIST * thin), sleeve)
    else:
        limb(draw, (shoulder, elbow, wrist), [0.85 * part * thin for part in _ARM], person.skin)
        cuff = between(shoulder, elbow, 0.62)
        limb(draw, (shoulder, cuff), (_SHOULDER * thin, 1.1 * _ELBOW * thin), sleeve)


def paint_torso(draw: ImageDraw, person: Person, figure: Figure) -> None:
    """Neck, hips and shirt, first in shade and then the lit part from the left."""
    neck = figure.at("neck")
    oval(draw, neck, 0.036 * figure.unit, 0.05 * figure.unit, shade(person.skin, 0.86))
    if person.bottom_kind != "skirt":
        _band(draw, person, figure, (0.43, 0.52), (-1.0, 1.0), shade(person.bottom, 0.93))
    for right, light in ((1.0, 0.82), (_LIT_SHARE, 1.0)):
        _band(draw, person, figure, (_HEM, _COLLAR), (-1.0, right), shade(person.top, light))
        _paint_pattern(draw, person, figure, right, shade(person.accent, light))
    if person.pattern == "logo":
        _paint_logo(draw, person, figure)
    if cos(figure.turn) > 0.2:
        throat = figure.to_pixel((0.03 * sin(figure.turn), _COLLAR + figure.rise, 0.0))
        oval(draw, throat, 0.036 * figure.unit, 0.018 * figure.unit, shade(person.skin, 0.9))


def _paint_pattern(draw: ImageDraw, person: Person, figure: Figure, right: float, colour: RGB) -> None:
    """The shirt's pattern, left of the share `right` (-1 to 1) of the torso's width."""
    if person.pattern == "stripes":
        for low in (0.49, 0.57, 0.65, 0.73):
            _band(draw, person, figure, (low, low + 0.04), (-1.0, right), colour)
    elif person.pattern == "two-tone":
        _band(draw, person, figure, (0.67, _COLLAR), (-1.0, right), colour)
    elif person.pattern == "vertical":
        middle = 0.6 * abs(sin(figure.turn)) * sin(figure.turn)
        edges = (max(-1.0, middle - 0.3), min(right, middle + 0.3))
        _band(draw, person, figure, (_HEM, _COLLAR), edges, colour)


def _paint_logo(draw: ImageDraw, person: Person, figure: Figure) -> None:
    """A round print on chest and back, which narrows as the person turns away."""
    up = 0.68 + figure.rise
    half = 0.062 * abs(cos(figure.turn)) * figure.size_at(up)
    oval(draw, figure.to_pixel((0.0, up, 0.0)), half, 0.062 * figure.unit, person.accent)


def _band(
    draw: ImageDraw,
    person: Person,
    figure: Figure,
    heights: tuple[float, float],
    sides: tuple[float, float],
    colour: RGB,
) -> None:
    """A piece of the torso between two heights and two shares (-1 to 1) of its width."""
    low, high = heights
    ups = [low, *(up for up in _OUTLINE_UP if low < up < high), high]
    corners: list[Pixel] = []
    for side, order in ((sides[0], ups), (sides[1], ups[::-1])):
        for up in order:
            across = side * torso_width(figure, person.build, up)
            corners.append(figure.to_pixel((across, up + figure.rise, 0.0)))
    if sides[0] < sides[1]:
        draw.polygon(corners, fill=colour)
