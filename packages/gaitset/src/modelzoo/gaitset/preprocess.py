"""Sequences of silhouettes to network inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from modelzoo.common.bins import stem_of
from modelzoo.common.errors import DataError
from modelzoo.common.work import Deferred, Sample, SampleInfo, WorkUnit
from modelzoo.gaitset.dataset import FrameSequence, Walk
from modelzoo.gaitset.spec import HEIGHT, WIDTH

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Clip:
    """How the frames of a sequence become an input of the network.

    Args:
        frames: How many are taken, the first ones; None for all.
        padding: What a shorter sequence gets: `none`, `zeros` for empty frames in front, `repeat` for its own frames
            over and over, which do not change what the network answers.
        dtype: `uint8` for 0..255, `float32` for 0..1.
    """

    frames: int | None
    padding: str
    dtype: str

    def input(self, frames: np.ndarray) -> Deferred:
        """The input, computed where it is needed.

        Args:
            frames: `(n, 64, 44) uint8`, at most `self.frames`.

        Returns:
            `(self.frames, 64, 44)`, or `(n, 64, 44)` without padding.
        """
        length = self.frames if self.frames and self.padding != "none" else len(frames)
        return Deferred((length, HEIGHT, WIDTH), self.dtype, partial(self._fill, frames))

    def _fill(self, frames: np.ndarray, out: np.ndarray) -> None:
        missing = len(out) - len(frames)
        if self.padding == "repeat":
            _scale(frames, out[: len(frames)])
            for place in range(len(frames), len(out)):
                out[place] = out[place - len(frames)]
        else:
            out[:missing] = 0
            _scale(frames, out[missing:])


def _scale(frames: np.ndarray, out: np.ndarray) -> None:
    """Copy, as 0..1 where `out` is float32."""
    import numpy as np

    if out.dtype == np.uint8:
        out[:] = frames
    else:
        np.divide(frames, np.float32(255), out=out)


def walk_units(
    walks: Sequence[Walk], frames: int | None, padding: str, dtype: str, aligned: bool = False
) -> list[WorkUnit]:
    """One work unit per walk, numbered in their order, with subject, condition and view in its fields.

    What a unit loads also says how many `frames` of the walk were taken.

    Args:
        walks: The walks.
        frames: See `Clip`.
        padding: See `Clip`.
        dtype: See `Clip`.
        aligned: Whether the frames are aligned already.
    """
    clip = Clip(frames, padding, dtype)
    return [_unit(walk, _info(number, walk), clip, aligned) for number, walk in enumerate(walks)]


def sequence_units(sequences: Sequence[FrameSequence], frames: int | None, padding: str, dtype: str) -> list[WorkUnit]:
    """One work unit per sequence of raw silhouettes, of any name; see `walk_units`."""
    clip = Clip(frames, padding, dtype)
    return [_unit(sequence, SampleInfo(_stem(sequence.name), sequence.name), clip, False) for sequence in sequences]


def _stem(name: str) -> str:
    return stem_of(name.replace("/", "_").replace(".", "_"))


def _info(number: int, walk: Walk) -> SampleInfo:
    fields = {"subject": walk.subject, "condition": walk.condition, "view": walk.view}
    return SampleInfo(f"{number:04d}", walk.name, fields)


def _unit(sequence: FrameSequence, info: SampleInfo, clip: Clip, aligned: bool) -> WorkUnit:
    load = partial(_load, sequence, info, clip, aligned)
    return WorkUnit(sequence.name, load, samples=(info,), path=sequence.folder)


def _load(sequence: FrameSequence, info: SampleInfo, clip: Clip, aligned: bool) -> list[Sample]:
    frames = read_sequence(sequence, clip.frames, aligned)
    counted = SampleInfo(info.stem, info.source, {**info.fields, "frames": len(frames)})
    return [Sample(counted, (clip.input(frames),))]


def read_sequence(sequence: FrameSequence, limit: int | None = None, aligned: bool = False) -> np.ndarray:
    """Read and align the frames of a sequence that show a figure.

    Args:
        sequence: The sequence.
        limit: How many at most, the first ones.
        aligned: Whether they are aligned already.

    Returns:
        `(n, 64, 44) uint8`, n > 0.

    Raises:
        DataError: A frame cannot be read, or none shows a figure.
    """
    from modelzoo.gaitset.silhouettes import read_stack

    names = sequence.frames().names
    frames = read_stack(sequence.folder, names, limit, aligned=aligned).frames
    if not len(frames):
        raise DataError(f"none of the {len(names)} frames in {sequence.folder} shows a figure")
    return frames
