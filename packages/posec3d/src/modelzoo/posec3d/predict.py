"""Recordings into actions: of the whole recording, and of windows of a long one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelzoo.common.errors import UsageError
from modelzoo.posec3d.sources.recording import Recording
from modelzoo.posec3d.windows import Window, most_certain

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.posec3d.recognizer import ActionRecognizer


@dataclass(frozen=True)
class Duration:
    """A length of time.

    Args:
        amount: How many seconds or frames, above 0.
        seconds: Whether they are seconds.
    """

    amount: float
    seconds: bool = False

    def frames(self, clock: Clock) -> int:
        """As a number of frames of a recording, at least one.

        Args:
            clock: Of the recording.

        Raises:
            UsageError: They are seconds, and nobody knows how long a frame is.
        """
        if not self.seconds:
            return max(1, round(self.amount))
        if clock.fps is None:
            raise UsageError(f"{self.amount:g}s are seconds, but --fps is not given", "or give a number of frames")
        return max(1, round(self.amount * clock.fps / clock.numbers.step))


@dataclass(frozen=True)
class Clock:
    """When frames are.

    Args:
        numbers: The numbers that frames have in the file.
        fps: Frames a second, as they are numbered; None where that is not known.
    """

    numbers: range
    fps: float | None = None

    @property
    def unit(self) -> str:
        """What times are in: `s` or `frames`."""
        return "frames" if self.fps is None else "s"

    def at(self, frame: int) -> float:
        """When a frame begins.

        Args:
            frame: Counted from 0, in the recording; its length for the end of the recording.
        """
        number = self.numbers.start + frame * self.numbers.step
        return number if self.fps is None else number / self.fps

    def text(self, frame: int) -> str:
        """When a frame begins, to be read.

        >>> Clock(range(30, 90), 25).text(5), Clock(range(30, 90)).text(5)
        ('1.4 s', '35')
        """
        return f"{self.at(frame):.0f}" if self.fps is None else f"{self.at(frame):.1f} s"


@dataclass(frozen=True)
class Options:
    """What is asked for.

    Args:
        window: Length of the windows; None for one answer to the whole recording.
        stride: From the start of a window to that of the next one; None for half a window.
        persons: People of a frame that count, at most: the most certain ones; None for all.
        fps: Frames a second, where it is known.
    """

    window: Duration | None = None
    stride: Duration | None = None
    persons: int | None = None
    fps: float | None = None

    def __post_init__(self) -> None:
        """Check them.

        Raises:
            UsageError: They are seconds, and nobody knows how long a frame is; or a stride without windows is given.
        """
        if self.stride and not self.window:
            raise UsageError("--stride is for --window, which makes a timeline")
        for given in (self.window, self.stride):
            if given:
                given.frames(Clock(range(1), self.fps))


@dataclass(frozen=True, eq=False)
class Prediction:
    """What is done in a recording.

    Args:
        recording: Who is seen.
        clock: When its frames are.
        probabilities: `(classes,) float64`, 0..1, with the sum 1; of windows, the mean of those that show somebody.
        windows: Empty where none were asked for.
    """

    recording: Recording
    clock: Clock
    probabilities: np.ndarray
    windows: list[Window]


def predict(recording: Recording, recognizer: ActionRecognizer, options: Options) -> Prediction:
    """Tell what is done in a recording.

    Args:
        recording: Who is seen.
        recognizer: Who tells.
        options: What is asked for.

    Raises:
        DataError: Nobody is seen, or there are more people than the model has room for.
        UsageError: Seconds are given, and nobody knows how long a frame is; or there are frames between the windows.
    """
    import numpy as np

    skeletons = recording.skeletons
    if options.persons:
        skeletons = most_certain(skeletons, options.persons)
        recording = replace(recording, skeletons=skeletons)
    clock = Clock(recording.numbers, options.fps)
    if options.window is None:
        return Prediction(recording, clock, recognizer(skeletons), [])
    length = options.window.frames(clock)
    stride = options.stride.frames(clock) if options.stride else max(1, length // 2)
    if stride > length:
        raise UsageError(f"--stride is {stride} frames and --window {length}: frames between the windows would be lost")
    windows = recognizer.windows(skeletons, length, stride)
    seen = [window.probabilities for window in windows if window.probabilities is not None]
    return Prediction(recording, clock, np.mean(seen, axis=0), windows)
