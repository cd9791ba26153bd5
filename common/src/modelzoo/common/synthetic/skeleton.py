"""The body's geometry: where each joint of a walking person lies in space and in the picture.

Body space has its origin on the ground below the hips; the unit is the person's standing height, and the
axes point to the person's left, up and forward. View space is body space turned by the walking direction:
its axes point to the picture's right, up and towards the camera.
"""

from dataclasses import dataclass
from math import cos, pi, radians, sin

import numpy as np
from numpy.typing import NDArray

from modelzoo.common.synthetic.camera import Camera
from modelzoo.common.synthetic.person import Person
from modelzoo.common.synthetic.pose import Pose

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
Pixel = tuple[float, float]

_HIP, _SHOULDER, _ANKLE = 0.50, 0.788, 0.045
_THIGH, _SHIN, _FOOT = 0.235, 0.22, 0.075
_UPPER_ARM, _FOREARM, _HAND = 0.15, 0.135, 0.025
_STRIDE, _KNEE_LIFT, _ARM_SWING = radians(23), radians(48), radians(24)
_FILL, _GROUND, _TILT = 0.92, 0.965, 0.4


@dataclass(frozen=True, slots=True)
class Figure:
    """One person as one camera sees them.

    Attributes:
        spots: Named points in view space: the COCO joints and the drawing's own (toes, hands, head).
        rise: How far the walk lifts (above 0) or lowers the body, in body units.
        turn: Walking direction in radians.
        tilt: How much nearer the head is than the feet, from 0.
        lean: Sideways lean per unit of height.
        unit: Pixels per body unit.
        origin: The ground below the hips, in pixels.
    """

    spots: dict[str, Space]
    rise: float
    turn: float
    tilt: float
    lean: float
    unit: float
    origin: Pixel

    def size_at(self, up: float) -> float:
        """Pixels per body unit at height `up`: a high camera sees the head larger than the feet."""
        return self.unit * (1.0 + self.tilt * (up - 0.5))

    def to_pixel(self, point: Space) -> Pixel:
        """A point of view space in pixels from the picture's top left corner."""
        right, up, toward = point
        height = up + self.tilt * (up * up - up) / 2.0
        x = right * self.size_at(up) + self.lean * (height - 0.5) * self.unit
        return self.origin[0] + x, self.origin[1] - (height - 0.6 * self.tilt * toward) * self.unit

    def at(self, name: str) -> Pixel:
        """A named point in pixels."""
        return self.to_pixel(self.spots[name])


def build_figure(person: Person, camera: Camera, pose: Pose, size: tuple[int, int]) -> Figure:
    """Places a person in a picture of `size` (width, height) pixels."""
    width, height = size
    room = min(height, 2 * width)
    turn = radians(pose.facing)
    body, rise = _body(person.build, 2.0 * pi * pose.phase)
    return Figure(
        spots={name: _turned(point, turn) for name, point in body.items()},
        rise=rise,
        turn=turn,
        tilt=_TILT * camera.height,
        lean=camera.shear,
        unit=_FILL * room * person.height * pose.scale,
        origin=(width / 2 + pose.offset[0] * room, height / 2 + (_GROUND - 0.5 + pose.offset[1]) * room),
    )


def joints(person: Person, camera: Camera, pose: Pose, size: tuple[int, int] = (64, 128)) -> NDArray[np.float32]:
    """The COCO keypoints of the picture that `draw_person` draws from the same inputs.

    Args:
        person: Who is drawn.
        camera: The camera; its viewpoint moves the joints.
        pose: The moment.
        size: Width and height of the picture in pixels.

    Returns:
        (17, 2) float32, x and y in pixels from the picture's top left corner (the centre of the first pixel
        is at 0.5, 0.5), in the order of `JOINT_NAMES`. Joints that the body or an occluder hides have their
        true place too.
    """
    figure = build_figure(person, camera, pose, size)
    return np.array([figure.at(name) for name in JOINT_NAMES], dtype=np.float32)


def _body(build: float, angle: float) -> tuple[dict[str, Space], float]:
    """Every named point in body space and how far the walk lifts the body."""
    spots = _head()
    for name, side, swing in (("left", 1.0, angle), ("right", -1.0, angle + pi)):
        spots |= {f"{name}_{part}": point for part, point in _leg(side * 0.055 * build, swing).items()}
        spots |= {f"{name}_{part}": point for part, point in _arm(side, build, swing).items()}
    rise = _ANKLE - min(spots["left_ankle"][1], spots["right_ankle"][1])
    return {name: (x, y + rise, z) for name, (x, y, z) in spots.items()}, rise


def _head() -> dict[str, Space]:
    """The head's points; people look where they walk."""
    return {
        "head": (0.0, 0.915, 0.0),
        "neck": (0.0, 0.82, 0.0),
        "nose": (0.0, 0.905, 0.066),
        "left_eye": (0.026, 0.923, 0.048),
        "right_eye": (-0.026, 0.923, 0.048),
        "left_ear": (0.062, 0.91, 0.0),
        "right_ear": (-0.062, 0.91, 0.0),
    }


def _leg(x: float, angle: float) -> dict[str, Space]:
    """One leg, its thigh swinging with the sine of `angle` and its knee bent while it comes forward."""
    thigh = _STRIDE * sin(angle)
    shin = thigh - 0.12 - _KNEE_LIFT * max(0.0, cos(angle)) ** 2
    hip = (x, _HIP, 0.0)
    knee = _reach(hip, _THIGH, thigh)
    ankle = _reach(knee, _SHIN, shin)
    return {"hip": hip, "knee": knee, "ankle": ankle, "toe": _reach(ankle, _FOOT, shin * 0.6 + pi / 2 - 0.3)}


def _arm(side: float, build: float, angle: float) -> dict[str, Space]:
    """One arm, which swings against the leg of its side."""
    swing = -_ARM_SWING * sin(angle)
    bend = swing + 0.25 + 0.3 * max(0.0, -sin(angle))
    shoulder = (side * 0.112 * build, _SHOULDER, 0.0)
    elbow = _reach(shoulder, _UPPER_ARM, swing, side * 0.022)
    wrist = _reach(elbow, _FOREARM, bend, side * 0.006)
    return {"shoulder": shoulder, "elbow": elbow, "wrist": wrist, "hand": _reach(wrist, _HAND, bend)}


def _reach(start: Space, length: float, angle: float, aside: float = 0.0) -> Space:
    """The end of a bone that hangs from `start`, swung forward by `angle` radians."""
    x, y, z = start
    return x + aside, y - length * cos(angle), z + length * sin(angle)


def _turned(point: Space, turn: float) -> Space:
    """A point of body space in view space."""
    x, y, z = point
    return x * cos(turn) + z * sin(turn), y, z * cos(turn) - x * sin(turn)
