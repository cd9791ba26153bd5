"""Checkpoints in the forms in which people have them, and files that are something else."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from modelzoo.common.errors import CheckpointError
from modelzoo.common.testing.plugin import Finished
from modelzoo.posec3d.network import PoseC3D
from modelzoo.posec3d.spec import Structure
from modelzoo.posec3d.weights import load_network, load_posec3d, structure_of

State = dict[str, torch.Tensor]
Save = Callable[[Any], Path]

NARROW = (17, 4, (1, 1, 1), 5)


@pytest.fixture
def original(state_of: Callable[..., State]) -> State:
    """A small network's weights."""
    return state_of(*NARROW)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write something as torch.save does."""

    def write(content: Any) -> Path:
        path = tmp_path / "weights.pth"
        torch.save(content, path)
        return path

    return write


FORMS: dict[str, Callable[[State], Any]] = {
    "plain": lambda weights: weights,
    "as published": lambda weights: {"state_dict": weights, "meta": {"mmaction_version": "0.24.1"}},
    "of a training": lambda weights: {"state_dict": weights, "meta": {}, "optimizer": {"param_groups": [{"lr": 0.1}]}},
    "parallel": lambda weights: {"state_dict": {f"module.{key}": value for key, value in weights.items()}},
    "without counters": lambda weights: {k: v for k, v in weights.items() if not k.endswith("num_batches_tracked")},
    "double precision": lambda weights: {key: value.double() for key, value in weights.items()},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_weights(form: str, original: State, save: Save) -> None:
    network = load_posec3d(save(FORMS[form](original)))
    assert not any(module.training for module in network.modules())
    loaded = network.state_dict()
    assert set(loaded) == set(original)
    for key, value in original.items():
        if not key.endswith("num_batches_tracked"):
            assert loaded[key].dtype == torch.float32
            assert torch.equal(loaded[key], value), key


@pytest.mark.parametrize("form", ["volumes", "keypoints", "frames"])
def test_every_input_form_is_in_evaluation_mode(form: str, original: State, save: Save) -> None:
    assert not any(module.training for module in load_network(save(original), input=form).modules())


@pytest.mark.parametrize(
    "structure",
    [Structure(), Structure(blocks=(4, 6, 3), classes=99), Structure(classes=120), Structure(25, 16, (1, 2, 3), 400)],
    ids=str,
)
def test_the_structure_is_found(structure: Structure) -> None:
    with torch.device("meta"):
        state = PoseC3D(structure).state_dict()
    assert structure_of(state, Path("x.pth")) == structure


def test_a_checkpoint_of_another_configuration(original: State, save: Save) -> None:
    path = save(original)
    with pytest.raises(CheckpointError) as caught:
        load_posec3d(path, Structure())
    have = "PoseC3D of 17 joints, 4 channels, 1-1-1 blocks and 5 classes"
    want = "PoseC3D of 17 joints, 32 channels, 3-4-6 blocks and 51 classes"
    assert str(caught.value) == f"{path} is a {have}, not a {want}"
    assert caught.value.hint == "the configuration is of another checkpoint"


def renamed(weights: State, old: str, new: str) -> State:
    return {key.replace(old, new): value for key, value in weights.items()}


OTHERS: dict[str, tuple[Callable[[State], State], str]] = {
    "images": (lambda _: {"conv1.weight": torch.zeros(64, 3, 7, 7), "fc.weight": torch.zeros(9, 512)}, "conv1.weight"),
    "flat stem": (lambda w: w | {"backbone.conv1.conv.weight": torch.zeros(4, 17, 7, 7)}, "its keys are"),
    "four stages": (
        lambda w: w | {"backbone.layer4.0.conv3.conv.weight": torch.zeros(1)},
        "its backbone has 4 stages, not 3",
    ),
    "two stages": (
        lambda w: {key: value for key, value in w.items() if "layer3" not in key},
        "its backbone has 2 stages, not 3",
    ),
    "other names": (lambda w: renamed(w, ".bn.", ".norm."), "52 keys missing (backbone.conv1.bn.weight,"),
    "a key less": (
        lambda w: {key: value for key, value in w.items() if key != "cls_head.fc_cls.bias"},
        "1 keys missing (cls_head.fc_cls.bias)",
    ),
    "a key more": (lambda w: w | {"cls_head.extra": torch.ones(1)}, "1 keys unknown (cls_head.extra)"),
    "frames in the first stage": (
        lambda w: w | {"backbone.layer1.0.conv1.conv.weight": torch.zeros(4, 4, 3, 1, 1)},
        "1 keys of another shape (backbone.layer1.0.conv1.conv.weight)",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_checkpoints_of_other_networks(name: str, original: State, save: Save) -> None:
    change, told = OTHERS[name]
    path = save(change(original))
    with pytest.raises(CheckpointError) as caught:
        load_posec3d(path)
    assert str(caught.value).startswith(f"{path} is not a PoseC3D: ")
    assert told in str(caught.value)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("supported are PoseC3D networks on keypoints")


def test_keypoints_need_the_joints_of_coco(
    state_of: Callable[..., State], save: Save, posec3d: Callable[..., Finished], tmp_path: Path
) -> None:
    path = save(state_of(25, 4, (1, 1, 1), 5))
    done = posec3d("export", "--weights", path, "--input", "keypoints", "--output", tmp_path / "x.onnx")
    assert (done.code, done.hint) == (2, "export it without --input keypoints")
    assert "the network has 25 joints" in done.error
    assert not (tmp_path / "x.onnx").exists()


class Trap:
    """What would write a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("kind", ["torch", "pickle"])
def test_a_checkpoint_that_runs_code_is_refused(kind: str, tmp_path: Path, posec3d: Callable[..., Finished]) -> None:
    path, trace = tmp_path / "evil.pth", tmp_path / "it_ran"
    if kind == "torch":
        torch.save({"state_dict": Trap(trace)}, path)
    else:
        path.write_bytes(pickle.dumps(Trap(trace)))
    done = posec3d("export", "--weights", path, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert str(path) in done.error
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint\n", b"PK\x03\x04 and then nothing"])
def test_a_file_that_is_no_checkpoint(content: bytes, tmp_path: Path, posec3d: Callable[..., Finished]) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    done = posec3d("export", "--weights", tmp_path / "x.pth", "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert f"{tmp_path / 'x.pth'} is not a checkpoint" in done.error
    assert not (tmp_path / "x.onnx").exists()
