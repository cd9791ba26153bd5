"""One row of a JSON file of keypoints: a person in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.posec3d.skeletons import LARGEST
from modelzoo.posec3d.spec import JOINTS
from modelzoo.posec3d.values import shown

if TYPE_CHECKING:
    import numpy as np

PERSON = 1
"""The number of people among COCO's categories."""

NUMBERS = JOINTS * 3

OTHER_JOINTS = {26: "Halpe", 133: "COCO-WholeBody", 136: "Halpe"}
"""Sets of joints whose first 17 are those of COCO."""


def is_person(row: dict[str, Any]) -> bool:
    """Whether a row is of a person; those without a category are."""
    return bool(row.get("category_id", PERSON) == PERSON)


def joints_of(row: dict[str, Any], where: str) -> np.ndarray:
    """The joints of a person.

    Args:
        row: With `keypoints`: x, y and score of each joint, one after the other. COCO's flag of visibility is taken for
            a score, too: who annotates is sure of what is seen or hidden (1 and 2), and knows nothing of the rest (0).
        where: What messages call the row.

    Returns:
        `(17, 3) float32`: x and y in pixels, score 0..1; a larger one counts as 1, a negative one as 0.

    Raises:
        DataError: They are not 51 numbers, or one of them could not be a pixel of an image.
    """
    import numpy as np

    values = row.get("keypoints")
    if not isinstance(values, list) or not set(map(type, values)) <= {int, float}:
        raise DataError(f"{where}: keypoints is {shown(values)}, not a list of {NUMBERS} numbers")
    if len(values) != NUMBERS:
        raise _wrong_count(len(values), where)
    wrong = next((value for value in values if not abs(value) < LARGEST), None)
    if wrong is not None:
        raise DataError(f"{where}: keypoints holds {shown(wrong)}, which is no pixel of an image")
    joints = np.array(values, np.float32).reshape(JOINTS, 3)
    joints[:, 2] = joints[:, 2].clip(0, 1)
    return joints


def _wrong_count(count: int, where: str) -> DataError:
    joints, rest = divmod(count, 3)
    if rest:
        return DataError(f"{where}: keypoints has {count} numbers, not {NUMBERS}: x, y and score of {JOINTS} joints")
    known = OTHER_JOINTS.get(joints)
    hint = f"the first {JOINTS} joints of {known} are COCO's: leave the numbers after the first {NUMBERS} out"
    return DataError(f"{where}: keypoints has {joints} joints, not the {JOINTS} of COCO", hint if known else None)
