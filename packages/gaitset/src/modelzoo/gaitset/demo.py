"""A small drawn CASIA-B and seeded weights, so that the whole way can be tried without any download."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, make_folder, write_bytes
from modelzoo.common.progress import progress
from modelzoo.gaitset.synthetic.drawing import draw_silhouette
from modelzoo.gaitset.synthetic.walker import Walker, Wear

if TYPE_CHECKING:
    import torch

TRAINING_SUBJECTS = (74,)
TEST_SUBJECTS = range(75, 80)
WALKS: dict[Wear, int] = {"nm": 6, "bg": 2, "cl": 2}
"""How often everybody walks, by what they wear."""

VIEWS = range(0, 181, 18)
FRAMES, FRAMES_PER_SECOND = 28, 25
"""About one cycle of walking."""


@dataclass(frozen=True)
class Recording:
    """A walk, which some cameras take at the same time.

    Args:
        subject: Number of the person.
        wear: What they wear or carry.
        repetition: Which of their walks with that it is, from 1.
        views: Angles of the cameras in degrees.
    """

    subject: int
    wear: Wear
    repetition: int
    views: Sequence[int]

    def frames(self, view: int) -> list[Path]:
        """Where the frames of one camera are, below the folder of the data set."""
        parts = (f"{self.subject:03d}", f"{self.wear}-{self.repetition:02d}", f"{view:03d}")
        return [Path(*parts, f"{'-'.join(parts)}-{number:03d}.png") for number in range(1, FRAMES + 1)]


def plan() -> list[Recording]:
    """Every walk: one of somebody to train with, who is not evaluated, then those of the test subjects."""
    training = [Recording(subject, "nm", 1, VIEWS[:1]) for subject in TRAINING_SUBJECTS]
    return training + [
        Recording(subject, wear, repetition, VIEWS)
        for subject in TEST_SUBJECTS
        for wear, count in WALKS.items()
        for repetition in range(1, count + 1)
    ]


def make_casia_b(root: Path, recordings: Sequence[Recording]) -> Path:
    """Draw the silhouettes; the same ones on every run.

    Args:
        root: The folder that will hold a folder for every subject.
        recordings: What is drawn.

    Returns:
        `root`.

    Raises:
        DataError: The folder holds files that do not belong to the demo.
    """
    _refuse_others(root, {path for each in recordings for view in each.views for path in each.frames(view)})
    for recording in progress(recordings, len(recordings), "drawing", "walk"):
        _draw(recording, root)
    return root


def make_weights(path: Path) -> Path:
    """Write a checkpoint of seeded random weights as the upstream saves them: features of edges, which learnt nothing.

    Args:
        path: The .ptm file.

    Returns:
        `path`.
    """
    import torch

    from modelzoo.gaitset.network import CasiaB

    with torch.device("meta"):
        shapes = {f"module.{key}": tuple(value.shape) for key, value in CasiaB().state_dict().items()}
    with atomic_path(path) as partial:
        torch.save({key: _seeded(key, shape) for key, shape in shapes.items()}, partial)
    return path


def _refuse_others(root: Path, known: Collection[Path]) -> None:
    files = (path for path in sorted(root.rglob("*")) if not path.is_dir())
    other = next((path for path in files if path.relative_to(root) not in known), None)
    if other:
        raise DataError(f"{other} does not belong to the demo", "choose another --output")


def _draw(recording: Recording, root: Path) -> None:
    import cv2
    import numpy as np

    rng = np.random.default_rng([recording.subject, [*WALKS].index(recording.wear), recording.repetition])
    walker, start = Walker.sample(recording.subject).another_day(rng), float(rng.random())
    seconds = [(i - (FRAMES - 1) / 2) / FRAMES_PER_SECOND for i in range(FRAMES)]
    bodies = [walker.parts(start + walker.cadence * time, recording.wear) for time in seconds]
    for view in recording.views:
        frames = recording.frames(view)
        make_folder(root / frames[0].parent)
        for path, body, time in zip(frames, bodies, seconds, strict=True):
            _, png = cv2.imencode(".png", draw_silhouette(body, view, walker.speed * time))
            write_bytes(root / path, png.data)


def _seeded(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """He-normal convolutions, and matrices that keep the size of what they map."""
    import numpy as np
    import torch

    gain = 1 / shape[1] if "fc_bin" in key else 2 / math.prod(shape[1:])
    values = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)
    return torch.from_numpy(values.astype(np.float32) * np.float32(math.sqrt(gain)))
