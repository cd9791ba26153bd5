"""A small drawn data set in the published format, and a narrow network whose last layer has seen some of it."""

from __future__ import annotations

import io
import math
import pickle
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.files import atomic_path, write_bytes, write_text
from modelzoo.common.progress import progress
from modelzoo.common.report.figures import Picture, Section, picture_rows
from modelzoo.posec3d.annotations import Annotation
from modelzoo.posec3d.spec import JOINTS, SIZE, Structure
from modelzoo.posec3d.synthetic.actions import ACTIONS
from modelzoo.posec3d.synthetic.scene import IMAGES, cast, film

if TYPE_CHECKING:
    import numpy as np
    import torch

    from modelzoo.posec3d.network import PoseC3D
    from modelzoo.posec3d.recognizer import ActionRecognizer
    from modelzoo.posec3d.skeletons import Skeletons

TRAINING, TEST = 4, 2
"""Recordings of every action in the splits `train1` and `test1`."""

FRAMES = (32, 48)
"""The fewest and the most frames of a recording."""

STRUCTURE = Structure(width=8, blocks=(1, 2, 2), classes=len(ACTIONS))
"""A quarter of the published width, and few blocks: little work."""

FITTED = (0, 10)
"""Clips of a recording that the last layer is fitted to: one, and its mirror image."""

STRIP_SIDE = 160
"""Width and height of a frame in the report, in pixels."""

RIDGE = 0.01
"""How much smaller weights of the last layer count against a better fit."""

CERTAINTY = 8.0
"""What a score is multiplied by, so that the softmax has something to decide."""


def make_annotations(path: Path) -> Path:
    """Write the data set; the same one on every run.

    Args:
        path: The pickle: `{"split": {"train1": [...], "test1": [...]}, "annotations": [...]}`.

    Returns:
        `path`.
    """
    split: dict[str, list[str]] = {"train1": [], "test1": []}
    records = []
    for label, action in enumerate(ACTIONS):
        for number in range(TRAINING + TEST):
            records.append(_record(action, label, number))
            split["train1" if number < TRAINING else "test1"].append(records[-1]["frame_dir"])
    write_bytes(path, pickle.dumps({"split": split, "annotations": records}, protocol=4))
    return path


def _record(action: str, label: int, number: int) -> dict[str, Any]:
    import numpy as np

    random = np.random.default_rng([zlib.crc32(action.encode()), number])
    image = IMAGES[int(random.integers(len(IMAGES)))]
    frames = int(random.integers(FRAMES[0], FRAMES[1] + 1))
    keypoints, scores = film(cast(action, image, random), frames, random)
    return {
        "frame_dir": f"{action}_{number:02d}",
        "label": label,
        "img_shape": image,
        "original_shape": image,
        "total_frames": frames,
        "keypoint": keypoints,
        "keypoint_score": scores,
    }


def make_weights(path: Path, recordings: Sequence[Annotation]) -> Path:
    """Write a checkpoint: seeded random convolutions, and a last layer that is fitted to recordings by least squares.

    Args:
        path: The .pth file, as the upstream saves it.
        recordings: What it is fitted to.

    Returns:
        `path`.
    """
    import torch

    from modelzoo.posec3d.network import PoseC3D

    network = PoseC3D(STRUCTURE)
    network.load_state_dict({key: _seeded(key, tensor) for key, tensor in network.state_dict().items()})
    features = _features(network, [annotation.skeletons for annotation in recordings])
    weight, bias = _fit(features, [annotation.label for annotation in recordings])
    head = network.cls_head.fc_cls
    head.weight.data, head.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
    with atomic_path(path) as partial:
        torch.save({"state_dict": network.state_dict(), "meta": {}}, partial)
    return path


def _seeded(key: str, tensor: torch.Tensor) -> torch.Tensor:
    """He-normal convolutions; normalisations that change nothing."""
    import numpy as np
    import torch

    if tensor.ndim < 2:
        return torch.ones_like(tensor) if key.endswith(("running_var", "bn.weight")) else torch.zeros_like(tensor)
    values = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(tuple(tensor.shape))
    return torch.from_numpy(values * math.sqrt(2 / math.prod(tensor.shape[1:]))).float()


def _features(network: PoseC3D, recordings: Sequence[Skeletons]) -> np.ndarray:
    """What the last layer gets: `(recordings, clips, 16 width) float64`."""
    import copy

    import numpy as np
    import torch

    from modelzoo.posec3d.clips import cut_clips
    from modelzoo.posec3d.forms import in_form

    bare = copy.deepcopy(network)
    bare.cls_head.fc_cls = torch.nn.Identity()
    wrapped = in_form(bare, "frames")
    rows = []
    for people in progress(recordings, len(recordings), "fitting", "recording"):
        clips = cut_clips(people)
        frames = np.empty((2 * clips.joints.shape[1], JOINTS, SIZE, SIZE), np.float32)
        clips.draw_frames(frames)
        arrays = frames, clips.indices[list(FITTED)]
        with torch.inference_mode():
            rows.append(wrapped(*(torch.from_numpy(array)[None] for array in arrays)).double().numpy())
    return np.stack(rows)


def _fit(features: np.ndarray, labels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression of every action on the features.

    Args:
        features: `(recordings, clips, n) float64`.
        labels: One for each recording.

    Returns:
        Weights `(actions, n) float32` and biases `(actions,) float32`.
    """
    import numpy as np

    rows = features.reshape(-1, features.shape[-1])
    wanted = np.eye(len(ACTIONS))[np.repeat(labels, features.shape[1])]
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    scaled = (rows - mean) / spread
    matrix = scaled.T @ scaled + RIDGE * len(rows) * np.eye(scaled.shape[1])
    weight = CERTAINTY * np.linalg.solve(matrix, scaled.T @ (wanted - wanted.mean(axis=0))).T / spread
    return weight.astype(np.float32), (-weight @ mean).astype(np.float32)


def make_labels(path: Path) -> Path:
    """Write the names of the actions, one in each line.

    Returns:
        `path`.
    """
    write_text(path, "".join(f"{name}\n" for name in ACTIONS))
    return path


def picture_section(recognizer: ActionRecognizer, recordings: Sequence[Annotation]) -> Section:
    """The first recording of every action, with what the network says of it.

    Args:
        recognizer: The network.
        recordings: What it has not seen.
    """
    first = {annotation.label: annotation for annotation in reversed(recordings)}
    rows = []
    for label, annotation in sorted(first.items()):
        (told, probability), *_ = recognizer.top(recognizer(annotation.skeletons), 1)
        right = recognizer.names[label]
        picture = Picture(
            _strip(annotation.skeletons), f"skeletons of {right}", annotation.name, "✓" if told == right else "✗"
        )
        rows.append((f"{right}: taken for {told} ({probability:.0%})", [picture]))
    return Section("Drawn actions", [picture_rows("Six frames of each", rows)])


def _strip(skeletons: Skeletons) -> bytes:
    """Six frames of a recording side by side, as a PNG file."""
    from PIL import Image

    from modelzoo.posec3d.drawing import draw_frames, evenly_spaced, frames_with_people

    frames = draw_frames(skeletons, evenly_spaced(frames_with_people(skeletons), 6), STRIP_SIDE)
    strip = Image.new("RGB", (len(frames) * STRIP_SIDE, STRIP_SIDE))
    for i, frame in enumerate(frames):
        strip.paste(frame, (i * STRIP_SIDE, 0))
    file = io.BytesIO()
    strip.save(file, format="PNG")
    return file.getvalue()
