"""A table of percentages as a heat map: inline SVG that takes its colours from the report's page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from modelzoo.common.report.figures import Figure

CELL_WIDTH, CELL_HEIGHT = 36, 28
LEFT, TOP = 36, 44
"""Room for the names of rows and columns."""

DARK = 0.75
"""Shade from which a text is easier to read in the colour of the card than in ink."""

EXPONENT = 3
"""Of the shade: good models differ in the last per cent, where a shade in proportion would look the same."""


def heat_map(
    title: str, rows: str, columns: str, names: Sequence[str], cells: Sequence[Sequence[float | None]]
) -> Figure:
    """Draw every cell with its value, the darker the higher.

    Args:
        title: What it shows.
        rows: What the rows are.
        columns: What the columns are.
        names: The name of each row, and of each column.
        cells: Per cent, a list per row; None for a cell that does not exist.
    """
    texts = [(name, *map(_percent, row)) for name, row in zip(names, cells, strict=True)]
    parts = [_text(0, 12, f"{rows} ↓ {columns} →")]
    for i, name in enumerate(names):
        parts.append(_text(LEFT - 8, TOP + CELL_HEIGHT * (i + 0.5) + 4, name, "end"))
        parts.append(_text(LEFT + CELL_WIDTH * (i + 0.5), TOP - 8, name, "middle"))
        parts += [_cell(i, j, value, f"{rows} {name}, {columns} {names[j]}") for j, value in enumerate(cells[i])]
    size = f"{LEFT + CELL_WIDTH * len(names)} {TOP + CELL_HEIGHT * len(names)}"
    said = escape(f"{title}: {rows} against {columns}, per cent")
    drawing = f'<svg role="img" aria-label="{said}" viewBox="0 0 {size}">{"".join(parts)}</svg>'
    return Figure(title, (f"{rows} \\ {columns}", *names), texts, drawing)


def _cell(row: int, column: int, value: float | None, place: str) -> str:
    shade = ((value or 0) / 100) ** EXPONENT
    x, y = LEFT + CELL_WIDTH * column, TOP + CELL_HEIGHT * row
    colour = "var(--track)" if value is None else f"var(--main);fill-opacity:{shade:.3f}"
    box = f'<rect x="{x}" y="{y}" width="{CELL_WIDTH - 1}" height="{CELL_HEIGHT - 1}" style="fill:{colour}"/>'
    ink = "var(--card)" if shade > DARK else "var(--ink)"
    words = _text(
        x + (CELL_WIDTH - 1) / 2, y + CELL_HEIGHT / 2 + 3.5, _percent(value), "middle", f"fill:{ink};stroke:none"
    )
    return f"<g><title>{escape(place)}: {_percent(value)}</title>{box}{words}</g>"


def _text(x: float, y: float, words: str, anchor: str = "start", style: str = "") -> str:
    look = f"font-size:11px;{style}"
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" style="{look}">{escape(words)}</text>'


def _percent(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value in {0, 100} else f"{value:.1f}"
