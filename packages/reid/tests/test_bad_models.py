"""Model files that cannot be used, or that are not what the flags ask for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]


@pytest.mark.parametrize("step", ["run", "infer"])
@pytest.mark.parametrize(
    ("name", "content"),
    [("garbage.onnx", b"garbage\x00\xff"), ("empty.onnx", b""), ("page.onnx", b"<html></html>")],
    ids=["garbage", "empty", "page"],
)
def test_an_onnx_file_that_is_garbage(
    name: str, content: bytes, step: str, market: Path, tmp_path: Path, reid: Commands
) -> None:
    (tmp_path / name).write_bytes(content)
    rest = ["--data", market] if step == "run" else ["--input", market / "query"]
    done = reid(step, "--model", tmp_path / name, *rest, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(tmp_path / name) in done.error
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    "model",
    [
        {"name": "larger", "shape": (3, 384, 128)},
        {"name": "grey", "shape": (1, 256, 128)},
        {"name": "swapped", "dtype": "uint8", "shape": (3, 256, 128)},
    ],
)
def test_run_refuses_a_model_of_another_shape(
    model: dict[str, Any], market: Path, tmp_path: Path, make_model: Any, reid: Commands
) -> None:
    done = reid("run", "--data", market, "--model", make_model(**model), "--output", tmp_path / "report")
    assert done.code == 1
    assert f"N, {', '.join(map(str, model['shape']))}" in done.error
    assert not (tmp_path / "report").exists()


def test_run_refuses_the_file_of_another_package(market: Path, tmp_path: Path, make_model: Any, reid: Commands) -> None:
    image = {"name": "image", "dtype": "float32", "shape": ["N", 3, 256, 128]}
    metadata = {"model": "gaitset", "version": "0.1.0", "inputs": [image], "outputs": [image]}
    model = make_model("of_gaitset", metadata=json.dumps(metadata))
    done = reid("run", "--data", market, "--model", model, "--output", tmp_path / "report")
    assert done.code == 1
    assert done.error == f"{model} is a model of gaitset, not of reid"


def test_run_refuses_metadata_that_it_cannot_read(
    market: Path, tmp_path: Path, make_model: Any, reid: Commands
) -> None:
    model = make_model("broken_metadata", metadata="{")
    done = reid("run", "--data", market, "--model", model, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(model) in done.error


def test_run_names_the_image_whose_feature_is_not_a_number(
    market: Path, tmp_path: Path, make_model: Any, reid: Commands
) -> None:
    done = reid("run", "--data", market, "--model", make_model("log", last="Log"), "--output", tmp_path / "report")
    assert done.code == 1
    assert "0001_c1s1_001051_00" in done.error
    assert "not finite" in done.error
    assert not (tmp_path / "report").exists()


def test_run_asked_for_another_neck_than_the_model_has(
    market: Path, tmp_path: Path, exported: Callable[[str], Path], reid: Commands
) -> None:
    words = ("run", "--data", market, "--model", exported("after"), "--output", tmp_path / "report")
    done = reid(*words, "--neck-feat", "before")
    assert done.code == 2
    assert "--neck-feat before" in done.error


def test_run_asked_for_another_dtype_than_the_model_takes(
    market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    words = ("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    done = reid(*words, "--dtype", "uint8")
    assert done.code == 2
    assert "--dtype uint8 does not fit the model, which takes image float32 (N, 3, 256, 128)" in done.error


@pytest.mark.parametrize("name", ["ReID.onnx", "missing.pth", "model.om", "model.txt"])
def test_a_model_that_is_not_there_or_not_known(name: str, market: Path, tmp_path: Path, reid: Commands) -> None:
    if name == "model.txt":
        (tmp_path / name).write_text("no model")
    done = reid("run", "--data", market, "--model", tmp_path / name, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(tmp_path / name) in done.error
    assert not (tmp_path / "report").exists()


def test_the_checkpoint_of_another_model(market: Path, tmp_path: Path, reid: Commands) -> None:
    import torch

    weights = {f"module.set_layer{i}.conv.weight": torch.ones(3, 3) for i in range(6)}
    torch.save(weights, tmp_path / "gaitset.pth")
    words = ("--weights", tmp_path / "gaitset.pth", "--output", tmp_path / "report")
    done = reid("run", "--data", market, *words)
    assert done.code == 1
    assert f"{tmp_path / 'gaitset.pth'} is not a resnet50 strong baseline" in done.error
    assert "6 keys unknown (set_layer0.conv.weight" in done.error
    assert not (tmp_path / "report").exists()
