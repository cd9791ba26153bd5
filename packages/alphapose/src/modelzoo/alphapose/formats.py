"""Poses as JSON, in the three formats of the published demo; written frame by frame."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from modelzoo.alphapose import __version__
from modelzoo.alphapose.coco import PERSON
from modelzoo.alphapose.people import Person
from modelzoo.common.files import atomic_path

if TYPE_CHECKING:
    import numpy as np

RESULTS = "alphapose-results.json"
"""What the published demo calls its results."""

FORMATS = ("coco", "cmu", "open")

LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6

OPENPOSE_ORDER = (0, 17, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""The joints of `cmu` and `open`, by COCO's numbers; 17 is the neck."""

NAMES = {"cmu": ("bodies", "joints"), "open": ("people", "pose_keypoints_2d")}
"""What those two call the people of an image, and a person's numbers."""

UNKNOWN = 0
"""`idx` where nobody is followed."""


class ResultWriter:
    """Writes people as they are found: nothing is kept.

    `coco` is a list of people; `cmu` and `open` are objects, which hold the images with people by name.

    Args:
        file: Takes the text.
        form: One of `FORMATS`.
    """

    def __init__(self, file: TextIO, form: str) -> None:
        self._file = file
        self._form = form
        self._brackets = "[]" if form == "coco" else "{}"
        self._empty = True

    def write(self, name: str, people: Sequence[Person]) -> None:
        """Take the people of one image.

        Args:
            name: Its file name; no two images have one.
            people: Those in it.
        """
        if self._form == "coco":
            for person in people:
                self._entry(json.dumps(coco_result(name, person)))
        elif people:
            self._entry(f"{json.dumps(name)}: {json.dumps(named_people(people, self._form))}")

    def end(self) -> None:
        """Close the list or object."""
        end = self._brackets[1]
        self._file.write(f"{self._brackets}\n" if self._empty else f"\n{end}\n")

    def _entry(self, text: str) -> None:
        self._file.write((f"{self._brackets[0]}\n" if self._empty else ",\n") + text)
        self._empty = False


@contextmanager
def open_results(path: Path, form: str) -> Iterator[ResultWriter]:
    """Write results into a file, which gets its name when all are there.

    Args:
        path: The JSON file.
        form: One of `FORMATS`.

    Raises:
        WriteError: It cannot be written.
    """
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as file:
        writer = ResultWriter(file, form)
        yield writer
        writer.end()


def coco_result(name: str, person: Person) -> dict[str, Any]:
    """A person in the published demo's form of COCO's result format.

    Args:
        name: File name of the image.
        person: The person.
    """
    return {
        "image_id": name,
        "category_id": PERSON,
        "keypoints": person.keypoints.ravel().tolist(),
        "score": person.score,
        "box": list(person.box),
        "idx": UNKNOWN if person.id is None else person.id,
    }


def named_people(people: Sequence[Person], form: str) -> dict[str, Any]:
    """The people of one image with 18 joints each, three numbers a joint.

    Args:
        people: The people.
        form: `cmu` or `open`.
    """
    listed, numbers = NAMES[form]
    rows = [{numbers: openpose_joints(person.keypoints).ravel().tolist()} for person in people]
    return {"version": f"modelzoo-alphapose {__version__}", listed: rows}


def openpose_joints(keypoints: np.ndarray) -> np.ndarray:
    """The joints in OpenPose's order, with the neck in the middle of the shoulders; its score is their mean, too.

    Args:
        keypoints: `(17, 3)`, x, y, score.

    Returns:
        `(18, 3) float64`, the same.
    """
    import numpy as np

    exact = keypoints.astype(np.float64)
    neck = exact[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(0, keepdims=True)
    joints: np.ndarray = np.concatenate((exact, neck))[list(OPENPOSE_ORDER)]
    return joints
