"""The jointed body: where each of its points lies in space when every joint is bent by a given angle.

Body space has its origin on the ground below the hips; the unit is the standing height, and the axes point to the
person's left, up and forward.
"""

from dataclasses import dataclass
from math import cos, sin

JOINT_NAMES = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""The 17 COCO keypoints in COCO's order; left and right are the person's own."""

Space = tuple[float, float, float]

_SOLE, _HEEL = 0.02, 0.035
_HEAD = {
    "neck": (0.0, 0.032, 0.0),
    "head": (0.0, 0.127, 0.0),
    "nose": (0.0, 0.117, 0.066),
    "left_eye": (0.026, 0.135, 0.048),
    "right_eye": (-0.026, 0.135, 0.048),
    "left_ear": (0.062, 0.122, 0.0),
    "right_ear": (-0.062, 0.122, 0.0),
}


@dataclass(frozen=True, slots=True)
class Proportions:
    """Lengths as shares of the standing height; the defaults are near the average of adults.

    Source of the defaults: R. Drillis and R. Contini, Body Segment Parameters, 1966, with the shoulders drawn in to the
    joints and the hand up to its middle.

    Attributes:
        ankle: Height of the ankles.
        shin: From ankle to knee.
        thigh: From knee to hip.
        trunk: From the hips up to the shoulders.
        upper_arm: From shoulder to elbow.
        forearm: From elbow to wrist.
        hand: From the wrist to the middle of the hand.
        foot: From the ankle forward to the toes.
        hips: Half the distance between the hip joints.
        shoulders: Half the distance between the shoulder joints.
    """

    ankle: float = 0.039
    shin: float = 0.246
    thigh: float = 0.245
    trunk: float = 0.288
    upper_arm: float = 0.186
    forearm: float = 0.146
    hand: float = 0.05
    foot: float = 0.11
    hips: float = 0.05
    shoulders: float = 0.108

    @property
    def hip(self) -> float:
        """Height of the hips of a standing person."""
        return self.ankle + self.shin + self.thigh


@dataclass(frozen=True, slots=True)
class LegAngles:
    """How one leg is bent, in radians; 0 is standing.

    Attributes:
        hip: Thigh forward, from the vertical.
        knee: Shin back, from the line of the thigh.
        ankle: Toes up, from the right angle to the shin.
        aside: The whole leg outwards.
    """

    hip: float = 0.0
    knee: float = 0.0
    ankle: float = 0.0
    aside: float = 0.0


@dataclass(frozen=True, slots=True)
class ArmAngles:
    """How one arm is bent, in radians; 0 is hanging down.

    Attributes:
        shoulder: Upper arm forward, from the vertical.
        elbow: Forearm forward, from the line of the upper arm.
        aside: The whole arm outwards.
        twist: Upper arm about its own line, which turns a bent forearm outwards.
    """

    shoulder: float = 0.0
    elbow: float = 0.0
    aside: float = 0.0
    twist: float = 0.0


@dataclass(frozen=True, slots=True)
class Stance:
    """How the whole body is bent at one moment.

    Attributes:
        left_leg: The person's left leg.
        right_leg: The right leg.
        left_arm: The left arm.
        right_arm: The right arm.
        lean: Trunk and head forward, in radians; arms keep their angle to the vertical.
        lift: How far the lower foot is above the ground, in body units.
    """

    left_leg: LegAngles = LegAngles()
    right_leg: LegAngles = LegAngles()
    left_arm: ArmAngles = ArmAngles()
    right_arm: ArmAngles = ArmAngles()
    lean: float = 0.0
    lift: float = 0.0


def body_points(proportions: Proportions, stance: Stance) -> dict[str, Space]:
    """Every named point of a body whose lower foot stands on the ground, or as far above it as it jumps.

    Args:
        proportions: How long its parts are.
        stance: How they are bent.

    Returns:
        The COCO joints, and what drawings need besides: `neck`, `head`, and `hand`, `heel` and `toe` of each side.
    """
    points = {name: _on_trunk(point, proportions, stance.lean) for name, point in _HEAD.items()}
    for name, side, leg, arm in (
        ("left", 1.0, stance.left_leg, stance.left_arm),
        ("right", -1.0, stance.right_leg, stance.right_arm),
    ):
        limbs = _leg(proportions, leg, side) | _arm(proportions, arm, side, stance.lean)
        points |= {f"{name}_{part}": point for part, point in limbs.items()}
    lowest = min(points[f"{side}_{part}"][1] for side in ("left", "right") for part in ("heel", "toe"))
    rise = _SOLE - lowest + stance.lift
    return {name: (x, y + rise, z) for name, (x, y, z) in points.items()}


def turned(point: Space, turn: float) -> Space:
    """A point of body space as a camera sees it: to the picture's right, up and towards the camera.

    Args:
        point: In body space.
        turn: Direction of the person's front in radians: 0 towards the camera, a quarter turn to the picture's right.
    """
    x, y, z = point
    return x * cos(turn) + z * sin(turn), y, z * cos(turn) - x * sin(turn)


def _on_trunk(point: Space, proportions: Proportions, lean: float) -> Space:
    """A point that is given from the middle of the shoulders, on a trunk that leans forward."""
    x, up, ahead = point
    up += proportions.trunk
    return x, proportions.hip + up * cos(lean) - ahead * sin(lean), up * sin(lean) + ahead * cos(lean)


def _leg(proportions: Proportions, angles: LegAngles, side: float) -> dict[str, Space]:
    aside, shin = side * angles.aside, angles.hip - angles.knee
    hip = (side * proportions.hips, proportions.hip, 0.0)
    knee = _reach(hip, proportions.thigh, 0.0, angles.hip, aside)
    ankle = _reach(knee, proportions.shin, 0.0, shin, aside)
    heel, toe = (
        _reach(ankle, proportions.ankle - _SOLE, ahead, shin + angles.ankle, aside)
        for ahead in (-_HEEL, proportions.foot)
    )
    return {"hip": hip, "knee": knee, "ankle": ankle, "heel": heel, "toe": toe}


def _arm(proportions: Proportions, angles: ArmAngles, side: float, lean: float) -> dict[str, Space]:
    shoulder = _on_trunk((side * proportions.shoulders, 0.0, 0.0), proportions, lean)
    elbow = _reach(shoulder, proportions.upper_arm, 0.0, angles.shoulder, side * angles.aside)
    return {
        "shoulder": shoulder,
        "elbow": elbow,
        "wrist": _forearm(elbow, proportions.forearm, angles, side),
        "hand": _forearm(elbow, proportions.forearm + proportions.hand, angles, side),
    }


def _forearm(elbow: Space, length: float, angles: ArmAngles, side: float) -> Space:
    """The point on a forearm that is so far from the elbow."""
    down, bent = length * cos(angles.elbow), length * sin(angles.elbow)
    ahead, left = bent * cos(angles.twist), side * bent * sin(angles.twist)
    return _reach(elbow, down, ahead, angles.shoulder, side * angles.aside, left)


def _reach(start: Space, down: float, ahead: float, angle: float, aside: float, left: float = 0.0) -> Space:
    """The point `down`, `ahead` and `left` of `start` on a limb, swung forward by `angle`, then left by `aside`."""
    x, y, z = start
    below = down * cos(angle) - ahead * sin(angle)
    return (
        x + below * sin(aside) + left * cos(aside),
        y - below * cos(aside) + left * sin(aside),
        z + down * sin(angle) + ahead * cos(angle),
    )
