"""Recordings into what the three forms of the graph take."""

import numpy as np
import pytest

from modelzoo.common.errors import DataError
from modelzoo.common.work import Deferred
from modelzoo.posec3d.annotations import Annotation
from modelzoo.posec3d.clips import Clips, cut_clips
from modelzoo.posec3d.skeletons import check_skeletons
from modelzoo.posec3d.spec import INPUTS


def arrays(clips: Clips, form: str, people: int | None = None) -> list[np.ndarray]:
    return [given.array() if isinstance(given, Deferred) else given for given in clips.inputs(form, people)]


@pytest.mark.parametrize("form", ["volumes", "keypoints", "frames"])
def test_the_tensors_are_those_of_the_specification(form: str, annotated: dict[str, Annotation]) -> None:
    tensors = arrays(cut_clips(annotated["s02_t60_m3"].skeletons), form)
    assert len(tensors) == len(INPUTS[form])
    for tensor, spec in zip(tensors, INPUTS[form], strict=True):
        assert tensor.dtype == spec.dtype
        assert spec.accepts((1, *tensor.shape))


def test_keypoints_are_those_of_the_views(annotated: dict[str, Annotation]) -> None:
    clips = cut_clips(annotated["s00_t100_m2"].skeletons)
    (keypoints,) = arrays(clips, "keypoints")
    scores = annotated["s00_t100_m2"].skeletons.scores.astype(np.float32)
    assert keypoints.shape == (2, 10, 48, 17, 3)
    assert np.array_equal(keypoints[1, 4, 30], clips.joints[1, clips.views[4, 30]])
    assert set(keypoints[0, ..., 5, 2].ravel()) <= set(scores[0, :, 5])


def test_there_is_room_for_more_people(annotated: dict[str, Annotation]) -> None:
    clips = cut_clips(annotated["s00_t100_m2"].skeletons)
    (own,), (padded,) = arrays(clips, "keypoints"), arrays(clips, "keypoints", 4)
    assert padded.shape == (4, 10, 48, 17, 3)
    assert np.array_equal(padded[:2], own)
    assert not padded[2:].any()


def test_there_is_no_room_for_fewer_people(annotated: dict[str, Annotation]) -> None:
    clips = cut_clips(annotated["s02_t60_m3"].skeletons)
    with pytest.raises(DataError, match="it has 3 people, but there is room for 2"):
        clips.inputs("keypoints", 2)


def test_nobody_gives_empty_maps() -> None:
    clips = cut_clips(check_skeletons((240, 320), np.zeros((0, 60, 17, 2)), np.zeros((0, 60, 17))))
    assert not arrays(clips, "volumes")[0].any()
    assert not arrays(clips, "frames")[0].any()
    (keypoints,) = arrays(clips, "keypoints")
    assert keypoints.shape == (1, 10, 48, 17, 3)
    assert not keypoints.any()


def test_every_distinct_frame_is_there_once(annotated: dict[str, Annotation]) -> None:
    for name, distinct in (("s08_t1", 1), ("s03_t7_m1", 7), ("s06_t48_noscore", 48), ("s09_t321_m1", 261)):
        clips = cut_clips(annotated[name].skeletons)
        assert clips.joints.shape[1] == distinct
        assert np.array_equal(np.unique(clips.views), np.arange(distinct))


def test_what_is_nan_was_not_seen() -> None:
    keypoints = np.random.default_rng(0).uniform(20, 200, (1, 5, 17, 2))
    unseen = keypoints.copy()
    keypoints[0, 2, 3, 0] = 0
    unseen[0, 2, 3, 0] = np.nan
    scores = np.ones((1, 5, 17))
    expected, found = (cut_clips(check_skeletons((240, 320), array, scores)) for array in (keypoints, unseen))
    assert np.array_equal(found.joints, expected.joints)
