"""How a person stands in one picture."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from modelzoo.common.synthetic.palette import pick

View = Literal["front", "right", "back", "left"]
Occluder = Literal["none", "post", "bin", "bush"]
VIEWS: tuple[View, ...] = ("front", "right", "back", "left")
OCCLUDERS: tuple[Occluder, ...] = ("none", "post", "bin", "bush")


@dataclass(frozen=True, slots=True)
class Pose:
    """The moment of one picture.

    Attributes:
        phase: Place in the walking cycle, 0 to 1; at 0.25 the left leg is in front, at 0.75 the right.
        facing: Direction of walking in degrees: 0 towards the camera, 90 to the picture's right, 180 away,
            270 to the picture's left.
        offset: Shift to the right and down, as shares of the picture's height.
        scale: Size in the picture, 0.9 to 1.
        occluder: What stands in front of the person.
        occluder_at: Where it stands, from 0 (left edge) to 1 (right edge).
    """

    phase: float = 0.0
    facing: float = 0.0
    offset: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    occluder: Occluder = "none"
    occluder_at: float = 0.2

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Pose":
        """A random moment; one picture in four has an occluder, near one of its sides."""
        return cls(
            phase=float(rng.uniform(0.0, 1.0)),
            facing=float((90 * rng.integers(4) + rng.normal(0.0, 12.0)) % 360.0),
            offset=(float(rng.uniform(-0.02, 0.02)), float(rng.uniform(-0.01, 0.01))),
            scale=float(rng.uniform(0.9, 1.0)),
            occluder=pick(rng, OCCLUDERS[1:]) if rng.random() < 0.25 else "none",
            occluder_at=float(pick(rng, (0.0, 0.7)) + rng.uniform(0.0, 0.3)),
        )

    @property
    def view(self) -> View:
        """The nearest of the four main directions.

        >>> Pose(facing=350.0).view
        'front'
        """
        return VIEWS[round(self.facing / 90.0) % 4]
