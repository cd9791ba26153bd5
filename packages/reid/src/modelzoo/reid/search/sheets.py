"""A ranking as a picture: the query, then its answers with rank and distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

    Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

PICTURE = (128, 256)
"""Width and height of the place of a picture, pixels."""

MARGIN, GAP, BORDER = 36, 26, 4
CAPTION = 68
"""Height of what stands below a picture: rank and distance, and two lines of its name."""

COLUMNS = 10
"""Answers in a row."""

PAGE, EMPTY, INK, SOFT = "#ffffff", "#efefec", "#1b1d21", "#6a707a"
NEUTRAL, ACCEPTED = "#c9c9c4", "#1b7f3b"
LARGE, SMALL = 19, 13
BASELINES = (30, 50, 66)
"""Where the lines of a caption stand below a picture."""


@dataclass(frozen=True)
class Tile:
    """A picture and what stands below it.

    Args:
        image: RGB, what `fitted` gives; None for an empty place.
        left: Words below its left edge.
        right: Words below its right edge.
        name: The lines below them.
    """

    image: Image.Image | None
    left: str
    right: str
    name: str


def fitted(image: Image.Image) -> Image.Image:
    """An image as large as its place on a sheet allows, in its own proportions."""
    from PIL import Image, ImageOps

    return ImageOps.contain(image, PICTURE, Image.Resampling.LANCZOS)


def draw_sheet(query: Tile, answers: Sequence[Tile], accepted: bool, nothing: str) -> Image.Image:
    """Draw the query, and beside it its answers in rows.

    Args:
        query: The query.
        answers: Nearest first.
        accepted: Whether the answers are within a threshold: their borders are green then.
        nothing: What stands in the place of answers where there are none.

    Returns:
        RGB.
    """
    from PIL import Image, ImageDraw

    columns, rows = max(min(len(answers), COLUMNS), 3), -(-len(answers) // COLUMNS) or 1
    step, line = PICTURE[0] + GAP, PICTURE[1] + CAPTION + GAP
    left = MARGIN + step + GAP
    size = (left + columns * step - GAP + MARGIN, 2 * MARGIN + rows * line - GAP)
    sheet = Image.new("RGB", size, PAGE)
    draw = ImageDraw.Draw(sheet)
    _draw_tile(sheet, draw, query, (MARGIN, MARGIN), INK)
    draw.line([(left - GAP, MARGIN - BORDER), (left - GAP, size[1] - MARGIN)], NEUTRAL)
    for i, answer in enumerate(answers):
        place = (left + i % COLUMNS * step, MARGIN + i // COLUMNS * line)
        _draw_tile(sheet, draw, answer, place, ACCEPTED if accepted else NEUTRAL)
    if not answers:
        draw.text((left, MARGIN + PICTURE[1] // 2), nothing, SOFT, _font(LARGE), anchor="lm")
    return sheet


def _draw_tile(sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, place: tuple[int, int], colour: str) -> None:
    (x, y), (width, height) = place, PICTURE
    frame = [x - BORDER, y - BORDER, x + width + BORDER - 1, y + height + BORDER - 1]
    draw.rectangle(frame, EMPTY, colour, BORDER)
    if tile.image:
        sheet.paste(tile.image, (x + (width - tile.image.width) // 2, y + (height - tile.image.height) // 2))
    first, *others = (y + height + baseline for baseline in BASELINES)
    draw.text((x, first), tile.left, INK, _font(LARGE), anchor="ls")
    draw.text((x + width, first), tile.right, SOFT, _font(LARGE), anchor="rs")
    for line, text in zip(others, _in_two_lines(tile.name, width), strict=True):
        draw.text((x, line), text, SOFT, _font(SMALL), anchor="ls")


def _in_two_lines(name: str, width: int) -> tuple[str, str]:
    """A name in two lines; what does not fit is left out of the beginning of the second one."""
    font = _font(SMALL)
    count = next((n for n in range(len(name), 1, -1) if font.getlength(name[:n]) <= width), 1)
    first, rest = name[:count], name[count:]
    if font.getlength(rest) <= width:
        return first, rest
    last = next((n for n in range(len(rest), 1, -1) if font.getlength("…" + rest[-n:]) <= width), 1)
    return first, "…" + rest[-last:]


def _font(size: int) -> Font:
    from PIL import ImageFont

    return ImageFont.load_default(size)
