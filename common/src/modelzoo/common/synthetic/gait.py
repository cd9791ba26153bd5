"""The walking cycle: how far every joint is bent at each moment of a stride.

The curves follow those of healthy adults at their own speed (D. A. Winter, The Biomechanics and Motor Control of Human
Gait, 1987), rounded, at every tenth of a cycle that begins when the heel strikes the ground.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, radians

from modelzoo.common.synthetic.skeleton import ArmAngles, LegAngles, Stance

_HIP = (24, 19, 9, 0, -7, -11, -4, 12, 23, 26)
_KNEE = (5, 16, 16, 9, 5, 11, 33, 60, 49, 15)
_ANKLE = (0, -4, 4, 7, 9, 6, -12, -14, -2, 1)
"""Degrees."""

_SHOULDER, _SHOULDER_SWING = radians(-4), radians(19)
_ELBOW_SWING = radians(11)


@dataclass(frozen=True, slots=True)
class Gait:
    """What is one's own in a person's walk; the defaults are the average. Angles are in radians.

    Attributes:
        stride: How far the thighs swing, as a share of the average.
        knee_lift: How far the knees bend, as a share of the average.
        arm_swing: How far the arms swing, as a share of the average.
        elbow: How far the elbows are bent at the middle of their swing.
        arms_aside: How far the arms are held off the body.
        legs_aside: How far the feet are put outwards of the hips; negative inwards.
        lean: How far the trunk leans forward.
    """

    stride: float = 1.0
    knee_lift: float = 1.0
    arm_swing: float = 1.0
    elbow: float = radians(24)
    arms_aside: float = radians(7)
    legs_aside: float = radians(-1)
    lean: float = radians(2)


def walking(phase: float, gait: Gait = Gait()) -> Stance:
    """The stance of a walking person.

    Args:
        phase: Moment of the cycle; at 0 and at every whole number the left heel strikes the ground, halfway the right.
        gait: How the person walks.

    >>> walking(0.0).left_leg == walking(0.5).right_leg
    True
    """
    return Stance(
        left_leg=_leg(phase, gait),
        right_leg=_leg(phase + 0.5, gait),
        left_arm=_arm(phase, gait),
        right_arm=_arm(phase + 0.5, gait),
        lean=gait.lean,
    )


def _leg(phase: float, gait: Gait) -> LegAngles:
    hip, knee, ankle = (radians(_curve(samples, phase)) for samples in (_HIP, _KNEE, _ANKLE))
    return LegAngles(gait.stride * hip, gait.knee_lift * knee, ankle, gait.legs_aside)


def _arm(phase: float, gait: Gait) -> ArmAngles:
    """An arm swings against the leg of its side."""
    swing = -gait.arm_swing * cos(2 * pi * phase)
    return ArmAngles(_SHOULDER + _SHOULDER_SWING * swing, gait.elbow + _ELBOW_SWING * swing, gait.arms_aside)


def _curve(samples: Sequence[float], phase: float) -> float:
    """A smooth closed curve through evenly spaced samples (Catmull-Rom)."""
    place = phase % 1.0 * len(samples)
    first = int(place)
    a, b, c, d = (samples[(first + i) % len(samples)] for i in (-1, 0, 1, 2))
    t = place - first
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
