"""Drawn actions: what makes each of them what it is, and the errors of the estimator that is imitated."""

from collections.abc import Callable
from itertools import pairwise
from math import dist

import numpy as np
import pytest

from modelzoo.common.synthetic.skeleton import JOINT_NAMES, Proportions, Space, body_points
from modelzoo.posec3d.synthetic.actions import ACTIONS, mirrored
from modelzoo.posec3d.synthetic.scene import FPS, Actor, cast, film

Points = dict[str, Space]
PHASES = [i / 40 for i in range(40)]
STANDING_HIP = Proportions().hip


def bodies(action: str) -> list[Points]:
    """A body through one repetition: to its left, up and forward, in heights."""
    stance, _ = ACTIONS[action]
    return [body_points(Proportions(), stance(phase, 1.0)) for phase in PHASES]


def track(action: str, joint: str, axis: int) -> np.ndarray:
    return np.array([body[joint][axis] for body in bodies(action)])


def test_who_bows_lowers_the_head_and_keeps_the_hips() -> None:
    nose = track("bow", "nose", 1)
    assert nose.min() < 0.75
    assert nose.max() > 0.9
    assert np.ptp(track("bow", "left_hip", 1)) < 0.02


def test_who_claps_brings_the_hands_together_before_the_chest() -> None:
    apart = [dist(body["left_wrist"], body["right_wrist"]) for body in bodies("clap")]
    assert min(apart) < 0.06
    assert max(apart) > 0.2
    for body in bodies("clap"):
        assert body["left_wrist"][2] > 0.15
        assert body["left_hip"][1] < body["left_wrist"][1] < body["nose"][1]
        assert body["left_wrist"][0] > body["right_wrist"][0]


def test_who_jumps_leaves_the_ground_after_bending_the_knees() -> None:
    soles = np.array([min(body[f"{side}_toe"][1] for side in ("left", "right")) for body in bodies("jump")])
    hips = track("jump", "left_hip", 1)
    assert soles.max() > 0.15
    assert hips.argmin() < soles.argmax()
    assert hips.min() < STANDING_HIP - 0.08
    assert (track("jump", "left_wrist", 1) > track("jump", "nose", 1))[soles.argmax()]
    assert soles[0] == pytest.approx(0.02)


def test_who_kicks_raises_the_right_foot_forward() -> None:
    foot = track("kick", "right_ankle", 1)
    assert foot.max() > 0.35
    assert track("kick", "right_ankle", 2)[foot.argmax()] > 0.25
    assert track("kick", "left_ankle", 1).max() < 0.08


def test_who_punches_stretches_one_arm_after_the_other() -> None:
    left, right = (track("punch", f"{side}_wrist", 2) for side in ("left", "right"))
    assert abs(left.argmax() - right.argmax()) == 20
    assert min(left.max(), right.max()) > 0.28
    assert right[left.argmax()] < 0.2


def test_who_squats_sinks_on_flat_feet_and_keeps_the_balance() -> None:
    hips = track("squat", "left_hip", 1)
    assert hips.max() == pytest.approx(STANDING_HIP, abs=0.01)
    assert hips.min() < 0.37
    for body in bodies("squat"):
        assert body["left_heel"][1] == pytest.approx(body["left_toe"][1], abs=0.005)


def test_who_walks_puts_one_foot_before_the_other() -> None:
    left, right = (track("walk", f"{side}_ankle", 2) for side in ("left", "right"))
    assert np.corrcoef(left, right)[0, 1] < -0.5


def test_who_waves_swings_the_right_hand_beside_the_head() -> None:
    up, aside = track("wave", "right_wrist", 1), track("wave", "right_wrist", 0)
    assert up.min() > 0.85
    assert np.ptp(aside) > 0.12
    assert np.ptp(track("wave", "left_wrist", 1)) == 0


@pytest.mark.parametrize("action", ACTIONS)
def test_movements_have_no_jumps_and_begin_again(action: str) -> None:
    stance, _ = ACTIONS[action]
    fine = [body_points(Proportions(), stance(i / 200, 1.0)) for i in range(201)]
    steps = [max(dist(a[name], b[name]) for name in JOINT_NAMES) for a, b in pairwise(fine)]
    assert 0.001 < max(steps) < 0.035
    assert all(fine[200][name] == pytest.approx(fine[0][name], abs=1e-9) for name in JOINT_NAMES)


@pytest.mark.parametrize("action", ACTIONS)
def test_who_is_left_handed_does_it_with_the_other_side(action: str) -> None:
    stance, _ = ACTIONS[action]
    one, other = (body_points(Proportions(), do(stance(0.3, 1.0))) for do in (lambda s: s, mirrored))
    for name, (x, y, z) in one.items():
        twin = name.replace("left", "*").replace("right", "left").replace("*", "right")
        assert other[twin] == pytest.approx((-x, y, z))


def actor(**given: object) -> Actor:
    usual: dict[str, object] = {
        "action": "squat",
        "proportions": Proportions(),
        "height": 100.0,
        "feet": (160.0, 200.0),
        "turn": 0.0,
        "left_handed": False,
        "extent": 1.0,
        "tempo": 1.0,
        "start": 0.0,
    }
    return Actor(**{**usual, **given})  # type: ignore[arg-type]


def test_somebody_who_faces_the_camera_by_hand() -> None:
    """The person's left is on the right of the picture; heights are those of a standing body."""
    joints = actor(action="").joints(0.0)
    at = dict(zip(JOINT_NAMES, joints, strict=True))
    assert at["left_hip"][:2] == pytest.approx((165, 200 - 53), abs=0.2)
    assert at["right_hip"][:2] == pytest.approx((155, 200 - 53), abs=0.2)
    assert at["left_ankle"][:2] == pytest.approx((165, 200 - 3.9), abs=0.2)
    assert at["nose"][1] == pytest.approx(200 - 93.5 + 0.12 * 6.6, abs=0.2)
    assert at["nose"][2] > 0.04


def test_feet_that_stand_stay_where_they_are() -> None:
    places = np.array([actor(turn=1.2).joints(i / FPS)[-2:, :2] for i in range(50)])
    assert np.ptp(places, axis=0).max() < 5


def test_who_walks_moves_on_to_where_they_look() -> None:
    walker = actor(action="walk", turn=np.pi / 2)
    first, last = (walker.joints(seconds)[:, 0].mean() for seconds in (-1.05, 1.05))
    assert last - first == pytest.approx(0.78 * 0.3 * 2.1 * 100, abs=1)


@pytest.fixture(scope="module")
def filmed() -> Callable[[str], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Keypoints and scores of a recording, and where the joints of its first person are in truth."""

    def film_one(action: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        random = np.random.default_rng(5)
        people = cast(action, (240, 320), random)
        true = np.array([people[0].joints((i - 49.5) / FPS) for i in range(100)])
        return (*film(people, 100, random), true)

    return film_one


def test_recordings_have_the_types_and_errors_of_an_estimator(
    filmed: Callable[[str], tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> None:
    keypoints, scores, true = filmed("wave")
    assert keypoints.dtype == scores.dtype == np.float16
    assert keypoints.shape == (*scores.shape, 2)
    missed = scores[0] == 0
    assert 0.002 < missed.mean() < 0.03
    assert (keypoints[0][missed] == 0).all()
    assert scores.max() <= 0.99
    errors = np.linalg.norm(keypoints[0].astype(float) - true[..., :2], axis=-1)[~missed]
    assert 0.5 < np.median(errors) < 3
    far = true[..., 2][~missed] < -0.1
    assert errors[far].mean() > 1.5 * errors[~far].mean()
    assert scores[0][~missed][far].mean() < scores[0][~missed][~far].mean() - 0.1


def test_most_joints_are_in_the_picture() -> None:
    for number, action in enumerate(ACTIONS):
        random = np.random.default_rng(number)
        keypoints, _ = film(cast(action, (240, 320), random), 60, random)
        inside = (keypoints > -5) & (keypoints < (325, 245))
        assert inside.mean() > 0.99, action


def test_sometimes_somebody_stands_beside() -> None:
    random = np.random.default_rng(0)
    casts = [cast("wave", (240, 320), random) for _ in range(100)]
    assert 15 < sum(len(people) == 2 for people in casts) < 45
    assert {people[1].action for people in casts if len(people) == 2} == {""}
