"""Paints what a person carries."""

from math import cos, hypot, sin

from PIL.ImageDraw import ImageDraw

from modelzoo.common.synthetic.figure import Figure
from modelzoo.common.synthetic.palette import shade
from modelzoo.common.synthetic.pen import limb
from modelzoo.common.synthetic.person import Person


def paint_backpack(draw: ImageDraw, person: Person, figure: Figure) -> None:
    """The sack, which hangs behind the shoulders."""
    half = hypot(0.088 * cos(figure.turn), 0.055 * sin(figure.turn))
    across = -0.105 * sin(figure.turn)
    box = [figure.to_pixel((across + side * half, up + figure.rise, 0.0)) for side, up in ((-1, 0.8), (1, 0.54))]
    unit = figure.size_at(0.67)
    corners = (box[0][0], box[0][1], box[1][0], box[1][1])
    draw.rounded_rectangle(corners, radius=0.04 * unit, fill=person.bag_colour)
    if cos(figure.turn) < 0.0:
        pocket = (
            box[0][0] + 0.03 * unit,
            box[1][1] - 0.11 * unit,
            box[1][0] - 0.03 * unit,
            box[1][1] - 0.02 * unit,
        )
        draw.rounded_rectangle(pocket, radius=0.02 * unit, fill=shade(person.bag_colour, 0.78))


def paint_straps(draw: ImageDraw, person: Person, figure: Figure) -> None:
    """The straps of a backpack over the chest."""
    thick = 0.012 * figure.unit
    for side in (-1.0, 1.0):
        across = side * 0.068 * person.build * cos(figure.turn)
        ends = [figure.to_pixel((across + 0.02 * sin(figure.turn), up + figure.rise, 0.0)) for up in (0.82, 0.62)]
        limb(draw, ends, (thick, thick), shade(person.bag_colour, 0.85))


def paint_handbag(draw: ImageDraw, person: Person, figure: Figure) -> None:
    """A bag on two handles in the right hand."""
    unit = figure.size_at(0.45)
    x, y = figure.at("right_hand")
    half = hypot(0.03 * cos(figure.turn), 0.065 * sin(figure.turn)) * unit
    top, bottom = y + 0.055 * unit, y + 0.145 * unit
    for side in (-0.6, 0.6):
        draw.line((x, y, x + side * half, top), fill=shade(person.bag_colour, 0.7), width=round(0.012 * unit) + 1)
    corners = [(x - 0.85 * half, top), (x + 0.85 * half, top), (x + half, bottom), (x - half, bottom)]
    draw.polygon(corners, fill=person.bag_colour)
    draw.polygon(
        [corners[1], corners[2], (x + 0.3 * half, bottom), (x + 0.3 * half, top)],
        fill=shade(person.bag_colour, 0.8),
    )
