"""What one camera does to every picture it takes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from modelzoo.common.synthetic.palette import RGB, pick, stream, vary

Structure = Literal["tiles", "poles", "crossing", "bricks", "windows", "hedge"]
STRUCTURES: tuple[Structure, ...] = ("tiles", "poles", "crossing", "bricks", "windows", "hedge")

WALLS: dict[Structure, RGB] = {
    "tiles": (206, 204, 194),
    "poles": (156, 176, 192),
    "crossing": (128, 128, 126),
    "bricks": (166, 98, 76),
    "windows": (196, 182, 156),
    "hedge": (188, 208, 222),
}
FLOORS: dict[Structure, RGB] = {
    "tiles": (176, 168, 156),
    "poles": (148, 146, 140),
    "crossing": (98, 98, 102),
    "bricks": (158, 150, 142),
    "windows": (186, 172, 164),
    "hedge": (136, 164, 98),
}

_STREAM = 2


@dataclass(frozen=True, slots=True)
class Camera:
    """The place, the viewpoint and the optics of one camera.

    Attributes:
        structure: What stands in the background.
        wall: Colour of everything above the horizon, RGB.
        floor: Colour of the ground, RGB.
        height: Viewpoint, from 0 (eye level) to 1 (high up: short legs, much floor).
        shear: Sideways lean of a standing person, as a share of their height, -0.04 to 0.04.
        brightness: Gain, 0.65 to 1.12.
        gamma: Tone curve exponent, 0.8 to 1.25; above 1 is darker.
        cast: Gains of red, green and blue, 0.88 to 1.12.
        noise: Standard deviation of the pixel noise, in levels of 255.
        blur: Radius of the blur as a share of the picture's height.
    """

    structure: Structure
    wall: RGB
    floor: RGB
    height: float
    shear: float
    brightness: float
    gamma: float
    cast: tuple[float, float, float]
    noise: float
    blur: float

    @classmethod
    def sample(cls, camera: int, seed: int = 0) -> "Camera":
        """Camera number `camera` (0 or more) of the site that `seed` names.

        Neighbouring numbers get different structures.
        """
        rng = stream(_STREAM, seed, camera)
        structure = STRUCTURES[(camera + seed) % len(STRUCTURES)]
        return cls(
            structure=structure,
            wall=vary(rng, WALLS[structure], 12),
            floor=vary(rng, FLOORS[structure], 12),
            height=float(rng.uniform(0.0, 1.0)),
            shear=float(rng.uniform(-0.04, 0.04)),
            brightness=float(rng.uniform(0.65, 1.12)),
            gamma=float(rng.uniform(0.8, 1.25)),
            cast=_cast(rng),
            noise=float(rng.uniform(2.0, 6.0)),
            blur=float(pick(rng, (0.0, 0.003, 0.006))),
        )


def _cast(rng: np.random.Generator) -> tuple[float, float, float]:
    """Channel gains between cool and warm, with a little green or magenta."""
    warmth, green = float(rng.uniform(-0.12, 0.12)), float(rng.uniform(-0.05, 0.05))
    return 1.0 + warmth, 1.0 + green, 1.0 - warmth
