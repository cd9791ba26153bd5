"""Pictures side by side as one picture: appearances across, structures down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from modelzoo.common.errors import UsageError
from modelzoo.dgnet.spec import HEIGHT, WIDTH

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image, ImageDraw

Row: TypeAlias = "Sequence[np.ndarray]"
"""Pictures, `(256, 128, 3) uint8`, RGB, 0..255 each."""

MARGIN, GAP, GUTTER, BORDER = 32, 12, 28, 4
"""Around all, between pictures, between given and generated ones, and the frame of a given one; pixels."""

PAGE, INK = "#ffffff", "#1b1d21"
APPEARANCE, STRUCTURE = "#1f5fa8", "#b3541e"
"""The colours of given appearances and structures."""

LIMITS = {".jpg": 65_500, ".gif": 65_535}
"""The most pixels of a side in a format, where it has a limit; of JPEG, that of libjpeg."""

FONT = 19
ARROW = 7


def sheet_size(rows: int, columns: int) -> tuple[int, int]:
    """Width and height of what `draw_grid` draws, pixels."""
    right, low = _place(rows, columns)
    return right - GAP + MARGIN, low - GAP + MARGIN


def strip_size(columns: int) -> tuple[int, int]:
    """Width and height of what `side_by_side` draws, pixels."""
    return columns * (WIDTH + GAP) - GAP, HEIGHT


def check_size(path: Path, size: tuple[int, int]) -> None:
    """Before long work: whether the format of a file can hold a picture.

    Args:
        path: The file, whose suffix names the format.
        size: Width and height, pixels.

    Raises:
        UsageError: It cannot.
    """
    limit = LIMITS.get(path.suffix.lower())
    if limit and max(size) > limit:
        text = f"--output {path} would have {size[0]} x {size[1]} pixels; {path.suffix} holds {limit} a side"
        raise UsageError(text, "fewer pictures, or .png")


def draw_grid(structures: Row, appearances: Sequence[np.ndarray | None], generated: Sequence[Row]) -> Image.Image:
    """Draw a table of pictures.

    Args:
        structures: What stands beside the rows.
        appearances: What stands above the columns; None for nothing.
        generated: A row for every structure, with a picture for every appearance.

    Returns:
        RGB.
    """
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", sheet_size(len(generated), len(appearances)), PAGE)
    draw = ImageDraw.Draw(sheet)
    _draw_corner(draw)
    for column, appearance in enumerate(appearances):
        if appearance is not None:
            _paste(sheet, draw, appearance, (_place(0, column)[0], MARGIN), APPEARANCE)
    for row, (structure, pictures) in enumerate(zip(structures, generated, strict=True)):
        _paste(sheet, draw, structure, (MARGIN, _place(row, 0)[1]), STRUCTURE)
        for column, picture in enumerate(pictures):
            _paste(sheet, draw, picture, _place(row, column))
    return sheet


def side_by_side(pictures: Row) -> Image.Image:
    """Pictures in a row, without anything else; RGB."""
    from PIL import Image

    sheet = Image.new("RGB", strip_size(len(pictures)), PAGE)
    for column, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture), (column * (WIDTH + GAP), 0))
    return sheet


def _place(row: int, column: int) -> tuple[int, int]:
    """Where a generated picture stands: left, top."""
    return (
        MARGIN + WIDTH + GUTTER + column * (WIDTH + GAP),
        MARGIN + HEIGHT + GUTTER + row * (HEIGHT + GAP),
    )


def _paste(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, picture: np.ndarray, place: tuple[int, int], frame: str = ""
) -> None:
    from PIL import Image

    left, top = place
    if frame:
        corners = (left - BORDER, top - BORDER, left + WIDTH + BORDER - 1, top + HEIGHT + BORDER - 1)
        draw.rectangle(corners, frame)
    sheet.paste(Image.fromarray(picture), place)


def _draw_corner(draw: ImageDraw.ImageDraw) -> None:
    """Say which is which, with an arrow to the right and one down."""
    from PIL import ImageFont

    font, right, low = ImageFont.load_default(FONT), MARGIN + WIDTH, MARGIN + HEIGHT
    draw.text((right - 3 * ARROW, MARGIN + HEIGHT // 2), "appearance", APPEARANCE, font, anchor="rm")
    draw.polygon([*_arrow((right, MARGIN + HEIGHT // 2), (1, 0))], APPEARANCE)
    draw.text((MARGIN + WIDTH // 2, low - 3 * ARROW), "structure", STRUCTURE, font, anchor="ms")
    draw.polygon([*_arrow((MARGIN + WIDTH // 2, low), (0, 1))], STRUCTURE)


def _arrow(tip: tuple[int, int], towards: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The three corners of an arrow head."""
    (x, y), (right, down) = tip, towards
    yield x, y
    for side in (-ARROW, ARROW):
        yield x - 2 * ARROW * right + side * down, y - 2 * ARROW * down + side * right
