"""A long recording as overlapping windows, and what is done when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from modelzoo.posec3d.heatmaps import LEAST_SCORE
from modelzoo.posec3d.skeletons import Skeletons

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Window:
    """A part of a recording.

    Args:
        frames: Which frames, counted from 0.
        probabilities: `(classes,) float64`, 0..1, of what is done in it; None where nobody is seen.
    """

    frames: range
    probabilities: np.ndarray | None = None

    @property
    def action(self) -> int | None:
        """Number of the most probable action; of equal ones the lowest."""
        return None if self.probabilities is None else int(self.probabilities.argmax())

    @property
    def certainty(self) -> float:
        """The probability of that action; 0 where nobody is seen."""
        return 0.0 if self.probabilities is None else float(self.probabilities.max())


@dataclass(frozen=True)
class Segment:
    """Frames in which one action is the most probable one.

    Args:
        frames: Which frames, counted from 0.
        action: Its number; None where nobody is seen.
        probability: The mean over the windows of the segment.
    """

    frames: range
    action: int | None
    probability: float


def cut_windows(frames: int, length: int, stride: int) -> list[range]:
    """Cut a recording into windows, the last of which ends where the recording ends.

    Args:
        frames: Length of the recording.
        length: Frames of a window; a shorter recording is one window.
        stride: Frames from the start of a window to that of the next one.

    >>> cut_windows(10, 4, 4)
    [range(0, 4), range(4, 8), range(6, 10)]
    """
    last = max(0, frames - length)
    starts = [*range(0, last, stride), last]
    return [range(start, min(start + length, frames)) for start in starts]


def segments(windows: Sequence[Window]) -> list[Segment]:
    """What is done from when to when: every frame is judged by the window whose middle is nearest.

    Args:
        windows: Of one recording, in their order.
    """
    if not windows:
        return []
    middles = [(one.frames.start + one.frames.stop) / 2 for one in windows]
    edges = [round((a + b) / 2) for a, b in pairwise(middles)]
    edges = [windows[0].frames.start, *edges, windows[-1].frames.stop]
    found: list[Segment] = []
    run: list[Window] = []
    for i, window in enumerate(windows):
        run = [*run, window] if run and run[-1].action == window.action else [window]
        if len(run) > 1:
            found.pop()
        frames = range(edges[i + 1 - len(run)], edges[i + 1])
        found.append(Segment(frames, window.action, sum(one.certainty for one in run) / len(run)))
    return found


def part(skeletons: Skeletons, frames: range) -> Skeletons:
    """The people in some frames of a recording."""
    at = slice(frames.start, frames.stop)
    return replace(skeletons, keypoints=skeletons.keypoints[:, at], scores=skeletons.scores[:, at])


def is_somebody(skeletons: Skeletons) -> bool:
    """Whether anybody's joint is certain enough to be drawn; a network has an answer to nobody, too."""
    return bool((skeletons.scores >= LEAST_SCORE).any())


def most_certain(skeletons: Skeletons, people: int) -> Skeletons:
    """So many people of every frame, at most: those with the highest mean score.

    Args:
        skeletons: The people in a recording.
        people: How many.
    """
    import numpy as np

    if len(skeletons.scores) <= people:
        return skeletons
    order = np.argsort(-skeletons.scores.mean(axis=-1, dtype=np.float64), axis=0, kind="stable")[:people, :, None]
    return replace(
        skeletons,
        keypoints=np.take_along_axis(skeletons.keypoints, order[..., None], axis=0),
        scores=np.take_along_axis(skeletons.scores, order, axis=0),
    )
