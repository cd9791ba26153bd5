"""Somebody who walks: shape, gait and belongings, by a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import radians
from typing import Literal

import numpy as np

from modelzoo.common.synthetic.gait import Gait, walking
from modelzoo.common.synthetic.skeleton import Proportions, body_points
from modelzoo.gaitset.synthetic.body import BAGS, Bag, Part, bag_part, body_parts, coat_parts

Wear = Literal["nm", "bg", "cl"]
"""Normal, with a bag, in a coat: the conditions of CASIA-B."""

STRIDE = 0.82
"""Way of a cycle as a share of the height, where the legs swing as on average."""


@dataclass(frozen=True)
class Walker:
    """One person.

    Args:
        height: In metres.
        girth: Thickness of all parts of the body, as a share of the average.
        hair: How far the hair stands off the skull, as a share of the height.
        proportions: Lengths of the body's parts.
        gait: How they walk.
        cadence: Cycles a second; a cycle has two steps.
        bag: What they carry when they carry something.
        hem: How far down the thighs their coat reaches, as a share.
    """

    height: float
    girth: float
    hair: float
    proportions: Proportions
    gait: Gait
    cadence: float
    bag: Bag
    hem: float

    @classmethod
    def sample(cls, number: int, seed: int = 0) -> Walker:
        """The person that a number (0 or more) names.

        >>> Walker.sample(7) == Walker.sample(7)
        True
        """
        rng = np.random.default_rng([seed, number])

        def draw(low: float, high: float) -> float:
            return float(rng.uniform(low, high))

        return cls(
            height=draw(1.55, 1.88),
            girth=draw(0.85, 1.25),
            hair=draw(0.0, 0.012),
            proportions=_proportions(draw(0.95, 1.05), draw(0.043, 0.060), draw(0.094, 0.122)),
            gait=Gait(
                stride=draw(0.78, 1.15),
                knee_lift=draw(0.88, 1.12),
                arm_swing=draw(0.4, 1.6),
                elbow=radians(draw(14, 40)),
                arms_aside=radians(draw(4, 12)),
                legs_aside=radians(draw(-2, 2)),
                lean=radians(draw(-1, 7)),
            ),
            cadence=draw(0.82, 1.02),
            bag=BAGS[int(rng.integers(len(BAGS)))],
            hem=draw(0.3, 0.95),
        )

    def another_day(self, rng: np.random.Generator) -> Walker:
        """The same person on another walk: nobody walks twice alike."""

        def vary(value: float, spread: float) -> float:
            return value + spread * float(rng.uniform(-1, 1))

        usual = self.gait
        gait = replace(
            usual,
            stride=vary(usual.stride, 0.03),
            knee_lift=vary(usual.knee_lift, 0.03),
            arm_swing=vary(usual.arm_swing, 0.15),
            elbow=vary(usual.elbow, radians(4)),
            arms_aside=vary(usual.arms_aside, radians(1)),
            lean=vary(usual.lean, radians(1)),
        )
        return replace(self, gait=gait, cadence=vary(self.cadence, 0.03))

    @property
    def speed(self) -> float:
        """Metres a second."""
        return STRIDE * self.gait.stride * self.height * self.cadence

    def parts(self, phase: float, wear: Wear) -> list[Part]:
        """The body at one moment.

        Args:
            phase: Moment of the walking cycle; see `gait.walking`.
            wear: What they wear or carry.

        Returns:
            Its parts, as convex hulls of balls: left, up and forward from the ground below the hips, in metres.
        """
        points = body_points(self.proportions, walking(phase, self.gait))
        parts = body_parts(points, self.hair)
        if wear == "cl":
            parts += coat_parts(points, self.hem)
        parts = [[(place, self.girth * radius) for place, radius in part] for part in parts]
        if wear == "bg":
            parts.append(bag_part(points, self.bag))
        return [
            [((h * x, h * y, h * z), h * radius) for (x, y, z), radius in part] for h in [self.height] for part in parts
        ]


def _proportions(legs: float, hips: float, shoulders: float) -> Proportions:
    """Legs of a share of the average length on a body of the same height."""
    usual = Proportions()
    longer = (legs - 1.0) * (usual.thigh + usual.shin)
    return replace(
        usual,
        thigh=legs * usual.thigh,
        shin=legs * usual.shin,
        trunk=usual.trunk - longer,
        hips=hips,
        shoulders=shoulders,
    )
