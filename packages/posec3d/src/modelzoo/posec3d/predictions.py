"""Predictions as text, JSON and a table, and the folder where all of it is written."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, check_writable, make_folder, write_text
from modelzoo.posec3d.pictures import draw_prediction, draw_windows, picture_names
from modelzoo.posec3d.predict import Prediction
from modelzoo.posec3d.windows import segments

if TYPE_CHECKING:
    from PIL import Image

    from modelzoo.posec3d.recognizer import ActionRecognizer

ACTIONS, TIMELINE = "actions.json", "timeline.csv"
SKELETONS, TIMELINES = "skeletons", "timelines"
"""What is written: all in one file, a row for every window, and folders of pictures."""

HEADER = ("recording", "start", "end", "unit", "action", "probability")


def check_output(folder: Path, overwrite: bool) -> None:
    """Check that no results are there already, which might be taken for new ones.

    Raises:
        DataError: There are some, and `overwrite` is not set.
        WriteError: The folder cannot be written.
    """
    check_writable(folder)
    there = [name for name in (ACTIONS, TIMELINE, SKELETONS, TIMELINES) if (folder / name).exists()]
    if there and not overwrite:
        hint = "choose another --output, or --overwrite the results in it"
        raise DataError(f"{folder / there[0]} is there already", hint)


def write_predictions(
    folder: Path, predictions: Sequence[Prediction], recognizer: ActionRecognizer, top: int
) -> dict[str, Any]:
    """Write pictures, table and, last, the JSON file; files of the same names are replaced, others stay.

    Args:
        folder: Made if need be.
        predictions: What was found.
        recognizer: Knows what the actions are called.
        top: How many actions of a recording are named.

    Returns:
        What the JSON file holds.

    Raises:
        WriteError: Something cannot be written.
    """
    make_folder(folder / SKELETONS)
    (folder / TIMELINE).unlink(missing_ok=True)  # an older one would be taken for one of these predictions
    for name, one in zip(picture_names(p.recording.name for p in predictions), predictions, strict=True):
        _save(folder / SKELETONS / name, draw_prediction(one, recognizer, top))
        if one.windows:
            make_folder(folder / TIMELINES)
            _save(folder / TIMELINES / name, draw_windows(one, recognizer))
    if any(one.windows for one in predictions):
        write_text(folder / TIMELINE, timeline_csv(predictions, recognizer))
    content = {
        "actions": list(recognizer.names),
        "recordings": [as_json(one, recognizer, top) for one in predictions],
    }
    write_text(folder / ACTIONS, json.dumps(content, indent=1) + "\n")
    return content


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


def timeline_csv(predictions: Iterable[Prediction], recognizer: ActionRecognizer) -> str:
    """The table: a row for every window; action and probability are empty where nobody is seen."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    for one in predictions:
        for start, end, action, probability in _rows(one, recognizer):
            times = (f"{start:g}", f"{end:g}", one.clock.unit)
            table.writerow([one.recording.name, *times, action, "" if action is None else f"{probability:.6f}"])
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


def _save(path: Path, picture: Image.Image) -> None:
    with atomic_path(path) as partial:
        picture.save(partial, format="PNG")
