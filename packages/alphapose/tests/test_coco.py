"""COCO folders and detection files: what is read, and what is wrong with others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelzoo.alphapose.coco import ANNOTATIONS, read_coco
from modelzoo.alphapose.detections import fingerprint, read_detections
from modelzoo.common.errors import DataError


def change(path: Path, mend: Callable[[Any], Any]) -> None:
    """Change the content of a JSON file; `mend` returns the new one, or None for what it changed in place."""
    content = json.loads(path.read_text())
    changed = mend(content)
    path.write_text(json.dumps(content if changed is None else changed))


def test_photos_by_their_numbers(coco: Path) -> None:
    data = read_coco(coco)
    assert [(number, photo.number, photo.name) for number, photo in data.photos.items()] == [
        (785, 785, "000000000785.jpg"),
        (900, 900, "street two.png"),
        (901, 901, "000000000901.png"),
    ]
    assert data.photos[900].path == coco / "val2017" / "street two.png"
    assert [row["id"] for row in data.labels["annotations"]] == [442619, 7]


def test_annotations_without_the_photos(coco: Path) -> None:
    for path in (coco / "val2017").iterdir():
        path.unlink()
    (coco / "val2017").rmdir()
    assert len(read_coco(coco).photos) == 3


def test_people_in_the_order_of_the_file(coco: Path, detections: Path) -> None:
    found = read_detections(detections, read_coco(coco))
    assert [(one.photo.number, one.score) for one in found] == [
        (785, 0.98),
        (900, 0.9),
        (785, 0.3),
        (900, 0.5),
        (785, 0.25),
        (900, 0.2),
    ]
    assert found[1].box == (100.5, 50.25, 90.0, 200.0)


def test_photos_by_name(coco: Path, detections: Path) -> None:
    names = {785: "000000000785", 900: "street two.png"}
    data = read_coco(coco)
    wanted = read_detections(detections, data)
    change(detections, lambda rows: [{**row, "image_id": names[row["image_id"]]} for row in rows])
    assert read_detections(detections, data) == wanted


def test_a_whole_name_goes_before_a_stem(coco: Path, detections: Path) -> None:
    def name(labels: Any) -> None:
        for row, own in zip(labels["images"], ("1.jpg.png", "1.jpg", "2.jpg"), strict=True):
            row["file_name"] = own

    change(coco / ANNOTATIONS, name)
    row = {"image_id": "1.jpg", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}
    detections.write_text(json.dumps([row]))
    assert [one.photo.number for one in read_detections(detections, read_coco(coco))] == [900]


def test_a_stem_of_two_photos_is_no_name(coco: Path, detections: Path) -> None:
    def name(labels: Any) -> None:
        for row, folder in zip(labels["images"], "abc", strict=True):
            row["file_name"] = f"{folder}/1.jpg"

    change(coco / ANNOTATIONS, name)
    data = read_coco(coco)
    assert len(read_detections(detections, data)) == 6
    row = {"image_id": "b/1.jpg", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}
    detections.write_text(json.dumps([row]))
    assert [one.photo.number for one in read_detections(detections, data)] == [900]
    detections.write_text(json.dumps([{**row, "image_id": "1"}]))
    with pytest.raises(DataError, match=r"is in the image 1, which may be a/1\.jpg or b/1\.jpg"):
        read_detections(detections, data)


def test_detections_are_told_from_others(coco: Path, detections: Path) -> None:
    found = read_detections(detections, read_coco(coco))
    others = [found[::-1], found[:-1], [*found[:-1], found[0]]]
    assert fingerprint(found) == fingerprint(list(found))
    assert len({fingerprint(rows) for rows in (found, *others)}) == 4


def bad_annotations() -> dict[str, tuple[Callable[[Any], Any], str]]:
    def instances(labels: Any) -> None:
        for row in labels["annotations"]:
            del row["keypoints"], row["num_keypoints"]

    def unlabelled(labels: Any) -> None:
        for row in labels["annotations"]:
            row["num_keypoints"] = 0

    return {
        "instances": (instances, "annotations[0] has no keypoints"),
        "unlabelled": (unlabelled, "labels nobody's keypoints"),
        "nobody": (lambda labels: labels["annotations"].clear(), "labels nobody's keypoints"),
        "short": (
            lambda labels: labels["annotations"][1].update(keypoints=[0] * 50),
            "annotations[1] has no keypoints",
        ),
        "text": (lambda labels: labels["annotations"][1].update(keypoints=["a"] * 51), "annotations[1] has no keypoin"),
        "no area": (lambda labels: labels["annotations"][0].update(area=None), "annotations[0] has no number as area"),
        "no box": (lambda labels: labels["annotations"][0].update(bbox=[1, 2]), "annotations[0] has no bbox"),
        "stray": (lambda labels: labels["annotations"][0].update(image_id=5), "is of the image 5, which is not listed"),
        "no image": (lambda labels: labels["images"][0].update(file_name=None), "images[0] has no id and file_name"),
        "twice": (lambda labels: labels["images"][1].update(id=785), "have one id, 785"),
        "no images": (lambda labels: labels.update(images=None), "it has no list 'images'"),
        "a list": (lambda labels: [1, 2], "is not an annotation file of COCO"),
    }


@pytest.mark.parametrize("what", list(bad_annotations()))
def test_bad_annotations(coco: Path, what: str) -> None:
    mend, message = bad_annotations()[what]
    change(coco / ANNOTATIONS, mend)
    with pytest.raises(DataError) as raised:
        read_coco(coco)
    assert message in str(raised.value)
    assert str(coco / ANNOTATIONS) in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_annotations_that_are_no_json(coco: Path, content: bytes) -> None:
    (coco / ANNOTATIONS).write_bytes(content)
    with pytest.raises(DataError, match="is not an annotation file of COCO"):
        read_coco(coco)


def test_missing_annotations(coco: Path) -> None:
    (coco / ANNOTATIONS).rename(coco / "annotations" / "person_keypoints_val2014.json")
    with pytest.raises(DataError, match="no such annotation file") as raised:
        read_coco(coco)
    assert "person_keypoints_val2014.json" in str(raised.value.hint)


def bad_detections() -> dict[str, tuple[Callable[[Any], Any], str]]:
    def first(**values: Any) -> Callable[[Any], None]:
        return lambda rows: rows[0].update(values)

    return {
        "other data": (first(image_id=139), "detection 0 is in the image 139"),
        "other name": (first(image_id="000000000139.jpg"), "is in the image 000000000139.jpg"),
        "no area": (first(bbox=[10, 20, 0, 30]), "box without area: 0 x 30 at 10, 20"),
        "negative": (first(bbox=[10, 20, 5, -30]), "box without area: 5 x -30"),
        "lost by rounding": (first(bbox=[1e5, 1, 1e-12, 30]), "box without area: 1e-12 x 30"),
        "no float": (first(bbox=[10, 20, 10**400, 30]), "has no bbox of x, y, width and height"),
        "not a number": (first(bbox=[10, 20, float("nan"), 30]), "has no bbox"),
        "infinite": (first(bbox=[10, float("inf"), 5, 30]), "has no bbox"),
        "three": (first(bbox=[10, 20, 5]), "has no bbox"),
        "far": (first(bbox=[10, 20, 1e300, 30]), "box far from any photo"),
        "no score": (first(score="high"), "is not an object with image_id, category_id, bbox and score"),
        "no category": (first(category_id=None), "is not an object with"),
        "numbers": (lambda rows: [1, 2], "detection 0 is not an object"),
        "empty": (lambda rows: [], "holds no detection of a person"),
        "dogs": (lambda rows: [{**row, "category_id": 18} for row in rows], "holds no detection of a person"),
        "an object": (lambda rows: {"images": rows}, "is not a list of detections"),
    }


@pytest.mark.parametrize("what", list(bad_detections()))
def test_bad_detections(coco: Path, detections: Path, what: str) -> None:
    mend, message = bad_detections()[what]
    change(detections, mend)
    with pytest.raises(DataError) as raised:
        read_detections(detections, read_coco(coco))
    assert message in str(raised.value)
    assert str(detections) in str(raised.value)
