"""The pose NMS of the published demo: the recorded run, a second implementation, and cases by hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from modelzoo.alphapose.parametric_nms import choose_people, merge_duplicates, proposal_score
from modelzoo.alphapose.people import Box


def boxes_of(corners: np.ndarray) -> list[Box]:
    return [(float(x1), float(y1), float(x2 - x1), float(y2 - y1)) for x1, y1, x2, y2 in corners]


def test_the_recorded_run(golden: Path) -> None:
    with np.load(golden / "parametric_pose_nms.npz", allow_pickle=False) as recorded:
        poses = np.concatenate((recorded["poses"], recorded["pose_scores"]), 2)
        boxes = boxes_of(recorded["boxes"])
        people = choose_people(boxes, recorded["box_scores"][:, 0].tolist(), poses)
        assert [person.box for person in people] == boxes_of(recorded["out_boxes"])
        kept = [i for i, _ in merge_duplicates(poses, [max(box[2:]) for box in boxes])]
        assert kept[: len(people)] == recorded["kept"].tolist()  # the last one convinces nobody
        for i, person in enumerate(people):
            assert np.abs(person.keypoints[:, :2] - recorded["out_poses"][i]).max() <= 1e-4
            assert np.abs(person.keypoints[:, 2] - recorded["out_scores"][i]).max() <= 1e-6
            assert person.score == pytest.approx(recorded["proposal_score"][i], abs=1e-6)
            assert person.keypoints.dtype == np.float32


def slow_merge(poses: list[list[list[float]]], sides: list[float]) -> list[tuple[int, list[list[float]]]]:
    """A second implementation, one number at a time, by the formulas of the paper and of the published code."""

    def distance(a: list[float], b: list[float]) -> float:
        return math.hypot(a[0] - b[0], a[1] - b[1])

    def same(i: int, j: int) -> bool:
        pairs = [(a, b, distance(a, b)) for a, b in zip(poses[i], poses[j], strict=True)]
        similarity = sum(math.tanh(a[2]) * math.tanh(b[2]) for a, b, d in pairs if d <= 1)
        similarity += 1.7 * sum(math.exp(-d / 2.65) for *_, d in pairs)
        return similarity > 22.48 or sum(d <= min(sides[i] / 10, 7) for *_, d in pairs) >= 5

    left, result = list(range(len(poses))), []
    while left:
        best = max(left, key=lambda i: sum(joint[2] for joint in poses[i]))
        group = [j for j in left if same(best, j)]
        merged = []
        for k in range(17):
            near = [poses[j][k] for j in group if distance(poses[best][k], poses[j][k]) <= min(sides[best] / 10, 15)]
            total = sum(joint[2] for joint in near)
            merged.append([sum(joint[axis] * joint[2] for joint in near) / total for axis in range(3)])
        result.append((best, merged))
        left = [j for j in left if j not in group]
    return result


@pytest.mark.parametrize("seed", range(8))
def test_a_second_implementation_on_clusters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = rng.uniform(0, 400, (4, 1, 17, 2))
    places = (people + rng.normal(0, 1, (4, 5, 17, 2)) * rng.uniform(0, 12, (4, 5, 1, 1))).reshape(20, 17, 2)
    poses = np.concatenate((places, rng.uniform(0.1, 1, (20, 17, 1))), 2).astype(np.float32)
    sides = rng.uniform(20, 200, 20).tolist()
    wanted = slow_merge(poses.tolist(), sides)
    found = merge_duplicates(poses, sides)
    assert 4 <= len(found) < 20
    assert [i for i, _ in found] == [i for i, _ in wanted]
    for (_, have), (_, want) in zip(found, wanted, strict=True):
        assert have == pytest.approx(np.array(want), abs=1e-3)


def two_poses(shared: int, apart: float = 6.5) -> np.ndarray:
    """A pose, and another of which so many joints are so many pixels to the right, and the others far away."""
    first = np.stack((np.arange(17) * 10.0, np.arange(17) * 20.0, np.full(17, 0.8)), 1)
    second = first + np.array((500, 0, -0.2))
    second[:shared, 0] = first[:shared, 0] + apart
    return np.stack((first, second)).astype(np.float32)


def test_five_shared_joints_make_one_person_four_do_not() -> None:
    assert len(merge_duplicates(two_poses(shared=5), [100, 100])) == 1
    assert len(merge_duplicates(two_poses(shared=4), [100, 100])) == 2
    assert len(merge_duplicates(two_poses(shared=17, apart=7.5), [100, 100])) == 2
    assert len(merge_duplicates(two_poses(shared=17), [64, 100])) == 2  # a tenth of the side is less than 6.5


def test_shared_joints_are_weighted_by_their_scores_others_stay() -> None:
    ((best, pose),) = merge_duplicates(two_poses(shared=6), [100, 100])
    assert best == 0
    share = 0.6 / 1.4
    assert pose[:6, 0] == pytest.approx(np.arange(6) * 10 + 6.5 * share, abs=1e-4)
    assert pose[:6, 2] == pytest.approx((0.8**2 + 0.6**2) / 1.4, abs=1e-6)
    assert pose[6:] == pytest.approx(two_poses(6)[0, 6:])


def test_poses_that_convince_nobody_are_dropped() -> None:
    poses = two_poses(shared=0)
    poses[1, :, 2] = 0.29
    boxes = [(0.0, 0.0, 100.0, 100.0)] * 2
    assert len(choose_people(boxes, [0.9, 0.9], poses)) == 1
    poses[1, 4, 2] = 0.31
    assert len(choose_people(boxes, [0.9, 0.9], poses)) == 2


def test_scores_of_zero_and_below_keep_their_places() -> None:
    poses = two_poses(shared=0)[:1]
    poses[0, 3:5, 2] = (0, -0.4)
    (person,) = choose_people([(0.0, 0.0, 100.0, 100.0)], [0.5], poses)
    assert person.keypoints == pytest.approx(poses[0], abs=1e-5)


def test_the_score_by_hand() -> None:
    pose = np.zeros((17, 3))
    pose[:4, 2] = (0.85, 0.34, 0.17, 0.34)
    assert proposal_score(0.5, pose) == pytest.approx(0.1 + 0.5 + 1.25 * 0.85)


@pytest.mark.parametrize(
    ("apart", "score", "people"),
    [
        (0.6, 0.1, 1),  # 17 x 1.7 exp(-0.6 / 2.65) = 23.04 > 22.48
        (0.9, 0.1, 2),  # 20.58, and 17 tanh(0.1)^2 = 0.17
        (0.9, 0.8, 1),  # 20.58, and 17 tanh(0.8)^2 = 7.49
        (1.2, 0.8, 2),  # 18.38; farther than a pixel, scores do not count
    ],
)
def test_poses_that_share_no_joint_are_compared_as_a_whole(apart: float, score: float, people: int) -> None:
    poses = two_poses(shared=17, apart=apart)
    poses[..., 2] = score
    assert len(merge_duplicates(poses, [2, 2])) == people
