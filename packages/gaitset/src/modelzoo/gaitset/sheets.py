"""A ranking as a picture: some silhouettes of the probe, and below them those of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from modelzoo.gaitset.spec import HEIGHT, WIDTH

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

SILHOUETTES = 8
"""How many silhouettes of a sequence are shown."""

TILE = (2 * WIDTH, 2 * HEIGHT)
"""Width and height of a silhouette, pixels."""

MARGIN, GAP, BORDER, LABEL = 36, 22, 4, 190
"""Around the sheet, between rows, around a row; and the width of the words before one."""

PAGE, EMPTY, INK, SOFT, NEUTRAL = "#ffffff", "#000000", "#1b1d21", "#6a707a", "#c9c9c4"
LARGE, SMALL = 19, 13
BASELINES = (30, 54, 80, 96)
"""Where the lines of a label stand below the top of its row."""


@dataclass(frozen=True)
class Row:
    """A sequence, and what stands before it.

    Args:
        frames: `(n, 64, 44) uint8`, aligned silhouettes.
        title: The first line: a rank.
        words: The second line: a distance.
        name: Two more lines.
    """

    frames: np.ndarray
    title: str
    words: str
    name: str


def draw_sheet(probe: Row, answers: Sequence[Row]) -> Image.Image:
    """Draw a probe, and its answers below.

    Args:
        probe: The probe.
        answers: Nearest first.

    Returns:
        RGB.
    """
    from PIL import Image, ImageDraw

    width, height = LABEL + SILHOUETTES * TILE[0], TILE[1] + GAP
    rows = 1 + len(answers)
    sheet = Image.new("RGB", (2 * MARGIN + width, 2 * MARGIN + rows * height + (rows > 1) * GAP - GAP), PAGE)
    draw = ImageDraw.Draw(sheet)
    _draw_row(sheet, draw, probe, MARGIN, INK)
    first = MARGIN + height + GAP
    if answers:
        draw.line([(MARGIN, first - GAP), (MARGIN + width + BORDER, first - GAP)], NEUTRAL)
    for i, answer in enumerate(answers):
        _draw_row(sheet, draw, answer, first + i * height, NEUTRAL)
    return sheet


def evenly_spaced(frames: np.ndarray, count: int) -> np.ndarray:
    """So many frames of a sequence at equal distances, or all where it has no more; the first is among them.

    Args:
        frames: `(n, h, w)`.
        count: How many.
    """
    step = max(1, len(frames) / count)
    return frames[[int(i * step) for i in range(min(count, len(frames)))]]


def _draw_row(sheet: Image.Image, draw: ImageDraw.ImageDraw, row: Row, top: int, colour: str) -> None:
    from PIL import Image

    left, (width, height) = MARGIN + LABEL, TILE
    frame = [left - BORDER, top - BORDER, left + SILHOUETTES * width + BORDER - 1, top + height + BORDER - 1]
    draw.rectangle(frame, EMPTY, colour, BORDER)
    for i, silhouette in enumerate(evenly_spaced(row.frames, SILHOUETTES)):
        sheet.paste(Image.fromarray(silhouette).resize(TILE, Image.Resampling.BICUBIC), (left + i * width, top))
    lines = (row.title, row.words, *_in_two_lines(row.name, LABEL - GAP))
    for line, (text, baseline) in enumerate(zip(lines, BASELINES, strict=True)):
        size, ink = (LARGE, INK) if line == 0 else (LARGE if line == 1 else SMALL, SOFT)
        draw.text((MARGIN, top + baseline), text, ink, _font(size), anchor="ls")


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
