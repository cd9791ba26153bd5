"""The jointed body and its walking cycle: hand-computed places, lengths that no bending changes, and the ground."""

from dataclasses import replace
from math import dist, pi, radians
from typing import Any

import pytest

from modelzoo.common.synthetic.gait import Gait, walking
from modelzoo.common.synthetic.skeleton import (
    JOINT_NAMES,
    ArmAngles,
    LegAngles,
    Proportions,
    Space,
    Stance,
    body_points,
    turned,
)

PHASES = [i / 40 for i in range(40)]
RIGHT_ANGLE = pi / 2


def mirrored(points: dict[str, Space]) -> dict[str, Any]:
    """The body with left and right exchanged."""
    swapped = {"left": "right", "right": "left"}
    names = {name: "_".join(swapped.get(part, part) for part in name.split("_")) for name in points}
    return {names[name]: pytest.approx((-x, y, z)) for name, (x, y, z) in points.items()}


def test_a_standing_body_has_its_joints_where_the_proportions_say() -> None:
    points = body_points(Proportions(), Stance())
    heights = {"ankle": 0.039, "knee": 0.285, "hip": 0.53, "shoulder": 0.818, "elbow": 0.632, "wrist": 0.486}
    for part, height in heights.items():
        half = 0.108 if part in {"shoulder", "elbow", "wrist"} else 0.05
        assert points[f"left_{part}"] == pytest.approx((half, height, 0.0))
        assert points[f"right_{part}"] == pytest.approx((-half, height, 0.0))
    assert points["left_toe"] == pytest.approx((0.05, 0.02, 0.11))
    assert points["head"] == pytest.approx((0.0, 0.945, 0.0))
    assert set(JOINT_NAMES) <= set(points)


def test_a_sitting_leg_by_hand() -> None:
    bent = LegAngles(hip=RIGHT_ANGLE, knee=RIGHT_ANGLE)
    points = body_points(Proportions(), Stance(left_leg=bent, right_leg=bent))
    assert points["left_ankle"] == pytest.approx((0.05, 0.039, 0.245))
    assert points["left_knee"] == pytest.approx((0.05, 0.285, 0.245))
    assert points["left_hip"] == pytest.approx((0.05, 0.285, 0.0))
    assert points["left_toe"] == pytest.approx((0.05, 0.02, 0.245 + 0.11))


def test_a_raised_toe_by_hand() -> None:
    points = body_points(Proportions(), Stance(left_leg=LegAngles(ankle=RIGHT_ANGLE), right_leg=LegAngles(hip=pi)))
    ahead = tuple(toe - ankle for toe, ankle in zip(points["left_toe"], points["left_ankle"], strict=True))
    assert ahead == pytest.approx((0.0, 0.11, 0.019))


def test_arms_by_hand() -> None:
    reach = Stance(left_arm=ArmAngles(shoulder=RIGHT_ANGLE), right_arm=ArmAngles(aside=RIGHT_ANGLE))
    points = body_points(Proportions(), reach)
    assert points["left_wrist"] == pytest.approx((0.108, 0.818, 0.186 + 0.146))
    assert points["right_wrist"] == pytest.approx((-0.108 - 0.186 - 0.146, 0.818, 0.0))
    bent = body_points(Proportions(), Stance(left_arm=ArmAngles(elbow=RIGHT_ANGLE)))
    assert bent["left_wrist"] == pytest.approx((0.108, 0.818 - 0.186, 0.146))


def test_a_twisted_arm_by_hand() -> None:
    """An arm held out with the forearm up, as who waves; and a hanging one whose forearm points outwards."""
    up = ArmAngles(aside=RIGHT_ANGLE, elbow=RIGHT_ANGLE, twist=RIGHT_ANGLE)
    out = ArmAngles(elbow=RIGHT_ANGLE, twist=RIGHT_ANGLE)
    points = body_points(Proportions(), Stance(left_arm=up, right_arm=out))
    assert points["left_elbow"] == pytest.approx((0.108 + 0.186, 0.818, 0.0))
    assert points["left_wrist"] == pytest.approx((0.108 + 0.186, 0.818 + 0.146, 0.0))
    assert points["left_hand"] == pytest.approx((0.108 + 0.186, 0.818 + 0.146 + 0.05, 0.0))
    assert points["right_wrist"] == pytest.approx((-0.108 - 0.146, 0.818 - 0.186, 0.0))


def test_half_a_twist_by_hand() -> None:
    points = body_points(Proportions(), Stance(left_arm=ArmAngles(elbow=RIGHT_ANGLE, twist=RIGHT_ANGLE / 3)))
    assert points["left_wrist"] == pytest.approx((0.108 + 0.073, 0.632, 0.146 * 3**0.5 / 2))


def test_a_straight_arm_may_be_twisted_without_effect() -> None:
    arms = [ArmAngles(shoulder=0.4, aside=0.3, twist=twist) for twist in (0.0, 1.0)]
    still, twisted = (body_points(Proportions(), Stance(right_arm=arm)) for arm in arms)
    assert twisted == {name: pytest.approx(point) for name, point in still.items()}


def test_a_jump_lifts_every_point_alike() -> None:
    stances = [Stance(left_leg=LegAngles(hip=0.5, knee=0.7), lift=lift) for lift in (0.0, 0.2)]
    ground, air = (body_points(Proportions(), stance) for stance in stances)
    assert air == {name: pytest.approx((x, y + 0.2, z)) for name, (x, y, z) in ground.items()}
    soles = [air[f"{side}_{part}"][1] for side in ("left", "right") for part in ("heel", "toe")]
    assert min(soles) == pytest.approx(0.22)


def test_a_lean_moves_the_head_forward_and_leaves_the_legs() -> None:
    upright, bowed = (body_points(Proportions(), Stance(lean=lean)) for lean in (0.0, RIGHT_ANGLE))
    assert bowed["head"] == pytest.approx((0.0, 0.53, 0.288 + 0.127))
    assert bowed["nose"] == pytest.approx((0.0, 0.53 - 0.066, 0.288 + 0.117))
    assert {bowed[f"left_{part}"] == upright[f"left_{part}"] for part in ("hip", "knee", "toe")} == {True}


def test_bones_keep_their_lengths_at_every_moment() -> None:
    own = Proportions()
    lengths = {
        ("hip", "knee"): own.thigh,
        ("knee", "ankle"): own.shin,
        ("shoulder", "elbow"): own.upper_arm,
        ("elbow", "wrist"): own.forearm,
        ("wrist", "hand"): own.hand,
    }
    gait = Gait(stride=1.2, arm_swing=1.5, legs_aside=0.2, arms_aside=0.5, lean=0.3)
    arm = ArmAngles(shoulder=0.4, elbow=1.2, aside=0.7)
    twisted = [Stance(left_arm=replace(arm, twist=phase), right_arm=replace(arm, twist=-phase)) for phase in PHASES]
    for stance in [*(walking(phase, gait) for phase in PHASES), *twisted]:
        points = body_points(own, stance)
        for (start, end), length in lengths.items():
            for side in ("left", "right"):
                assert dist(points[f"{side}_{start}"], points[f"{side}_{end}"]) == pytest.approx(length)


def test_a_walking_body_always_stands_on_the_ground_and_never_in_it() -> None:
    rises = []
    for phase in PHASES:
        points = body_points(Proportions(), walking(phase))
        soles = [points[f"{side}_{part}"][1] for side in ("left", "right") for part in ("heel", "toe")]
        assert min(soles) == pytest.approx(0.02)
        rises.append(points["left_hip"][1])
    assert 0.005 < max(rises) - min(rises) < 0.05


def test_half_a_cycle_later_the_body_is_mirrored() -> None:
    for phase in PHASES:
        now, later = (body_points(Proportions(), walking(phase + shift)) for shift in (0.0, 0.5))
        assert later == mirrored(now)


def test_a_cycle_ends_where_it_began() -> None:
    assert walking(1.0) == walking(0.0) == walking(-1.0)
    steps = [(walking(i / 100).left_leg, walking((i + 1) / 100).left_leg) for i in range(100)]
    assert max(abs(a.knee - b.knee) for a, b in steps) < radians(5)
    assert max(abs(a.hip - b.hip) for a, b in steps) < radians(3)


def test_legs_move_as_in_the_gait_literature() -> None:
    legs = {phase: walking(phase).left_leg for phase in PHASES}
    knee, hip = max(PHASES, key=lambda phase: legs[phase].knee), min(PHASES, key=lambda phase: legs[phase].hip)
    assert 0.65 < knee < 0.78
    assert radians(55) < legs[knee].knee < radians(68)
    assert 0.45 < hip < 0.56
    assert legs[hip].hip == pytest.approx(radians(-11), abs=0.02)
    assert min(leg.knee for leg in legs.values()) > 0.0
    assert legs[0.0].hip == pytest.approx(radians(24))


def test_arms_swing_against_the_legs_of_their_sides() -> None:
    for phase, front, rear in ((0.0, "left", "right"), (0.5, "right", "left")):
        points = body_points(Proportions(), walking(phase))
        assert points[f"{front}_toe"][2] > points[f"{rear}_toe"][2] + 0.2
        assert points[f"{front}_wrist"][2] < points[f"{rear}_wrist"][2] - 0.1


@pytest.mark.parametrize("field", ["stride", "knee_lift", "arm_swing", "elbow", "arms_aside", "legs_aside", "lean"])
def test_every_trait_of_a_gait_shows(field: str) -> None:
    usual = Gait()
    changes: dict[str, Any] = {field: getattr(usual, field) * 1.5}
    own = replace(usual, **changes)
    places = [body_points(Proportions(), walking(0.7, gait)) for gait in (usual, own)]
    assert max(dist(places[0][name], places[1][name]) for name in places[0]) > 0.003


def test_a_turned_body() -> None:
    left_up_forward = (1.0, 2.0, 3.0)
    assert turned(left_up_forward, 0.0) == pytest.approx((1.0, 2.0, 3.0))
    assert turned(left_up_forward, RIGHT_ANGLE) == pytest.approx((3.0, 2.0, -1.0))
    assert turned(left_up_forward, pi) == pytest.approx((-1.0, 2.0, -3.0))
