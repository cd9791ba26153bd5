"""Charts as figures: inline SVG that takes its colours and type from the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from modelzoo.common.report.figures import Figure

WIDTH, HEIGHT, BAR = 440, 270, 48
LEFT, RIGHT, TOP, BOTTOM = 56, 428, 30, 222
KEY_POINTS = 8
"""About how many points of a line stand for it in the table."""

Scale = Callable[[float], float]
Points = Sequence[tuple[float, float]]


def line_chart(title: str, x: str, y: str, series: Mapping[str, Points], form: str = ".4g") -> Figure:
    """Lines over one x axis; both axes begin at 0, or below it.

    Args:
        title: What it shows.
        x: What the lying axis shows, with the unit.
        y: What the standing axis shows, with the unit.
        series: The points of every line by its name, x ascending; one point alone is drawn as a dot.
        form: How y is written, a format of `format()`.
    """
    xs, ys = zip(*[point for line in series.values() for point in line], strict=True)
    across, x_ticks = _scale(min(0, *xs), max(xs), LEFT, RIGHT)
    up, y_ticks = _scale(min(0, *ys), max(ys), BOTTOM, TOP)
    parts = _axes(x, y, x_ticks, y_ticks, form)
    for i, line in enumerate(series.values()):
        pixels = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in [*line, line[-1]])
        parts.append(f'<polyline class="line s{i}" points="{pixels}"/>')
    few = [(name, a, b) for name, line in series.items() for a, b in line[:: math.ceil(len(line) / KEY_POINTS)]]
    rows = [(name, f"{a:.4g}", format(b, form)) for name, a, b in few]
    return Figure(title, ("", x, y), rows, _legend(series) + _svg(title, rows, HEIGHT, parts))


def histogram(title: str, x: str, values: Sequence[float], percentiles: Sequence[int] = (50, 90, 99)) -> Figure:
    """How values are spread, with percentiles as marked lines.

    Args:
        title: What it shows.
        x: What the values are, with the unit.
        values: At least one.
        percentiles: Which ones are marked, ascending.
    """
    import numpy as np

    across, x_ticks = _scale(min(values), max(values), LEFT, RIGHT)
    counts, edges = np.histogram(values, 4 * len(x_ticks) - 4, (x_ticks[0][1], x_ticks[-1][1]))
    up, y_ticks = _scale(0, max(5, int(counts.max())), BOTTOM, TOP + 16 * len(percentiles))
    parts, width = _axes(x, "count", x_ticks, y_ticks, ".0f"), (RIGHT - LEFT) / len(counts) - 1.5
    parts += [_bar("bar", across(a) + 0.75, up(n), width, BOTTOM - up(n)) for n, a in zip(counts, edges, strict=False)]
    marks = [(f"p{p}", float(np.percentile(values, p))) for p in percentiles]
    rows = [(name, f"{value:.4g}") for name, value in marks]
    marks.sort(key=lambda mark: min(across(mark[1]) - LEFT, RIGHT - across(mark[1])))  # no line through a text
    parts += [_mark(f"{name} {value:.4g}", across(value), TOP + 16 * i) for i, (name, value) in enumerate(marks)]
    return Figure(title, ("", x), rows, _svg(title, rows, HEIGHT, parts))


def histograms(title: str, x: str, series: Mapping[str, Sequence[float]]) -> Figure:
    """How several sets of values are spread: one over the other, each as shares of its own values.

    Args:
        title: What it shows.
        x: What the values are, with the unit.
        series: The values of every set by its name, at least one each.
    """
    import numpy as np

    ends = [end for values in series.values() for end in (min(values), max(values))]
    across, x_ticks = _scale(min(ends), max(ends), LEFT, RIGHT)
    edges = np.linspace(x_ticks[0][1], x_ticks[-1][1], 8 * len(x_ticks) - 7)
    shares = [np.histogram(values, edges)[0] / len(values) for values in series.values()]
    up, y_ticks = _scale(0, float(np.max(shares)), BOTTOM, TOP)
    parts = _axes(x, "share", x_ticks, y_ticks, ".1%")
    for i, steps in enumerate(shares):
        pixels = [f"{across(at):.1f},{up(n):.1f}" for j, n in enumerate(steps) for at in edges[j : j + 2]]
        parts.append(f'<polygon class="area s{i}" points="{LEFT},{BOTTOM} {" ".join(pixels)} {RIGHT},{BOTTOM}"/>')
    rows = [(name, *[f"{p:.4g}" for p in np.percentile(values, (5, 50, 95))]) for name, values in series.items()]
    return Figure(title, ("", "p5", "p50", "p95"), rows, _legend(series) + _svg(title, rows, HEIGHT, parts))


def bar_chart(title: str, unit: str, bars: Mapping[str, float]) -> Figure:
    """Lying bars from 0, each below its name and value.

    Args:
        title: What it shows.
        unit: Unit of the values.
        bars: Values by name.
    """
    rows, most = [(name, f"{value:.3g} {unit}") for name, value in bars.items()], max(bars.values()) or 1
    parts = []
    for top, (name, words), value in zip(range(0, BAR * len(bars), BAR), rows, bars.values(), strict=True):
        parts += [_text(0, top + 18, name), _text(WIDTH, top + 18, words, "end")]
        parts += [_bar("track", 0, top + 26, WIDTH, 10), _bar("bar", 0, top + 26, WIDTH * value / most, 10)]
    return Figure(title, ("", "value"), rows, _svg(title, rows, BAR * len(bars), parts))


def _scale(low: float, high: float, start: float, end: float) -> tuple[Scale, Points]:
    """Values to pixels, between round values that hold both; and about five round values, each behind its pixel."""
    rough = (high - low or abs(high) or 1) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    pixels = (end - start) / (last - first)
    ticks = [(start + pixels * i, step * (first + i)) for i in range(last - first + 1)]
    return lambda value: start + pixels * (value / step - first), ticks


def _axes(x: str, y: str, below: Points, beside: Points, form: str) -> list[str]:
    grid = [f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>' for at, _ in beside]
    ticks = [_text(LEFT - 8, at + 4.5, format(value, form), "end") for at, value in beside]
    ticks += [_text(at, BOTTOM + 20, f"{value:.4g}", "middle") for at, value in below]
    return [*grid, *ticks, _text(0, 12, y), _text(RIGHT, HEIGHT - 6, x, "end")]


def _legend(names: Iterable[str]) -> str:
    items = "".join(f'<li class="s{i}">{escape(name)}</li>' for i, name in enumerate(names))
    return f"<ul>{items}</ul>"


def _mark(words: str, x: float, y: float) -> str:
    text = _text(x - 6, y + 2, words, "end") if x > (LEFT + RIGHT) / 2 else _text(x + 6, y + 2, words)
    return f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 8}" y2="{BOTTOM}"/>{text}'


def _bar(look: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{look}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(title: str, rows: Sequence[Sequence[str]], height: int, parts: Sequence[str]) -> str:
    said = escape(f"{title}: " + "; ".join(map(" ".join, rows)))
    return f'<svg role="img" aria-label="{said}" viewBox="0 0 {WIDTH} {height}">{"".join(parts)}</svg>'
