"""People in single frames, as JSON files list them, put together to a recording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.posec3d.geometry import Size
from modelzoo.posec3d.sources.recording import Recording, Sighting, assemble
from modelzoo.posec3d.sources.rows import joints_of

TRACK_KEYS = ("idx", "track_id")
"""What AlphaPose and COCO-like files of videos call the number of a person."""

LISTED = 20
"""How many numbers of people a hint has."""


@dataclass(frozen=True)
class Row:
    """A person in a frame, unchecked.

    Args:
        frame: Number of the frame.
        content: What the file says of the person.
        where: What messages call the row.
    """

    frame: int
    content: dict[str, Any]
    where: str


def load_people(
    name: str, rows: Sequence[Row], image: Size | None, track: int | None, frames: Iterable[int] | None = None
) -> Recording:
    """Put a recording together.

    Args:
        name: What it is called.
        rows: The people in its frames.
        image: See `recording.assemble`.
        track: The number of the one person that counts; None for all.
        frames: See `recording.assemble`.

    Raises:
        DataError: A row cannot be used, or nobody is seen, or nobody has the number.
    """
    chosen = rows if track is None else _of_track(rows, track)
    sightings = [Sighting(row.frame, joints_of(row.content, row.where)) for row in chosen]
    return assemble(name, sightings, image, frames)


def _of_track(rows: Sequence[Row], track: int) -> list[Row]:
    chosen = [row for row in rows if track_of(row.content) == track]
    if not chosen:
        known = sorted({number for row in rows if (number := track_of(row.content)) is not None})
        listed = ", ".join(map(str, known[:LISTED])) + (" and more" if len(known) > LISTED else "")
        hint = f"there are {listed}" if known else "its people have no numbers: leave out --track"
        raise DataError(f"nobody in it has the number {track}", hint)
    return chosen


def track_of(content: dict[str, Any]) -> int | None:
    """The number of a person through a recording, or None.

    >>> track_of({"idx": 3}), track_of({"track_id": [2.0]}), track_of({})
    (3, 2, None)
    """
    value = next((content[key] for key in TRACK_KEYS if key in content), None)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
