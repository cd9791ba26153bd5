"""People who act before a camera, as the keypoints that a pose estimator would see."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians, sin
from typing import TYPE_CHECKING

from modelzoo.common.synthetic.skeleton import JOINT_NAMES, Proportions, Space, Stance, body_points, turned
from modelzoo.posec3d.geometry import Size
from modelzoo.posec3d.synthetic.actions import ACTIONS, ARM, mirrored

if TYPE_CHECKING:
    import numpy as np

FPS = 25
"""Frames a second."""

IMAGES: tuple[Size, ...] = ((240, 320), (240, 424), (240, 304))
"""Height and width of recordings, pixels; HMDB51's are 240 high."""

TILT = 0.12
"""How much lower what is nearer stands in the picture."""

SPEED, FOLLOWED = 0.78, 0.7
"""Heights a second of who walks, and how much of that the camera follows."""

BLUR = 0.007
"""Standard deviation of a joint's place where it is seen well, in heights of the person."""

MISSED = 0.01
"""How often a joint is not found at all."""


@dataclass(frozen=True)
class Actor:
    """Somebody in a scene.

    Args:
        action: A key of `ACTIONS`, or empty for who only stands there.
        proportions: Lengths of the body's parts.
        height: In pixels.
        feet: Where the person stands on average, x and y in pixels.
        turn: Direction of the person's front in radians; see `skeleton.turned`.
        left_handed: Whether left and right are exchanged.
        extent: How far the person moves, as a share of the average.
        tempo: How fast, as a share of the average.
        start: Phase of the action in the first frame.
    """

    action: str
    proportions: Proportions
    height: float
    feet: tuple[float, float]
    turn: float
    left_handed: bool
    extent: float
    tempo: float
    start: float

    def joints(self, seconds: float) -> np.ndarray:
        """Where the joints are at a moment.

        Args:
            seconds: Before or after the middle of the recording.

        Returns:
            `(17, 3) float64`: x and y in pixels, and how much nearer than the middle of the body, in heights.
        """
        import numpy as np

        points = body_points(self.proportions, self._stance(seconds))
        gone = SPEED * self.tempo * self.extent * seconds * (1 - FOLLOWED) if self.action == "walk" else 0.0
        behind = 0.0 if self.action == "walk" else min(points["left_ankle"][2], points["right_ankle"][2])
        seen = np.array([turned(_moved(points[name], gone - behind), self.turn) for name in JOINT_NAMES])
        x = self.feet[0] + self.height * seen[:, 0]
        y = self.feet[1] - self.height * (seen[:, 1] - TILT * seen[:, 2])
        return np.stack([x, y, seen[:, 2] - seen[:, 2].mean()], axis=1)

    def _stance(self, seconds: float) -> Stance:
        if not self.action:
            return Stance(left_arm=ARM, right_arm=ARM, lean=radians(2) * sin(seconds))
        action, period = ACTIONS[self.action]
        stance = action(self.start + seconds * self.tempo / period, self.extent)
        return mirrored(stance) if self.left_handed else stance


def cast(action: str, image: Size, random: np.random.Generator) -> list[Actor]:
    """Who is in a recording: somebody who acts, and sometimes somebody who stands beside.

    Args:
        action: What is done.
        image: Height and width of the frames in pixels.
        random: Draws everything that differs.
    """
    height, width = image
    actor = _actor(action, random.uniform(0.52, 0.68) * height, (width / 2, 0.9 * height), random)
    if random.random() < 0.7:
        return [actor]
    side = width * (0.12 if random.random() < 0.5 else 0.88)
    return [actor, _actor("", random.uniform(0.45, 0.5) * height, (side, 0.8 * height), random)]


def film(actors: list[Actor], frames: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Take a recording, with the errors of a pose estimator.

    Args:
        actors: Who is in it.
        frames: Its length.
        random: Draws the errors.

    Returns:
        `(people, frames, 17, 2) float16`, x and y in pixels, 0 where a joint was not found; and `(people, frames, 17)
        float16`, scores, 0..1.
    """
    import numpy as np

    times = (np.arange(frames) - (frames - 1) / 2) / FPS
    true = np.array([[actor.joints(float(time)) for time in times] for actor in actors])
    heights = np.array([actor.height for actor in actors])[:, None, None, None]
    hidden = np.clip(-true[..., 2:] / 0.1, 0, 1)
    blur = BLUR * heights * (1 + 2 * hidden)
    keypoints = true[..., :2] + blur * random.standard_normal((*true.shape[:3], 2))
    scores = (0.93 - 0.35 * hidden + 0.05 * random.standard_normal(hidden.shape)).clip(0.05, 0.99)
    found = random.random(hidden.shape) >= MISSED
    return (keypoints * found).astype(np.float16), (scores * found)[..., 0].astype(np.float16)


def _actor(action: str, height: float, feet: tuple[float, float], random: np.random.Generator) -> Actor:
    legs = random.uniform(0.95, 1.05)
    usual = Proportions()
    return Actor(
        action,
        Proportions(
            shin=usual.shin * legs,
            thigh=usual.thigh * legs,
            hips=random.uniform(0.045, 0.058),
            shoulders=random.uniform(0.095, 0.12),
        ),
        height=height,
        feet=feet,
        turn=radians(random.uniform(-65, 65)),
        left_handed=bool(random.random() < 0.5),
        extent=random.uniform(0.85, 1.1),
        tempo=random.uniform(0.8, 1.25),
        start=random.random(),
    )


def _moved(point: Space, ahead: float) -> Space:
    x, y, z = point
    return x, y, z + ahead
