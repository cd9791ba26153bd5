"""Which actions are taken for which: a picture, and the most frequent pairs as its table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from modelzoo.common.report.figures import Figure

SIDE = 420
"""Width and height of the picture, in its own pixels."""

EDGE = 16
"""Room for the names of the axes."""

FAINTEST = 0.15
"""Shade of the smallest share, so that a single sample is seen."""

LISTED = 15
"""How many pairs the table has."""


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
    cell = (SIDE - EDGE) / len(names)
    box = f'<rect x="{EDGE}" y="{EDGE}" width="{SIDE - EDGE}" height="{SIDE - EDGE}" style="fill:var(--track)"/>'
    parts = [_axis_names(), box]
    for count, row, column in pairs:
        said = f"{names[row]}, taken for {names[column]}: {count} of {sum(confusion[row])}"
        parts.append(_cell(row, column, cell, count / sum(confusion[row]), said))
    drawing = f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {SIDE} {SIDE}">{"".join(parts)}</svg>'
    return Figure(title, ("action", "taken for", "samples"), rows, drawing)


def _cell(row: int, column: int, size: float, share: float, said: str) -> str:
    x, y, shade = EDGE + column * size, EDGE + row * size, FAINTEST + (1 - FAINTEST) * share
    place = f'x="{x:.2f}" y="{y:.2f}" width="{size:.2f}" height="{size:.2f}"'
    return f'<rect {place} style="fill:var(--main);fill-opacity:{shade:.3f}"><title>{escape(said)}</title></rect>'


def _axis_names() -> str:
    look = 'style="font-size:11px"'
    down = f'<text x="0" y="0" transform="translate(11 {SIDE}) rotate(-90)" {look}>← action, first at the top</text>'
    return f'<text x="{EDGE}" y="11" {look}>taken for, first at the left →</text>{down}'
