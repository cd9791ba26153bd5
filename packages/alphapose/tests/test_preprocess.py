"""Preprocess by the command: the guide's two folders, what is decoded how often, and bad input."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from modelzoo.alphapose import preprocess as module
from modelzoo.common.testing.plugin import Finished

Preprocess = Callable[..., Finished]


@pytest.fixture
def preprocess(alphapose: Callable[..., Finished], coco: Path, detections: Path, tmp_path: Path) -> Preprocess:
    """Run the command on the small data set, by default with its detections and into `tmp_path / "prep_data"`."""

    def run(*words: object, given: bool = True) -> Finished:
        boxes = ["--detections", detections] if given else []
        return alphapose("preprocess", "--dataroot", coco, "--output", tmp_path / "prep_data", *boxes, *words)

    return run


def read(folder: Path, number: int, dtype: str = "float32") -> np.ndarray:
    shape = (3, 256, 192) if dtype == "float32" else (256, 192, 3)
    return np.fromfile(folder / f"{number:012d}.bin", dtype).reshape(shape)


def index_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(folder.with_name(f"{folder.name}_index.json").read_text())
    return content


def test_the_guides_two_folders(preprocess: Preprocess, detections: Path, golden: Path, tmp_path: Path) -> None:
    done = preprocess("--output_flip", tmp_path / "prep_data_flip")
    assert (done.code, done.err) == (0, f"detections: {detections}, boxes in 2 of 3 photos\n")
    names = {f"{i:012d}.bin" for i in range(6)}
    for folder in (tmp_path / "prep_data", tmp_path / "prep_data_flip"):
        assert {path.name for path in folder.iterdir()} == names
    recorded = json.loads((golden / "crops.json").read_text())
    for number, row in ((0, recorded[0]), (4, recorded[2])):
        assert (
            hashlib.sha256(read(tmp_path / "prep_data", number).tobytes()).hexdigest() == row["tensor_float32_sha256"]
        )
        mirrored = hashlib.sha256(read(tmp_path / "prep_data_flip", number).tobytes()).hexdigest()
        assert mirrored == row["flipped_tensor_sha256"]
    assert set(read(tmp_path / "prep_data", 5).ravel().tolist()) == set(-np.array([0.406, 0.457, 0.48], np.float32))


def test_the_index(preprocess: Preprocess, golden: Path, tmp_path: Path) -> None:
    assert preprocess("--output_flip", tmp_path / "prep_data_flip").code == 0
    index, mirrored = index_of(tmp_path / "prep_data"), index_of(tmp_path / "prep_data_flip")
    assert mirrored.pop("command") == {**index.pop("command"), "mirrored": True}
    assert index == mirrored
    assert (index["model"], index["complete"], index["skipped"]) == ("alphapose", True, [])
    by_stem = {row["stem"]: row for row in index["samples"]}
    crop = json.loads((golden / "crops.json").read_text())[0]["crop_bbox_float32"]
    assert by_stem["000000000000"] == {
        "stem": "000000000000",
        "source": "000000000785.jpg",
        "image_id": 785,
        "box": [280.79, 44.73, 218.7, 346.68],
        "score": 0.98,
        "crop": crop,
    }
    order = [by_stem[f"{i:012d}"]["image_id"] for i in range(6)]
    assert order == [785, 900, 785, 900, 785, 900]


def test_one_folder_is_enough(preprocess: Preprocess, tmp_path: Path) -> None:
    assert preprocess().code == 0
    assert sorted(path.name for path in tmp_path.iterdir() if "prep" in path.name) == [
        "prep_data",
        "prep_data_index.json",
    ]


def test_pixels(preprocess: Preprocess, tmp_path: Path) -> None:
    done = preprocess("--dtype", "uint8", "--output_flip", tmp_path / "prep_data_flip")
    assert done.code == 0
    assert done.out.startswith("6 crops of 2 photos to ")
    assert index_of(tmp_path / "prep_data")["inputs"] == [{"name": "image", "dtype": "uint8", "shape": [256, 192, 3]}]
    crop, mirrored = (read(tmp_path / name, 3, "uint8") for name in ("prep_data", "prep_data_flip"))
    assert np.array_equal(mirrored, crop[:, ::-1])
    assert not np.array_equal(mirrored, crop)


def test_a_photo_is_decoded_once(preprocess: Preprocess, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    original = module.read_bgr

    def counted(path: Path) -> np.ndarray:
        decoded.append(path.name)
        return original(path)

    monkeypatch.setattr(module, "read_bgr", counted)
    assert preprocess("--workers", 3).code == 0
    assert sorted(decoded) == ["000000000785.jpg", "street two.png"]


@pytest.mark.parametrize("content", [None, b"", b"no picture", b"\xff\xd8\xff\xe0" + bytes(50)])
def test_a_photo_that_cannot_be_read(preprocess: Preprocess, coco: Path, content: bytes | None, tmp_path: Path) -> None:
    path = coco / "val2017" / "000000000785.jpg"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    done = preprocess()
    assert done.code == 1
    assert "000000000785.jpg" in done.error
    assert not (tmp_path / "prep_data" / "000000000000.bin").exists()
    done = preprocess("--on-error", "skip", "--overwrite")
    assert done.code == 1
    assert "000000000785.jpg" in done.err
    index = index_of(tmp_path / "prep_data")
    assert [row["source"] for row in index["skipped"]] == [str(path)]
    assert [row["stem"] for row in index["samples"]] == [f"{i:012d}" for i in (1, 3, 5)]


def test_a_photo_that_is_cut_short(preprocess: Preprocess, coco: Path) -> None:
    path = coco / "val2017" / "000000000785.jpg"
    path.write_bytes(path.read_bytes()[:60_000])
    done = preprocess()
    assert done.code == 1
    assert "000000000785.jpg is not an image, or is damaged" in done.error


def test_an_interrupted_run_is_continued(preprocess: Preprocess, tmp_path: Path) -> None:
    assert preprocess().code == 0
    folder = tmp_path / "prep_data"
    wanted = {path.name: path.read_bytes() for path in folder.iterdir()}
    kept = folder / "000000000001.bin"
    stamp = kept.stat().st_mtime_ns
    for number in (0, 4):
        (folder / f"{number:012d}.bin").unlink()
    place = folder.with_name("prep_data_index.json")
    place.write_text(json.dumps(index_of(folder) | {"complete": False, "samples": []}))
    done = preprocess()
    assert done.code == 0, done.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == wanted
    assert kept.stat().st_mtime_ns == stamp
    assert len(index_of(folder)["samples"]) == 6


def test_a_run_with_other_detections_is_not_continued(preprocess: Preprocess, detections: Path, tmp_path: Path) -> None:
    assert preprocess().code == 0
    folder = tmp_path / "prep_data"
    folder.with_name("prep_data_index.json").write_text(json.dumps(index_of(folder) | {"complete": False}))
    rows = json.loads(detections.read_text())
    rows[0]["bbox"][0] += 1
    detections.write_text(json.dumps(rows))
    done = preprocess()
    assert done.code == 1
    assert "is not empty" in done.error
    assert preprocess("--overwrite").code == 0


def test_one_folder_for_both(preprocess: Preprocess, tmp_path: Path) -> None:
    done = preprocess("--output_flip", tmp_path / "coco" / ".." / "prep_data")
    assert done.code == 2
    assert "--output and --output_flip are one folder" in done.error


def test_no_photos(preprocess: Preprocess, coco: Path, tmp_path: Path) -> None:
    (coco / "val2017").rename(coco / "train2017")
    done = preprocess()
    assert done.code == 1
    assert "no such photo folder" in done.error
    assert not (tmp_path / "prep_data").exists()


def test_a_box_without_area_is_named_before_anything_is_written(
    preprocess: Preprocess, detections: Path, tmp_path: Path
) -> None:
    rows = json.loads(detections.read_text())
    rows[4]["bbox"][2] = 0.0
    detections.write_text(json.dumps(rows))
    done = preprocess("--on-error", "skip")
    assert done.code == 1
    assert "detection 4, in street two.png, has a box without area" in done.error
    assert not (tmp_path / "prep_data").exists()


@pytest.fixture
def guide_place(tmp_path: Path, detections: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`./exp/json/test_det_yolo.json` with the detections of the small data set."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "exp" / "json" / "test_det_yolo.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(detections.read_bytes())
    return path


def test_the_guides_detections_are_found(preprocess: Preprocess, guide_place: Path, tmp_path: Path) -> None:
    done = preprocess(given=False)
    assert done.code == 0
    assert done.err == "detections: ./exp/json/test_det_yolo.json, boxes in 2 of 3 photos\n"
    assert len(index_of(tmp_path / "prep_data")["samples"]) == 6


def test_stale_detections_are_not_used(preprocess: Preprocess, guide_place: Path, tmp_path: Path) -> None:
    rows = json.loads(guide_place.read_text())
    guide_place.write_text(json.dumps([{**row, "image_id": 139} for row in rows]))
    before = guide_place.read_bytes()
    done = preprocess(given=False)
    assert done.code == 1
    assert "note: ./exp/json/test_det_yolo.json is not used" in done.err
    assert "there are no boxes of people: ./exp/json/test_det_yolo.json does not fit" in done.error
    assert "--detector-weights" in done.hint
    assert guide_place.read_bytes() == before
    assert not (tmp_path / "prep_data").exists()


def test_stale_detections_are_set_aside_for_those_of_the_guides_detector(
    preprocess: Preprocess, stub_detector: list[Path], guide_place: Path, tmp_path: Path
) -> None:
    guide_place.write_text('{"mine": 1}')
    guide_place.with_name("test_det_yolo.1.json").write_text("older")
    weights = tmp_path / "AlphaPose" / "detector" / "yolo" / "data" / "yolov3-spp.weights"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    done = preprocess(given=False)
    assert done.code == 0, done.err
    assert "held something else, which is now ./exp/json/test_det_yolo.2.json" in done.err
    assert guide_place.with_name("test_det_yolo.2.json").read_text() == '{"mine": 1}'
    assert guide_place.with_name("test_det_yolo.1.json").read_text() == "older"
    assert [row["image_id"] for row in json.loads(guide_place.read_text())] == [785, 900, 901]


def test_other_boxes_in_the_guides_place_are_replaced_on_request_only(
    preprocess: Preprocess, stub_detector: list[Path], guide_place: Path, tmp_path: Path
) -> None:
    before = guide_place.read_bytes()
    done = preprocess("--detector-weights", "w.onnx", given=False)
    assert done.code == 0, done.err
    assert guide_place.with_name("test_det_yolo.1.json").read_bytes() == before
    assert len(json.loads(guide_place.read_text())) == 3
    assert len(index_of(tmp_path / "prep_data")["samples"]) == 3
    guide_place.write_bytes(before)
    done = preprocess("--detector-weights", "w.onnx", "--overwrite", given=False)
    assert (done.code, done.err) == (0, "")
    assert len(json.loads(guide_place.read_text())) == 3
    assert sorted(path.name for path in guide_place.parent.iterdir()) == ["test_det_yolo.1.json", "test_det_yolo.json"]


def test_photos_without_a_box_are_counted(preprocess: Preprocess, detections: Path) -> None:
    rows = [row for row in json.loads(detections.read_text()) if row["image_id"] == 785]
    detections.write_text(json.dumps(rows))
    done = preprocess()
    assert done.code == 0
    assert done.err.splitlines() == [
        f"detections: {detections}, boxes in 1 of 3 photos",
        "note: 1 of 2 photos with labelled people have no box, the first is street two.png",
    ]


def test_output_folders_are_checked_before_people_are_detected(
    preprocess: Preprocess, stub_detector: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--detector-weights", "w.onnx", "--output_flip", tmp_path / "flip"]
    (tmp_path / "flip").mkdir()
    (tmp_path / "flip" / "mine.txt").touch()
    done = preprocess(*words, given=False)
    assert done.code == 1
    assert done.error == f"the output folder {tmp_path / 'flip'} is not empty"
    assert (stub_detector, (tmp_path / "exp").exists(), (tmp_path / "prep_data").exists()) == ([], False, False)


def test_an_interrupted_run_with_a_detector_is_continued(
    preprocess: Preprocess, stub_detector: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--detector-weights", "w.onnx"]
    assert preprocess(*words, given=False).code == 0
    place = tmp_path / "prep_data_index.json"
    place.write_text(json.dumps(index_of(tmp_path / "prep_data") | {"complete": False}))
    done = preprocess(*words, "--dtype", "uint8", given=False)
    assert (done.code, len(stub_detector)) == (1, 1)
    assert "it holds an interrupted run" in done.hint
    done = preprocess(*words, given=False)
    assert (done.code, done.err, len(stub_detector)) == (0, "", 2)


def test_a_photo_that_is_too_large_is_named(preprocess: Preprocess, coco: Path, tmp_path: Path) -> None:
    path = coco / "val2017" / "street two.png"
    cv2.imwrite(str(path), np.zeros((4, 32_767, 3), np.uint8))
    done = preprocess()
    assert done.code == 1
    limit = "people are cut out of photos of at most 32766 on a side"
    assert done.error == f"{path} has 32767 x 4 pixels; {limit}"
    done = preprocess("--on-error", "skip", "--overwrite")
    assert (done.code, f"skipped: {path} has 32767 x 4 pixels" in done.err) == (1, True)
    cv2.imwrite(str(path), np.zeros((4, 32_766, 3), np.uint8))
    assert preprocess("--overwrite").code == 0


def test_nothing_says_where_people_are(preprocess: Preprocess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = preprocess(given=False)
    assert done.code == 1
    assert "there are no boxes of people: there is no ./exp/json/test_det_yolo.json" in done.error


@pytest.mark.parametrize("words", [["--detector-weights", "w.onnx"], []])
def test_people_are_detected_and_kept_in_the_guides_place(
    preprocess: Preprocess, stub_detector: list[Path], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weights = tmp_path / "AlphaPose" / "detector" / "yolo" / "data" / "yolov3-spp.weights"
    weights.parent.mkdir(parents=True)
    weights.touch()
    done = preprocess(*words, given=False)
    assert done.code == 0, done.err
    assert stub_detector == [Path(words[1]) if words else weights.relative_to(tmp_path)]
    rows = json.loads((tmp_path / "exp" / "json" / "test_det_yolo.json").read_text())
    assert [row["image_id"] for row in rows] == [785, 900, 901]
    assert [row["box"] for row in index_of(tmp_path / "prep_data")["samples"]] == [row["bbox"] for row in rows]
    again = preprocess("--overwrite", given=False)
    assert again.code == 0
    assert len(stub_detector) == 1


def test_nobody_is_found_and_nothing_kept(
    preprocess: Preprocess, stub_detector: list[Path], coco: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (coco / "val2017").iterdir():
        path.write_bytes(b"no picture")
    done = preprocess("--detector-weights", "w.onnx", "--on-error", "skip", given=False)
    assert done.code == 1
    assert done.error.startswith("the detector finds nobody in 0 photos; the first that was skipped: ")
    assert not (tmp_path / "exp").exists()


def test_a_photo_that_the_detector_cannot_read_is_listed(
    preprocess: Preprocess, stub_detector: list[Path], coco: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (coco / "val2017" / "000000000901.png").write_bytes(b"no picture")
    done = preprocess("--detector-weights", "w.onnx", "--on-error", "skip", given=False)
    assert done.code == 1
    assert "000000000901.png is not an image" in done.err
    assert "note: ./exp/json/test_det_yolo.json is not written, because 1 photos were skipped" in done.err
    assert not (tmp_path / "exp").exists()
    assert [Path(row["source"]).name for row in index_of(tmp_path / "prep_data")["skipped"]] == ["000000000901.png"]
