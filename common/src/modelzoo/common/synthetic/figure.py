"""One drawn person as one camera sees them: where every point of the body lies in the picture."""

from dataclasses import dataclass
from math import radians

import numpy as np
from numpy.typing import NDArray

from modelzoo.common.synthetic.camera import Camera
from modelzoo.common.synthetic.gait import Gait, walking
from modelzoo.common.synthetic.person import Person
from modelzoo.common.synthetic.pose import Pose
from modelzoo.common.synthetic.skeleton import JOINT_NAMES, Proportions, Space, body_points, turned

Pixel = tuple[float, float]

_GAIT = Gait(elbow=radians(14), lean=0.0)
_FILL, _GROUND, _TILT = 0.92, 0.965, 0.4


@dataclass(frozen=True, slots=True)
class Figure:
    """One person as one camera sees them.

    Attributes:
        spots: Named points: to the picture's right, up and towards the camera, in units of the standing height.
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
        """A point as the camera sees it, in pixels from the picture's top left corner."""
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
    proportions = _proportions(person.build)
    body = body_points(proportions, walking(pose.phase - 0.25, _GAIT))
    return Figure(
        spots={name: turned(point, turn) for name, point in body.items()},
        rise=body["left_hip"][1] - proportions.hip,
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


def _proportions(build: float) -> Proportions:
    """A drawn person has a larger head and shorter limbs than a real one."""
    return Proportions(
        ankle=0.045,
        shin=0.22,
        thigh=0.235,
        upper_arm=0.15,
        forearm=0.135,
        hand=0.025,
        foot=0.075,
        hips=0.055 * build,
        shoulders=0.112 * build,
    )
