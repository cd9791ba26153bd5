"""The body of a drawn walker: rounded parts on the points of a jointed skeleton, with a coat or a bag.

Every part is the convex hull of a few balls, so that whoever draws it needs nothing but places and radii.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

from modelzoo.common.synthetic.skeleton import Space

Points = Mapping[str, Space]
"""What `body_points` returns: left, up and forward in units of the standing height."""

Ball = tuple[Space, float]
"""Centre and radius."""

Part = list[Ball]
"""The convex hull of some balls."""

Bag = Literal["backpack", "shoulder bag", "handbag"]
BAGS: tuple[Bag, ...] = ("backpack", "shoulder bag", "handbag")

SIDES = (("left", 1.0), ("right", -1.0))

Row = tuple[float, float, float]
"""Of a trunk: the share of the way from hips to shoulders, that of the distance of the joints there, and the radius."""

TRUNK: tuple[Row, ...] = ((-0.05, 0.75, 0.062), (0.38, 0.48, 0.056), (0.75, 0.57, 0.063), (0.96, 0.95, 0.036))
COAT: tuple[Row, ...] = ((-0.10, 1.00, 0.083), (0.38, 0.67, 0.076), (0.75, 0.72, 0.076), (0.98, 1.00, 0.048))

Limb = tuple[tuple[str, float], ...]
"""Points of one side, and the radius at each."""

LIMBS: tuple[Limb, ...] = (
    (("hip", 0.050), ("knee", 0.037)),
    (("knee", 0.037), ("ankle", 0.026)),
    (("heel", 0.022), ("ankle", 0.026), ("toe", 0.017)),
    (("shoulder", 0.033), ("elbow", 0.027)),
    (("elbow", 0.027), ("wrist", 0.020)),
    (("wrist", 0.019), ("hand", 0.024)),
)
SLEEVES: tuple[Limb, ...] = ((("shoulder", 0.048), ("elbow", 0.041)), (("elbow", 0.041), ("wrist", 0.032)))
CALF, CALF_SHARE, CALF_BACK = 0.037, 0.3, 0.012
HEM = 0.075


def body_parts(points: Points, hair: float) -> list[Part]:
    """A body in close-fitting clothes.

    Args:
        points: Where its skeleton is.
        hair: How far the hair stands off the skull.
    """
    return [*_limbs(points, LIMBS), *_calves(points), *_trunk(points, TRUNK), *_head(points, hair)]


def coat_parts(points: Points, hem: float) -> list[Part]:
    """A wide coat, which covers the trunk, the arms and some of the thighs.

    Args:
        points: Where the skeleton is.
        hem: How far down the thighs it reaches, as a share.
    """
    waist = _row(points, COAT[0])
    hems = [(_between(points[f"{side}_hip"], points[f"{side}_knee"], hem), HEM) for side, _ in SIDES]
    collar = [(points["neck"], 0.050), *_row(points, COAT[-1])]
    return [*_limbs(points, SLEEVES), *_trunk(points, COAT), [*waist, *hems], collar]


def bag_part(points: Points, bag: Bag) -> Part:
    """What is carried.

    Args:
        points: Where the skeleton is.
        bag: On the back, at the right hip, or in the right hand.
    """
    if bag == "backpack":
        hips, shoulders = _middle(points, "hip"), _middle(points, "shoulder")
        places = [_between(hips, shoulders, share) for share in (0.30, 0.92)]
        return [(_moved(place, x, 0.0, -0.095), 0.055) for place in places for x in (-0.045, 0.045)]
    if bag == "shoulder bag":
        hip = points["right_hip"]
        return [(_moved(hip, -0.085, up, ahead), 0.03) for up in (-0.06, 0.06) for ahead in (-0.085, 0.045)]
    hand = points["right_hand"]
    low = [(_moved(hand, 0.0, -0.15, ahead), 0.022) for ahead in (-0.07, 0.07)]
    return [(hand, 0.012), (_moved(hand, 0.0, -0.05, -0.055), 0.02), (_moved(hand, 0.0, -0.05, 0.055), 0.02), *low]


def _limbs(points: Points, limbs: Sequence[Limb]) -> list[Part]:
    return [[(points[f"{side}_{name}"], radius) for name, radius in limb] for side, _ in SIDES for limb in limbs]


def _calves(points: Points) -> list[Part]:
    """What the calf adds behind the shin."""
    parts = []
    for side, _ in SIDES:
        knee, ankle = points[f"{side}_knee"], points[f"{side}_ankle"]
        belly = _moved(_between(knee, ankle, CALF_SHARE), 0.0, 0.0, -CALF_BACK)
        parts.append([(knee, 0.034), (belly, CALF), (ankle, 0.024)])
    return parts


def _trunk(points: Points, rows: Sequence[Row]) -> list[Part]:
    return [[*_row(points, low), *_row(points, high)] for low, high in pairwise(rows)]


def _row(points: Points, row: Row) -> Part:
    share, width, radius = row
    ends = (_between(points[f"{side}_hip"], points[f"{side}_shoulder"], share) for side, _ in SIDES)
    return [((width * x, y, z), radius) for x, y, z in ends]


def _head(points: Points, hair: float) -> list[Part]:
    head, neck = points["head"], points["neck"]
    skull = [(_moved(head, 0.0, 0.004, 0.008), 0.047), (_moved(head, 0.0, 0.008, -0.012), 0.047 + hair)]
    face = [*skull, (_moved(head, 0.0, -0.046, 0.022), 0.027), (points["nose"], 0.006)]
    throat = [(_moved(neck, 0.0, 0.05, 0.0), 0.033), (neck, 0.037)]
    return [face, throat, [(neck, 0.036), *_row(points, TRUNK[-1])]]


def _middle(points: Points, name: str) -> Space:
    return _between(points[f"left_{name}"], points[f"right_{name}"], 0.5)


def _between(start: Space, end: Space, share: float) -> Space:
    """The point at a share of the way from one to the other."""
    (a, b, c), (x, y, z) = start, end
    return a + share * (x - a), b + share * (y - b), c + share * (z - c)


def _moved(point: Space, left: float, up: float, ahead: float) -> Space:
    x, y, z = point
    return x + left, y + up, z + ahead
