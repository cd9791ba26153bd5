"""A timeline as a picture: what is done when, and how certain that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.posec3d.ink import HUES, INK, PAGE, SOFT, TRACK, fitting, font
from modelzoo.posec3d.windows import Window, segments

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

MARGIN, NAME, WIDTH = 32, 170, 900
"""Around everything, for the names of actions, of the time axis; in pixels."""

HEAD, STRIP, LANE, GAP, AXIS = 48, 30, 54, 10, 34
"""Height of the title, of the strip of actions, of the lane of one, between them, and of the axis."""

LARGE, MIDDLE, SMALL = 22, 16, 14
"""Sizes of letters."""

TICKS = 6
"""Times on the axis."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """What is on a picture.

    Args:
        title: What the recording is called.
        windows: At least one.
        names: What the actions are called.
        time: What stands at the axis, for a frame counted from 0.
    """

    title: str
    windows: Sequence[Window]
    names: Sequence[str]
    time: Callable[[int], str]

    def place(self, frame: float) -> float:
        """Where a frame is along the axis, in pixels."""
        first, end = self.windows[0].frames.start, self.windows[-1].frames.stop
        return MARGIN + NAME + WIDTH * (frame - first) / (end - first)


def draw_timeline(timeline: Timeline) -> Image.Image:
    """Draw a strip with the most probable actions, and for each of the most frequent ones how probable it is.

    Args:
        timeline: What is on it.

    Returns:
        RGB.
    """
    from PIL import Image, ImageDraw

    hues = _hues(timeline.windows)
    height = HEAD + STRIP + len(hues) * (LANE + GAP) + AXIS
    picture = Image.new("RGB", (NAME + WIDTH + 2 * MARGIN, height + 2 * MARGIN), PAGE)
    draw = ImageDraw.Draw(picture)
    draw.text((MARGIN, MARGIN), fitting(timeline.title, LARGE, NAME + WIDTH), INK, font(LARGE))
    top = MARGIN + HEAD
    _draw_strip(draw, timeline, top, hues)
    for i, (action, hue) in enumerate(hues.items()):
        _draw_lane(draw, timeline, top + STRIP + GAP + i * (LANE + GAP), action, hue)
    _draw_axis(draw, timeline, top + STRIP + len(hues) * (LANE + GAP) + GAP)
    return picture


def _hues(windows: Sequence[Window]) -> dict[int, str]:
    """Colours of the actions that are the most probable ones most often, in the order in which they begin."""
    actions = [window.action for window in windows if window.action is not None]
    frequent = dict(Counter(actions).most_common(len(HUES)))
    return dict(zip((action for action in dict.fromkeys(actions) if action in frequent), HUES, strict=False))


def _draw_strip(draw: ImageDraw.ImageDraw, timeline: Timeline, top: int, hues: dict[int, str]) -> None:
    for one in segments(timeline.windows):
        left, right = timeline.place(one.frames.start), timeline.place(one.frames.stop)
        hue = TRACK if one.action is None else hues.get(one.action, SOFT)
        draw.rectangle([left, top, max(left, right - 1), top + STRIP], hue)
        name = "nobody" if one.action is None else timeline.names[one.action]
        if font(SMALL).getlength(name) < right - left - 12:
            draw.text((left + 6, top + STRIP / 2), name, SOFT if one.action is None else PAGE, font(SMALL), anchor="lm")


def _draw_lane(draw: ImageDraw.ImageDraw, timeline: Timeline, top: int, action: int, hue: str) -> None:
    """An area as high as the action is probable, at the middle of every window."""
    bottom = top + LANE
    draw.rectangle([timeline.place(timeline.windows[0].frames.start), top, MARGIN + NAME + WIDTH, bottom], TRACK)
    words = fitting(timeline.names[action], MIDDLE, NAME - GAP)
    draw.text((MARGIN, top + LANE / 2), words, INK, font(MIDDLE), anchor="lm")
    shares = [0.0 if one.probabilities is None else float(one.probabilities[action]) for one in timeline.windows]
    middles = [timeline.place((one.frames.start + one.frames.stop) / 2) for one in timeline.windows]
    edges = [timeline.place(timeline.windows[0].frames.start), *middles, MARGIN + NAME + WIDTH]
    heights = [bottom - LANE * share for share in (shares[0], *shares, shares[-1])]
    draw.polygon([(edges[0], bottom), *zip(edges, heights, strict=True), (edges[-1], bottom)], hue)


def _draw_axis(draw: ImageDraw.ImageDraw, timeline: Timeline, top: int) -> None:
    first, end = timeline.windows[0].frames.start, timeline.windows[-1].frames.stop
    for i in range(TICKS + 1):
        frame = first + round(i * (end - first) / TICKS)
        draw.line([timeline.place(frame), top, timeline.place(frame), top + 6], SOFT)
        anchor = "la" if i == 0 else "ra" if i == TICKS else "ma"
        draw.text((timeline.place(frame), top + 10), timeline.time(frame), SOFT, font(SMALL), anchor=anchor)
