"""Scores and suppression of poses: the original's on 32 poses, and a second implementation in plain Python."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.alphapose.evaluate import Pose, best_poses
from modelzoo.alphapose.pose_nms import rescore, similarity, suppress
from modelzoo.common.work import SampleInfo

FALLOFF = [0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89]


def similarity_slowly(a: Any, b: Any, area_a: float, area_b: float) -> float:
    total = 0.0
    for (xa, ya), (xb, yb), falloff in zip(a, b, FALLOFF, strict=True):
        distance = (xa - xb) ** 2 + (ya - yb) ** 2
        total += math.exp(-distance / (2 * falloff / 10) ** 2 / ((area_a + area_b) / 2) / 2)
    return total / 17


def suppress_slowly(poses: Any, areas: Any, scores: Any, threshold: float) -> list[int]:
    left = sorted(range(len(poses)), key=lambda i: (scores[i], i), reverse=True)
    kept: list[int] = []
    for i in left:
        if all(similarity_slowly(poses[k], poses[i], areas[k], areas[i]) <= threshold for k in kept):
            kept.append(i)
    return kept


def test_recorded_poses(golden: Path) -> None:
    recorded = json.loads((golden / "oks_pose_nms.json").read_text())
    poses = []
    for number, row in enumerate(recorded["input"]):
        side = math.sqrt(row["area"])
        fields = {"image_id": row["image_id"], "box": row["bbox"], "crop": [500.0, 300.0, 500.0 + side, 300.0 + side]}
        keypoints = np.array(row["keypoints"]).reshape(17, 3)
        poses.append(Pose(SampleInfo(f"{number:012d}", "", fields), keypoints, row["score"]))
    kept = list(best_poses(poses))
    assert [int(pose.info.stem) for pose in kept] == recorded["kept_input_index_in_output_order"]
    assert [pose.score for pose in kept] == recorded["kept_scores"]


def test_the_score_is_the_mean_of_the_seen_joints_times_that_of_the_box() -> None:
    joints = np.array([[0.1, 0.5, 0.3, 0.2], [0.2, 0.1, 0.0, -3.0], [0.9, 0.9, 0.9, 0.9]])
    assert rescore(np.array([0.5, 1.0, 0.1]), joints).tolist() == pytest.approx([0.2, 0.0, 0.09], abs=1e-15)


def test_similarity_by_hand() -> None:
    pose = np.zeros((17, 2))
    other = np.zeros((1, 17, 2))
    other[0, 0] = (3, 4)  # the nose, 5 pixels away
    areas = np.array([300.0])
    nose = math.exp(-25 / (2 * 0.026) ** 2 / 200 / 2)
    assert similarity(pose, other, 100.0, areas)[0] == pytest.approx((16 + nose) / 17, abs=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_suppression_is_that_of_a_second_implementation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 40, (5, 17, 2))
    poses = (centres[rng.integers(0, 5, 40)] + rng.normal(0, 4, (40, 17, 2))).astype(np.float32)
    areas = rng.uniform(2000, 40000, 40)
    scores = rng.integers(0, 12, 40) / 12  # many are equal
    kept = suppress(poses, areas, scores)
    assert kept == suppress_slowly(poses.tolist(), areas, scores, 0.9)
    assert 5 <= len(kept) < 40


def test_a_pose_is_dropped_only_above_the_threshold() -> None:
    poses = np.zeros((2, 17, 2))
    poses[1] += 1
    areas = np.array([500.0, 500.0])
    limit = float(similarity(poses[0], poses[1:], 500.0, areas[1:])[0])
    scores = np.array([1.0, 0.5])
    assert suppress(poses, areas, scores, limit) == [0, 1]
    assert suppress(poses, areas, scores, math.nextafter(limit, 0)) == [0]


def test_poses_of_different_photos_do_not_meet() -> None:
    infos = [SampleInfo(str(i), "", {"image_id": i % 2, "box": [], "crop": [0, 0, 9, 9]}) for i in range(4)]
    keypoints = np.ones((17, 3), np.float32)
    kept = list(best_poses([Pose(info, keypoints, 0.1 * i) for i, info in enumerate(infos)]))
    assert [pose.info.stem for pose in kept] == ["2", "3"]
