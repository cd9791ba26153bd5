"""Annotation files: what is used, what is said of it, and one clear line for whatever is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import DataError
from modelzoo.posec3d.annotations import (
    AnnotationFile,
    check_annotation,
    read_annotations,
    recorded_skeletons,
    select_annotations,
)

Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]


def test_a_split_is_taken_in_the_order_of_the_file(record: Record, write_annotations: Write) -> None:
    records = [record(name, label) for label, name in enumerate("abcde")]
    path = write_annotations(records, {"train1": ["a", "d"], "test1": ["e", "c", "b"]})
    used = select_annotations(read_annotations(path), None, 51).used
    assert [(one.number, one.name, one.label) for one in used] == [(0, "b", 1), (1, "c", 2), (2, "e", 4)]
    train = select_annotations(read_annotations(path), "train1", 51)
    assert [one.name for one in train.used] == ["a", "d"]
    assert train.notes() == []


def test_a_split_that_is_missing(golden: Path) -> None:
    with pytest.raises(DataError, match=r"hmdb51_synth\.pkl has no split test2") as raised:
        read_annotations(golden / "hmdb51_synth.pkl").select("test2")
    assert raised.value.hint == "--split takes one of: train1, test1"


def test_a_split_without_annotations(record: Record, write_annotations: Write) -> None:
    path = write_annotations([record("a")], {"test1": ["b", "c"]})
    with pytest.raises(DataError, match="annotates none of the 2 recordings of the split test1"):
        read_annotations(path).select()


def test_names_without_an_annotation_are_counted(record: Record, write_annotations: Write) -> None:
    path = write_annotations([record("a")], {"test1": ["x", "a", "b"]})
    notes = select_annotations(read_annotations(path), None, 51).notes()
    assert notes == ["2 names of the split have no annotation, the first is b"]


def test_a_list_of_annotations_has_no_splits(record: Record) -> None:
    file = AnnotationFile(Path("list.pkl"), [record("a"), record("b")], None)
    assert [one.name for one in select_annotations(file, None, 51).used] == ["a", "b"]
    with pytest.raises(DataError, match=r"list\.pkl is a list of annotations without splits"):
        file.select("test1")


@pytest.mark.parametrize(
    "content", [{}, {"annotations": 3}, {"annotations": [3]}, {"annotations": [{"label": 1}]}, "text", [], None]
)
def test_a_pickle_of_something_else(content: Any, tmp_path: Path) -> None:
    import pickle

    path = tmp_path / "other.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=r"other\.pkl (does not hold annotations|has no annotations)"):
        read_annotations(path)


@pytest.mark.parametrize("splits", [["a"], {"test1": "a"}, {"test1": [1]}, {1: ["a"]}])
def test_splits_that_are_none(splits: Any, record: Record, write_annotations: Write) -> None:
    with pytest.raises(DataError, match=r"the 'split' of .* is not a dict of lists of names"):
        read_annotations(write_annotations([record("a")], splits))


def with_value(array: np.ndarray, value: float, frame: int = 7) -> np.ndarray:
    changed = array.astype(np.float32)
    changed[0, frame, 3] = value
    return changed


ARRAY, SCORES = np.full((2, 60, 17, 2), 50, np.float16), np.ones((2, 60, 17), np.float16)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"keypoint": None}, "it has no keypoint"),
        ({"keypoint": [1, 2]}, r"keypoint is a list, not an array \(people, frames, 17, 2\)"),
        ({"keypoint": np.ones((60, 17, 2))}, r"keypoint is float64 \(60, 17, 2\), not an array"),
        ({"keypoint": np.full((1, 60, 17, 2), "a")}, "keypoint is <U1"),
        ({"keypoint": np.ones((1, 60, 17, 3))}, "keypoint has 3 numbers a joint, not 2"),
        ({"keypoint": np.ones((1, 60, 25, 2))}, "keypoint has 25 joints, not the 17 of COCO"),
        ({"keypoint": np.ones((1, 0, 17, 2))}, "keypoint has no frames"),
        ({"keypoint": with_value(ARRAY, np.inf), "keypoint_score": SCORES}, "keypoint holds inf, which is no pixel"),
        ({"keypoint": with_value(ARRAY, -np.inf), "keypoint_score": SCORES}, "keypoint holds inf, which is no pixel"),
        ({"keypoint": with_value(ARRAY, 1e9), "keypoint_score": SCORES}, r"keypoint holds 1e\+09, which is no pixel"),
        ({"keypoint": ARRAY, "keypoint_score": with_value(SCORES, np.nan)}, "keypoint_score holds NaN or infinite"),
        ({"keypoint": ARRAY, "keypoint_score": with_value(SCORES, np.inf)}, "keypoint_score holds NaN or infinite"),
        (
            {"keypoint": ARRAY, "keypoint_score": SCORES[:1]},
            r"keypoint_score is float16 \(1, 60, 17\), but keypoint has",
        ),
        ({"keypoint": ARRAY, "keypoint_score": SCORES[:, :50]}, r"keypoint_score is float16 \(2, 50, 17\), but"),
        ({"keypoint_score": "high"}, "keypoint_score is a str, but keypoint has"),
        ({"total_frames": 0}, "total_frames is 0, not a number of frames"),
        ({"total_frames": -1}, "total_frames is -1, not a number of frames"),
        ({"total_frames": None}, "total_frames is None, not a number of frames"),
        ({"total_frames": 60.0}, r"total_frames is 60\.0, not a number of frames"),
        ({"total_frames": 61}, "total_frames is 61, but keypoint has 60 frames"),
        ({"img_shape": None}, "img_shape is None, not height and width"),
        ({"img_shape": (240, 0)}, r"img_shape is \(240, 0\), not height and width"),
        ({"img_shape": (240, 320, 3)}, r"img_shape is \(240, 320, 3\), not height and width"),
        ({"label": None}, "label is None, not the number of an action"),
        ({"label": 3.0}, r"label is 3\.0, not the number of an action"),
        ({"label": True}, "label is True, not the number of an action"),
        ({"label": 51}, "label is 51, but there are 51 actions, 0 to 50"),
        ({"label": -1}, "label is -1, but there are 51 actions"),
    ],
)
def test_an_annotation_that_cannot_be_used_is_named(given: dict[str, Any], said: str, record: Record) -> None:
    with pytest.raises(DataError, match=f"^clip_7: {said}"):
        check_annotation(7, record("clip_7") | given, 51)


def nested(depth: int) -> list[Any]:
    """Lists of the same list twice: small, unless somebody writes them out."""
    return [nested(depth - 1)] * 2 if depth else [1]


@pytest.mark.parametrize("value", [10**5000, nested(60), [10**5000]], ids=["digits", "nested", "both"])
@pytest.mark.parametrize("key", ["label", "total_frames", "img_shape"])
def test_values_that_are_endless_in_print(key: str, value: Any, record: Record) -> None:
    with pytest.raises(DataError, match=f"^clip: {key} is ") as raised:
        check_annotation(0, record() | {key: value}, 51)
    assert len(str(raised.value)) < 200


def test_frames_that_take_no_memory_are_counted_all_the_same(record: Record) -> None:
    given = record(keypoint=np.zeros((0, 2**57, 17, 2), np.int8), keypoint_score=None, total_frames=2**57)
    with pytest.raises(DataError, match="keypoint has 144,115,188,075,855,872 frames, more than the 500,000"):
        recorded_skeletons(given)


def test_the_size_of_the_image_as_an_array(record: Record, write_annotations: Write) -> None:
    path = write_annotations([record("a", img_shape=np.array([240, 320])), record("b", img_shape=np.ones((2, 2)))])
    file = read_annotations(path)
    assert recorded_skeletons(file.records[0])[0].image == (240, 320)
    with pytest.raises(DataError, match="img_shape is "):
        recorded_skeletons(file.records[1])


def test_keypoints_in_another_file(record: Record) -> None:
    """As in the annotations of Kinetics."""
    with pytest.raises(DataError, match="it has no keypoint") as raised:
        check_annotation(0, record(keypoint=None, filename="abc.pkl"), 400)
    assert raised.value.hint == "they are in the file abc.pkl, which is not read"


def test_a_name_that_acts_on_a_terminal_is_shown_as_text(record: Record) -> None:
    with pytest.raises(DataError, match=r"^a\\x1b\[2J: label is 99"):
        check_annotation(0, record("a\x1b[2J", 99), 51)


@pytest.mark.parametrize("label", [0, 50, np.int64(50), np.uint8(7)])
def test_labels_of_any_kind_of_number(label: Any, record: Record) -> None:
    checked = check_annotation(0, record(label=label), 51)
    assert checked.label == label
    assert type(checked.label) is int


def test_what_is_done_as_upstream_does_it_is_counted(record: Record, write_annotations: Write) -> None:
    unseen = with_value(record("nan")["keypoint"], np.nan)
    records = [
        record("usual"),
        record("empty", people=0),
        record("nan", keypoint=unseen),
        record("sure", keypoint_score=None),
        record("long", total_frames=50),
        record("longer", total_frames=1),
    ]
    selection = select_annotations(read_annotations(write_annotations(records)), None, 51)
    assert selection.notes() == [
        "1 of 6 recordings have no person: their heat maps are empty, the first is empty",
        "1 of 6 recordings have coordinates that are NaN, which count as not seen, the first is nan",
        "1 of 6 recordings have no keypoint_score: every joint counts as certain, the first is sure",
        "2 of 6 recordings have more frames in keypoint than total_frames says: the first ones are used, the first is "
        "long",
    ]


def test_only_the_first_frames_count(record: Record) -> None:
    given = record(total_frames=5)
    given["keypoint"] = with_value(given["keypoint"], np.inf)
    given["keypoint_score"] = with_value(given["keypoint_score"], np.nan)
    skeletons, _ = recorded_skeletons(given)
    assert skeletons.keypoints.shape == (1, 5, 17, 2)
    assert skeletons.scores.shape == (1, 5, 17)
    assert not skeletons.remarks


def test_missing_scores_are_1(record: Record) -> None:
    skeletons, _ = recorded_skeletons(record(people=2, keypoint_score=None))
    assert skeletons.scores.shape == (2, 60, 17)
    assert (skeletons.scores == 1).all()


def test_numbers_do_not_depend_on_what_is_skipped(record: Record, write_annotations: Write) -> None:
    path = write_annotations([record("a"), record("b", 99), record("c")])
    with pytest.raises(DataError, match=r"^b: label is 99"):
        select_annotations(read_annotations(path), None, 51)
    selection = select_annotations(read_annotations(path), None, 51, "skip")
    assert [(one.number, one.name) for one in selection.used] == [(0, "a"), (2, "c")]
    assert [(one.source, one.reason[:15]) for one in selection.skipped] == [("b", "b: label is 99,")]


def test_nothing_can_be_used(record: Record, write_annotations: Write) -> None:
    path = write_annotations([record("a", 99), record("b", 99)])
    with pytest.raises(DataError, match=r"no recording of .*data\.pkl can be used, the first: a: label is 99"):
        select_annotations(read_annotations(path), None, 51, "skip")


def test_recordings_of_one_name_are_both_used(record: Record, write_annotations: Write) -> None:
    used = select_annotations(read_annotations(write_annotations([record("a"), record("a", 5)])), None, 51).used
    assert [(one.number, one.label) for one in used] == [(0, 3), (1, 5)]
