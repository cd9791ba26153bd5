"""`detect`: photos of a COCO folder into a file of boxes; and pictures in memory."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from modelzoo.alphapose.coco import Photo
from modelzoo.alphapose.detector.detect import Detector, detect_photos
from modelzoo.alphapose.detector.letterbox import letterbox
from modelzoo.alphapose.detector.opening import open_detector
from modelzoo.alphapose.detector.photos import list_photos
from modelzoo.alphapose.spec import DETECTOR
from modelzoo.common.errors import DataError
from modelzoo.common.session import Session
from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.common.work import Threads

SlowPeople = Callable[..., list[list[float]]]


class Brightness:
    """A session that finds one person in every picture, as wide as the picture is bright in its middle."""

    backend = "toy"
    inputs, outputs, identity = DETECTOR.inputs, DETECTOR.outputs, None

    def __init__(self) -> None:
        self.batches: list[int] = []

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        self.batches.append(len(inputs[0]))
        rows = np.zeros((len(inputs[0]), 22743, 85), np.float32)
        rows[:, 7, :6] = (304, 304, 0, 100, 0.5, 1)
        rows[:, 7, 2] = 200 * inputs[0][:, 1, 304, 304]
        return (rows,)


@pytest.fixture(scope="module")
def session(toy_onnx: Path) -> Session:
    return open_detector(toy_onnx)


@pytest.fixture
def mixed(photos: Path, photo: Path) -> Path:
    """A COCO folder with photos of three shapes, in the order of their numbers."""
    image = cv2.imread(str(photo))
    folder = photos / "val2017"
    cv2.imwrite(str(folder / "000000000042.jpg"), image[50:350, 100:300])
    cv2.imwrite(str(folder / "000000000139.png"), image[::3, ::-3])
    (folder / "000000000139.jpg").unlink()
    return photos


def wanted(path: Path, session: Session, slow_people: SlowPeople) -> list[dict[str, Any]]:
    """The detections of a photo by a second way."""
    image = cv2.imread(str(path))
    tensor = np.ascontiguousarray(letterbox(image)[..., ::-1].transpose(2, 0, 1)[None]) / np.float32(255)
    people = slow_people(session.run(tensor)[0][0], image.shape[1], image.shape[0])
    return [
        {"image_id": int(path.stem), "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
        for x1, y1, x2, y2, score in people
        if x2 > x1 and y2 > y1
    ]


def test_photos_into_detections(
    alphapose: Callable[..., Finished],
    mixed: Path,
    toy_onnx: Path,
    session: Session,
    slow_people: SlowPeople,
    tmp_path: Path,
) -> None:
    output = tmp_path / "detections.json"
    done = alphapose("detect", "--dataroot", mixed, "--model", toy_onnx, "--output", output, "--workers", 2)
    assert (done.code, done.err) == (0, "")
    have = json.loads(output.read_text())
    names = ("000000000042.jpg", "000000000139.png", "000000000785.jpg")
    want = [one for name in names for one in wanted(mixed / "val2017" / name, session, slow_people)]
    assert len(have) == len(want) > 30
    assert done.out.startswith(f"{len(want)} people in 3 photos to {output}, ")
    assert [list(one) for one in have] == [["image_id", "category_id", "bbox", "score"]] * len(want)
    for one, other in zip(have, want, strict=True):
        assert (one["image_id"], one["category_id"], one["score"]) == (other["image_id"], 1, other["score"])
        assert one["bbox"] == pytest.approx(other["bbox"], abs=2e-3)


def test_the_batch_size_changes_no_box(mixed: Path, session: Session, tmp_path: Path) -> None:
    read = []
    for size in (1, 2, 3):
        count, stats = detect_photos(list_photos(mixed), session, tmp_path / f"{size}.json", size, Threads(1))
        read.append(json.loads((tmp_path / f"{size}.json").read_text()))
        assert (count, stats.samples) == (len(read[-1]), 3)
    for other in read[1:]:
        assert [one["image_id"] for one in other] == [one["image_id"] for one in read[0]]
        for one, first in zip(other, read[0], strict=True):
            assert [*one["bbox"], one["score"]] == pytest.approx([*first["bbox"], first["score"]], abs=1e-3)


def test_weights_are_exported_first(
    alphapose: Callable[..., Finished],
    photos: Path,
    toy_detector: Any,
    toy_onnx: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("modelzoo.alphapose.detector.weights.load_network", {Path("a.bin"): toy_detector}.get)
    for model in (("--model", toy_onnx, "--output", "a.json"), ("--weights", "a.bin")):
        done = alphapose("detect", "--dataroot", photos, *model)
        assert done.code == 0, done.err
    assert (tmp_path / "a.json").stat().st_size > 1000
    assert (tmp_path / "a.json").read_text() == (tmp_path / "detections.json").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "coco", "detections.json"]


def annotate(root: Path, images: list[dict[str, Any]]) -> None:
    person = {"id": 1, "image_id": images[0]["id"], "category_id": 1, "iscrowd": 0, "num_keypoints": 1, "area": 9}
    person |= {"bbox": [0, 0, 3, 3], "keypoints": [1, 1, 2] + [0] * 48}
    (root / "annotations").mkdir()
    labels = {"images": images, "annotations": [person], "categories": [{"id": 1, "name": "person"}]}
    (root / "annotations" / "person_keypoints_val2017.json").write_text(json.dumps(labels))


def test_annotations_say_which_photos_there_are_and_their_numbers(
    alphapose: Callable[..., Finished], photos: Path, toy_onnx: Path, tmp_path: Path
) -> None:
    (photos / "val2017" / "000000000785.jpg").rename(photos / "val2017" / "a dog.jpg")
    annotate(photos, [{"id": 500, "file_name": "a dog.jpg"}, {"id": 42, "file_name": "000000000042.jpg"}])
    done = alphapose("detect", "--dataroot", photos, "--model", toy_onnx, "--output", tmp_path / "a.json")
    assert done.code == 0, done.err
    numbers = [one["image_id"] for one in json.loads((tmp_path / "a.json").read_text())]
    assert list(dict.fromkeys(numbers)) == [42, 500]


def test_photos_are_listed_by_number(photos: Path) -> None:
    folder = photos / "val2017"
    (folder / "9.PNG").touch()
    (folder / "readme.txt").touch()
    assert [(one.number, one.path) for one in list_photos(photos)] == [
        (9, folder / "9.PNG"),
        (42, folder / "000000000042.jpg"),
        (139, folder / "000000000139.jpg"),
        (785, folder / "000000000785.jpg"),
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dog.jpg", "dog.jpg has no number for a name"),
        ("12-3.jpg", "12-3.jpg has no number for a name"),
        ("٤٢.jpg", "٤٢.jpg has no number for a name"),
        ("42.jpg", "have one number, 42"),
    ],
)
def test_a_photo_without_a_number_of_its_own_is_named(name: str, message: str, photos: Path) -> None:
    (photos / "val2017" / name).touch()
    with pytest.raises(DataError, match=message):
        list_photos(photos)


def test_a_folder_without_photos_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such COCO folder"):
        list_photos(tmp_path / "coco")
    with pytest.raises(DataError, match="no such photo folder"):
        list_photos(tmp_path)
    (tmp_path / "val2017").mkdir()
    with pytest.raises(DataError, match="no photos in"):
        list_photos(tmp_path)


def spoil(path: Path, kind: str) -> None:
    content = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes({"empty": b"", "cut short": content[:20000], "text": b"no image" * 99}[kind])


@pytest.mark.parametrize("kind", ["empty", "cut short", "text", "folder", "missing"])
def test_a_bad_photo_is_named_and_no_file_is_left(
    kind: str, alphapose: Callable[..., Finished], photos: Path, toy_onnx: Path, tmp_path: Path
) -> None:
    annotate(photos, [{"id": n, "file_name": f"{n:012d}.jpg"} for n in (42, 139, 785)])
    bad = photos / "val2017" / "000000000139.jpg"
    spoil(bad, kind)
    words = ("detect", "--dataroot", photos, "--model", toy_onnx, "--output", tmp_path / "a.json")
    done = alphapose(*words)
    assert (done.code, str(bad) in done.error) == (1, True)
    assert [name for name in tree(tmp_path) if not name.startswith("coco/")] == []
    done = alphapose(*words, "--on-error", "skip")
    assert done.code == 1
    assert done.err.count("skipped: ") == 1
    assert str(bad) in done.err
    assert {one["image_id"] for one in json.loads((tmp_path / "a.json").read_text())} == {42, 785}


def test_photos_are_read_as_they_are_needed(photo: Path, tmp_path: Path) -> None:
    taken: list[int] = []
    ahead: list[int] = []

    def endless() -> Iterator[Photo]:
        for number in range(60):
            taken.append(number)
            yield Photo(number, photo.name, photo)

    class Watching(Brightness):
        def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
            ahead.append(len(taken) - 2 * len(self.batches))
            return super().run(*inputs)

    session = Watching()
    count, stats = detect_photos(endless(), session, tmp_path / "a.json", 2, Threads(2))
    assert (count, stats.samples, session.batches) == (60, 60, [2] * 30)
    assert max(ahead) <= 10
    assert [one["image_id"] for one in json.loads((tmp_path / "a.json").read_text())] == list(range(60))


def test_nobody_is_an_empty_list(photos: Path, tmp_path: Path) -> None:
    class Nobody(Brightness):
        def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
            return (np.zeros((len(inputs[0]), 22743, 85), np.float32),)

    count, _ = detect_photos(list_photos(photos), Nobody(), tmp_path / "a.json", 1, Threads(1))
    assert count == 0
    assert json.loads((tmp_path / "a.json").read_text()) == []


def test_pictures_in_memory_keep_their_order_and_sizes() -> None:
    session = Brightness()
    images = [np.full((100 + i, 608, 3), 51 * i, np.uint8) for i in range(1, 6)]
    found = Detector(session, batchsize=2).detect(images)
    assert session.batches == [2, 2, 1]
    for i, (boxes, image) in enumerate(zip(found, images, strict=True), start=1):
        middle = image.shape[0] / 2
        want = [304 - 20 * i, middle - 50, 304 + 20 * i, middle + 50, 0.5]
        assert boxes.tolist() == [pytest.approx(want, abs=1e-3)]
    assert Detector(session).detect([]) == []


def test_less_sure_people_can_be_left_out() -> None:
    image = np.full((608, 608, 3), 255, np.uint8)
    assert [len(boxes) for boxes in Detector(Brightness(), confidence=0.6).detect([image])] == [0]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 3), np.float32),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_another_array_is_no_picture(image: np.ndarray) -> None:
    good = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(DataError, match=r"images\[1\] is (uint8|float32) \(.*\); an image is uint8"):
        Detector(Brightness()).detect([good, image])


@pytest.mark.parametrize(
    "words",
    [
        ["--dataroot", "."],
        ["--dataroot", ".", "--model", "a.onnx", "--weights", "a.weights"],
        ["--model", "a.onnx"],
        ["--dataroot", ".", "--model", "a.onnx", "--batchsize", "0"],
    ],
)
def test_wrong_usage(words: list[str], alphapose: Callable[..., Finished]) -> None:
    done = alphapose("detect", *words)
    assert (done.code, bool(done.error)) == (2, True)
