"""Colours and letters of the pictures."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from PIL import ImageFont

    Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

PAGE, STAGE, TRACK = "#ffffff", "#171a21", "#eceef2"
"""Behind everything, behind skeletons, behind bars."""

INK, SOFT, MAIN = "#1b1d21", "#6a707a", "#3b6fd4"
"""Words, quieter words, bars."""

HUES = ("#3b6fd4", "#d9702b", "#2f9e77", "#b04ac0", "#c43d53", "#7a8a1f", "#1f92b5", "#8a6a3b", "#6b5bd6", "#5c6b73")
"""One for each of the actions on a timeline."""


@cache
def font(size: int) -> Font:
    """The letters of every text: those that Pillow brings, which are Latin."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def fitting(text: str, size: int, width: float) -> str:
    """As much of a text as fits into a width, with … for the rest.

    Args:
        text: A line.
        size: Of the letters, in pixels.
        width: In pixels.
    """
    letters = font(size)
    if letters.getlength(text) <= width:
        return text
    count = next((n for n in range(len(text), 0, -1) if letters.getlength(text[:n] + "…") <= width), 0)
    return text[:count] + "…"
