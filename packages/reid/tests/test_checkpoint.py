"""Checkpoints in the forms in which people have them, and files that are something else."""

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from modelzoo.common.errors import CheckpointError
from modelzoo.common.testing.plugin import Finished
from modelzoo.reid.network import StrongBaseline
from modelzoo.reid.spec import BACKBONES
from modelzoo.reid.weights import PUBLISHED_MD5, load_network, published_name

State = dict[str, torch.Tensor]

BACKBONE = "resnet18"


@pytest.fixture(scope="module")
def original() -> State:
    """The smallest backbone with weights of its own."""
    torch.manual_seed(0)
    return StrongBaseline(BACKBONE).state_dict()


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


def with_classes(weights: State, classes: int) -> State:
    return {**weights, "classifier.weight": torch.ones(classes, 512)}


FORMS: dict[str, Callable[[State], Any]] = {
    "plain": lambda weights: weights,
    "in model": lambda weights: {"model": weights, "epoch": 120},
    "in state_dict": lambda weights: {"state_dict": weights, "best_rank1": 0.945},
    "parallel": prefixed,
    "parallel in state_dict": lambda weights: {"state_dict": prefixed(weights)},
    "702 classes": lambda weights: with_classes(weights, 702),
    "1041 classes": lambda weights: with_classes(weights, 1041),
    "without classifier": lambda weights: without(weights, "classifier.weight"),
    "without counters": lambda weights: without(weights, "num_batches_tracked"),
    "with its optimiser": lambda weights: {"model": weights, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_weights(form: str, original: State, save: Callable[[Any], Path]) -> None:
    loaded = load_network(save(FORMS[form](original)), BACKBONE).state_dict()
    assert set(loaded) == set(original)
    used = without(without(original, "classifier.weight"), "num_batches_tracked")
    assert all(torch.equal(loaded[key], value) for key, value in used.items())


def test_loaded_network_is_in_evaluation_mode(original: State, save: Callable[[Any], Path]) -> None:
    assert not any(module.training for module in load_network(save(original), BACKBONE).modules())


@pytest.mark.parametrize("form", ["plain", "702 classes", "without classifier", "without counters"])
def test_another_backbone_is_named(form: str, original: State, save: Callable[[Any], Path]) -> None:
    path = save(FORMS[form](original))
    with pytest.raises(CheckpointError) as caught:
        load_network(path, "resnet50")
    assert str(caught.value) == f"{path} holds a resnet18, not a resnet50"
    assert caught.value.hint == "use --backbone resnet18"


def shapes_of(backbone: str) -> State:
    """A checkpoint of the right keys and shapes; each tensor is one zero, repeated."""
    with torch.device("meta"):
        state = StrongBaseline(backbone).state_dict()
    return {key: torch.zeros(()).expand(value.shape) for key, value in state.items()}


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        *((backbone, "resnet18") for backbone in BACKBONES if backbone != "resnet18"),
        ("se_resnet50", "se_resnext50"),
        ("se_resnext50", "se_resnet50"),
    ],
)
def test_every_backbone_is_named(held: str, asked: str, save: Callable[[Any], Path]) -> None:
    path = save(shapes_of(held))
    with pytest.raises(CheckpointError) as caught:
        load_network(path, asked)
    assert str(caught.value) == f"{path} holds a {held}, not a {asked}"
    assert caught.value.hint == f"use --backbone {held}"


def test_se_resnet50_and_se_resnext50_differ_in_shapes_alone() -> None:
    assert shapes_of("se_resnet50").keys() == shapes_of("se_resnext50").keys()


IBN = "resnet50_ibn_a"


def test_the_classifier_of_imagenet_may_be_missing(save: Callable[[Any], Path]) -> None:
    state = shapes_of(IBN) | {"bottleneck.running_mean": torch.arange(2048.0)}
    path = save({key: value for key, value in state.items() if not key.startswith("base.fc.")})
    assert torch.equal(load_network(path, IBN).bottleneck.running_mean, torch.arange(2048.0))
    with pytest.raises(CheckpointError, match="holds a resnet50_ibn_a, not a resnet18"):
        load_network(path, "resnet18")


@pytest.mark.parametrize("key", ["base.layer1.0.bn1.IN.weight", "base.layer2.3.bn1.BN.running_var"])
def test_half_of_a_mixed_normalisation_may_not(key: str, save: Callable[[Any], Path]) -> None:
    path = save(without(shapes_of(IBN), key))
    with pytest.raises(CheckpointError, match=rf"1 keys missing \({key}\)$"):
        load_network(path, IBN)


@pytest.mark.parametrize(
    ("content", "words", "hint"),
    [
        pytest.param(
            lambda weights: {"state": {0: {"step": torch.ones(())}}, "param_groups": [{"lr": 0.1}]},
            ["the state of an optimiser, not a model"],
            "in the file saved beside it",
            id="optimiser",
        ),
        pytest.param(
            lambda weights: without(weights, "base.layer1.0.conv1.weight"),
            ["1 keys missing (base.layer1.0.conv1.weight)"],
            None,
            id="missing",
        ),
        pytest.param(
            lambda weights: {**weights, "head.a": torch.ones(1), "head.b": torch.ones(1)},
            ["2 keys unknown (head.a, head.b)"],
            None,
            id="unexpected",
        ),
        pytest.param(
            lambda weights: {**weights, "bottleneck.bias": torch.ones(7)},
            ["1 keys of another shape (bottleneck.bias)"],
            None,
            id="misshapen",
        ),
        pytest.param(
            lambda weights: {f"module.set_layer{i}.conv.weight": torch.ones(3, 3) for i in range(6)},
            ["is not a resnet18 strong baseline", "keys missing", "6 keys unknown (set_layer0.conv.weight,"],
            None,
            id="another model",
        ),
        pytest.param(
            lambda weights: {
                **without(weights, "bottleneck.weight"),
                "classifier.bias": torch.ones(751),
            },
            ["trained without the BNNeck"],
            None,
            id="no neck",
        ),
        pytest.param(lambda weights: {"epoch": 120}, ["holds no weights"], None, id="no weights"),
        pytest.param(lambda weights: [1, 2, 3], ["holds no weights", "list"], None, id="list"),
    ],
)
def test_other_content_is_named(
    content: Callable[[State], Any], words: list[str], hint: str | None, original: State, save: Callable[[Any], Path]
) -> None:
    path = save(content(original))
    with pytest.raises(CheckpointError) as caught:
        load_network(path, BACKBONE)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert all(word in message for word in words), message
    assert hint is None or hint in str(caught.value.hint)


def test_the_published_file_is_known_by_the_md5_of_the_guide() -> None:
    assert PUBLISHED_MD5 == {"0811054928b8aa70b6ea64e71ef99aaf": "market_resnet50_model_120_rank1_945.pth"}


def test_published_name_is_by_content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.pth"
    renamed.write_bytes(b"published")
    assert published_name(renamed) is None
    monkeypatch.setitem(PUBLISHED_MD5, hashlib.md5(b"published").hexdigest(), "published.pth")
    assert published_name(renamed) == "published.pth"


class Touch:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("writer", ["torch", "pickle"])
@pytest.mark.parametrize("place", ["alone", "among weights"])
def test_a_malicious_pickle_is_not_run(
    writer: str, place: str, original: State, tmp_path: Path, reid: Callable[..., Finished]
) -> None:
    path, trace = tmp_path / "evil.pth", tmp_path / "executed"
    content = Touch(trace) if place == "alone" else {**original, "bottleneck.bias": Touch(trace)}
    with path.open("wb") as file:
        torch.save(content, file) if writer == "torch" else pickle.dump(content, file)
    done = reid("export", "--weights", path, "--output", tmp_path / "evil.onnx")
    assert done.code == 1
    assert str(path) in done.error
    assert "torch.save(model.state_dict()" in done.hint
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_pickled_network_is_refused_with_the_way_out(save: Callable[[Any], Path]) -> None:
    path = save(torch.nn.Linear(2, 2))
    with pytest.raises(CheckpointError, match=r"is a pickle of Python objects") as caught:
        load_network(path)
    assert "torch.save(model.state_dict(), 'weights.pth')" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.pth", b""),
        ("text.pth", b"not a checkpoint\n"),
        ("page.pth", b"<!DOCTYPE html><html>Google Drive - Virus scan warning</html>"),
        ("zip.pth", b"PK\x03\x04 and then nothing"),
    ],
)
def test_a_file_that_is_no_checkpoint(name: str, content: bytes, tmp_path: Path, reid: Callable[..., Finished]) -> None:
    (tmp_path / name).write_bytes(content)
    done = reid("export", "--weights", tmp_path / name, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert f"{tmp_path / name} is not a checkpoint" in done.error
    assert not (tmp_path / "x.onnx").exists()


def test_half_a_checkpoint_is_refused(checkpoint: Path, tmp_path: Path, reid: Callable[..., Finished]) -> None:
    half = tmp_path / "half.pth"
    half.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    done = reid("export", "--weights", half, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert f"{half} is not a checkpoint written by torch.save, or is damaged" in done.error
