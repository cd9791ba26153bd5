"""`predict`: images, folders, videos and webcams into JSON, pictures and videos; and what can be wrong with them."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished, tree

Dotted = Callable[..., np.ndarray]

FIRST, SECOND = [40, 20, 180, 240], [330, 300, 150, 200]
DOTS = (((90, 80), (170, 200)), ((360, 350), (450, 460)))


@pytest.fixture
def predict(
    alphapose: Callable[..., Finished], dot_model: Path, two_detector: Path, tmp_path: Path
) -> Callable[..., Finished]:
    """Run `alphapose predict WORDS` into `out`; `boxes` in place of the detector."""

    def run(*words: object, boxes: Path | None = None) -> Finished:
        people = ["--boxes", boxes] if boxes else ["--detector", two_detector]
        return alphapose("predict", *words, "--pose", dot_model, *people, "--output", tmp_path / "out")

    return run


@pytest.fixture
def results(tmp_path: Path) -> Callable[[], Any]:
    """Read the results."""
    return lambda: json.loads((tmp_path / "out" / "alphapose-results.json").read_text())


@pytest.fixture
def pictures(tmp_path: Path, dotted: Dotted) -> Path:
    """A folder with three pictures, on one of which nobody is, and a text file."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, image in (("10.png", dotted(*DOTS)), ("9.png", dotted(*DOTS)), ("11.jpg", dotted(white=False))):
        cv2.imwrite(str(folder / name), image)
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def clip(tmp_path: Path, dotted: Dotted) -> Path:
    """Twelve frames in which a red and a blue dot move to the right inside of the first box; in frame 5 nobody is."""
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 8, (608, 608))
    for k in range(12):
        writer.write(dotted(((70 + 8 * k, 80), (100 + 8 * k, 200)), white=k != 5))
    writer.release()
    return tmp_path / "clip.avi"


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def names(rows: Any) -> list[str]:
    return [row["image_id"] for row in rows]


def test_a_folder(predict: Callable[..., Finished], pictures: Path, results: Callable[[], Any], tmp_path: Path) -> None:
    done = predict(pictures, "--save-image")
    assert (done.code, done.err) == (0, "")
    rows = results()
    assert names(rows) == ["9.png", "9.png", "10.png", "10.png"]
    assert set(rows[0]) == {"image_id", "category_id", "keypoints", "score", "box", "idx"}
    assert sorted(row["box"] for row in rows[:2]) == [FIRST, SECOND]
    for row in rows:
        keypoints = np.reshape(row["keypoints"], (17, 3))
        red, blue = DOTS[row["box"] == SECOND]
        assert np.abs(keypoints[0::2, :2] - red).max() <= 8
        assert np.abs(keypoints[1::2, :2] - blue).max() <= 8
    assert written(tmp_path / "out") == {"alphapose-results.json", "vis/9.png", "vis/10.png", "vis/11.jpg"}
    drawn, plain = (cv2.imread(str(folder / "9.png")) for folder in (tmp_path / "out" / "vis", pictures))
    changed = (drawn != plain).any(2)
    assert changed[20:260, 40:220].any()
    assert changed[300:500, 330:480].any()
    assert "4 people in 3 frames, nobody in 1 of them" in done.out
    assert f"{pictures}: 1 other files passed over" in done.out
    assert done.out.splitlines()[-1] == f"poses: {tmp_path / 'out' / 'alphapose-results.json'}"


def test_folders_in_a_folder_are_counted(predict: Callable[..., Finished], pictures: Path, tmp_path: Path) -> None:
    for name in ("a", "b.jpg"):
        (pictures / name).mkdir()
    done = predict(pictures)
    assert done.code == 0, done.err
    told = f"{pictures}: 2 sub-folders are not looked into"
    assert told in done.out.splitlines()
    shutil.rmtree(tmp_path / "out")
    done = predict(tmp_path)
    assert (done.code, done.error) == (1, f"no images in {tmp_path}; its 1 sub-folders are not looked into")


def test_single_images_in_the_order_given(
    predict: Callable[..., Finished], pictures: Path, results: Callable[[], Any]
) -> None:
    done = predict(pictures / "10.png", pictures / "9.png")
    assert done.code == 0, done.err
    assert names(results()) == ["10.png", "10.png", "9.png", "9.png"]


@pytest.mark.parametrize(
    ("form", "listed", "joints"), [("cmu", "bodies", "joints"), ("open", "people", "pose_keypoints_2d")]
)
def test_other_formats(
    form: str, listed: str, joints: str, predict: Callable[..., Finished], pictures: Path, results: Callable[[], Any]
) -> None:
    assert predict(pictures, "--format", form).code == 0
    images = results()
    assert list(images) == ["9.png", "10.png"]
    assert [[len(person[joints]) for person in image[listed]] for image in images.values()] == [[54, 54]] * 2


def test_a_video(predict: Callable[..., Finished], clip: Path, results: Callable[[], Any], tmp_path: Path) -> None:
    done = predict(clip, "--save-image", "--save-video")
    assert (done.code, done.err) == (0, "")
    rows = [row for row in results() if row["box"] == FIRST]
    seen = [k for k in range(12) if k != 5]
    assert names(rows) == [f"{k}.jpg" for k in seen]
    for k, row in zip(seen, rows, strict=True):
        keypoints = np.reshape(row["keypoints"], (17, 3))
        assert np.abs(keypoints[0::2, :2] - (70 + 8 * k, 80)).max() <= 9
        assert np.abs(keypoints[1::2, :2] - (100 + 8 * k, 200)).max() <= 9
    pictures = {f"vis/{k}.jpg" for k in range(12)}
    assert written(tmp_path / "out") == {"alphapose-results.json", "AlphaPose_clip.mp4", *pictures}
    video = cv2.VideoCapture(str(tmp_path / "out" / "AlphaPose_clip.mp4"))
    assert video.get(cv2.CAP_PROP_FPS) == 8
    frames = [image for good, image in iter(video.read, (False, None)) if good]
    assert [image.shape for image in frames] == [(608, 608, 3)] * 12
    for k in (0, 5, 11):
        picture = cv2.imread(str(tmp_path / "out" / "vis" / f"{k}.jpg")).astype(int)
        differences = [np.abs(frame - picture).mean() for frame in frames]
        assert differences.index(min(differences)) == k


def test_people_are_numbered_through_a_video(
    predict: Callable[..., Finished], clip: Path, results: Callable[[], Any]
) -> None:
    done = predict(clip, "--track")
    assert done.code == 0, done.err
    rows = results()
    assert len({row["idx"] for row in rows}) == 1
    assert rows[0]["idx"] == 1
    assert {row["idx"] for row in rows} == {1}


def test_a_video_with_a_wrong_number_of_frames(
    predict: Callable[..., Finished], clip: Path, results: Callable[[], Any]
) -> None:
    data = bytearray(clip.read_bytes())
    for place in (data.find(b"avih") + 8 + 16, data.find(b"strh") + 8 + 32):
        data[place : place + 4] = (500).to_bytes(4, "little")
    clip.write_bytes(data)
    done = predict(clip)
    assert (done.code, done.err) == (0, f"note: {clip} ends after 12 frames; its header says 500\n")
    assert names(results())[-1] == "11.jpg"


def test_frames_of_several_sources_have_different_names(
    predict: Callable[..., Finished], clip: Path, pictures: Path, results: Callable[[], Any], tmp_path: Path
) -> None:
    shutil.copy(clip, tmp_path / "other.avi")
    done = predict(pictures / "9.png", clip, tmp_path / "other.avi", "--save-image", "--save-video")
    assert done.code == 0, done.err
    found = set(names(results()))
    seen = [k for k in range(12) if k != 5]
    assert found == {"9.png", *(f"{name}/{k}.jpg" for name in ("clip.avi", "other.avi") for k in seen)}
    videos = {"AlphaPose_clip.mp4", "AlphaPose_other.mp4"}
    drawn = {f"vis/{name}/{k}.jpg" for name in ("clip.avi", "other.avi") for k in range(12)}
    assert written(tmp_path / "out") == {"alphapose-results.json", "vis/9.png", *videos, *drawn}
    assert predict(pictures / "9.png", "--save-image", "--overwrite").code == 0
    unnamed = {f"vis/{name}/5.jpg" for name in ("clip.avi", "other.avi")}
    assert written(tmp_path / "out") == {"alphapose-results.json", "vis/9.png", *videos, *unnamed}


class Camera:
    """What cv2.VideoCapture is for a webcam without end; Ctrl-C is pressed at the eighth frame."""

    def __init__(self, place: int) -> None:
        assert place == 3
        self.given = 0

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, _property: int) -> float:
        return -1.0

    def read(self) -> tuple[bool, np.ndarray]:
        self.given += 1
        assert self.given < 100, "Ctrl-C did not end it"
        if self.given == 8:
            os.kill(os.getpid(), signal.SIGINT)
        return True, cv2.circle(np.zeros((608, 608, 3), np.uint8), (120, 120), 9, (255, 255, 255), -1)

    def release(self) -> None:
        self.given = 1000


def test_a_webcam_until_ctrl_c(
    predict: Callable[..., Finished], results: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    done = predict(3)
    assert (done.code, done.err) == (0, "")
    assert names(results()) == [f"{k}.jpg" for k in range(7)]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_webcam_that_does_not_open(predict: Callable[..., Finished], tmp_path: Path) -> None:
    done = predict(97)
    assert (done.code, done.error) == (1, "webcam 97 cannot be opened")
    assert done.hint == "0 is the first one; is it plugged in, and free?"
    assert not (tmp_path / "out").exists()


def photos_of_one_picture(folder: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    """One picture as photos of all kinds; return how each has to look, in BGR of 8 bits."""
    from PIL import Image

    folder.mkdir()
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    cv2.imwrite(str(folder / "grey.png"), grey)
    cv2.imwrite(str(folder / "alpha.png"), np.dstack((image, np.full(grey.shape, 90, np.uint8))))
    cv2.imwrite(str(folder / "16bit.png"), image.astype(np.uint16) * 257)
    turned = Image.fromarray(np.rot90(image[..., ::-1]).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown a quarter turn to the right
    turned.save(folder / "exif.png", exif=exif)
    return {"16bit.png": image, "alpha.png": image, "exif.png": image, "grey.png": np.dstack([grey] * 3)}


def test_photos_of_all_kinds(
    predict: Callable[..., Finished], dotted: Dotted, results: Callable[[], Any], tmp_path: Path
) -> None:
    wanted = photos_of_one_picture(tmp_path / "kinds", dotted(*DOTS, size=(608, 608)))
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({name: [FIRST] for name in wanted}))
    done = predict(tmp_path / "kinds", "--save-image", boxes=boxes)
    assert (done.code, done.err) == (0, "")
    rows = {row["image_id"]: np.reshape(row["keypoints"], (17, 3)) for row in results()}
    for name in ("16bit.png", "alpha.png", "exif.png"):
        assert np.abs(rows[name][0::2, :2] - DOTS[0][0]).max() <= 8, name
        assert np.abs(rows[name][1::2, :2] - DOTS[0][1]).max() <= 8, name
    for name, image in wanted.items():
        drawn = cv2.imread(str(tmp_path / "out" / "vis" / name), cv2.IMREAD_UNCHANGED)
        assert (drawn.shape, drawn.dtype) == (image.shape, np.uint8), name
        assert (drawn[520:] == image[520:]).all(), name


@pytest.mark.parametrize("content", [None, b"", b"no image"])
def test_an_image_that_is_missing_or_corrupt(
    content: bytes | None, predict: Callable[..., Finished], pictures: Path, results: Callable[[], Any], tmp_path: Path
) -> None:
    bad = pictures / "9b.jpg"
    bad.symlink_to("nowhere") if content is None else bad.write_bytes(content)
    done = predict(pictures, "--save-image")
    assert done.code == 1
    assert str(bad) in done.error
    assert not (tmp_path / "out" / "alphapose-results.json").exists()
    shutil.rmtree(tmp_path / "out")
    done = predict(pictures, "--on-error", "skip")
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert line.startswith("skipped: ")
    assert str(bad) in line
    assert names(results()) == ["9.png", "9.png", "10.png", "10.png"]


OWN: dict[str, Any] = {
    "COCO results": [
        {"image_id": "9.png", "category_id": 1, "bbox": SECOND, "score": 0.5},
        {"image_id": "9.png", "category_id": 18, "bbox": FIRST, "score": 0.9},
    ],
    "by number": [{"image_id": 9, "bbox": SECOND, "score": 0.5}],
    "by stem": [{"image_id": "9", "bbox": SECOND, "score": 0.5}, {"image_id": "elsewhere", "bbox": FIRST}],
    "by name": {"9.png": [[*SECOND, 0.5]], "elsewhere.jpg": []},
}


@pytest.mark.parametrize("case", OWN)
def test_own_boxes(
    case: str, predict: Callable[..., Finished], pictures: Path, results: Callable[[], Any], tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps(OWN[case]))
    done = predict(pictures, boxes=boxes)
    note = f"note: {boxes}: 1 of the 2 names are of no picture, the first is elsewhere\n"
    assert (done.code, done.err) == (0, note if case == "by stem" else "")
    (row,) = results()
    assert (row["image_id"], row["box"]) == ("9.png", SECOND)
    scores = np.array(row["keypoints"][2::3])
    assert row["score"] == pytest.approx(scores.mean() + 0.5 + 1.25 * scores.max(), abs=1e-5)
    assert "nobody in 2 of them" in done.out


def test_numbers_are_those_of_names_with_leading_zeros(
    predict: Callable[..., Finished], pictures: Path, results: Callable[[], Any], tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([{"image_id": 785, "bbox": FIRST}, {"image_id": 11, "bbox": SECOND}]))
    (pictures / "9.png").rename(pictures / "000000000785.png")
    done = predict(pictures / "000000000785.png", boxes=boxes)
    assert (done.code, done.err) == (0, f"note: {boxes}: 1 of the 2 names are of no picture, the first is 11\n")
    assert [(row["image_id"], row["box"]) for row in results()] == [("000000000785.png", FIRST)]


def test_own_boxes_of_a_video(
    predict: Callable[..., Finished], clip: Path, results: Callable[[], Any], tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes.json"
    rows = [{"image_id": name, "bbox": FIRST} for name in ("3.jpg", "7", 10, 12, "3")]
    boxes.write_text(json.dumps(rows))
    done = predict(clip, boxes=boxes)
    assert (done.code, done.err) == (0, f"note: {boxes}: 2 of the 5 names are of no picture, the first is 12\n")
    assert names(results()) == ["3.jpg", "7.jpg", "10.jpg"]


def test_boxes_that_may_be_of_two_pictures(predict: Callable[..., Finished], pictures: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"9": [FIRST]}))
    shutil.copy(pictures / "9.png", pictures / "9.bmp")
    done = predict(pictures, boxes=boxes)
    assert (done.code, done.error) == (1, f"{boxes}: 9 may be 9.bmp or 9.png")
    assert not (tmp_path / "out").exists()


def test_a_picture_that_is_too_large(
    predict: Callable[..., Finished], pictures: Path, results: Callable[[], Any], tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({name: [FIRST] for name in ("9.png", "10.png")}))
    cv2.imwrite(str(pictures / "10.png"), np.zeros((4, 32_767, 3), np.uint8))
    done = predict(pictures, boxes=boxes)
    assert done.code == 1
    assert done.error.startswith("10.png: the picture has 32767 x 4 pixels; people are cut out of photos of at most")
    done = predict(pictures, "--on-error", "skip", "--overwrite", boxes=boxes)
    assert (done.code, names(results())) == (1, ["9.png"])
    assert done.err.startswith("skipped: 10.png: the picture has 32767 x 4 pixels")


BAD_BOXES: dict[str, tuple[Any, str]] = {
    "no boxes": ([], "holds no box of a person"),
    "only dogs": ([{"image_id": "9.png", "category_id": 18, "bbox": FIRST}], "holds no box of a person"),
    "no list": (3, "is not a file of boxes"),
    "no image_id": ([{"bbox": FIRST}], "box 0 is not an object with image_id and bbox"),
    "no bbox": ([{"image_id": 9}], "box 0 has no bbox of x, y, width and height"),
    "no area": ({"9.png": [FIRST, [1, 2, 3, 0]]}, "box 1 of 9.png has a box without area"),
    "no rows": ({"9.png": FIRST}, "9.png has no list of boxes"),
    "a score above 1": ({"9.png": [[*FIRST, 1.5]]}, "box 0 of 9.png has a score of 1.5; scores are 0..1"),
    "a score of text": ([{"image_id": 9, "bbox": FIRST, "score": "high"}], "box 0 has a score that is no number: high"),
}


@pytest.mark.parametrize("case", BAD_BOXES)
def test_files_that_hold_no_boxes(case: str, predict: Callable[..., Finished], pictures: Path, tmp_path: Path) -> None:
    content, message = BAD_BOXES[case]
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps(content))
    done = predict(pictures, boxes=boxes)
    assert done.code == 1
    assert done.error.startswith(str(boxes))
    assert message in done.error
    assert not (tmp_path / "out").exists()


def test_boxes_of_other_images(predict: Callable[..., Finished], pictures: Path, clip: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps([{"image_id": 785, "bbox": FIRST, "score": 1}]))
    for source in (pictures, clip):
        done = predict(source, boxes=boxes)
        assert done.code == 1
        assert done.error == f"{boxes} has no box in any of the pictures: it is of others, such as 785"
        assert "image_id is a picture's file name" in done.hint
        assert written(tmp_path / "out") == set()


BAD_SOURCES = {
    "notes.txt": "is neither an image nor a video by its suffix",
    "nowhere.jpg": "no such image, folder or video",
    "empty": "no images in",
    "fake.mp4": "is not a video that OpenCV can read, or is damaged",
}


@pytest.mark.parametrize("name", BAD_SOURCES)
def test_what_is_no_source(name: str, predict: Callable[..., Finished], pictures: Path, tmp_path: Path) -> None:
    (pictures / "empty").mkdir()
    (pictures / "fake.mp4").write_bytes(b"no video")
    done = predict(pictures / "9.png", pictures / name)
    assert done.code == 1
    assert BAD_SOURCES[name] in done.error
    assert str(pictures / name) in done.error
    assert not (tmp_path / "out").exists()


def test_a_broken_video_is_one_line(
    alphapose_process: Callable[..., Finished], dot_model: Path, two_detector: Path, tmp_path: Path
) -> None:
    (tmp_path / "fake.mp4").write_bytes(b"")
    words = ["predict", tmp_path / "fake.mp4", "--pose", dot_model, "--detector", two_detector]
    done = alphapose_process(*words, "--output", tmp_path / "out")
    assert done.code == 1
    assert done.err == f"error: {tmp_path / 'fake.mp4'} is not a video that OpenCV can read, or is damaged\n"


def test_two_pictures_of_one_name(predict: Callable[..., Finished], pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    shutil.copy(pictures / "9.png", tmp_path / "other")
    done = predict(pictures, tmp_path / "other")
    assert done.code == 1
    assert done.error == f"{pictures / '9.png'} and {tmp_path / 'other' / '9.png'} have one name"


def test_a_folder_that_is_not_empty(
    predict: Callable[..., Finished], pictures: Path, results: Callable[[], Any], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    before = tree(tmp_path / "out")
    done = predict(pictures)
    assert done.code == 1
    assert done.error == f"{tmp_path / 'out'} is not empty, it holds mine.txt"
    assert "--overwrite" in done.hint
    assert tree(tmp_path / "out") == before
    assert predict(pictures, "--overwrite").code == 0
    assert predict(pictures / "9.png", "--overwrite").code == 0
    assert names(results()) == ["9.png"] * 2
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("words", [[], ["--save-image"]])
def test_pictures_are_never_replaced_by_drawings(
    words: list[str], predict: Callable[..., Finished], pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    pictures.rename(tmp_path / "out" / "vis")
    before = tree(tmp_path / "out")
    done = predict(tmp_path / "out" / "vis", *words, "--overwrite")
    assert done.code == 2
    assert "lies where the skeleton pictures are written" in done.error
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("form", ["coco", "cmu"])
def test_pictures_of_the_results_before_are_removed_and_no_others(
    form: str, predict: Callable[..., Finished], pictures: Path, tmp_path: Path
) -> None:
    assert predict(pictures, "--save-image", "--format", form).code == 0
    vis = tmp_path / "out" / "vis"
    for name in ("mine.png", "clip.avi/9.png", "9.png.txt", "../9.png"):
        (vis / name).parent.mkdir(exist_ok=True)
        (vis / name).write_text("mine")
    before = written(vis)
    (tmp_path / "bad.jpg").write_text("no picture")
    assert predict(tmp_path / "bad.jpg", "--overwrite").code == 1
    assert written(vis) == before
    done = predict(pictures / "11.jpg", "--overwrite")
    assert done.code == 0, done.err
    left = {"11.jpg", "mine.png", "clip.avi/9.png", "9.png.txt"}
    assert written(vis) == left  # 11.jpg shows nobody, and no results name it
    assert (tmp_path / "out" / "9.png").exists()


@pytest.mark.parametrize(
    "content",
    ["{", '["9.png", {"image_id": 9}]', '[{"image_id": "../9.png"}]', '[{"image_id": "9.txt"}]', '{"vis": 1}'],
)
def test_results_that_name_no_picture_remove_none(
    content: str, predict: Callable[..., Finished], pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "out" / "vis").mkdir(parents=True)
    for place in ("out/9.png", "out/vis/9.png", "out/vis/9.txt"):
        (tmp_path / place).write_text("mine")
    (tmp_path / "out" / "alphapose-results.json").write_text(content)
    assert predict(pictures, "--overwrite").code == 0
    assert written(tmp_path / "out") == {"alphapose-results.json", "9.png", "vis/9.png", "vis/9.txt"}


def test_a_video_of_images_is_refused(predict: Callable[..., Finished], pictures: Path, tmp_path: Path) -> None:
    done = predict(pictures, "--save-video")
    assert (done.code, done.error) == (2, "--save-video needs a video; these are images")
    assert not (tmp_path / "out").exists()


def test_boxes_or_a_detector(alphapose: Callable[..., Finished], pictures: Path, dot_model: Path) -> None:
    done = alphapose("predict", pictures, "--pose", dot_model)
    assert (done.code, done.error) == (2, "one of the arguments --detector --boxes is required")


def test_memory_does_not_grow_with_the_video(
    alphapose: Callable[..., Finished], dot_model: Path, tmp_path: Path, dotted: Dotted
) -> None:
    """Ten times the frames, the same peak: a frame is 0.3 MB, and 300 of them are not kept."""
    import tracemalloc

    peaks = []
    for count in (30, 300):
        path = tmp_path / f"{count}.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 320))
        for k in range(count):
            writer.write(dotted(((100, 80), (100 + k // 3, 200)), size=(320, 320)))
        writer.release()
        boxes = tmp_path / "boxes.json"
        boxes.write_text(json.dumps({f"{k}.jpg": [[40, 20, 180, 240]] for k in range(0, count, 10)}))
        tracemalloc.start()
        words = ["--save-image", "--save-video", "--output", tmp_path / f"out{count}"]
        done = alphapose("predict", path, "--pose", dot_model, "--boxes", boxes, *words)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert done.code == 0, done.err
    assert peaks[1] < peaks[0] + 3e6
