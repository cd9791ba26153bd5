"""What a body does at each moment of an action, as angles of its joints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import cos, pi, radians, sin

from modelzoo.common.synthetic.gait import Gait, walking
from modelzoo.common.synthetic.skeleton import ArmAngles, LegAngles, Stance

Action = Callable[[float, float], Stance]
"""The stance at a moment, for a phase that counts repetitions, and an extent: 1 is the average person's."""

ARM = ArmAngles(shoulder=radians(-3), elbow=radians(14), aside=radians(7))
"""A hanging arm."""

GUARD = ArmAngles(shoulder=radians(28), elbow=radians(118), aside=radians(10))
"""An arm before a blow."""


def bow(phase: float, extent: float) -> Stance:
    """Trunk forward and up again."""
    down = _bump(phase, 0.5, 0.45)
    return Stance(_bent(4 * down, 8 * down), _bent(4 * down, 8 * down), ARM, ARM, lean=radians(78) * extent * down)


def clap(phase: float, extent: float) -> Stance:
    """Hands together in front of the body, and apart."""
    apart = (1 - cos(2 * pi * phase)) / 2
    twist = radians(-46 + 62 * extent * apart)
    arm = ArmAngles(shoulder=radians(30), elbow=radians(82), aside=radians(4), twist=twist)
    return Stance(left_arm=arm, right_arm=arm)


def jump(phase: float, extent: float) -> Stance:
    """Down, off the ground with the arms up, and down again on both feet."""
    low = _bump(phase, 0.2, 0.2) + 0.7 * _bump(phase, 0.82, 0.18)
    air = _bump(phase, 0.5, 0.17)
    leg = _bent(62 * low + 6 * air, 86 * low + 10 * air)
    arm = replace(ARM, shoulder=radians(-30 * low + 160 * extent * _bump(phase, 0.5, 0.36) - 3))
    return Stance(leg, leg, arm, arm, lean=radians(30) * low, lift=0.2 * extent * air)


def kick(phase: float, extent: float) -> Stance:
    """The right leg forward and up, with the knee first."""
    raised, stretched = _bump(phase, 0.5, 0.38), _bump(phase, 0.52, 0.2)
    leg = LegAngles(hip=radians(84) * extent * raised, knee=radians(95) * (raised - 0.95 * stretched))
    arms = replace(GUARD, shoulder=radians(20), elbow=radians(75), aside=radians(18))
    return Stance(_bent(0, 6), leg, arms, arms, lean=radians(-14) * raised)


def punch(phase: float, extent: float) -> Stance:
    """One fist forward, then the other."""
    left, right = (_blow(_bump(phase, middle, 0.2), extent) for middle in (0.25, 0.75))
    return Stance(_bent(16, 10), LegAngles(hip=radians(-12), knee=radians(4)), left, right, lean=radians(6))


def squat(phase: float, extent: float) -> Stance:
    """Down on bent knees with the arms forward, and up."""
    low = (1 - cos(2 * pi * phase)) / 2 * extent
    leg = replace(_bent(92 * low, 106 * low), aside=radians(9) * low)
    arm = replace(ARM, shoulder=radians(82) * low, elbow=radians(12))
    return Stance(leg, leg, arm, arm, lean=radians(34) * low)


def walk(phase: float, extent: float) -> Stance:
    """One step after the other."""
    return walking(phase, Gait(stride=extent, arm_swing=extent))


def wave(phase: float, extent: float) -> Stance:
    """The right hand above the head, from side to side."""
    swing = sin(2 * pi * phase) * extent
    arm = ArmAngles(aside=radians(84 + 5 * swing), elbow=radians(94 + 34 * swing), twist=radians(90))
    return Stance(left_arm=ARM, right_arm=arm)


def mirrored(stance: Stance) -> Stance:
    """The same with left and right exchanged."""
    return replace(
        stance,
        left_leg=stance.right_leg,
        right_leg=stance.left_leg,
        left_arm=stance.right_arm,
        right_arm=stance.left_arm,
    )


def _blow(out: float, extent: float) -> ArmAngles:
    """An arm between its guard and the farthest point of a blow."""
    return ArmAngles(
        shoulder=GUARD.shoulder + radians(60) * out,
        elbow=GUARD.elbow - radians(112) * min(1.0, extent) * out,
        aside=GUARD.aside * (1 - out),
    )


def _bent(hip: float, knee: float) -> LegAngles:
    """A bent leg, in degrees, whose foot stays flat."""
    return LegAngles(radians(hip), radians(knee), radians(knee - hip))


def _bump(phase: float, middle: float, reach: float) -> float:
    """From 0 up to 1 in the middle and back to 0, smoothly, once in every repetition."""
    away = abs(phase % 1.0 - middle) / reach
    return (1 + cos(pi * away)) / 2 if away < 1 else 0.0


ACTIONS: dict[str, tuple[Action, float]] = {
    "bow": (bow, 1.9),
    "clap": (clap, 0.55),
    "jump": (jump, 1.2),
    "kick": (kick, 1.3),
    "punch": (punch, 1.0),
    "squat": (squat, 1.6),
    "walk": (walk, 1.05),
    "wave": (wave, 0.8),
}
"""The actions by name, each with the seconds that one repetition takes on average."""
