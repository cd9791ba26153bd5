"""Which actions are taken for which: a picture, and the most frequent pairs as its table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from modelzoo.common.report.figures import Figure

SIDE = 404
"""Width and height of the matrix, in the picture's own pixels."""

EDGE = 16
"""Room for the names of the axes."""

NAMED = 20
"""How many classes have their names beside the matrix, at most: those of more could not be read."""

NAME_ROOM, NAME_LENGTH = 92, 15
"""Room for a name, and the characters that it takes."""

FAINTEST = 0.15
"""Shade of the smallest share, so that a single sample is seen."""

LISTED = 15
"""How many pairs the table has."""

LOOK = 'style="font-size:11px"'


def confusion_figure(title: str, names: Sequence[str], confusion: Sequence[Sequence[int]]) -> Figure:
    """Draw a confusion matrix, the darker the larger the share of the right class.

    Args:
        title: What it shows.
        names: The name of every class.
        confusion: How often each class (row) was taken for each (column).
    """
    cells = ((count, row, column) for row, counts in enumerate(confusion) for column, count in enumerate(counts))
    pairs = [cell for cell in cells if cell[0]]
    wrong = sorted((pair for pair in pairs if pair[1] != pair[2]), key=lambda pair: (-pair[0], *pair[1:]))
    rows = [(names[row], names[column], f"{count} of {sum(confusion[row])}") for count, row, column in wrong[:LISTED]]
    cell, start = SIDE / len(names), EDGE
    parts = []
    if len(names) <= NAMED:
        start += NAME_ROOM
        parts += [_class_names(name, start, start + (i + 0.5) * cell) for i, name in enumerate(names)]
    parts += [_axis_names(start + SIDE)]
    parts += [f'<rect x="{start}" y="{start}" width="{SIDE}" height="{SIDE}" style="fill:var(--track)"/>']
    for count, row, column in pairs:
        said = f"{names[row]}, taken for {names[column]}: {count} of {sum(confusion[row])}"
        parts.append(_cell(start + column * cell, start + row * cell, cell, count / sum(confusion[row]), said))
    view = f"0 0 {start + SIDE} {start + SIDE}"
    drawing = f'<svg role="img" aria-label="{escape(title)}" viewBox="{view}">{"".join(parts)}</svg>'
    return Figure(title, ("action", "taken for", "samples"), rows, drawing)


def _cell(x: float, y: float, size: float, share: float, said: str) -> str:
    shade = FAINTEST + (1 - FAINTEST) * share
    place = f'x="{x:.2f}" y="{y:.2f}" width="{size:.2f}" height="{size:.2f}"'
    return f'<rect {place} style="fill:var(--main);fill-opacity:{shade:.3f}"><title>{escape(said)}</title></rect>'


def _class_names(name: str, start: int, middle: float) -> str:
    """The name of a class before its row and above its column."""
    words = escape(name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…")
    before = f'<text x="{start - 4}" y="{middle + 4:.1f}" text-anchor="end" {LOOK}>{words}</text>'
    above = f'transform="translate({middle + 4:.1f} {start - 4}) rotate(-90)"'
    return f'{before}<text x="0" y="0" {above} {LOOK}>{words}</text>'


def _axis_names(bottom: int) -> str:
    down = f'<text x="0" y="0" transform="translate(11 {bottom}) rotate(-90)" {LOOK}>← action, first at the top</text>'
    return f'<text x="{EDGE}" y="11" {LOOK}>taken for, first at the left →</text>{down}'
