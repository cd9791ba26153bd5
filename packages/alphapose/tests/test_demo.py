"""The demonstration: drawn people, seeded weights, the whole way, and one real photo."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from modelzoo.alphapose import demo as drawn_demo
from modelzoo.alphapose.coco import read_coco
from modelzoo.alphapose.detections import read_detections
from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]

Demo = tuple[Path, Finished]

SHARED = Path("val2017"), Path("annotations", "person_keypoints_val2017.json")


@pytest.fixture(scope="module")
def demo(alphapose_once: Commands, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Its folder, and how it ended; with a network of one block a stage, and over what an earlier one left."""
    from modelzoo.alphapose import network, weights

    folder = tmp_path_factory.mktemp("demo") / "alphapose-demo"
    with pytest.MonkeyPatch.context() as patch:
        for module in (network, weights):
            patch.setattr(module, "BLOCKS", {50: (1, 1, 1, 1)})
        drawn_demo.make_coco(folder / "coco")
        (folder / "FastPose.onnx").write_bytes(b"")  # what is there is made anew
        return folder, alphapose_once("demo", "--output", folder)


def test_it_prints_the_metrics_and_what_they_are_worth(demo: Demo) -> None:
    folder, first = demo
    assert first.code == 0, first.err
    assert len(re.findall(r"^(AP|AR)\S* ", first.out, re.MULTILINE)) == 10
    assert "seeded random numbers that have learnt nothing" in first.out
    assert "these numbers mean only that the pipeline works" in first.out
    assert f"to look at: {folder / 'report.html'}" in first.out.splitlines()
    assert first.err == ""


def test_its_report(demo: Demo) -> None:
    report = json.loads((demo[0] / "report.json").read_text())
    assert (report["model"], report["samples"], len(report["metrics"])) == ("alphapose", 12, 10)
    assert 0 <= report["metrics"]["AP"] < 0.5
    assert "learnt nothing" in (demo[0] / "report.html").read_text()


def test_its_data_set(demo: Demo) -> None:
    folder = demo[0] / "coco"
    photos, labels = folder / SHARED[0], json.loads((folder / SHARED[1]).read_text())
    assert [path.name for path in sorted(photos.iterdir())] == [f"{i:012d}.jpg" for i in range(1, 7)]
    for row in labels["images"]:
        with Image.open(photos / row["file_name"]) as image:
            assert image.size == (row["width"], row["height"])
    sizes = {row["id"]: (row["width"], row["height"]) for row in labels["images"]}
    assert len(labels["annotations"]) == 12
    for person in labels["annotations"]:
        keypoints, (x, y, width, height) = np.reshape(person["keypoints"], (17, 3)), person["bbox"]
        assert (keypoints[:, 2] == 2).all()
        assert ((keypoints[:, :2] > (x, y)) & (keypoints[:, :2] < (x + width, y + height))).all()
        assert x >= 0
        assert y >= 0
        assert x + width <= sizes[person["image_id"]][0] + 0.01
        assert y + height <= sizes[person["image_id"]][1] + 0.01
        assert 0.3 * width * height < person["area"] < width * height


def test_the_joints_lie_on_the_people(demo: Demo) -> None:
    """Around an ankle or a nose a picture is not what it is at the same height beside the person."""
    folder = demo[0] / "coco"
    labels = json.loads((folder / SHARED[1]).read_text())
    differences = []
    for person in labels["annotations"]:
        image = cv2.imread(str(folder / SHARED[0] / f"{person['image_id']:012d}.jpg")).astype(int)
        hips = np.reshape(person["keypoints"], (17, 3))[11:13, :2].mean(0).round().astype(int)
        beside = max(0, int(person["bbox"][0]) - 2)
        differences.append(np.abs(image[hips[1], hips[0]] - image[hips[1], beside]).sum())
    assert np.median(differences) > 60


def test_the_detections_are_near_the_people(demo: Demo) -> None:
    data = read_coco(demo[0] / "coco")
    people = data.labels["annotations"]
    detections = read_detections(demo[0] / "detections.json", data)
    assert len(detections) == len(people) == 12
    for found, person in zip(detections, people, strict=True):
        assert found.photo.number == person["image_id"]
        offsets = np.abs(np.array(found.box) - person["bbox"]) / (person["bbox"][2:] * 2)
        assert 0 < offsets.max() <= 0.03
        assert 0.8 <= found.score <= 1


def test_pictures_are_the_same_everywhere(demo: Demo, tmp_path: Path) -> None:
    drawn_demo.make_coco(tmp_path)
    photos = sorted((tmp_path / SHARED[0]).iterdir())
    assert len({path.read_bytes() for path in photos}) == 6
    for path in photos:
        assert path.read_bytes() == (demo[0] / "coco" / SHARED[0] / path.name).read_bytes(), path


def test_the_real_photo_and_its_labels(demo: Demo, coco_annotations: dict[str, list[dict[str, object]]]) -> None:
    photo = cv2.imread(str(drawn_demo.PHOTO))
    box, keypoints = drawn_demo.read_photo()
    (person,) = (row for row in coco_annotations["annotations"] if row["image_id"] == 785)
    assert list(box) == person["bbox"]
    assert keypoints[:, :2].tolist() == np.reshape(person["keypoints"], (17, 3))[:, :2].tolist()
    for name in ("photo-as-labelled.jpg", "photo-with-seeded-weights.jpg"):
        drawn = cv2.imread(str(demo[0] / name)).astype(int)
        changed = (np.abs(drawn - photo) > 60).any(2)
        assert changed.sum() > 300, name
        assert changed[:, :200].sum() == 0, name
    readme = (drawn_demo.PHOTO.parent / "README.md").read_text()
    assert "CC BY 2.0" in readme
    assert "6795644157" in readme


@pytest.mark.parametrize("name", ["val2017/mine.jpg", "annotations/instances_val2017.json"])
def test_it_refuses_a_folder_with_files_of_others(name: str, tmp_path: Path, alphapose: Commands) -> None:
    mine = tmp_path / "out" / "coco" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = alphapose("demo", "--output", tmp_path / "out")
    assert done.code == 1
    assert str(mine) in done.error
    assert done.hint == "choose another --output"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == "mine"
