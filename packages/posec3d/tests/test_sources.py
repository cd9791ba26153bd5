"""Keypoints in the files that people have them in, and every bad one."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import DataError, UsageError
from modelzoo.posec3d.skeletons import UNSCORED
from modelzoo.posec3d.sources import choose, list_recordings
from modelzoo.posec3d.sources.recording import ESTIMATED

Row = dict[str, Any]


def person(image: Any, x: float = 10, score: float = 0.5, **given: Any) -> Row:
    """A row whose joints stand at x, 2x, 3x ... and y = 5."""
    joints = [value for number in range(1, 18) for value in (x * number, 5, score)]
    return {"image_id": image, "category_id": 1, "keypoints": joints, "score": 2.9, **given}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a JSON file."""

    def write(content: Any, name: str = "video.json") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


Write = Callable[..., Path]


def xs(path: Path, **options: Any) -> list[list[float]]:
    """x of the first joint of every person and frame of the only recording."""
    (source,) = list_recordings(path, **options)
    values: list[list[float]] = source.load().skeletons.keypoints[:, :, 0, 0].tolist()
    return values


def coco(files: list[str], rows: list[Row], **size: Any) -> dict[str, Any]:
    """A file of images, whose ids begin at 100, and of annotations."""
    size = size or {"width": 320, "height": 240}
    images = [{"id": 100 + i, "file_name": name, **size} for i, name in enumerate(files)]
    return {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "person"}]}


def test_results_of_alphapose(write: Write) -> None:
    """Frames in any order, two people in the second, nobody in the third; the surer one comes first."""
    rows = [person("3.jpg", 40), person("0.jpg", 10), person("1.jpg", 20, 0.3), person("1.jpg", 30, 0.6)]
    (source,) = list_recordings(write(rows), (240, 320))
    recording = source.load()
    assert (source.name, recording.name, recording.numbers, recording.remarks) == ("video", "video", range(4), ())
    people = recording.skeletons
    assert people.image == (240, 320)
    assert people.keypoints.shape == (2, 4, 17, 2)
    np.testing.assert_array_equal(people.keypoints[0, 1], [[30 * i, 5] for i in range(1, 18)])
    assert people.keypoints[:, :, 0, 0].tolist() == [[10, 30, 0, 40], [0, 20, 0, 0]]
    np.testing.assert_allclose(people.scores[:, :, 3], [[0.5, 0.6, 0, 0.5], [0, 0.3, 0, 0]])


def test_results_of_coco_have_numbers_for_names(write: Write) -> None:
    assert xs(write([person(12, 30), person(11, 20)])) == [[20, 30]]


def test_others_than_people_do_not_count(write: Write) -> None:
    assert xs(write([person("0.jpg", 10), person("0.jpg", 20, category_id=18)])) == [[10]]


def test_frames_may_be_numbered_in_steps(write: Write) -> None:
    (source,) = list_recordings(write([person(f"{n}.jpg", n + 1) for n in (20, 5, 10, 30)]))
    recording = source.load()
    assert recording.numbers == range(5, 31, 5)
    assert recording.skeletons.keypoints[0, :, 0, 0].tolist() == [6, 11, 0, 21, 0, 31]


def test_a_single_frame(write: Write) -> None:
    (source,) = list_recordings(write([person("frame_7.png", 9)]))
    assert source.load().numbers == range(7, 8)


def test_what_stands_before_the_numbers_names_the_recording(write: Write) -> None:
    rows = [person(name) for name in ("a.mp4/0.jpg", "b.mp4/0.jpg", "a.mp4/1.jpg", "cam2_0005.jpg", "cam2_0006.jpg")]
    sources = list_recordings(write(rows))
    assert {source.name: source.load().skeletons.scores.shape[1] for source in sources} == {
        "a.mp4": 2,
        "b.mp4": 1,
        "cam2": 2,
    }
    assert [source.name for source in choose(sources, "cam2")] == ["cam2"]
    assert choose(sources, None) == sources
    with pytest.raises(DataError, match="no recording d") as raised:
        choose(sources, "d")
    assert raised.value.hint == "there are a.mp4, b.mp4, cam2"


def test_the_image_is_as_large_as_the_joints_need_where_nobody_says(write: Write) -> None:
    (source,) = list_recordings(write([person("0.jpg", 10.03)]))
    recording = source.load()
    assert recording.skeletons.image == (5, 171)
    assert recording.remarks == (ESTIMATED,)


@pytest.mark.parametrize("key", ["idx", "track_id"])
def test_one_person_by_number(write: Write, key: str) -> None:
    rows = [person("0.jpg", 10, **{key: 1}), person("0.jpg", 20, **{key: [2]}), person("1.jpg", 30, **{key: 2.0})]
    assert xs(write(rows), track=2) == [[20, 30]]
    assert xs(write(rows)) == [[10, 30], [20, 0]]
    (source,) = list_recordings(write(rows), track=3)
    with pytest.raises(DataError, match="nobody in it has the number 3") as raised:
        source.load()
    assert raised.value.hint == "there are 1, 2"


def test_nobody_is_numbered(write: Write) -> None:
    (source,) = list_recordings(write([person("0.jpg")]), track=1)
    with pytest.raises(DataError) as raised:
        source.load()
    assert raised.value.hint == "its people have no numbers: leave out --track"


def test_images_and_annotations_of_coco(write: Write) -> None:
    """Frames are in the order of their names, whatever their ids; an image without people is a frame, too."""
    rows = [person(100, 10, 2), person(102, 30, 1), person(102, 40, 0), {"image_id": 101, "bbox": [1, 2, 3, 4]}]
    (source,) = list_recordings(write(coco(["f3.jpg", "f1.jpg", "f2.jpg", "f4.jpg"], rows)))
    recording = source.load()
    assert (recording.name, recording.numbers, recording.skeletons.image) == ("f", range(1, 5), (240, 320))
    assert recording.skeletons.keypoints[:, :, 0, 0].tolist() == [[0, 30, 10, 0], [0, 40, 0, 0]]
    assert recording.skeletons.scores[:, :, 0].tolist() == [[0, 1, 1, 0], [0, 0, 0, 0]]


def test_a_given_size_goes_before_that_of_coco(write: Write) -> None:
    path = write(coco(["1.jpg"], [person(100)]))
    (source,) = list_recordings(path, (480, 640))
    assert source.load().skeletons.image == (480, 640)


def test_coco_without_sizes(write: Write) -> None:
    (source,) = list_recordings(write(coco(["1.jpg"], [person(100)], flickr_url="")))
    assert source.load().remarks == (ESTIMATED,)


def test_scores_are_between_0_and_1(write: Write) -> None:
    (source,) = list_recordings(write([person(0, score=1.7), person(1, score=-0.2)]))
    assert source.load().skeletons.scores[0, :, 0].tolist() == [1, 0]


def test_annotations_of_all_splits(record: Callable[..., Row], write_annotations: Callable[..., Path]) -> None:
    records = [record("one", 3), record("two", 60, people=2, frames=8, keypoint_score=None)]
    sources = list_recordings(write_annotations(records, {"train1": ["one"], "test1": ["two"]}))
    one, two = (source.load() for source in sources)
    assert (one.name, one.label, one.numbers, one.remarks) == ("one", 3, range(60), ())
    assert (two.name, two.label, two.numbers, two.remarks) == ("two", 60, range(8), (UNSCORED,))
    np.testing.assert_array_equal(two.skeletons.keypoints, records[1]["keypoint"])


def test_a_single_annotation_without_name_and_label(record: Callable[..., Row], tmp_path: Path) -> None:
    path = tmp_path / "mine.pkl"
    path.write_bytes(pickle.dumps({**record("x", frame_dir=None), "label": None}))
    (source,) = list_recordings(path)
    assert (source.name, source.load().label) == ("mine", None)


def test_a_bad_annotation_does_not_keep_others_from_being_used(
    record: Callable[..., Row], write_annotations: Callable[..., Path]
) -> None:
    records = [record("bad", keypoint=np.zeros((1, 60, 13, 2))), record("good")]
    bad, good = list_recordings(write_annotations(records))
    assert good.load().name == "good"
    with pytest.raises(DataError, match="bad: keypoint has 13 joints"):
        bad.load()


def test_annotations_have_no_numbers_of_people(
    write_annotations: Callable[..., Path], record: Callable[..., Row]
) -> None:
    with pytest.raises(UsageError, match="--track is for JSON files"):
        list_recordings(write_annotations([record()]), track=1)


ROWS = {
    "whole body": ({"keypoints": [1.0] * 399}, "keypoints has 133 joints, not the 17 of COCO"),
    "13 joints": ({"keypoints": [1.0] * 39}, "keypoints has 13 joints, not the 17 of COCO"),
    "50 numbers": ({"keypoints": [1.0] * 50}, "keypoints has 50 numbers, not 51"),
    "nan": ({"keypoints": [float("nan")] * 51}, "keypoints holds nan, which is no pixel"),
    "infinite": ({"keypoints": [float("inf")] * 51}, "keypoints holds inf, which is no pixel"),
    "huge": ({"keypoints": [10**400] * 51}, "keypoints holds 1000"),
    "text": ({"keypoints": ["1"] * 51}, "not a list of 51 numbers"),
    "nested": ({"keypoints": [[1, 2, 3]] * 17}, "not a list of 51 numbers"),
    "true": ({"keypoints": [True] * 51}, "not a list of 51 numbers"),
    "none": ({"keypoints": None}, "not a list of 51 numbers"),
}


@pytest.mark.parametrize(("given", "said"), ROWS.values(), ids=ROWS)
def test_bad_joints(write: Write, given: Row, said: str) -> None:
    (source,) = list_recordings(write([person("0.jpg"), person("1.jpg", **given)]))
    with pytest.raises(DataError) as raised:
        source.load()
    assert said in str(raised.value)
    assert "video.json: entry 1: " in str(raised.value)
    assert len(str(raised.value)) < 300


def test_whole_body_says_what_to_do(write: Write) -> None:
    (source,) = list_recordings(write([person("0.jpg", keypoints=[1] * 399)]))
    with pytest.raises(DataError) as raised:
        source.load()
    assert "the first 17 joints of COCO-WholeBody are COCO's" in str(raised.value.hint)


FILES = {
    "other json": ({"a": 1}, "is not a file of keypoints"),
    "text": ('"words"', "is not a file of keypoints"),
    "number": ("3", "is not a file of keypoints"),
    "cut off": ('[{"image_id": ', "is not JSON, or is cut off"),
    "deep": ("[" * 100_000, "is not JSON, or is cut off"),
    "openpose": ({"0.jpg": {"version": "x", "bodies": []}}, "has the 18 joints of OpenPose"),
    "open": ({"0.jpg": {"version": "x", "people": []}}, "has the 18 joints of OpenPose"),
    "nobody": ([], "holds nobody: there is no frame with a person"),
    "only dogs": ([{"image_id": 1, "category_id": 18, "keypoints": []}], "holds nobody"),
    "no image": ([{"keypoints": [1] * 51}], "entry 0 is not an object with image_id and keypoints"),
    "boxes": ([{"image_id": 1, "bbox": [1, 2, 3, 4]}], "entry 0 is not an object with image_id and keypoints"),
    "no object": ([1], "entry 0 is not an object with image_id and keypoints"),
    "no number": (
        [person("0.jpg"), person("frame.jpg")],
        "entry 1: the image is called frame.jpg, which has no number",
    ),
    "long number": ([person("9" * 5000)], "which has no number of a frame"),
    "no name": ([person(None)], "entry 0: the image is None, not a number or a name"),
    "a list": ([person([1])], "entry 0: the image is [1], not a number or a name"),
    "negative": ([person(-1)], "entry 0: the image is -1, not a number"),
    "huge": ([person(10**30)], "not a number or a name"),
    "no images": ({"annotations": [person(1)]}, "has annotations, but no images"),
    "other images": (coco(["1.jpg"], [person(7)]), "annotation 0 is of no image of the file"),
    "list of ids": (coco(["1.jpg"], [person([100])]), "annotation 0 is of no image of the file"),
    "images without id": (
        {"images": [{"file_name": "1.jpg"}], "annotations": []},
        "image 0 is not an object with an id",
    ),
    "names without number": (coco(["a.jpg"], [person(100)]), "image 0: the image is called a.jpg, which has no number"),
    "twice": (coco(["1.jpg", "01.jpg"], [person(100)]), "image 1 is the second one of frame 1"),
    "nobody in coco": (coco(["1.jpg"], []), "holds nobody: there is no annotation with keypoints"),
}


@pytest.mark.parametrize(("content", "said"), FILES.values(), ids=FILES)
def test_bad_files(write: Write, content: Any, said: str) -> None:
    with pytest.raises(DataError) as raised:
        list_recordings(write(content))
    assert said in str(raised.value)
    assert "video.json" in str(raised.value)
    assert len(str(raised.value)) < 300


def test_images_of_two_sizes(write: Write) -> None:
    content = coco(["1.jpg", "2.jpg"], [person(100)])
    content["images"][1]["width"] = 640
    with pytest.raises(DataError, match="not all of one size") as raised:
        list_recordings(write(content))
    assert raised.value.hint == "--image-size says which one is right"


def test_a_size_that_is_none(write: Write) -> None:
    (source,) = list_recordings(write(coco(["1.jpg"], [person(100)], width=0, height="x")))
    with pytest.raises(DataError, match=r"video: img_shape is .*not height and width"):
        source.load()


def test_a_recording_of_coco_in_which_nobody_is(write: Write) -> None:
    first, second = list_recordings(write(coco(["a1.jpg", "b1.jpg"], [person(100)])))
    assert first.load().name == "a"
    with pytest.raises(DataError, match="b: nobody is seen in it"):
        second.load()


def test_numbers_that_no_video_has_take_no_memory(write: Write) -> None:
    (source,) = list_recordings(write([person(0), person(10**14 + 1), person(3)]))
    with pytest.raises(DataError, match="frames 0 to 100000000000001 with up to 1 people are too many") as raised:
        source.load()
    assert "numbered as in a video" in str(raised.value.hint)


def test_hours_are_enough(write: Write) -> None:
    (source,) = list_recordings(write([person(0), person(500_000), person(3)]))
    with pytest.raises(DataError, match="video: frames 0 to 500000 with up to 1 people are too many"):
        source.load()


def test_two_recordings_never_have_one_name(write: Write) -> None:
    sources = list_recordings(write([person("a_1.jpg"), person("a-1.jpg"), person("b_1.jpg")]))
    assert [source.name for source in sources] == ["a_", "a-", "b"]
    sources = list_recordings(write(coco(["a_1.jpg", "a-1.jpg"], [person(100), person(101)])))
    assert [source.name for source in sources] == ["a_", "a-"]
    with pytest.raises(DataError, match="the frames whose numbers follow 'video' and '' would be two recordings"):
        list_recordings(write([person("video1.jpg"), person("1.jpg")]))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such keypoint file"):
        list_recordings(tmp_path / "video.json")


def test_a_pickle_that_runs_something_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    with pytest.raises(DataError, match=r"os\.system"):
        list_recordings(path)
    assert not (tmp_path / "ran").exists()
