"""`dgnet verify` on golden weights: passes for the right graphs, names the first stage that is wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished
from modelzoo.dgnet.checkpoints import Checkpoint
from modelzoo.dgnet.verify import normalised, sample_pairs, verify_job

Commands = Callable[..., Finished]
Exported = Callable[[str], Path]


@pytest.fixture
def ready_exports(monkeypatch: pytest.MonkeyPatch, exported: Exported) -> None:
    """The graphs of the golden weights in the place of new ones."""

    def copy(_gen: Path, path: Path, _id: Path, dtype: str, simplify: bool) -> list[Path]:
        return [Path(shutil.copy(exported({"float32": "whole", "uint8": "uint8"}[dtype]), path))]

    monkeypatch.setattr("modelzoo.dgnet.verify.export", copy)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three pictures of two identities."""
    for number, name in enumerate(("0001/a.jpg", "0001/b.png", "0002/c.jpg")):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 4, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((64, 128)).save(path)
    return tmp_path / "tree"


@pytest.mark.usefixtures("ready_exports")
def test_every_form_gives_the_picture_of_the_checkpoint(
    dgnet: Commands, checkpoint: Checkpoint, exported: Exported, tree: Path, tmp_path: Path
) -> None:
    words = ("--gen", checkpoint.gen, "--model", exported("uint8"), "--data", tree, "--json", tmp_path / "v.json")
    done = dgnet("verify", *words)
    assert done.code == 0, done.err
    content = json.loads((tmp_path / "v.json").read_text())
    assert [row["stage"] for row in content["comparisons"]] == ["onnx", "simplified", "uint8", "uint8.onnx"]
    assert all(row["passed"] and row["max_abs"] < 1e-4 for row in content["comparisons"])
    assert (content["metrics"], content["failed"]) == ({}, None)


@pytest.mark.usefixtures("ready_exports")
def test_a_graph_of_other_weights_is_named(
    dgnet: Commands, checkpoint: Checkpoint, exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelzoo.dgnet.verify.PAIRS", 1)
    model = onnx.load(exported("whole"))
    bias = next(weight for weight in model.graph.initializer if list(weight.dims) == [3])
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.float32(0.1), bias.name))
    onnx.save(model, tmp_path / "other.onnx")
    done = dgnet("verify", "--gen", checkpoint.gen, "--id", checkpoint.id, "--model", tmp_path / "other.onnx")
    assert done.code == 1
    assert done.error.startswith("the first stage that fails is other.onnx: output differs")


def test_what_is_exported(checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def export(*words: Any, **more: Any) -> list[Path]:
        calls.append((*words, more))
        return [words[1]]

    monkeypatch.setattr("modelzoo.dgnet.verify.export", export)
    job = verify_job(checkpoint)
    assert (job.form, job.metric, job.upstream) == ({"id_path": checkpoint.id}, None, None)
    for variant in job.variants:
        assert job.export(tmp_path / "x.onnx", variant, variant == "float32") == tmp_path / "x.onnx"
    assert calls == [
        (checkpoint.gen, tmp_path / "x.onnx", checkpoint.id, "float32", {"simplify": True}),
        (checkpoint.gen, tmp_path / "x.onnx", checkpoint.id, "uint8", {"simplify": False}),
    ]


def test_the_samples_are_pairs_of_unlike_pictures(tree: Path) -> None:
    photos = sorted(tree.rglob("*.*"))
    for given, count in (([], 2), (photos, 2), (photos[:1], 1)):
        structures, appearances = sample_pairs(given)
        assert structures.shape == appearances.shape == (count, 256, 128, 3)
        assert structures.dtype == appearances.dtype == np.uint8
        assert len({image.tobytes() for image in (*structures, *appearances)}) == {0: 4, 3: 3, 1: 1}[len(given)]
    assert np.array_equal(sample_pairs()[0], sample_pairs()[0])


def test_pixels_are_normalised_as_the_network_takes_them() -> None:
    structures, appearances = sample_pairs()
    grey, colour = normalised(structures, appearances)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    assert np.abs(colour - np.moveaxis((appearances / 255 - mean) / std, -1, 1)).max() < 1e-6
    assert np.abs(grey - ((structures / 255 - mean) / std).mean(-1)[:, None]).max() < 1e-6


@pytest.mark.parametrize("flag", ["--model", "--om", "--upstream", "--data"])
def test_what_is_missing_is_named_before_work_begins(
    flag: str, dgnet: Commands, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    done = dgnet("verify", "--gen", checkpoint.gen, flag, tmp_path / "nothing")
    assert done.code == 1
    assert str(tmp_path / "nothing") in done.error
