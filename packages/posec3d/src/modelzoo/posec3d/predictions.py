"""Predictions as text, JSON and a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from modelzoo.common.text import printable
from modelzoo.posec3d.predict import Prediction
from modelzoo.posec3d.windows import segments

if TYPE_CHECKING:
    from modelzoo.posec3d.recognizer import ActionRecognizer

HEADER = ("recording", "start", "end", "unit", "action", "probability")


def as_json(one: Prediction, recognizer: ActionRecognizer, top: int) -> dict[str, Any]:
    """A prediction as JSON values; times are in seconds where frames a second are known, else in frames.

    Args:
        one: What is done in the recording.
        recognizer: Knows what the actions are called.
        top: How many actions are named.

    Returns:
        With the probabilities of all actions by their numbers, and of every window its most probable action.
    """
    people, frames = one.recording.skeletons.scores.shape[:2]
    content: dict[str, Any] = {
        "name": one.recording.name,
        "frames": frames,
        "people": people,
        "top": [{"action": name, "probability": share} for name, share in recognizer.top(one.probabilities, top)],
        "probabilities": one.probabilities.tolist(),
    }
    if one.windows:
        content["unit"] = one.clock.unit
        content["windows"] = [dict(zip(HEADER[1:3] + HEADER[4:], row, strict=True)) for row in _rows(one, recognizer)]
    return content


def timeline_csv(recordings: Iterable[Mapping[str, Any]]) -> str:
    """The table: a row for every window; action and probability are empty where nobody is seen.

    Args:
        recordings: What `as_json` says of them.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    for one in recordings:
        for window in one.get("windows", ()):
            times = (f"{window['start']:g}", f"{window['end']:g}", one["unit"])
            action, probability = window["action"], window["probability"]
            said = "" if action is None else f"{probability:.6f}"
            table.writerow([printable(one["name"]), *times, action, said])
    return text.getvalue()


def _rows(one: Prediction, recognizer: ActionRecognizer) -> list[tuple[float, float, str | None, float | None]]:
    """Start, end, action and its probability of every window; None where nobody is seen."""
    rows: list[tuple[float, float, str | None, float | None]] = []
    for window in one.windows:
        start, end = (round(one.clock.at(frame), 3) for frame in (window.frames.start, window.frames.stop))
        seen = window.action is not None
        name = recognizer.names[window.action] if window.action is not None else None
        rows.append((start, end, name, window.certainty if seen else None))
    return rows


def lines(one: Prediction, recognizer: ActionRecognizer, top: int) -> list[str]:
    """What is printed of a prediction."""
    said = [f"{share:8.2%}  {name}" for name, share in recognizer.top(one.probabilities, top)]
    for segment in segments(one.windows):
        times = f"{one.clock.text(segment.frames.start)} to {one.clock.text(segment.frames.stop)}"
        name = "nobody" if segment.action is None else recognizer.names[segment.action]
        said.append(f"  {times}: {name}" + ("" if segment.action is None else f" ({segment.probability:.0%})"))
    return said
