"""A recording on one picture: some of its frames, and what the network says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.posec3d.ink import INK, MAIN, PAGE, SOFT, TRACK, fitting, font

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

SIDE, GAP, MARGIN = 200, 10, 32
"""Width of a frame, between frames, around everything; in pixels."""

HEAD, CAPTION, ROW = 78, 30, 30
"""Height of the title, of the line below the frames, and of a bar with its name."""

NAME, SHARE = 190, 64
"""Width of the name of an action, and of its probability."""

LARGE, MIDDLE, SMALL = 30, 16, 14
"""Sizes of letters."""

LEAST_WIDTH = 2 * SIDE + GAP
"""Of what is on the card: there have to be bars, even where there is only one frame."""


@dataclass(frozen=True, eq=False)
class Card:
    """What is on a picture.

    Args:
        title: The action.
        words: What is said of the recording, in one line.
        frames: RGB, 200 x 200 pixels each.
        captions: A word or two for each of them.
        bars: Names and probabilities of actions.
    """

    title: str
    words: str
    frames: Sequence[Image.Image]
    captions: Sequence[str]
    bars: Sequence[tuple[str, float]]


def draw_card(card: Card) -> Image.Image:
    """Draw a card.

    Args:
        card: What is on it; it has at least one frame.

    Returns:
        RGB.
    """
    from PIL import Image, ImageDraw

    width = max(LEAST_WIDTH, len(card.frames) * (SIDE + GAP) - GAP)
    height = HEAD + SIDE + CAPTION + len(card.bars) * ROW
    picture = Image.new("RGB", (width + 2 * MARGIN, height + 2 * MARGIN), PAGE)
    draw = ImageDraw.Draw(picture)
    draw.text((MARGIN, MARGIN), fitting(card.title, LARGE, width), INK, font(LARGE))
    draw.text((MARGIN, MARGIN + 44), fitting(card.words, MIDDLE, width), SOFT, font(MIDDLE))
    for i, (frame, caption) in enumerate(zip(card.frames, card.captions, strict=True)):
        left, top = MARGIN + i * (SIDE + GAP), MARGIN + HEAD
        picture.paste(frame, (left, top))
        draw.text((left, top + SIDE + 6), fitting(caption, SMALL, SIDE), SOFT, font(SMALL))
    for i, (name, probability) in enumerate(card.bars):
        _draw_bar(draw, MARGIN + HEAD + SIDE + CAPTION + i * ROW, width, name, probability)
    return picture


def _draw_bar(draw: ImageDraw.ImageDraw, top: int, width: int, name: str, probability: float) -> None:
    left, right = MARGIN + NAME, MARGIN + width - SHARE
    draw.text((MARGIN, top + 7), fitting(name, MIDDLE, NAME - GAP), INK, font(MIDDLE))
    draw.rounded_rectangle([left, top + 8, right, top + 24], 8, TRACK)
    end = left + probability * (right - left)
    if end - left >= 1:
        draw.rounded_rectangle([left, top + 8, end, top + 24], min(8, (end - left) / 2), MAIN)
    draw.text((MARGIN + width, top + 7), f"{probability:.1%}", INK, font(MIDDLE), anchor="ra")
