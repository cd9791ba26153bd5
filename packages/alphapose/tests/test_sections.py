"""What the report shows of the poses, and how people are drawn."""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from modelzoo.alphapose.coco import CocoPeople, Photo, read_coco
from modelzoo.alphapose.drawing import LEFT, LIMBS, MIDDLE, RIGHT, draw_people
from modelzoo.alphapose.evaluate import KeypointEvaluator
from modelzoo.alphapose.sections import example_pictures, pose_sections
from modelzoo.common.errors import DataError
from modelzoo.common.work import SampleInfo


@pytest.fixture
def data(coco: Path) -> CocoPeople:
    return read_coco(coco)


def info(stem: int, image: int, score: float, crop: tuple[float, ...] = (0.0, 0.0, 96.0, 128.0)) -> SampleInfo:
    fields = {"image_id": image, "box": [0, 0, 60, 100], "score": score, "crop": list(crop)}
    return SampleInfo(f"{stem:012d}", "x", fields)


def keypoints_in(crop: tuple[float, ...], labelled: Any) -> np.ndarray:
    """What a model that finds the labels exactly would give for a crop."""
    x1, y1, x2, y2 = crop
    scale = (x2 - x1) / 48
    points = np.array(labelled, float).reshape(17, 3)
    x = (points[:, 0] - (x1 + x2) / 2) / scale + 24
    y = (points[:, 1] - (y1 + y2) / 2) / scale + 32
    return np.stack((x, y, np.ones(17)), 1).astype(np.float32)[None]


@pytest.fixture
def evaluated(data: CocoPeople) -> KeypointEvaluator:
    """Both people found exactly, but for the right ankle of one; and a pose on nobody."""
    evaluator = KeypointEvaluator(data)
    crop = (100.0, 0.0, 484.0, 512.0)
    for stem, person in enumerate(data.labels["annotations"]):
        output = keypoints_in(crop, person["keypoints"])
        if stem == 1:
            output[0, 16, 0] += 40
        evaluator.update(info(stem, person["image_id"], 0.9 - 0.1 * stem, crop), (output,))
    evaluator.update(info(2, 900, 0.3), (np.full((1, 17, 3), 1, np.float32),))
    evaluator.result()
    return evaluator


def test_the_sections(evaluated: KeypointEvaluator, data: CocoPeople) -> None:
    photos, poses = pose_sections(evaluated, data)
    assert [row[0] for row in photos.figures[0].rows] == ["000000000785.jpg", "street two.png"]
    assert [row[1].strip() for row in photos.figures[0].rows] == ["1 pose", "2 poses"]
    joints, scores = poses.figures
    labelled = [
        sum(person["keypoints"][3 * joint + 2] > 0 for person in data.labels["annotations"]) for joint in range(17)
    ]
    found = {name: float(value.split()[0]) for name, value in joints.rows}
    assert [int(re.findall(r"\d+", name)[-1]) for name in found] == labelled
    ankle = next(value for name, value in found.items() if name.startswith("right ankle"))
    assert ankle == pytest.approx(50, abs=0.1)
    assert all(value == pytest.approx(100, abs=0.1) for name, value in found.items() if "right ankle" not in name)
    assert [row[0] for row in scores.rows] == ["on a labelled person", "others"]
    assert [row[2] for row in scores.rows] == ["0.85", "0.3"]


def test_a_run_without_anybody_found(data: CocoPeople) -> None:
    evaluator = KeypointEvaluator(data)
    evaluator.update(info(0, 900, 0.3), (np.full((1, 17, 3), 1, np.float32),))
    assert evaluator.result()["AP"] == 0
    _, poses = pose_sections(evaluator, data)
    assert [figure.title for figure in poses.figures] == ["Scores of the detections"]


def test_nothing_to_score(data: CocoPeople) -> None:
    with pytest.raises(DataError, match="there are no poses"):
        KeypointEvaluator(data).result()


def test_examples_are_spread_over_the_data_set(data: CocoPeople, photo: Path) -> None:
    photos = {number: Photo(number, f"{number}.jpg", photo) for number in range(25)}
    many = CocoPeople(photos, data.labels, data.source)
    evaluator = KeypointEvaluator(many)
    for number in range(25):
        evaluator.update(info(number, number, 0.9), (np.ones((1, 17, 3), np.float32),))
    poses = evaluator._poses
    assert [name for name, _ in example_pictures(poses, many)] == [f"{i}.jpg" for i in (0, 4, 8, 12, 16, 20)]
    assert [name for name, _ in example_pictures(poses[:3], many)] == ["0.jpg", "1.jpg", "2.jpg"]


def test_pictures_are_small(evaluated: KeypointEvaluator, data: CocoPeople) -> None:
    (_, (picture,)), _ = example_pictures(evaluated.kept, data)
    image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (319, 480, 3)


def test_a_picture_is_never_without_a_pixel(evaluated: KeypointEvaluator, data: CocoPeople) -> None:
    path = data.photos[785].path
    cv2.imwrite(str(path.with_name("narrow.png")), np.zeros((2, 3000, 3), np.uint8))
    path.with_name("narrow.png").replace(path)
    (_, (picture,)), _ = example_pictures(evaluated.kept, data)
    image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (1, 480, 3)


def test_people_are_drawn_where_they_are() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    person = np.full((17, 3), 0.0, np.float32)
    person[7] = (50, 60, 0.9)  # left elbow
    person[9] = (90, 60, 0.9)  # left wrist
    person[8] = (200, 60, 0.9)  # right elbow
    person[0] = (150, 20, 0.9)  # nose
    person[10] = (250, 150, 0.1)  # right wrist, not seen
    drawn = draw_people(image, person[None], 0.2)
    assert not image.any()
    assert [tuple(drawn[y, x]) for x, y in ((50, 60), (70, 60), (90, 60), (200, 60), (150, 20))] == [
        LEFT,
        LEFT,
        LEFT,
        RIGHT,
        MIDDLE,
    ]
    assert not drawn[100:, :].any()
    assert not drawn[:50, :140].any()


def test_limbs_are_those_of_coco(coco_annotations: dict[str, Any]) -> None:
    published = {frozenset((a - 1, b - 1)) for a, b in coco_annotations["categories"][0]["skeleton"]}
    assert {frozenset(limb) for limb in LIMBS} == published - {frozenset((3, 5)), frozenset((4, 6)), frozenset((1, 2))}


def test_nobody_is_drawn(photo: Path) -> None:
    image = cv2.imread(str(photo))
    assert np.array_equal(draw_people(image, np.empty((0, 17, 3), np.float32)), image)


def test_the_annotations_have_the_joints_in_the_order_of_the_names(coco_annotations: dict[str, Any]) -> None:
    from modelzoo.alphapose.sections import JOINT_NAMES

    names = coco_annotations["categories"][0]["keypoints"]
    assert [name.replace(" ", "_") for name in JOINT_NAMES] == names
