"""A small drawn Market-1501 and seeded weights, so that the whole way can be tried without any download."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, make_folder
from modelzoo.common.synthetic import Camera, Person, Pose, draw_person
from modelzoo.reid.dataset import JUNK
from modelzoo.reid.layouts.market1501 import GALLERY, QUERY
from modelzoo.reid.preprocess import normalise, read_planes

if TYPE_CHECKING:
    import numpy as np
    import torch

PERSONS = 16
DISTRACTORS = 8
JUNK_CROPS = 4
CAMERAS = 6
CAMERA_SEED = 2
CALIBRATION_STEP = 4
QUERY_CAMERAS = (1, 4)


@dataclass(frozen=True)
class Drawing:
    """One image of the data set.

    Args:
        folder: `query` or `bounding_box_test`.
        name: File name in the Market-1501 form.
        identity: Which drawn person it shows.
        camera: Camera number, from 1.
        seed: Seed of pose and noise.
    """

    folder: str
    name: str
    identity: int
    camera: int
    seed: int


def plan() -> list[Drawing]:
    """Every image of the data set: two queries a person, a gallery crop by each camera, distractors and junk."""
    drawings: list[Drawing] = []
    for person in range(1, PERSONS + 1):
        for camera in range(1, CAMERAS + 1):
            if camera in QUERY_CAMERAS:
                drawings.append(_drawing(QUERY, person, person, camera, 0, len(drawings)))
            drawings.append(_drawing(GALLERY, person, person, camera, 1, len(drawings)))
    for i in range(DISTRACTORS + JUNK_CROPS):
        label = 0 if i < DISTRACTORS else JUNK
        drawings.append(_drawing(GALLERY, label, PERSONS + 1 + i, 1 + i % CAMERAS, 1, len(drawings)))
    return drawings


def make_market1501(root: Path) -> Path:
    """Draw the data set; the same images on every run.

    Args:
        root: The folder that will hold `query` and `bounding_box_test`.

    Returns:
        `root`.

    Raises:
        DataError: A folder holds files that do not belong to the demo.
    """
    drawings = plan()
    for name in (QUERY, GALLERY):
        make_folder(root / name)
        known = {drawing.name for drawing in drawings if drawing.folder == name}
        other = next((path for path in sorted((root / name).iterdir()) if path.name not in known), None)
        if other:
            raise DataError(f"{other} does not belong to the demo", "choose another --output")
    for drawing in drawings:
        _draw(drawing, root / drawing.folder / drawing.name)
    return root


def make_weights(path: Path, data: Path) -> Path:
    """Write a checkpoint of seeded random weights: features see colours and edges, and have learnt nothing.

    The neck gets the mean and variance of the features of some images, as training would leave them.

    Args:
        path: The .pth file.
        data: The drawn data set.

    Returns:
        `path`.
    """
    import torch

    from modelzoo.reid.network import StrongBaseline

    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in StrongBaseline().state_dict().items()}
    weights = {key: _seeded(key, shape) for key, shape in shapes.items()}
    network = StrongBaseline(neck_feat="before").eval()
    network.load_state_dict(weights)
    images = [_image(path) for path in sorted((data / GALLERY).iterdir())[::CALIBRATION_STEP]]
    with torch.inference_mode():
        variance, mean = torch.var_mean(network(torch.stack(images)), dim=0)
    weights |= {"bottleneck.running_mean": mean.clone(), "bottleneck.running_var": variance.clone()}
    with atomic_path(path) as partial:
        torch.save(weights, partial)
    return path


def _drawing(folder: str, label: int, identity: int, camera: int, index: int, seed: int) -> Drawing:
    prefix = f"{label:04d}" if label >= 0 else str(label)
    return Drawing(folder, f"{prefix}_c{camera}s1_{seed:06d}_{index:02d}.jpg", identity, camera, seed)


def _draw(drawing: Drawing, path: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(drawing.seed)
    picture = draw_person(
        Person.sample(drawing.identity), Camera.sample(drawing.camera, CAMERA_SEED), Pose.sample(rng), rng=rng
    )
    with atomic_path(path) as partial:
        picture.save(partial, format="JPEG", quality=92)


def _seeded(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """He-normal convolutions; norms near the identity, with small residual branches so that depth does not explode."""
    import numpy as np
    import torch

    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if key.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    if len(shape) > 1:
        return _float32(rng.standard_normal(shape) * math.sqrt(2 / math.prod(shape[1:])))
    if key.endswith(("weight", "running_var")):
        return _float32(np.full(shape, 0.2 if key.endswith("bn3.weight") else 1.0))
    return _float32(np.zeros(shape))


def _image(path: Path) -> torch.Tensor:
    import numpy as np
    import torch

    planes = read_planes(path)
    values = np.empty(planes.shape, np.float32)
    normalise(planes, values)
    return torch.from_numpy(values)


def _float32(array: np.ndarray) -> torch.Tensor:
    import numpy as np
    import torch

    return torch.from_numpy(array.astype(np.float32))
