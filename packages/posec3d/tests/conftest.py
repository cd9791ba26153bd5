"""What the tests share: goldens, annotation files, models that cost little, and ways to run a command."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from modelzoo.posec3d.annotations import read_annotations, select_annotations
from modelzoo.posec3d.cli import main
from modelzoo.posec3d.spec import identity_of, spec_of

if TYPE_CHECKING:
    from modelzoo.common.testing.plugin import CommandRunner, Finished
    from modelzoo.posec3d.annotations import Annotation

pytest_plugins = ["modelzoo.common.testing.plugin", "modelzoo.common.testing.cann"]

DATA = Path(__file__).with_name("data")


@pytest.fixture
def posec3d(command: CommandRunner) -> Callable[..., Finished]:
    """Run `posec3d WORDS` in this process."""
    return lambda *words: command(main, "posec3d", *words)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The recorded values."""
    return DATA / "golden"


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """An annotation: a person who moves through the image; keys that are given replace its own, None leaves one out."""

    def make(name: str = "clip", label: int = 3, people: int = 1, frames: int = 60, **given: Any) -> dict[str, Any]:
        random = np.random.default_rng(len(name) + 10 * label)
        keypoints = random.uniform(20, 200, (people, 1, 17, 2)) + random.uniform(0, 20, (people, frames, 17, 2))
        made = {
            "frame_dir": name,
            "label": label,
            "img_shape": (240, 320),
            "original_shape": (240, 320),
            "total_frames": frames,
            "keypoint": keypoints.astype(np.float16),
            "keypoint_score": random.uniform(0.2, 1, (people, frames, 17)).astype(np.float16),
        }
        return {key: value for key, value in (made | given).items() if value is not None}

    return make


@pytest.fixture
def write_annotations(tmp_path: Path) -> Callable[..., Path]:
    """Write an annotation file; without `split` all of them are in the split test1."""

    def write(
        records: Sequence[Mapping[str, Any]], split: Mapping[str, Sequence[str]] | None = None, name: str = "data.pkl"
    ) -> Path:
        names = {"test1": [record.get("frame_dir") for record in records]}
        path = tmp_path / name
        path.write_bytes(pickle.dumps({"split": split or names, "annotations": list(records)}))
        return path

    return write


@pytest.fixture(scope="session")
def annotated(golden: Path) -> dict[str, Annotation]:
    """The recordings of the goldens, by name."""
    file = read_annotations(golden / "hmdb51_synth.pkl")
    return {annotation.name: annotation for annotation in select_annotations(file, "test1", 51).used}


@pytest.fixture(scope="session")
def recorded(golden: Path) -> dict[str, dict[str, Any]]:
    """What was recorded of every stage of the original pipeline, by the name of the recording."""
    rows = {row["name"]: row for row in json.loads((golden / "pipeline.json").read_text())}
    for file in ("keypoints.npz", "volume_slices.npz"):
        for key, array in np.load(golden / file).items():
            name, _, what = key.partition("|")
            rows[name][what or "slices"] = array
    return rows


@pytest.fixture(scope="session")
def matrix() -> np.ndarray:
    """What makes logits of the highest values of the joints' maps in the models of `make_model`, `(17, 51) float32`."""
    return np.random.default_rng(0).standard_normal((17, 51)).astype(np.float32) * np.float32(20)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory, matrix: np.ndarray) -> Callable[..., Path]:
    """Models that cost little: the highest value of every joint in a clip, times `matrix`; of two forms alike.

    That of `frames` takes one sample at a time.
    """
    from onnx.helper import make_node

    from modelzoo.common.testing.toys import onnx_model, save_model

    folder = tmp_path_factory.mktemp("models")
    nodes = {
        "volumes": [
            make_node("Reshape", ["clips", "flat"], ["rows"]),
            make_node("ReduceMax", ["rows"], ["highest"], axes=[2], keepdims=0),
        ],
        "frames": [
            make_node("Reshape", ["frames", "flat"], ["rows"]),
            make_node("ReduceMax", ["rows"], ["of_frames"], axes=[2], keepdims=0),
            make_node("Reshape", ["indices", "clip"], ["numbers"]),
            make_node("Gather", ["of_frames", "numbers"], ["of_clips"], axis=0),
            make_node("ReduceMax", ["of_clips"], ["highest"], axes=[1], keepdims=0),
        ],
    }
    constants = {
        "volumes": {"flat": np.array([-1, 17, 48 * 56 * 56])},
        "frames": {"flat": np.array([-1, 17, 56 * 56]), "clip": np.array([20, 48])},
    }

    @cache
    def make(form: str = "volumes", batch: int | str = "N", named: bool = True) -> Path:
        spec = spec_of(form)
        inputs = [replace(tensor, shape=(batch, *tensor.shape[1:])) for tensor in spec.inputs]
        said = identity_of(form) if named else None
        model = onnx_model(
            [*nodes[form], make_node("MatMul", ["highest", "matrix"], ["logits"])],
            inputs,
            spec.outputs,
            {**constants[form], "matrix": matrix},
            said,
        )
        return save_model(folder / f"{form}_{batch}_{named}.onnx", model)

    return make


GAINS = {".conv3.bn.weight": 0.25}
"""What the recorded rule has beside the common one."""

State = dict[str, Any]


@pytest.fixture(scope="session")
def published_keys(golden: Path) -> list[tuple[str, list[int], str]]:
    """Key, shape and dtype of every tensor of the published checkpoint."""
    rows = json.loads((golden / "checkpoint_keys.json").read_text())["state_dict"]
    return [(key, shape, dtype) for key, shape, dtype in rows]


@pytest.fixture(scope="session")
def filled_weights(published_keys: list[tuple[str, list[int], str]]) -> dict[str, np.ndarray]:
    """The weights of the goldens, by their published keys."""
    from modelzoo.common.testing.golden import golden_tensor

    return {key: golden_tensor(key, shape, GAINS) for key, shape, _ in published_keys}


@pytest.fixture(scope="session")
def state_of() -> Callable[..., State]:
    """The weights of a network of another structure by the rule of the goldens, to be changed at will."""
    import torch

    from modelzoo.common.testing.golden import golden_tensor
    from modelzoo.posec3d.network import PoseC3D
    from modelzoo.posec3d.spec import Structure

    def fill(*structure: Any) -> State:
        with torch.device("meta"):
            shapes = PoseC3D(Structure(*structure)).state_dict()
        return {key: torch.tensor(golden_tensor(key, value.shape, GAINS)) for key, value in shapes.items()}

    return fill


@pytest.fixture(scope="session")
def checkpoint(filled_weights: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the goldens, as they are published."""
    import torch

    path = tmp_path_factory.mktemp("weights") / "posec3d.pth"
    state = {key: torch.from_numpy(array) for key, array in filled_weights.items()}
    torch.save({"state_dict": state, "meta": {"epoch": 12}}, path)
    return path


@pytest.fixture(scope="session")
def narrow_checkpoint(state_of: Callable[..., State], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of 4 channels and few blocks, for what does not depend on its size."""
    import torch

    path = tmp_path_factory.mktemp("weights") / "narrow.pth"
    torch.save({"state_dict": state_of(17, 4, (1, 1, 1))}, path)
    return path


@pytest.fixture(scope="session")
def exported(
    checkpoint: Path, narrow_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """The network of the goldens, or a narrow one, in one of its forms; exported once, and not compared with torch."""
    from modelzoo.posec3d.export import export

    folder = tmp_path_factory.mktemp("exported")

    @cache
    def write(form: str, people: int | None = None, narrow: bool = True) -> Path:
        path = folder / f"{form}_{people}_{narrow}.onnx"
        export(narrow_checkpoint if narrow else checkpoint, path, form, people, compare=False)
        return path

    return write
