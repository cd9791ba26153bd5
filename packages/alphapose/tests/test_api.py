"""The Python class: four lines, pictures of any kind, people where they are."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from modelzoo.alphapose import Person, PoseEstimator
from modelzoo.common.errors import DataError, ModelError, UsageError

Dotted = Callable[..., np.ndarray]

LIGHT = """
import json, sys
from modelzoo.alphapose import PoseEstimator
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""

FIRST, SECOND = (40, 20, 180, 240), (330, 300, 150, 200)
"""What `two_detector` sees."""

DOTS = (((90, 80), (170, 200)), ((360, 350), (450, 460)))
"""A red and a blue dot in each of them."""


@pytest.fixture
def pose(dot_model: Path, two_detector: Path) -> PoseEstimator:
    return PoseEstimator(detector=two_detector, pose=dot_model)


def check_dots(person: Person, red: tuple[int, int], blue: tuple[int, int]) -> None:
    """Even joints lie on the red dot, odd ones on the blue one, to a pixel of the heat map of 5 pixels or less."""
    assert (person.keypoints.shape, person.keypoints.dtype) == ((17, 3), np.float32)
    assert np.abs(person.keypoints[0::2, :2] - red).max() <= 8
    assert np.abs(person.keypoints[1::2, :2] - blue).max() <= 8


def test_the_import_is_light() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert not {"cv2", "numpy", "onnxruntime", "torch", "pycocotools"} & set(json.loads(done.stdout))


def test_people_are_found_where_they_are(pose: PoseEstimator, dotted: Dotted) -> None:
    people = pose(dotted(*DOTS))
    assert [person.box for person in sorted(people, key=lambda one: one.box)] == [FIRST, SECOND]
    for person in people:
        check_dots(person, *DOTS[person.box == SECOND])
        scores = person.keypoints[:, 2]
        box_score = 0.9 if person.box == SECOND else 0.5
        assert person.score == pytest.approx(scores.mean() + box_score + 1.25 * scores.max(), abs=1e-5)
        assert person.id is None


def test_every_kind_of_picture_is_the_same_picture(pose: PoseEstimator, dotted: Dotted, tmp_path: Path) -> None:
    image = dotted(*DOTS)
    cv2.imwrite(str(tmp_path / "dots.png"), image)
    wanted = pose(image)
    for given in (tmp_path / "dots.png", str(tmp_path / "dots.png"), image[:, ::-1][:, ::-1], np.asfortranarray(image)):
        people = pose(given)
        assert [person.keypoints.tolist() for person in people] == [person.keypoints.tolist() for person in wanted]


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda rows: np.array(rows, np.float32)])
def test_own_boxes(kind: Callable[[Any], Any], dot_model: Path, dotted: Dotted) -> None:
    pose = PoseEstimator(pose=dot_model)
    (person,) = pose(dotted(*DOTS), boxes=kind([SECOND]))
    assert person.box == SECOND
    check_dots(person, *DOTS[1])
    scores = person.keypoints[:, 2]
    assert person.score == pytest.approx(scores.mean() + 1 + 1.25 * scores.max(), abs=1e-5)
    (other,) = pose(dotted(*DOTS), boxes=kind([(*SECOND, 0.25)]))
    assert other.score == pytest.approx(person.score - 0.75, abs=1e-5)
    assert pose(dotted(*DOTS), boxes=[]) == []


def test_nobody(pose: PoseEstimator, dotted: Dotted) -> None:
    assert pose(dotted(*DOTS, white=False)) == []  # nobody is detected
    assert pose(np.full((200, 300, 3), 255, np.uint8) * 0) == []
    assert pose(dotted()) == []  # two boxes, no joint that convinces


def test_a_frame_is_one_batch(dot_model: Path, dotted: Dotted) -> None:
    for limit, wanted in ((64, [5]), (2, [2, 2, 1])):
        pose = PoseEstimator(pose=dot_model, batchsize=limit)
        batches: list[int] = []
        run = pose.session.run
        pose.session.run = lambda *inputs, run=run, batches=batches: batches.append(len(inputs[0])) or run(*inputs)
        boxes = [(10 + 110 * i, 10, 80, 100) for i in range(5)]
        image = dotted(*(((40 + 110 * i, 40), (60 + 110 * i, 90)) for i in range(5)))
        people = pose(image, boxes)
        assert batches == wanted
        assert sorted(person.box for person in people) == boxes
        for person in people:
            left = round(person.box[0]) - 10
            check_dots(person, (40 + left, 40), (60 + left, 90))


def test_every_form_of_the_network_finds_the_same(small_model: Callable[..., Path], photo: Path) -> None:
    box = [(280.79, 44.73, 218.7, 346.68)]
    (wanted,) = PoseEstimator(pose=small_model())(photo, box)
    for form in ({"decode": True}, {"dtype": "uint8"}, {"decode": True, "dtype": "uint8"}):
        (person,) = PoseEstimator(pose=small_model(**form))(photo, box)
        assert person.keypoints == pytest.approx(wanted.keypoints, abs=1e-3), form
    flipped = [
        PoseEstimator(pose=small_model(), flip_test=True),
        PoseEstimator(pose=small_model(flip_test=True)),
        PoseEstimator(pose=small_model(flip_test=True, decode=True), flip_test=True),
    ]
    first, *others = [estimator(photo, box)[0].keypoints for estimator in flipped]
    assert np.abs(first - wanted.keypoints).max() > 1
    for other in others:
        assert other == pytest.approx(first, abs=1e-3)


def test_a_checkpoint(shallow_checkpoint: Path, photo: Path) -> None:
    pose = PoseEstimator(pose=shallow_checkpoint)
    assert (pose.session.backend, pose.session.outputs[0].sample_shape) == ("onnxruntime", (17, 3))
    (person,) = pose(photo, [(280.79, 44.73, 218.7, 346.68)])
    assert np.isfinite(person.keypoints).all()


def test_draw(pose: PoseEstimator, dotted: Dotted, tmp_path: Path) -> None:
    image = dotted(*DOTS)
    before = image.copy()
    people = pose(image)
    drawn = pose.draw(image, people)
    assert (image == before).all()
    assert (drawn.shape, drawn.dtype) == (image.shape, np.uint8)
    changed = (drawn != image).any(2)
    assert changed[20:260, 40:220].any()
    assert changed[300:500, 330:480].any()
    assert not changed[:, 500:].any()
    assert (pose.draw(image, []) == image).all()
    assert (pose.draw(image, people, threshold=2) == image).all()
    cv2.imwrite(str(tmp_path / "dots.png"), image)
    assert (pose.draw(tmp_path / "dots.png", people) == drawn).all()


BAD_PICTURES: dict[str, tuple[Any, str]] = {
    "grey": (np.zeros((30, 20), np.uint8), r"the picture is uint8 \(30, 20\); an image is uint8 \(height, width, 3\)"),
    "alpha": (np.zeros((30, 20, 4), np.uint8), r"the picture is uint8 \(30, 20, 4\)"),
    "16 bits": (np.zeros((30, 20, 3), np.uint16), r"the picture is uint16 \(30, 20, 3\)"),
    "nothing on it": (np.zeros((0, 20, 3), np.uint8), r"the picture is uint8 \(0, 20, 3\)"),
    "a number": (7, "the picture is of type int; it is a path or an array"),
    "no file": ("nowhere.jpg", "cannot read nowhere.jpg: No such file or directory"),
    "no picture": (__file__, r"test_api\.py is not an image, or is damaged"),
}


@pytest.mark.parametrize("case", BAD_PICTURES)
def test_what_is_no_picture(case: str, pose: PoseEstimator) -> None:
    given, message = BAD_PICTURES[case]
    with pytest.raises(DataError, match=message):
        pose(given)
    with pytest.raises(DataError, match=message):
        pose.draw(given, [])


BAD_BOXES: dict[str, tuple[Any, str]] = {
    "one box": ((1, 2, 3, 4), r"boxes are \(4,\), not \(n, 4\)"),
    "three numbers": ([(1, 2, 3)], r"boxes are \(1, 3\), not \(n, 4\)"),
    "no area": ([FIRST, (1, 2, 0, 4)], r"boxes\[1\] has a box without area: 0 x 4 at 1, 2"),
    "far away": ([(1e9, 2, 3, 4)], r"boxes\[0\] has a box far from any photo"),
    "not finite": ([(1, 2, float("nan"), 4)], r"boxes are \(1, 4\), not"),
    "ragged": ([FIRST, (1, 2, 3)], r"boxes are no array of numbers of the shape \(n, 4\): x, y, width and height"),
    "texts": ([("a", "b", "c", "d")], "boxes are no array of numbers"),
    "a negative score": ([(*SECOND, -0.1)], r"boxes\[0\] has a score of -0.1; scores are 0..1"),
    "a score above 1": ([(*FIRST, 1), (*SECOND, 1.01)], r"boxes\[1\] has a score of 1.01; scores are 0..1"),
    "no score": ([(*FIRST, float("nan"))], r"boxes\[0\] has a score that is no number: nan"),
}


@pytest.mark.parametrize("case", BAD_BOXES)
def test_what_is_no_box(case: str, pose: PoseEstimator, dotted: Dotted) -> None:
    boxes, message = BAD_BOXES[case]
    with pytest.raises(DataError, match=message):
        pose(dotted(), boxes)


def test_a_picture_that_is_too_large(dot_model: Path, tmp_path: Path) -> None:
    pose = PoseEstimator(pose=dot_model)
    image = np.zeros((32_767, 4, 3), np.uint8)
    text = "has 4 x 32767 pixels; people are cut out of photos of at most 32766 on a side"
    with pytest.raises(DataError, match=f"the picture {text}"):
        pose(image, [FIRST])
    cv2.imwrite(str(tmp_path / "long.png"), image)
    with pytest.raises(DataError, match=f"long.png {text}"):
        pose(tmp_path / "long.png", [FIRST])
    assert pose(image[1:], [FIRST]) == []


def test_models_in_the_wrong_place(
    dot_model: Path, two_detector: Path, small_model: Callable[..., Path], dotted: Dotted, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="there is no detector, and no boxes are given"):
        PoseEstimator(pose=dot_model)(dotted())
    with pytest.raises(ModelError, match=r"the model takes image float32 \(N, 3, 608, 608\): it is the person det"):
        PoseEstimator(pose=two_detector)
    with pytest.raises(ModelError, match="is not the detector"):
        PoseEstimator(pose=dot_model, detector=dot_model)
    with pytest.raises(UsageError, match="gives keypoints, and only heat maps can be merged"):
        PoseEstimator(pose=small_model(decode=True), flip_test=True)
    with pytest.raises(DataError, match="no such checkpoint file"):
        PoseEstimator(pose=tmp_path / "nowhere.pth")
    with pytest.raises(ModelError, match="of COCO's 17 joints"):
        PoseEstimator(pose=small_model(joints=26))
