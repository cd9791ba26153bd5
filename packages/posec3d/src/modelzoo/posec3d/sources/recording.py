"""A recording, and how one is put together from people in single frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.text import printable
from modelzoo.posec3d.geometry import Size
from modelzoo.posec3d.skeletons import MOST_FRAMES, Skeletons, check_skeletons
from modelzoo.posec3d.spec import JOINTS

if TYPE_CHECKING:
    import numpy as np

MOST_PLACES = 4_000_000
"""Frames times people in them, at most: the arrays of more would not fit into memory."""

ESTIMATED = "the image size is not known, it is taken to be what the joints need"


@dataclass(frozen=True, eq=False)
class Recording:
    """Who is seen in a recording.

    Args:
        name: What it is called.
        skeletons: The people in its frames. Who stands at which place may change from frame to frame: the network sees
            all people of a frame at once.
        numbers: The numbers that its frames have in the file.
        label: Number of the action that it is said to show.
        remarks: What was done with it and has to be known.
    """

    name: str
    skeletons: Skeletons
    numbers: range
    label: int | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A recording in a file.

    Args:
        name: What it is called.
        read: Puts it together. Raises DataError where that cannot be done, which does not say of which recording.
    """

    name: str
    read: Callable[[], Recording]

    def load(self) -> Recording:
        """Put it together.

        Raises:
            DataError: That cannot be done; the message begins with the name.
        """
        with naming(self.name):
            return self.read()


@contextmanager
def naming(recording: str) -> Iterator[None]:
    """Put the name of a recording before what is wrong with it."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{printable(recording, 80)}: {error}", error.hint) from error


@dataclass(frozen=True, eq=False)
class Sighting:
    """A person in a frame.

    Args:
        frame: Number of the frame.
        joints: `(17, 3) float32`: x and y in pixels, score.
    """

    frame: int
    joints: np.ndarray


def assemble(
    name: str, sightings: Sequence[Sighting], image: Size | None, frames: Iterable[int] | None = None
) -> Recording:
    """Put a recording together; the most certain person of a frame comes first.

    Nobody is seen in frames that are left out, unless they are left out regularly: frames 0, 5 and 10 are three.

    Args:
        name: What it is called.
        sightings: Who is seen, in any order.
        image: Height and width of the frames; None where they are not known.
        frames: Numbers of all frames; None for those in which somebody is seen.

    Raises:
        DataError: Nobody is seen, or there are more frames than could be in a recording.
    """
    if not sightings:
        raise DataError("nobody is seen in it")
    by_frame: dict[int, list[Sighting]] = {number: [] for number in frames or ()}
    for sighting in sightings:
        by_frame.setdefault(sighting.frame, []).append(sighting)
    numbers = _numbers_of(by_frame)
    people = max(map(len, by_frame.values()))
    if len(numbers) > MOST_FRAMES or len(numbers) * people > MOST_PLACES:
        raise DataError(
            f"frames {numbers[0]} to {numbers[-1]} with up to {people} people are too many for one recording",
            "frames have to be numbered as in a video; a very long one has to be given in parts",
        )
    keypoints, scores = _arrays(by_frame, numbers, people)
    skeletons = check_skeletons(image or _extent(keypoints), keypoints, scores)
    return Recording(name, skeletons, numbers, remarks=() if image else (ESTIMATED,))


def _numbers_of(frames: Iterable[int]) -> range:
    """All frames from the first to the last, in the steps in which they are numbered."""
    ordered = sorted(frames)
    step = math.gcd(*(number - ordered[0] for number in ordered)) or 1
    return range(ordered[0], ordered[-1] + 1, step)


def _arrays(by_frame: dict[int, list[Sighting]], numbers: range, people: int) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    joints = np.zeros((people, len(numbers), JOINTS, 3), np.float32)
    for number, seen in by_frame.items():
        surest = sorted(seen, key=lambda one: -float(one.joints[:, 2].mean()))
        for place, one in enumerate(surest):
            joints[place, numbers.index(number)] = one.joints
    return joints[..., :2], joints[..., 2]


def _extent(keypoints: np.ndarray) -> Size:
    """Height and width of an image that holds all joints."""
    width, height = (max(1, math.ceil(float(side))) for side in keypoints.max(axis=(0, 1, 2)))
    return height, width
