"""What the pictures of a prediction show, and what they are called."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import chain, count
from typing import TYPE_CHECKING, TypeGuard

from modelzoo.posec3d.predict import Prediction
from modelzoo.posec3d.windows import segments

if TYPE_CHECKING:
    from PIL import Image

    from modelzoo.posec3d.recognizer import ActionRecognizer

SHOWN = 6
"""Frames on a picture."""

LONGEST_OF_ALL = 255
"""Bytes of a file name that systems allow."""

NO_NAME = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What a file name does not hold: folders, control characters, and what is no character (lone surrogates)."""

LONGEST, CUT = 200, 60
"""Bytes of a picture's name that leave room for suffixes, and the characters of a longer one."""


def draw_prediction(one: Prediction, recognizer: ActionRecognizer, top: int) -> Image.Image:
    """Some skeletons of a recording with what is done in it; of a long one those of its longest segments.

    Args:
        one: What is done in the recording.
        recognizer: Knows what the actions are called.
        top: How many actions have a bar.

    Returns:
        RGB.
    """
    from modelzoo.posec3d.card import SIDE, Card, draw_card
    from modelzoo.posec3d.drawing import draw_frames, frames_with_people

    bars = recognizer.top(one.probabilities, top)
    skeletons = one.recording.skeletons
    shown = _moments(one, frames_with_people(skeletons))
    done = [recognizer.names[action] for _, action in shown if action is not None] or [bars[0][0]]
    return draw_card(
        Card(
            title=", ".join(dict.fromkeys(done)),
            words=" · ".join(_words(one, recognizer.names)),
            frames=draw_frames(skeletons, [frame for frame, _ in shown], SIDE),
            captions=[_caption(one, frame, action, recognizer.names) for frame, action in shown],
            bars=bars,
        )
    )


def draw_windows(one: Prediction, recognizer: ActionRecognizer) -> Image.Image:
    """The timeline of a recording; see `lanes.draw_timeline`."""
    from modelzoo.posec3d.lanes import Timeline, draw_timeline

    return draw_timeline(Timeline(one.recording.name, one.windows, recognizer.names, one.clock.text))


def picture_name(recording: str, taken: Collection[str] = ()) -> str:
    """A file name for a recording: its own without folders, numbered where it would not be the only one.

    Args:
        recording: What the recording is called.
        taken: File names that others have.

    >>> picture_name("wave/1"), picture_name("wave_1", {"wave_1.png"}), picture_name(".")
    ('wave_1.png', 'wave_1_2.png', '_.png')
    """
    flat = NO_NAME.sub("_", recording)
    short = flat if len(flat.encode()) <= LONGEST else flat[-CUT:]
    name = re.sub(r"^\.", "_", short)  # a name that starts with a dot is hidden
    endings = chain([".png"], (f"_{number}.png" for number in count(2)))
    return next(name + ending for ending in endings if name + ending not in taken)


def is_picture_name(name: object) -> TypeGuard[str]:
    """Whether a value could be what `picture_name` gives."""
    if not isinstance(name, str) or NO_NAME.search(name):
        return False
    return name.endswith(".png") and not name.startswith(".") and len(name.encode()) <= LONGEST_OF_ALL


def _moments(one: Prediction, there: Sequence[int]) -> list[tuple[int, int | None]]:
    """Frames that are shown: with what is done where windows say that, else at equal distances.

    Args:
        one: What is done in the recording.
        there: The frames in which there is something to see.
    """
    from modelzoo.posec3d.drawing import evenly_spaced

    if not one.windows:
        return [(frame, None) for frame in evenly_spaced(there, SHOWN)]
    seen = [segment for segment in segments(one.windows) if segment.action is not None]
    longest = sorted(seen, key=lambda segment: -len(segment.frames))[:SHOWN]
    shown = sorted(longest, key=lambda segment: segment.frames.start)
    middles = [(segment.frames.start + segment.frames.stop) / 2 for segment in shown]
    nearest = [min(there, key=lambda frame: abs(frame - middle)) for middle in middles]
    return [(frame, segment.action) for frame, segment in zip(nearest, shown, strict=True)]


def _words(one: Prediction, names: Sequence[str]) -> list[str]:
    label = one.recording.label
    known = [f"annotated as {names[label]}"] if label is not None and 0 <= label < len(names) else []
    return [one.recording.name, *known, *([f"mean of {len(one.windows)} windows"] if one.windows else [])]


def _caption(one: Prediction, frame: int, action: int | None, names: Sequence[str]) -> str:
    time = one.clock.text(frame) if one.clock.fps else f"frame {one.clock.text(frame)}"
    return time if action is None else f"{time}: {names[action]}"
