"""The demonstration: drawn actions, seeded weights, the whole way."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished
from modelzoo.posec3d import demo as drawn
from modelzoo.posec3d.annotations import read_annotations, select_annotations
from modelzoo.posec3d.cli import main
from modelzoo.posec3d.spec import Structure
from modelzoo.posec3d.synthetic.actions import ACTIONS

SMALL: dict[str, Any] = {
    "ACTIONS": {name: ACTIONS[name] for name in ("bow", "wave")},
    "TRAINING": 2,
    "TEST": 1,
    "FRAMES": (8, 10),
    "STRUCTURE": Structure(width=2, blocks=(1, 1, 1), classes=2),
}
"""Of the demonstration: 2 of its actions, 3 recordings of each, of a third of a second, and a tiny network."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SMALL.items():
        monkeypatch.setattr(drawn, name, value)
    monkeypatch.setattr("modelzoo.posec3d.synthetic.actions.ACTIONS", SMALL["ACTIONS"])


@pytest.fixture
def shown(small: None, tmp_path: Path, command: Callable[..., Finished]) -> tuple[Path, Finished]:
    """Its folder, and how it ended."""
    return tmp_path / "demo", command(main, "posec3d", "demo", "--output", tmp_path / "demo")


def test_it_goes_the_whole_way(shown: tuple[Path, Finished]) -> None:
    """Prints the metrics and what they are worth, and writes a report with pictures."""
    folder, done = shown
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert any(re.fullmatch(r"top1_acc\t[\d.]+", line) for line in lines)
    assert "fitted to 4 other drawn recordings: these numbers mean only that the pipeline works" in done.out
    assert "Guessing one of 2 actions is right 50.0% of the time" in done.out
    assert lines[-2:] == [f"report: {folder / 'report.json'}", f"to look at: {folder / 'report.html'}"]
    report = json.loads((folder / "report.json").read_text())
    assert (report["model"], report["samples"], report["metrics"]["classes"]) == ("posec3d", 2, 2)
    assert "mean only that the pipeline works" in (folder / "report.html").read_text()
    page = (folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert re.search(r"bow: taken for (bow|wave) \(\d+%\)", page)
    assert (folder / "labels.txt").read_text() == "bow\nwave\n"


def test_its_data_set_is_the_same_everywhere(tmp_path: Path) -> None:
    one, other = (drawn.make_annotations(tmp_path / name) for name in ("one.pkl", "other.pkl"))
    assert one.read_bytes() == other.read_bytes()
    file = read_annotations(one)
    training, test = (select_annotations(file, split, len(ACTIONS)).used for split in ("train1", "test1"))
    assert len(training) + len(test) == len(file.records)
    assert [annotation.name for annotation in test][:3] == ["bow_04", "bow_05", "clap_04"]
    assert {annotation.label for annotation in training} == {annotation.label for annotation in test} == set(range(8))
    for annotation in (*training, *test):
        assert annotation.name.startswith([*ACTIONS][annotation.label])
        assert annotation.skeletons.keypoints.dtype == np.float16
        assert 32 <= annotation.skeletons.keypoints.shape[1] <= 48
        assert not annotation.remarks
    first = {annotation.skeletons.keypoints.tobytes() for annotation in (*training, *test)}
    assert len(first) == len(file.records)


def test_the_fit_is_ridge_regression() -> None:
    """Against the same least squares with the ridge written as rows of their own."""
    random = np.random.default_rng(0)
    features, labels = random.standard_normal((12, 2, 5)) * [1, 2, 3, 4, 5] + 7, [0, 1, 2] * 4
    weight, bias = drawn._fit(features, labels)
    rows = features.reshape(-1, 5)
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    wanted = np.eye(8)[np.repeat(labels, 2)]
    centred = wanted - wanted.mean(axis=0)
    padded = np.concatenate([scaled, np.sqrt(drawn.RIDGE * len(rows)) * np.eye(5)])
    solution, *_ = np.linalg.lstsq(padded, np.concatenate([centred, np.zeros((5, 8))]), rcond=None)
    np.testing.assert_allclose(rows @ weight.T + bias, drawn.CERTAINTY * scaled @ solution, atol=1e-4)


def test_its_weights_know_what_they_were_fitted_to(small: None, tmp_path: Path) -> None:
    import torch

    from modelzoo.posec3d.clips import cut_clips
    from modelzoo.posec3d.weights import load_posec3d

    file = read_annotations(drawn.make_annotations(tmp_path / "actions.pkl"))
    training = select_annotations(file, "train1", 2).used
    network = load_posec3d(drawn.make_weights(tmp_path / "weights.pth", training))
    assert network.structure == SMALL["STRUCTURE"]
    for annotation in training:
        volume = np.empty((20, 17, 48, 56, 56), np.float32)
        cut_clips(annotation.skeletons).draw_volumes(volume)
        with torch.inference_mode():
            scores = network(torch.from_numpy(volume[[0, 10]]))
        assert scores.argmax(dim=1).tolist() == [annotation.label] * 2
