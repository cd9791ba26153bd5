"""Checkpoints in the forms in which people have them, and files that are something else."""

import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from modelzoo.common.errors import CheckpointError
from modelzoo.common.testing.plugin import Finished
from modelzoo.gaitset.network import CasiaB, Oumvlp
from modelzoo.gaitset.weights import PUBLISHED_BLOBS, load_network, published_name

State = dict[str, torch.Tensor]
Commands = Callable[..., Finished]


@pytest.fixture(scope="module")
def original() -> State:
    """The network of CASIA-B with weights of its own."""
    torch.manual_seed(0)
    return CasiaB().state_dict()


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Any], Path]:
    """Write something as torch.save does."""

    def write(content: Any) -> Path:
        path = tmp_path / "weights.ptm"
        torch.save(content, path)
        return path

    return write


def prefixed(weights: State) -> State:
    return {f"module.{key}": value for key, value in weights.items()}


FORMS: dict[str, Callable[[State], Any]] = {
    "as published": prefixed,
    "plain": lambda weights: weights,
    "in model": lambda weights: {"model": weights, "iteration": 80000},
    "in state_dict": lambda weights: {"state_dict": prefixed(weights)},
    "with its optimiser": lambda weights: {
        "model": weights,
        "optimizer": {"state": {}, "param_groups": [{"lr": 1e-4}]},
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_weights(form: str, original: State, save: Callable[[Any], Path]) -> None:
    loaded = load_network(save(FORMS[form](original))).state_dict()
    assert set(loaded) == set(original)
    assert all(torch.equal(loaded[key], value) for key, value in original.items())


def test_loaded_network_is_in_evaluation_mode(original: State, save: Callable[[Any], Path]) -> None:
    path = save(original)
    for dtype in ("float32", "uint8"):
        assert not any(module.training for module in load_network(path, dtype=dtype).modules())


@pytest.mark.parametrize(
    ("network", "asked", "held"),
    [(CasiaB, "oumvlp", "casia-b"), (Oumvlp, "casia-b", "oumvlp")],
    ids=["casia-b", "oumvlp"],
)
@pytest.mark.parametrize("form", ["as published", "plain"])
def test_the_other_data_set_is_named(
    network: type[CasiaB | Oumvlp],
    asked: str,
    held: str,
    form: str,
    save: Callable[[Any], Path],
    tmp_path: Path,
    gaitset: Commands,
) -> None:
    path = save(FORMS[form](network().state_dict()))
    done = gaitset("export", "--weights", path, "--dataset", asked, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert done.error == f"{path} holds the network of {held}, not of {asked}"
    assert done.hint == f"use --dataset {held}"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_optimiser_file_beside_the_checkpoint_is_named(original: State, tmp_path: Path, gaitset: Commands) -> None:
    optimiser = torch.optim.Adam([{"params": [torch.nn.Parameter(value) for value in original.values()]}], lr=1e-4)
    path = tmp_path / "GaitSet_CASIA-B_73_False_256_0.2_128_full_30-80000-optimizer.ptm"
    torch.save(optimiser.state_dict(), path)
    done = gaitset("export", "--input_path", path, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert done.error == f"{path} is the state of an optimiser, not a model"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(
            lambda weights: {key: value for key, value in weights.items() if key != "gl_layer3.conv.weight"},
            ["is not a GaitSet of casia-b: 1 keys missing (gl_layer3.conv.weight)"],
            id="missing",
        ),
        pytest.param(
            lambda weights: {**weights, "head.a": torch.ones(1), "head.b": torch.ones(1)},
            ["2 keys unknown (head.a, head.b)"],
            id="unexpected",
        ),
        pytest.param(
            lambda weights: {**weights, "fc_bin.0": torch.ones(62, 128, 128)},
            ["1 keys of another shape (fc_bin.0)"],
            id="another hidden_dim",
        ),
        pytest.param(
            lambda weights: {f"base.layer{i}.conv1.weight": torch.ones(3, 3) for i in range(6)},
            ["is not a GaitSet of casia-b: 11 keys missing", "6 keys unknown (base.layer0.conv1.weight,"],
            id="another model",
        ),
        pytest.param(lambda weights: {"iteration": 80000}, ["holds no weights"], id="no weights"),
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


def test_the_published_file_is_known_by_its_object_in_the_published_repository() -> None:
    name = "GaitSet_CASIA-B_73_False_256_0.2_128_full_30-80000-encoder.ptm"
    assert {"965afa133b1ee6806e6f354b1c58a75f7cb5a8fa": name} == PUBLISHED_BLOBS


def test_published_name_is_by_content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.ptm"
    renamed.write_bytes(bytes(range(256)) * 5000)
    assert published_name(renamed) is None
    line = ["git", "hash-object", "--no-filters", str(renamed)]
    blob = subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()
    monkeypatch.setitem(PUBLISHED_BLOBS, blob, "published.ptm")
    assert published_name(renamed) == "published.ptm"


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
    writer: str, place: str, original: State, tmp_path: Path, gaitset: Commands
) -> None:
    path, trace = tmp_path / "evil.ptm", tmp_path / "executed"
    content = Touch(trace) if place == "alone" else {**original, "fc_bin.0": Touch(trace)}
    with path.open("wb") as file:
        torch.save(content, file) if writer == "torch" else pickle.dump(content, file)
    done = gaitset("export", "--weights", path, "--output", tmp_path / "evil.onnx")
    assert done.code == 1
    assert str(path) in done.error
    assert "torch.save(model.state_dict()" in done.hint
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_missing_file_is_named_with_its_neighbour(tmp_path: Path, gaitset: Commands) -> None:
    (tmp_path / "GaitSet-80000-encoder.ptm").touch()
    path = tmp_path / "GaitSet-8000-encoder.ptm"
    done = gaitset("export", "--input_path", path, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert done.error == f"no such checkpoint file: {path}"
    assert done.hint == f"did you mean {tmp_path / 'GaitSet-80000-encoder.ptm'}?"


def test_half_a_checkpoint_is_refused(checkpoint: Path, tmp_path: Path, gaitset: Commands) -> None:
    half = tmp_path / "half.ptm"
    half.write_bytes(checkpoint.read_bytes()[: checkpoint.stat().st_size // 2])
    done = gaitset("export", "--weights", half, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert f"{half} is not a checkpoint written by torch.save, or is damaged" in done.error
    assert not (tmp_path / "x.onnx").exists()
