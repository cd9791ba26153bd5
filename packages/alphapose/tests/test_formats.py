"""The three JSON formats, by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.alphapose.formats import open_results
from modelzoo.alphapose.people import Person

SIDED = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
COCO = ["nose", *(f"{side}_{part}" for part in SIDED for side in ("left", "right"))]
OPENPOSE = [
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
]

KEYPOINTS = np.array([(10 + i, 100 + 2 * i, i / 32) for i in range(17)], np.float32)
SOMEBODY = Person((1.5, 2.0, 30.0, 40.0), KEYPOINTS, 2.75)


def written(path: Path, form: str, frames: list[tuple[str, list[Person]]]) -> Any:
    with open_results(path, form) as writer:
        for name, people in frames:
            writer.write(name, people)
    return json.loads(path.read_text())


def test_coco(tmp_path: Path) -> None:
    other = Person((5.0, 6.0, 7.0, 8.0), KEYPOINTS + 1, 1.5, id=4)
    frames = [("a.jpg", [SOMEBODY, other]), ("nobody.jpg", []), ("b.jpg", [SOMEBODY])]
    rows = written(tmp_path / "r.json", "coco", frames)
    assert [row["image_id"] for row in rows] == ["a.jpg", "a.jpg", "b.jpg"]
    numbers = [number for i in range(17) for number in (10 + i, 100 + 2 * i, i / 32)]
    assert rows[0] == {
        "image_id": "a.jpg",
        "category_id": 1,
        "keypoints": numbers,
        "score": 2.75,
        "box": [1.5, 2.0, 30.0, 40.0],
        "idx": 0,
    }
    assert (rows[1]["idx"], rows[1]["keypoints"]) == (4, [number + 1 for number in numbers])


@pytest.mark.parametrize(
    ("form", "listed", "joints"), [("cmu", "bodies", "joints"), ("open", "people", "pose_keypoints_2d")]
)
def test_the_formats_with_a_neck(form: str, listed: str, joints: str, tmp_path: Path) -> None:
    results = written(
        tmp_path / "r.json", form, [("a.jpg", [SOMEBODY, SOMEBODY]), ("nobody.jpg", []), ("b.jpg", [SOMEBODY])]
    )
    assert list(results) == ["a.jpg", "b.jpg"]
    assert set(results["a.jpg"]) == {"version", listed}
    assert [len(image[listed]) for image in results.values()] == [2, 1]
    (person,) = results["b.jpg"][listed]
    assert list(person) == [joints]
    assert len(person[joints]) == 54
    triples = dict(zip(OPENPOSE, np.reshape(person[joints], (18, 3)).tolist(), strict=True))
    assert triples.pop("neck") == [15.5, 111, (5 + 6) / 64]
    assert triples == dict(zip(COCO, KEYPOINTS.tolist(), strict=True))


@pytest.mark.parametrize(("form", "empty"), [("coco", []), ("cmu", {}), ("open", {})])
@pytest.mark.parametrize("frames", [[], [("a.jpg", [])]])
def test_nobody(form: str, empty: object, frames: list[Any], tmp_path: Path) -> None:
    assert written(tmp_path / "r.json", form, frames) == empty


def test_odd_names(tmp_path: Path) -> None:
    name = 'a "b" \udc80 ñ.jpg'
    assert list(written(tmp_path / "r.json", "open", [(name, [SOMEBODY])])) == [name]


def test_an_interrupted_run_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("of another run")

    def run() -> None:
        with open_results(path, "coco") as writer:
            writer.write("a.jpg", [SOMEBODY])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert path.read_text() == "of another run"
    assert list(tmp_path.iterdir()) == [path]
