"""Compact, resize, crop, flip: the original's numbers, and its traps by hand."""

from typing import Any

import numpy as np
import pytest

from modelzoo.posec3d.annotations import Annotation
from modelzoo.posec3d.geometry import compact, crop, flip, mirrored_joints, place, resize


def drawn(annotation: Annotation, row: dict[str, Any]) -> np.ndarray:
    """The keypoints of the recorded frames, NaN made 0 as everywhere before the geometry."""
    keypoints = annotation.skeletons.keypoints[:, row["frame_inds"]].astype(np.float32)
    return np.nan_to_num(keypoints, nan=0)


def joints(*points: tuple[float, float]) -> np.ndarray:
    """One person in one frame; the joints that are not given were not seen."""
    array = np.zeros((1, 1, 17, 2), np.float32)
    array[0, 0, : len(points)] = np.reshape(points, (-1, 2))
    return array


def test_every_stage_is_the_original_s(annotated: dict[str, Annotation], recorded: dict[str, dict[str, Any]]) -> None:
    assert annotated.keys() == recorded.keys()
    for name, row in recorded.items():
        keypoints, image = compact(drawn(annotated[name], row), annotated[name].skeletons.image)
        assert keypoints.dtype == np.float32
        assert np.array_equal(keypoints, row["kp_compact"]), name
        assert list(image) == row["compact_img_shape"]
        keypoints, image = resize(keypoints, image)
        assert list(image) == row["resize_img_shape"]
        keypoints = crop(keypoints, image)
        assert keypoints.dtype == np.float32
        assert np.array_equal(keypoints, row["kp_final"]), name


def test_the_goldens_hold_the_traps(recorded: dict[str, dict[str, Any]]) -> None:
    assert recorded["s02_t60_m3"]["compact_img_shape"] == [351, 352]  # a box that is cut off square
    assert recorded["s04_t100_tiny"]["compact_img_shape"] == [240, 320]  # a box that is too small
    assert recorded["s04_t100_tiny"]["crop_bbox"] == [9, 0, 65, 56]


def test_a_box_is_square_around_all_joints_and_a_quarter_larger() -> None:
    keypoints, image = compact(joints((100, 100), (180, 140)), (240, 320))
    assert image == (100, 100)  # the larger side, 80, by 1.25
    assert keypoints[0, 0, :2].tolist() == [[10, 30], [90, 70]]


def test_a_box_may_begin_outside_the_image() -> None:
    keypoints, image = compact(joints((1, 10), (81, 90)), (240, 320))
    assert image == (100, 100)
    assert keypoints[0, 0, :2].tolist() == [[10, 10], [90, 90]]


def test_the_middle_of_a_box_is_a_sum_in_single_precision() -> None:
    """As the original computes it under NumPy 1.26; in double precision the box would end a pixel earlier."""
    keypoints, image = compact(joints((3248.6794, 100), (3735.1865, 200)), (4000, 4000))
    assert image == (608, 609)
    assert np.array_equal(keypoints[0, 0, :2], np.float32([[61.679443, 254], [548.1865, 354]]))


@pytest.mark.parametrize(("width", "moved"), [(9.5, False), (10, True)])
def test_less_than_ten_pixels_are_no_box(width: float, moved: bool) -> None:
    given = joints((100, 100), (100 + width, 160))
    keypoints, image = compact(given, (240, 320))
    assert (image != (240, 320)) is moved
    assert np.array_equal(keypoints, given) is not moved


def test_a_coordinate_of_zero_was_not_seen_whatever_the_other_one_is() -> None:
    keypoints, _ = compact(joints((0, 100), (100, 0), (180, 180)), (240, 320))
    assert keypoints[0, 0, 0, 0] == 0
    assert keypoints[0, 0, 1, 1] == 0
    assert (keypoints[0, 0, 0, 1], keypoints[0, 0, 1, 0]) == (10, 10)  # the box is that of what was seen


def test_nobody_is_seen() -> None:
    keypoints, image = compact(joints(), (240, 320))
    assert image == (240, 320)
    assert not keypoints.any()


def test_sides_are_rounded_to_whole_pixels_apart() -> None:
    keypoints, image = resize(joints((351, 352)), (351, 352))
    assert image == (56, 56)
    assert keypoints[0, 0, 0] == pytest.approx([351 * 56 / 352, 352 * 56 / 351])
    assert resize(joints(), (240, 427))[1] == (56, 100)


def test_the_middle_is_kept() -> None:
    assert crop(joints((9, 0)), (56, 75))[0, 0, 0].tolist() == [0, 0]
    assert place(joints((37.5, 12)), (56, 75))[0, 0, 0].tolist() == [28.5, 12]


def test_a_flip_is_about_28_and_leaves_0() -> None:
    assert flip(np.array([0, 1, 28, 55, 56, -2.5, 60.0])).tolist() == [0, 55, 28, 1, 0, 58.5, -4]
    assert flip(np.array([1e-9]))[0] != 56  # in double precision


def test_left_and_right_change_places() -> None:
    assert mirrored_joints() == [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
