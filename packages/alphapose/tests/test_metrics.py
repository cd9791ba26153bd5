"""The ten numbers of COCO: recorded ones, a computation by hand, and what is told of single joints."""

import copy
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.alphapose.metrics import NAMES, joint_similarities, keypoint_metrics


@pytest.fixture(scope="module")
def recorded(golden: Path) -> dict[str, Any]:
    """Results on four photos, and the numbers of pycocotools."""
    content: dict[str, Any] = json.loads((golden / "coco_keypoint_map.json").read_text())
    return content


@pytest.mark.parametrize("which", ["perfect", "perturbed"])
def test_recorded_numbers(recorded: dict[str, Any], coco_annotations: dict[str, Any], which: str) -> None:
    metrics = keypoint_metrics(coco_annotations, recorded[which]["predictions"])
    assert list(metrics.numbers) == list(NAMES)
    assert list(metrics.numbers.values()) == recorded[which]["stats"]


def test_nothing_is_printed_and_nothing_changed(
    recorded: dict[str, Any], coco_annotations: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    labels, results = copy.deepcopy(coco_annotations), copy.deepcopy(recorded["perturbed"]["predictions"])
    keypoint_metrics(labels, results)
    assert capsys.readouterr().out == ""
    assert (labels, results) == (coco_annotations, recorded["perturbed"]["predictions"])


def test_standard_output_comes_back_after_an_error(
    coco_annotations: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError):
        keypoint_metrics(coco_annotations, [{"image_id": -5, "keypoints": [0] * 51, "category_id": 1, "score": 1}])
    sys.stdout.write("heard\n")
    assert capsys.readouterr().out == "heard\n"


def test_people_who_were_found(recorded: dict[str, Any], coco_annotations: dict[str, Any]) -> None:
    people = {row["id"]: row for row in coco_annotations["annotations"]}
    results = recorded["perturbed"]["predictions"]
    matches = keypoint_metrics(coco_annotations, results).matches
    assert len(matches) == round(recorded["perturbed"]["stats"][6] * 12) == 11
    for result, person in matches:
        assert results[result]["image_id"] == people[person]["image_id"]
        assert oks(results[result], people[person]) >= 0.5


def oks(result: dict[str, Any], person: dict[str, Any]) -> float:
    """The similarity of a result to a person, in plain Python."""
    falloff = [0.26, *[0.25] * 2, *[0.35] * 2, *[0.79] * 2, *[0.72] * 2, *[0.62] * 2]
    falloff += [*[1.07] * 2, *[0.87] * 2, *[0.89] * 2]
    terms = []
    for i in range(17):
        x, y, seen = person["keypoints"][3 * i : 3 * i + 3]
        if seen:
            distance = (result["keypoints"][3 * i] - x) ** 2 + (result["keypoints"][3 * i + 1] - y) ** 2
            terms.append(math.exp(-distance / (2 * falloff[i] / 10) ** 2 / person["area"] / 2))
    return sum(terms) / len(terms)


def test_one_of_two_people_is_found(coco_annotations: dict[str, Any]) -> None:
    """By hand: precision 1 up to recall 0.5, so that AP is 51 of 101 recall steps, and AR is 0.5."""
    one = next(row for row in coco_annotations["annotations"] if row["image_id"] == 785)
    other = {**one, "id": 2, "keypoints": [v + 200 * (i % 3 == 0) for i, v in enumerate(one["keypoints"])]}
    labels = {**coco_annotations, "annotations": [one, other]}
    result = {"image_id": 785, "category_id": 1, "keypoints": one["keypoints"], "score": 0.5, "bbox": one["bbox"]}
    numbers = keypoint_metrics(labels, [result]).numbers
    assert numbers["AP"] == numbers["AP50"] == numbers["APL"] == pytest.approx(51 / 101, abs=1e-12)
    assert numbers["AR"] == numbers["ARL"] == 0.5
    assert numbers["APM"] == numbers["ARM"] == -1


def test_joints_by_hand() -> None:
    labels = np.zeros((2, 17, 3))
    labels[:, 0, 2] = 2
    labels[0, 5, 2] = 1
    poses = np.zeros((2, 17, 2))
    poses[0, 0] = (3, 4)
    poses[:, 9] = 100
    means, counts = joint_similarities(poses, labels, np.array([400.0, 400.0]))
    assert counts.tolist() == [2, 0, 0, 0, 0, 1, *[0] * 11]
    assert means[0] == pytest.approx((math.exp(-25 / (2 * 0.026) ** 2 / 400 / 2) + 1) / 2, abs=1e-12)
    assert means[5] == 1
    assert np.isnan(means[9])
