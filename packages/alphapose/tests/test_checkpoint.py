"""Checkpoints in the forms in which people have them, and files that are something else."""

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from modelzoo.alphapose.network import FastPose
from modelzoo.alphapose.spec import Structure
from modelzoo.alphapose.weights import load_fastpose, load_network, structure_of
from modelzoo.common.errors import CheckpointError
from modelzoo.common.testing.plugin import Finished

State = dict[str, torch.Tensor]


@pytest.fixture
def original(shallow: Callable[..., State]) -> State:
    """A small network's weights."""
    return shallow()


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Any], Path]:
    """Write something as torch.save does."""

    def write(content: Any) -> Path:
        path = tmp_path / "weights.pth"
        torch.save(content, path)
        return path

    return write


def prefixed(weights: State) -> State:
    return {f"module.{key}": value for key, value in weights.items()}


def without(weights: State, ending: str) -> State:
    return {key: value for key, value in weights.items() if not key.endswith(ending)}


FORMS: dict[str, Callable[[State], Any]] = {
    "plain": lambda weights: weights,
    "in model": lambda weights: {"model": weights, "epoch": 120},
    "parallel in state_dict": lambda weights: {"state_dict": prefixed(weights)},
    "without counters": lambda weights: without(weights, "num_batches_tracked"),
    "double precision": lambda weights: {key: value.double() for key, value in weights.items()},
    "with its optimiser": lambda weights: {"model": weights, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_weights(form: str, original: State, save: Callable[[Any], Path]) -> None:
    network = load_fastpose(save(FORMS[form](original)))
    assert not any(module.training for module in network.modules())
    loaded = network.state_dict()
    assert set(loaded) == set(original)
    for key in without(original, "num_batches_tracked"):
        assert loaded[key].dtype == torch.float32
        assert torch.equal(loaded[key], original[key]), key


def test_every_wrapper_is_in_evaluation_mode(original: State, save: Callable[[Any], Path]) -> None:
    network = load_network(save(original), flip_test=True, decode=True, dtype="uint8")
    assert not any(module.training for module in network.modules())


def shapes_of(structure: Structure) -> State:
    """A checkpoint of the right keys and shapes; each tensor is one zero, repeated."""
    with torch.device("meta"):
        state = FastPose(structure).state_dict()
    return {key: torch.zeros(()).expand(value.shape) for key, value in state.items()}


@pytest.mark.parametrize(
    "structure",
    [Structure(), Structure(50, 26), Structure(50, 136, 256), Structure(101), Structure(152, 17, 256)],
    ids=str,
)
def test_the_structure_is_found(structure: Structure) -> None:
    assert structure_of(shapes_of(structure), Path("x.pth")) == structure


def test_a_checkpoint_of_another_configuration(save: Callable[[Any], Path]) -> None:
    path = save(shapes_of(Structure(101, 26)))
    with pytest.raises(CheckpointError) as caught:
        load_fastpose(path, Structure())
    have = "FastPose of 101 layers, 26 joints and CONV_DIM 128"
    assert str(caught.value) == f"{path} is a {have}, not a FastPose of 50 layers, 17 joints and CONV_DIM 128"
    assert caught.value.hint == "the configuration is of another checkpoint"


NAMES = {
    "SimplePose": "a SimplePose",
    "FastPose_DUC": "a FastPose_DUC",
    "PoseHighResolutionNet": "an HRNet",
    "HarDNetPose": "a HarDNetPose",
    "FastPose_DUC_Dense DCN": "a FastPose_DUC_Dense",
    "FastPose DCN": "a FastPose with deformable convolutions (DCN)",
}


def test_other_networks_of_the_upstream_are_named(golden: Path, save: Callable[[Any], Path]) -> None:
    recorded = json.loads((golden / "other_networks.json").read_text())
    assert {name.rsplit(" ", 1)[0] for name in recorded} == set(NAMES)
    for name, keys in recorded.items():
        path = save({key: torch.zeros(1) for key in keys})
        with pytest.raises(CheckpointError) as caught:
            load_network(path)
        told = NAMES[name.rsplit(" ", 1)[0]]
        assert str(caught.value).removesuffix(", not a FastPose") == f"{path} holds {told}", name
        assert "such as fast_res50_256x192.pth" in str(caught.value.hint)


def of_18_layers(weights: State) -> State:
    """Basic blocks, two a stage, as the upstream's source means them."""
    blocks = [
        f"preact.layer{stage}.{block}.conv{i}.weight" for stage in range(1, 5) for block in (0, 1) for i in (1, 2)
    ]
    rest = {key: value for key, value in weights.items() if not key.startswith("preact.layer")}
    return rest | dict.fromkeys(blocks, torch.ones(1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            lambda weights: {"state": {0: {"step": torch.ones(())}}, "param_groups": [{"lr": 0.1}]},
            ["the state of an optimiser, not a model"],
            id="optimiser",
        ),
        pytest.param(
            lambda weights: without(weights, "duc1.conv.weight"), ["1 keys missing (duc1.conv.weight)"], id="missing"
        ),
        pytest.param(
            lambda weights: {**weights, "head.a": torch.ones(1), "head.b": torch.ones(1)},
            ["2 keys unknown (head.a, head.b)"],
            id="unexpected",
        ),
        pytest.param(
            lambda weights: {**weights, "conv_out.bias": torch.ones(7)},
            ["1 keys of another shape (conv_out.bias)"],
            id="misshapen",
        ),
        pytest.param(
            lambda weights: {f"base.layer{i}.0.conv1.weight": torch.ones(3, 3) for i in range(6)},
            ["is not a FastPose: its keys are base.layer0.0.conv1.weight, ", "and 3 more"],
            id="another model",
        ),
        pytest.param(of_18_layers, ["is not a FastPose"], id="18 layers"),
        pytest.param(
            lambda weights: without(weights, "preact.layer3.0.conv3.weight"),
            ["has a backbone of 1-1-0-1 blocks, which is not supported; known are 50 layers 1-1-1-1"],
            id="blocks",
        ),
        pytest.param(
            lambda weights: {**weights, "conv_out.weight": torch.ones(0, 128, 3, 3)},
            ["is not a FastPose"],
            id="no joints",
        ),
        pytest.param(
            lambda weights: {**weights, "conv_out.weight": torch.ones(())}, ["is not a FastPose"], id="no convolution"
        ),
        pytest.param(lambda weights: {"epoch": 120}, ["holds no weights"], id="no weights"),
        pytest.param(lambda weights: [1, 2, 3], ["holds no weights", "list"], id="list"),
    ],
)
def test_other_content_is_named(
    content: Callable[[State], Any], words: list[str], original: State, save: Callable[[Any], Path]
) -> None:
    path = save(content(original))
    with pytest.raises(CheckpointError) as caught:
        load_network(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert all(word in message for word in words), message


@pytest.mark.parametrize("header", [(0, 2, 0, 32013312, 0), (0, 1, 0, 32013312)], ids=["5 words", "4 words"])
def test_the_detectors_weights_are_told_from_the_pose_networks(
    header: tuple[int, ...], tmp_path: Path, alphapose: Callable[..., Finished]
) -> None:
    path = tmp_path / "fast_res50_256x192.pth"
    path.write_bytes(struct.pack(f"<{len(header)}i", *header) + bytes(4000))
    done = alphapose("export", "-", path, tmp_path / "x.onnx")
    assert (done.code, done.error) == (1, f"{path} is a darknet file, of the detector and not of the pose network")
    assert "export-detector takes the detector's" in done.hint
    assert not (tmp_path / "x.onnx").exists()


class Touch:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_malicious_pickle_is_not_run(
    writer: str, original: State, tmp_path: Path, alphapose: Callable[..., Finished]
) -> None:
    path, trace = tmp_path / "evil.pth", tmp_path / "executed"
    content = {**original, "conv_out.bias": Touch(trace)}
    with path.open("wb") as file:
        torch.save(content, file) if writer == "torch" else pickle.dump(content, file)
    done = alphapose("export", "--weights", path, "--output", tmp_path / "evil.onnx")
    assert done.code == 1
    assert str(path) in done.error
    assert "torch.save(model.state_dict()" in done.hint
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.pth", b""),
        ("text.pth", b"not a checkpoint\n"),
        ("page.pth", b"<!DOCTYPE html><html>Google Drive - Virus scan warning</html>"),
        ("zip.pth", b"PK\x03\x04 and then nothing"),
    ],
)
def test_a_file_that_is_no_checkpoint(
    name: str, content: bytes, tmp_path: Path, alphapose: Callable[..., Finished]
) -> None:
    (tmp_path / name).write_bytes(content)
    done = alphapose("export", "--weights", tmp_path / name, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert f"{tmp_path / name} is not a checkpoint" in done.error
    assert not (tmp_path / "x.onnx").exists()


def test_half_a_checkpoint_is_refused(original: State, save: Any, tmp_path: Path, alphapose: Any) -> None:
    whole, half = save(original), tmp_path / "half.pth"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    done = alphapose("export", "--weights", half, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert f"{half} is not a checkpoint written by torch.save, or is damaged" in done.error
