"""Result folders to COCO's numbers by the command: where the samples come from, and results that do not fit."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished

Postprocess = Callable[..., Finished]


@pytest.fixture
def inferred(
    alphapose: Callable[..., Finished],
    coco: Path,
    detections: Path,
    small_model: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The guide's folders below the working directory: bins, flipped bins, and the results of both."""
    monkeypatch.chdir(tmp_path)
    words = ["--dataroot", coco, "--output", "./prep_data", "--output_flip", "./prep_data_flip"]
    assert alphapose("preprocess", *words, "--detections", detections).code == 0
    for name in ("bs1", "bs1_flip"):
        bins = name.replace("bs1", "./prep_data")
        words = ["--model", small_model(), "--input", bins, "--output", "./results", "--output_dirname", name]
        assert alphapose("infer", *words).code == 0
    return tmp_path / "results"


@pytest.fixture
def postprocess(alphapose: Callable[..., Finished], coco: Path, inferred: Path) -> Postprocess:
    """Run the guide's postprocess."""
    folders = ["--dump_dir", "./results/bs1", "--dump_dir_flip", "./results/bs1_flip"]
    return lambda *words: alphapose("postprocess", "--dataroot", coco, *folders, *words)


def metrics_of(done: Finished) -> list[str]:
    assert done.code == 0, done.err
    return done.out.splitlines()


def test_the_samples_are_found_by_the_summary(postprocess: Postprocess, tmp_path: Path) -> None:
    done = postprocess("--json", "metrics.json", "--results", "poses.json")
    lines = metrics_of(done)
    assert done.err == f"index: {tmp_path / 'prep_data_index.json'}\n"
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert list(metrics) == ["AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL"]
    assert lines[0] == f"##### det box: {metrics['AP']} mAP #####"
    poses = json.loads((tmp_path / "poses.json").read_text())
    assert all(len(row["keypoints"]) == 51 for row in poses)


def test_every_way_to_the_samples_gives_the_same(
    postprocess: Postprocess, detections: Path, inferred: Path, tmp_path: Path
) -> None:
    wanted = metrics_of(postprocess())
    assert metrics_of(postprocess("--index", "prep_data_flip_index.json")) == wanted
    for name in ("prep_data", "prep_data_flip"):
        (tmp_path / f"{name}_index.json").rename(tmp_path / f"moved_{name}.json")
    assert metrics_of(postprocess("--index", "moved_prep_data.json")) == wanted
    done = postprocess("--detections", detections)
    assert metrics_of(done) == wanted
    assert done.err == f"detections: {detections}, boxes in 2 of 3 photos\n"
    (tmp_path / "exp" / "json").mkdir(parents=True)
    shutil.copy(detections, tmp_path / "exp" / "json" / "test_det_yolo.json")
    done = postprocess()
    assert metrics_of(done) == wanted
    assert done.err == "detections: exp/json/test_det_yolo.json, boxes in 2 of 3 photos\n"


def test_an_index_goes_before_detections(postprocess: Postprocess, detections: Path) -> None:
    wanted = metrics_of(postprocess())
    detections.write_text("[]")
    done = postprocess("--detections", detections)
    assert metrics_of(done) == wanted
    assert "--detections is not needed" in done.err


def test_nothing_says_which_samples(postprocess: Postprocess, tmp_path: Path) -> None:
    for name in ("prep_data", "prep_data_flip"):
        (tmp_path / f"{name}_index.json").unlink()
    done = postprocess()
    assert done.code == 1
    assert "no index, and no ./exp/json/test_det_yolo.json" in done.error
    assert "--detections JSON" in done.hint


def test_skipped_photos_are_no_missing_results(
    alphapose: Callable[..., Finished], coco: Path, detections: Path, small_model: Callable[..., Path], tmp_path: Path
) -> None:
    (coco / "val2017" / "street two.png").unlink()
    bins, words = tmp_path / "bins", ["--dataroot", coco, "--detections", detections, "--on-error", "skip"]
    assert alphapose("preprocess", "--output", bins, *words).code == 1
    words = ["--model", small_model(), "--input", bins, "--output", tmp_path, "--output_dirname", "r"]
    assert alphapose("infer", *words).code == 0
    done = alphapose("postprocess", "--dataroot", coco, "--dump_dir", tmp_path / "r")
    assert done.code == 0, done.err


def test_without_the_mirrored_results_there_is_no_flip_test(
    alphapose: Callable[..., Finished], postprocess: Postprocess, coco: Path, tmp_path: Path
) -> None:
    assert postprocess("--results", "with.json").code == 0
    words = ["--dataroot", coco, "--dump_dir", "results/bs1", "--results", "without.json"]
    assert alphapose("postprocess", *words).code == 0
    assert (tmp_path / "with.json").read_text() != (tmp_path / "without.json").read_text()


def damage(results: Path, what: str) -> None:
    first = results / "bs1" / "000000000000_0.bin"
    mirrored = results / "bs1_flip" / "000000000003_0.bin"
    if what == "missing":
        first.unlink()
    elif what == "missing mirrored":
        mirrored.unlink()
    elif what == "surplus":
        shutil.copy(first, results / "bs1" / "000000000099_0.bin")
    elif what == "short":
        first.write_bytes(first.read_bytes()[:-4])
    elif what == "short mirrored":
        mirrored.write_bytes(b"")
    elif what == "keypoints":
        for path in (results / "bs1").iterdir():
            path.write_bytes(bytes(17 * 3 * 4))
    elif what == "mixed":
        first.write_bytes(bytes(17 * 3 * 4))
    elif what == "not a number":
        np.full(17 * 64 * 48, np.nan, np.float32).tofile(first)


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("missing", "has no result for 1 of 6 detections, the first is 000000000000_0.bin of 000000000785.jpg"),
        ("missing mirrored", "bs1_flip has no result for 1 of 6 detections, the first is 000000000003_0.bin"),
        ("surplus", "1 of 7 results belong to none of the 6 detections"),
        ("short", "000000000000_0.bin has 208892 bytes"),
        ("short mirrored", "bs1_flip/000000000003_0.bin has 0 bytes"),
        ("keypoints", "the flip test needs heat maps, and the results are keypoints"),
        ("mixed", "bytes; all results have 208896"),
        ("not a number", "no finite numbers"),
    ],
)
def test_results_that_do_not_fit(
    postprocess: Postprocess, inferred: Path, what: str, error: str, tmp_path: Path
) -> None:
    damage(inferred, what)
    done = postprocess("--json", "metrics.json")
    assert done.code == 1
    assert error in done.error
    assert done.out == ""
    assert not (tmp_path / "metrics.json").exists()


def test_a_missing_folder_has_its_neighbour_as_a_hint(
    alphapose: Callable[..., Finished], coco: Path, inferred: Path
) -> None:
    done = alphapose("postprocess", "--dataroot", coco, "--dump_dir", "./result/bs1")
    assert done.code == 1
    assert "no such result folder: result/bs1" in done.error
    assert done.hint == "did you mean results/bs1?"
    done = alphapose(
        "postprocess", "--dataroot", coco, "--dump_dir", "./results/bs1", "--dump_dir_flip", "results/flip"
    )
    assert "no such result folder: results/flip" in done.error


def test_one_folder_for_both_sides(alphapose: Callable[..., Finished], coco: Path, inferred: Path) -> None:
    words = ("--dump_dir", inferred / "bs1", "--dump_dir_flip", inferred / "bs1_flip" / ".." / "bs1")
    done = alphapose("postprocess", "--dataroot", coco, *words)
    assert done.code == 2
    assert "--dump_dir and --dump_dir_flip are both" in done.error


@pytest.mark.parametrize("words", [[], ["--index", "prep_data_index.json"]])
def test_folders_that_have_changed_places(
    words: list[str], alphapose: Callable[..., Finished], coco: Path, inferred: Path
) -> None:
    folders = ["--dump_dir", "results/bs1_flip", "--dump_dir_flip", "results/bs1"]
    done = alphapose("postprocess", "--dataroot", coco, *folders, *words)
    assert (done.code, done.out) == (1, "")
    assert "--dump_dir and --dump_dir_flip have changed places: results/bs1_flip holds" in done.error
    assert done.hint == "--dump_dir results/bs1 --dump_dir_flip results/bs1_flip"


def test_results_of_one_side_only(alphapose: Callable[..., Finished], coco: Path, inferred: Path) -> None:
    done = alphapose("postprocess", "--dataroot", coco, "--dump_dir", "results/bs1_flip")
    assert (done.code, done.out) == (1, "")
    assert done.error == "--dump_dir is results/bs1_flip, which holds the results of mirrored crops"
    for name in ("bs1", "bs1_flip"):
        shutil.copytree(inferred / name, inferred / f"{name}_copy")
        shutil.copy(inferred / f"{name}_summary.json", inferred / f"{name}_copy_summary.json")
    folders = ["--dump_dir", "results/bs1", "--dump_dir_flip", "results/bs1_copy"]
    done = alphapose("postprocess", "--dataroot", coco, *folders)
    assert (done.code, done.out) == (1, "")
    assert "--dump_dir_flip is results/bs1_copy, which holds the results of crops that are not mirrored" in done.error


def test_a_damaged_index_says_nothing_where_another_is_given(postprocess: Postprocess, tmp_path: Path) -> None:
    wanted = metrics_of(postprocess())
    (tmp_path / "prep_data_index.json").rename(tmp_path / "moved.json")
    (tmp_path / "prep_data_index.json").write_text("{")
    assert metrics_of(postprocess("--index", "moved.json")) == wanted


@pytest.fixture
def flip_inferred(alphapose: Callable[..., Finished], small_model: Callable[..., Path], inferred: Path) -> Path:
    """The guide's folders, with results of a graph that does the flip test by itself."""
    shutil.copy2(small_model(flip_test=True), "flip.onnx")
    for name in ("bs1", "bs1_flip"):
        words = ["--input", name.replace("bs1", "./prep_data"), "--output", "./results", "--output_dirname", name]
        assert alphapose("infer", "--model", "flip.onnx", *words, "--overwrite").code == 0
    return inferred


def test_no_flip_test_of_a_flip_test(postprocess: Postprocess, flip_inferred: Path, tmp_path: Path) -> None:
    done = postprocess()
    assert (done.code, done.out) == (1, "")
    assert done.error == "results/bs1 holds the results of flip.onnx, which does the flip test by itself"
    assert "leave out --dump_dir_flip" in done.hint


@pytest.mark.parametrize("what", ["no model", "a newer model", "no summary", "another model"])
def test_a_model_that_is_not_known_any_more(
    what: str, postprocess: Postprocess, flip_inferred: Path, tmp_path: Path
) -> None:
    model = tmp_path / "flip.onnx"
    if what == "no model":
        model.unlink()
    elif what == "a newer model":
        os.utime(model, (2e9, 2e9))
    elif what == "no summary":
        for path in flip_inferred.glob("*_summary.json"):
            path.unlink()
    elif what == "another model":
        model.write_bytes(b"no model")
        os.utime(model, (1e9, 1e9))
    metrics_of(postprocess("--index", "prep_data_index.json"))


def test_the_description_beside_an_om_is_read(postprocess: Postprocess, inferred: Path, tmp_path: Path) -> None:
    path = inferred / "bs1_summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"args": ["ais_bench", "--model=pose_bs1.om"]}))
    (tmp_path / "pose_bs1.om").touch()
    os.utime(tmp_path / "pose_bs1.om", (1e9, 1e9))
    metrics_of(postprocess())
    tensor = {"name": "x", "dtype": "float32", "shape": ["N", 1]}
    said = {"model": "alphapose", "version": "0.1.0", "inputs": [tensor], "outputs": [tensor]}
    (tmp_path / "pose_bs1.json").write_text(json.dumps(said | {"form": {"flip_test": True}}))
    done = postprocess()
    assert (done.code, done.error.startswith("results/bs1 holds the results of pose_bs1.om, which")) == (1, True)


def test_results_of_different_runs(postprocess: Postprocess, tmp_path: Path) -> None:
    path = tmp_path / "prep_data_flip_index.json"
    content = json.loads(path.read_text())
    content["samples"][0]["score"] = 0.5
    path.write_text(json.dumps(content))
    done = postprocess()
    assert done.code == 1
    assert "are of different preprocess runs" in done.error


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"crop": [1, 2, 3]}, "sample 000000000000 has no image_id, box, score and crop"),
        ({"image_id": "785"}, "sample 000000000000 has no image_id, box, score and crop"),
        ({"image_id": 139}, "sample 000000000000 is of the image 139"),
        ({"stem": "000000000002"}, "sample 000000000002 is there twice"),
    ],
)
def test_an_index_that_does_not_fit(
    postprocess: Postprocess, change: dict[str, Any], error: str, tmp_path: Path
) -> None:
    path = tmp_path / "prep_data_index.json"
    content = json.loads(path.read_text())
    row = next(row for row in content["samples"] if row["stem"] == "000000000000")
    row.update(change)
    path.write_text(json.dumps(content))
    done = postprocess("--index", path)
    assert done.code == 1
    assert error in done.error


def test_an_output_without_a_folder(postprocess: Postprocess) -> None:
    done = postprocess("--results", "nowhere/poses.json")
    assert done.code == 1
    assert "no such --results folder" in done.error
    assert done.out == ""
