"""A small drawn Market-1501 and seeded weights, so that the whole way can be tried without any download."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, check_writable, list_folder, make_folder, write_text
from modelzoo.common.synthetic import Camera, Person, Pose, draw_person
from modelzoo.dgnet.market import PUBLISHED, TRAIN

if TYPE_CHECKING:
    import numpy as np
    import torch

MARKER = ".dgnet-demo"
"""A file in every folder that the demo has made, whose files it may replace."""

IDENTITIES, CAMERAS = 8, 3
"""Of the training set: one photo of everybody by every camera."""

CAMERA_SEED = 2
CLASSES = 751
"""Identities of Market-1501's training set, of which the published classifiers tell."""

COLOURS = 3
"""What the last convolution gives."""

SIGMA, CONTRAST = 0.6, 0.8
"""Of the kernels, in pixels; and of the pictures, of which little is clipped then."""


@dataclass(frozen=True)
class Drawing:
    """One photo of the data set.

    Args:
        folder: The folder of Market-1501.
        identity: Which drawn person it shows, from 1.
        camera: Camera number, from 1.
        seed: Seed of pose and noise.
    """

    folder: str
    identity: int
    camera: int
    seed: int

    @property
    def name(self) -> str:
        """File name in the Market-1501 form."""
        return f"{self.identity:04d}_c{self.camera}s1_{self.seed:06d}_00.jpg"


def plan() -> list[Drawing]:
    """Every photo: a training set, and a query and a gallery photo of two others."""
    training = [(TRAIN, 1 + i // CAMERAS, 1 + i % CAMERAS) for i in range(IDENTITIES * CAMERAS)]
    others = [
        (PUBLISHED[part], IDENTITIES + 1 + i, camera)
        for i in range(2)
        for camera, part in enumerate(("query", "gallery"), start=1)
    ]
    return [Drawing(*place, seed) for seed, place in enumerate([*training, *others])]


def claim_folder(folder: Path) -> None:
    """Make the demo's folder, or find out that an earlier demo has made it; nothing is changed in any other one.

    Args:
        folder: Where everything goes.

    Raises:
        DataError: It holds something, and the demo did not make it.
        WriteError: It cannot be made or written into.
    """
    check_writable(folder)
    if folder.exists() and list_folder(folder, "output") and not (folder / MARKER).is_file():
        raise DataError(f"the folder {folder} is not empty, and no demo has made it", "choose another --output")
    make_folder(folder)
    write_text(folder / MARKER, "Made by dgnet demo, which replaces its files here when it runs again.\n")


def make_market1501(root: Path) -> Path:
    """Draw the data set; the same photos on every run.

    Args:
        root: The folder that will hold `bounding_box_train` and others.

    Returns:
        `root`.

    Raises:
        DataError: A folder holds files that do not belong to the demo.
    """
    drawings = plan()
    for folder in sorted({drawing.folder for drawing in drawings}):
        make_folder(root / folder)
        known = {drawing.name for drawing in drawings if drawing.folder == folder}
        other = next((path for path in sorted((root / folder).iterdir()) if path.name not in known), None)
        if other:
            raise DataError(f"{other} does not belong to the demo", "choose another --output")
    for drawing in drawings:
        _draw(drawing, root / drawing.folder / drawing.name)
    return root


def make_weights(folder: Path) -> tuple[Path, Path]:
    """Write a checkpoint of seeded random weights, which have learnt nothing.

    Args:
        folder: Where the two files go; it must exist.

    Returns:
        The generator's file and the appearance encoder's.
    """
    import torch

    from modelzoo.dgnet.networks.dgnet import DGNet
    from modelzoo.dgnet.weights import APPEARANCE, GENERATOR

    with torch.device("meta"):
        state = DGNet().state_dict()
    paths = folder / "gen_00000000.pt", folder / "id_00000000.pt"
    for path, file in zip(paths, (GENERATOR, APPEARANCE), strict=True):
        shapes = {name: tuple(state[key].shape) for key, name in file.keys(state).items()}
        shapes |= {name: tuple(size or CLASSES for size in shape) for name, shape in file.unused.items()}
        with atomic_path(path) as partial:
            torch.save({"a": {name: _seeded(name, shape) for name, shape in shapes.items()}}, partial)
    return paths


def _draw(drawing: Drawing, path: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(drawing.seed)
    picture = draw_person(
        Person.sample(drawing.identity), Camera.sample(drawing.camera, CAMERA_SEED), Pose.sample(rng), rng=rng
    )
    with atomic_path(path) as partial:
        picture.save(partial, format="JPEG", quality=92)


def _seeded(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Random mixes of channels, blurred, so that outlines come through; norms near the identity, as depth needs it."""
    import numpy as np
    import torch

    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if key.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    if len(shape) == 4:
        values = _mix(rng, shape)[:, :, None, None] * _blur(shape[2:])
    elif len(shape) == 2:
        values = _mix(rng, shape)
    elif key.endswith(("weight", "gamma", "running_var")):
        values = np.full(shape, 0.2 if key.endswith("bn3.weight") else 1.0)
    else:
        values = np.zeros(shape)
    return torch.from_numpy(values.astype(np.float32))


def _mix(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """How much of every channel goes into every other one: normal numbers that keep the range."""
    mix = rng.standard_normal(shape[:2]) * math.sqrt(2 / shape[1])
    if shape[0] == COLOURS:  # what comes out of a ReLU is positive, and its mean would be all that is seen
        mix = CONTRAST * (mix - mix.mean(1, keepdims=True))
    return mix


def _blur(size: tuple[int, ...]) -> np.ndarray:
    """A Gaussian kernel with the sum 1."""
    import numpy as np

    rows, columns = (np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / SIGMA) ** 2) for n in size)
    return np.outer(rows / rows.sum(), columns / columns.sum())
