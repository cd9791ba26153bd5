"""Who is who from frame to frame: a box belongs to the person whose last one it overlaps most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelzoo.alphapose.people import Box, Person

if TYPE_CHECKING:
    import numpy as np

LEAST_OVERLAP = 0.3
"""Intersection over union from which a box may be the next one of a person."""

PATIENCE = 30
"""For how many frames somebody who is not seen is remembered."""

CONFIDENCE = 0.3
"""Objectness that a box has to exceed where people are followed, as published; one that comes and goes is nobody."""


@dataclass
class Track:
    """Somebody who is followed.

    Args:
        id: Number, from 1.
        box: Where the person was last.
        unseen: How many frames ago.
    """

    id: int
    box: Box
    unseen: int = 0


class Tracker:
    """Gives the people of one video their numbers, frame by frame."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._given = 0

    def update(self, people: Sequence[Person]) -> list[Person]:
        """Take the next frame.

        Args:
            people: Those in it.

        Returns:
            The same people in the same order, with their numbers.
        """
        known = match([track.box for track in self._tracks], [person.box for person in people])
        for track in self._tracks:
            track.unseen += 1
        tracks = [self._continue(known.get(i), person) for i, person in enumerate(people)]
        self._tracks = [track for track in self._tracks if track.unseen <= PATIENCE]
        return [replace(person, id=track.id) for person, track in zip(people, tracks, strict=True)]

    def _continue(self, number: int | None, person: Person) -> Track:
        """Go on with a track, or begin one."""
        if number is None:
            self._given += 1
            self._tracks.append(Track(self._given, person.box))
            return self._tracks[-1]
        track = self._tracks[number]
        track.box, track.unseen = person.box, 0
        return track


def match(before: Sequence[Box], now: Sequence[Box]) -> dict[int, int]:
    """Pair boxes of two frames, those that overlap most first.

    Args:
        before: Boxes of the earlier frame.
        now: Boxes of the later frame.

    Returns:
        By the number of a later box, that of the earlier one.
    """
    import numpy as np

    if not before or not now:
        return {}
    overlaps = intersection_over_union(np.array(now), np.array(before))
    pairs: dict[int, int] = {}
    for pair in np.argsort(-overlaps, axis=None, kind="stable"):
        i, j = (int(number) for number in np.unravel_index(pair, overlaps.shape))
        if overlaps[i, j] < LEAST_OVERLAP:
            break
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def intersection_over_union(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How much of two boxes is in both.

    Args:
        boxes: `(n, 4)`, x, y, width and height in pixels; every box has an area.
        others: `(m, 4)`, the same.

    Returns:
        `(n, m) float64`, 0..1.
    """
    import numpy as np

    first = np.maximum(boxes[:, None, :2], others[:, :2])
    last = np.minimum((boxes[:, :2] + boxes[:, 2:])[:, None], others[:, :2] + others[:, 2:])
    common = (last - first).clip(0).prod(2)
    areas, other_areas = boxes[:, 2:].prod(1), others[:, 2:].prod(1)
    shares: np.ndarray = common / (areas[:, None] + other_areas - common)
    return shares
