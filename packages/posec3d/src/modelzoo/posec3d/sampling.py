"""Which frames of a recording the clips of a sample are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelzoo.posec3d.spec import FRAMES, VIEWS

if TYPE_CHECKING:
    import numpy as np

SEED = 255
"""Every recording is sampled with the same random numbers, so that a result can be repeated."""


def sample_views(frames: int) -> np.ndarray:
    """Draw the frames of every view: one at random out of each of 48 equal parts of the recording.

    A recording of fewer than 96 frames has not enough for that: its views leave out other frames each, and one of
    fewer than 48 is played again from its start. As `UniformSampleFrames` in test mode; the random numbers are those
    of NumPy's legacy generator, which is stable across versions, and the global one is left alone.

    Args:
        frames: Length of the recording, at least 1.

    Returns:
        `(10, 48) int64`, numbers of frames.

    >>> sample_views(4)[2, :6].tolist()
    [2, 3, 0, 1, 2, 3]
    """
    import numpy as np

    random = np.random.RandomState(SEED)
    if frames < FRAMES:
        return _looped(frames)
    draw = _from_parts if frames >= 2 * FRAMES else _without_some
    return np.stack([draw(frames, random) for _ in range(VIEWS)])


def _looped(frames: int) -> np.ndarray:
    import numpy as np

    views = np.arange(VIEWS)
    starts = views if frames < VIEWS else views * frames // VIEWS
    return (starts[:, None] + np.arange(FRAMES)) % frames


def _without_some(frames: int, random: np.random.RandomState) -> np.ndarray:
    """48 frames in order; before some of them, chosen at random, one is left out."""
    import numpy as np

    skips = np.zeros(FRAMES + 1, np.int64)
    skips[random.choice(FRAMES + 1, frames - FRAMES, replace=False)] = 1
    return np.arange(FRAMES) + np.cumsum(skips)[:-1]


def _from_parts(frames: int, random: np.random.RandomState) -> np.ndarray:
    import numpy as np

    edges = np.arange(FRAMES + 1) * frames // FRAMES
    return edges[:-1] + random.randint(np.diff(edges))
