"""The joint sets of the published networks, as far as a mirrored image changes them: which joints change sides.

COCO's 17 joints (Lin et al., ECCV 2014), and the 26 and 136 of Halpe-FullBody (Fang et al., TPAMI 2022), which go on
with head, neck, hip and feet, then with 68 points of the face (Sagonas et al., ICCVW 2013) and 21 of each hand.
"""

from __future__ import annotations

from modelzoo.common.errors import UsageError

BODY = [(left, left + 1) for left in range(1, 17, 2)]
"""Eyes, ears, shoulders, elbows, wrists, hips, knees and ankles; joint 0 is the nose."""

FEET = [(20, 21), (22, 23), (24, 25)]
"""Big toes, small toes and heels; 17, 18 and 19 are head, neck and hip."""

FACE_START = 26

FACE = [
    *((i, 16 - i) for i in range(8)),  # jaw
    *((i, 43 - i) for i in range(17, 22)),  # brows
    *((i, 66 - i) for i in (31, 32)),  # nostrils
    *((i, 81 - i) for i in range(36, 40)),  # eyes, upper lids
    *((i, 87 - i) for i in (40, 41)),  # lower lids
    *((i, 102 - i) for i in (48, 49, 50)),  # mouth outside, upper lip
    *((i, 114 - i) for i in (58, 59)),  # lower lip
    *((i, 124 - i) for i in (60, 61)),  # mouth inside, upper lip
    (65, 67),
]
"""Pairs of the face, by their numbers there; what lies in the middle (chin, nose, lips) is no pair."""

HANDS = [(left, left + 21) for left in range(94, 115)]

PAIRS = {
    17: BODY,
    26: BODY + FEET,
    136: BODY + FEET + [(FACE_START + left, FACE_START + right) for left, right in FACE] + HANDS,
}
"""Joints that change places in a mirrored image, by the number of joints."""


def mirrored_order(joints: int) -> list[int]:
    """Where to find every joint among the heat maps of the mirrored image.

    Args:
        joints: Number of joints of the network, which names the set.

    Returns:
        As many numbers of joints.

    Raises:
        UsageError: No published joint set has this number, so that left and right are not known.

    >>> mirrored_order(17)
    [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    """
    if joints not in PAIRS:
        known = ", ".join(map(str, PAIRS))
        raise UsageError(
            f"a flip test needs to know which joints are left and right: known are sets of {known}, not of {joints}",
            "leave out the flip test",
        )
    order = list(range(joints))
    for left, right in PAIRS[joints]:
        order[left], order[right] = right, left
    return order
