"""One process against folders of files: the same numbers and poses from both ways, and what the report holds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]
NAMES = ["AP", "AP50", "AP75", "APM", "APL", "AR", "AR50", "AR75", "ARM", "ARL"]


def outcome(folder: Path) -> tuple[dict[str, float], list[Any]]:
    return json.loads((folder / "metrics.json").read_text()), json.loads((folder / "poses.json").read_text())


def by_run(alphapose: Commands, coco: Path, detections: Path, model: Path, folder: Path, *words: object) -> Finished:
    folder.mkdir()
    files = ["--json", folder / "metrics.json", "--results", folder / "poses.json", "--output", folder / "report"]
    return alphapose("run", "--data", coco, "--detections", detections, "--model", model, *files, *words)


def by_files(
    alphapose: Commands, coco: Path, detections: Path, model: Path, folder: Path, dtype: str, mirrored: bool
) -> None:
    """The guide's way: preprocess, infer once or twice, postprocess."""
    folder.mkdir()
    inputs = {"bs": folder / "prep_data", **({"bs_flip": folder / "prep_data_flip"} if mirrored else {})}
    words = ["--dataroot", coco, "--output", inputs["bs"], "--detections", detections, "--dtype", dtype]
    done = alphapose("preprocess", *words, *(["--output_flip", inputs["bs_flip"]] if mirrored else []))
    assert done.code == 0, done.err
    for name, bins in inputs.items():
        words = ["--model", model, "--input", bins, "--output", folder, "--output_dirname", name, "--batchsize", 3]
        assert alphapose("infer", *words).code == 0
    words = ["--dataroot", coco, "--dump_dir", folder / "bs", "--json", folder / "metrics.json"]
    words += ["--results", folder / "poses.json", *(["--dump_dir_flip", folder / "bs_flip"] if mirrored else [])]
    done = alphapose("postprocess", *words)
    assert done.code == 0, done.err


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("mirrored", [True, False])
def test_run_and_files_agree_to_the_last_digit(
    alphapose: Commands,
    coco: Path,
    detections: Path,
    small_model: Callable[..., Path],
    dtype: str,
    mirrored: bool,
    tmp_path: Path,
) -> None:
    model = small_model(dtype=dtype)
    by_files(alphapose, coco, detections, model, tmp_path / "files", dtype, mirrored)
    words = ["--batchsize", 3, *([] if mirrored else ["--no-flip-test"])]
    done = by_run(alphapose, coco, detections, model, tmp_path / "run", *words)
    assert done.code == 0, done.err
    assert outcome(tmp_path / "run") == outcome(tmp_path / "files")


def test_the_flip_test_changes_the_poses(
    alphapose: Commands, coco: Path, detections: Path, small_model: Callable[..., Path], tmp_path: Path
) -> None:
    for name, words in (("with", []), ("without", ["--no-flip-test"])):
        assert by_run(alphapose, coco, detections, small_model(), tmp_path / name, *words).code == 0
    assert outcome(tmp_path / "with")[1] != outcome(tmp_path / "without")[1]
    pages = [(tmp_path / name / "report" / "report.md").read_text() for name in ("with", "without")]
    assert ["There was no flip test" in page for page in pages] == [False, True]


@pytest.mark.parametrize("form", [{"flip_test": True}, {"flip_test": True, "decode": True}])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_the_graph_does_what_numpy_does(
    alphapose: Commands,
    coco: Path,
    detections: Path,
    small_model: Callable[..., Path],
    form: dict[str, bool],
    dtype: str,
    tmp_path: Path,
) -> None:
    for name, model in (("graph", small_model(**form, dtype=dtype)), ("numpy", small_model(dtype=dtype))):
        assert by_run(alphapose, coco, detections, model, tmp_path / name).code == 0
    graph, numpy = outcome(tmp_path / "graph")[1], outcome(tmp_path / "numpy")[1]
    assert len(graph) == len(numpy)
    for one, other in zip(graph, numpy, strict=True):
        assert one["keypoints"] == pytest.approx(other["keypoints"], abs=1e-4)
        assert one["score"] == pytest.approx(other["score"], abs=1e-6)


def test_keypoints_of_a_graph_by_files(
    alphapose: Commands, coco: Path, detections: Path, small_model: Callable[..., Path], tmp_path: Path
) -> None:
    model = small_model(flip_test=True, decode=True)
    by_files(alphapose, coco, detections, model, tmp_path / "files", "float32", mirrored=False)
    assert by_run(alphapose, coco, detections, model, tmp_path / "run", "--batchsize", 3).code == 0
    assert outcome(tmp_path / "run") == outcome(tmp_path / "files")


def test_what_a_run_prints_and_writes(
    alphapose: Commands, coco: Path, detections: Path, small_model: Callable[..., Path], tmp_path: Path
) -> None:
    done = by_run(alphapose, coco, detections, small_model(), tmp_path / "run")
    metrics, poses = outcome(tmp_path / "run")
    assert done.out.splitlines()[0] == f"##### det box: {metrics['AP']} mAP #####"
    assert [line.split()[0] for line in done.out.splitlines()[1:11]] == list(metrics) == NAMES
    assert done.out.splitlines()[11].startswith("6 crops in ")
    assert {row["image_id"] for row in poses} == {785, 900}
    assert set(poses[0]) == {"image_id", "category_id", "keypoints", "score", "bbox"}
    report = json.loads((tmp_path / "run" / "report" / "report.json").read_text())
    assert (report["samples"], report["metrics"]) == (6, metrics)
    assert report["reference"]["accuracy"]["ascend_310P"]["AP"] == 0.7147
    page = (tmp_path / "run" / "report" / "report.html").read_text()
    for words in ("000000000785.jpg", "street two.png", "Scores of the detections", "71.73%", "AP at OKS 0.50"):
        assert words in page


def test_weights_are_exported_with_flip_test_and_keypoints(
    alphapose: Commands, coco: Path, detections: Path, shallow_checkpoint: Path, tmp_path: Path
) -> None:
    from modelzoo.common.session import open_session

    words = ["--data", coco, "--detections", detections, "--output", tmp_path / "report", "--dtype", "uint8"]
    done = alphapose("run", *words, "--weights", shallow_checkpoint)
    assert done.code == 0, done.err
    identity = open_session(tmp_path / "report" / "FastPose.onnx").identity
    assert identity is not None
    assert {key: identity.form[key] for key in ("flip_test", "decode", "dtype")} == {
        "flip_test": True,
        "decode": True,
        "dtype": "uint8",
    }
    assert identity.outputs[0].sample_shape == (17, 3)


@pytest.mark.parametrize(
    ("form", "words", "code", "error"),
    [
        ({"flip_test": True}, ["--no-flip-test"], 2, "--no-flip-test does not fit the model"),
        ({"decode": True}, [], 2, "keypoints without a flip test"),
        ({}, ["--dtype", "uint8"], 2, "--dtype uint8 does not fit the model"),
        ({"joints": 26}, [], 1, "not heat maps or keypoints of COCO's 17 joints"),
    ],
)
def test_models_that_do_not_fit(
    alphapose: Commands,
    coco: Path,
    detections: Path,
    small_model: Callable[..., Path],
    form: dict[str, Any],
    words: list[str],
    code: int,
    error: str,
    tmp_path: Path,
) -> None:
    done = by_run(alphapose, coco, detections, small_model(**form), tmp_path / "run", *words)
    assert (done.code, error in done.error) == (code, True), done.err
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_the_detector_in_place_of_the_pose_network(
    alphapose: Commands, coco: Path, detections: Path, two_detector: Path, tmp_path: Path
) -> None:
    done = by_run(alphapose, coco, detections, two_detector, tmp_path / "run")
    assert done.code == 1
    assert done.error.endswith("(N, 3, 608, 608): it is the person detector, not the pose network")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--detections", "nowhere.json"], "no such detection file: nowhere.json"),
        (["--detector", "nowhere.onnx"], "no such model file: nowhere.onnx"),
        (["--detector", "nowhere.weights"], "no such detector file: nowhere.weights"),
        ([], "there are no boxes of people"),
    ],
)
def test_boxes_are_looked_at_before_weights_are_exported(
    words: list[str],
    error: str,
    alphapose: Commands,
    coco: Path,
    shallow_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = alphapose("run", "--data", coco, "--weights", shallow_checkpoint, *words)
    assert (done.code, done.error.startswith(error)) == (1, True), done.err
    assert done.out == ""
    assert not (tmp_path / "alphapose-report").exists()


def test_a_model_fixed_to_a_batch(
    alphapose: Commands, coco: Path, detections: Path, small_model: Callable[..., Path], tmp_path: Path
) -> None:
    import onnx

    model = onnx.load(small_model())
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(model, tmp_path / "bs4.onnx")
    for name, path in (("fixed", tmp_path / "bs4.onnx"), ("free", small_model())):
        done = by_run(alphapose, coco, detections, path, tmp_path / name)
        assert done.code == 0, done.err
    assert outcome(tmp_path / "fixed") == outcome(tmp_path / "free")


def test_photos_that_cannot_be_read_are_skipped_on_request(
    alphapose: Commands, coco: Path, detections: Path, small_model: Callable[..., Path], tmp_path: Path
) -> None:
    (coco / "val2017" / "street two.png").write_bytes(b"no picture")
    done = by_run(alphapose, coco, detections, small_model(), tmp_path / "fails")
    assert done.code == 1
    assert "street two.png is not an image" in done.error
    done = by_run(alphapose, coco, detections, small_model(), tmp_path / "skips", "--on-error", "skip")
    assert done.code == 1
    assert "skipped: " in done.err
    assert "street two.png is not an image" in done.err
    assert {row["image_id"] for row in outcome(tmp_path / "skips")[1]} == {785}
    (coco / "val2017" / "000000000785.jpg").unlink()
    done = by_run(alphapose, coco, detections, small_model(), tmp_path / "none", "--on-error", "skip")
    assert done.code == 1
    assert "no photo could be used" in done.error


def test_people_are_detected_and_kept_beside_the_report(
    alphapose: Commands, stub_detector: list[Path], coco: Path, small_model: Callable[..., Path], tmp_path: Path
) -> None:
    (coco / "val2017" / "000000000901.png").write_bytes(b"no picture")
    words = ["--data", coco, "--detector", "w.onnx", "--model", small_model(), "--output", tmp_path / "report"]
    done = alphapose("run", *words)
    assert done.code == 1
    assert "000000000901.png is not an image" in done.error
    assert not (tmp_path / "report").exists() or not any((tmp_path / "report").iterdir())
    done = alphapose("run", *words, "--on-error", "skip")
    assert done.code == 1
    assert done.err.startswith("skipped: ")
    assert stub_detector == [Path("w.onnx")] * 2
    rows = json.loads((tmp_path / "report" / "detections.json").read_text())
    assert [row["image_id"] for row in rows] == [785, 900]
    assert json.loads((tmp_path / "report" / "report.json").read_text())["samples"] == 2
