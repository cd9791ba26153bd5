"""Which frames are drawn: the original's, number by number."""

from typing import Any

import numpy as np
import pytest

from modelzoo.posec3d.sampling import sample_views


def test_the_frames_of_every_recording_are_the_original_s(recorded: dict[str, dict[str, Any]]) -> None:
    lengths = {row["T"] for row in recorded.values()}
    assert lengths == {1, 7, 30, 48, 50, 60, 95, 96, 100, 321}  # shorter than a clip, than two, and longer
    for row in recorded.values():
        views = sample_views(row["T"])
        assert views.shape == (10, 48)
        assert np.array_equal(views.ravel(), row["frame_inds"]), row["name"]


def test_few_frames_are_played_again_from_other_starts() -> None:
    assert sample_views(9)[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 0]
    assert sample_views(10)[:, 0].tolist() == list(range(10))
    assert sample_views(47)[:, 0].tolist() == [0, 4, 9, 14, 18, 23, 28, 32, 37, 42]
    assert sample_views(47)[9, :7].tolist() == [42, 43, 44, 45, 46, 0, 1]


@pytest.mark.parametrize("frames", [48, 49, 95, 96, 97, 1000])
def test_frames_are_in_order_and_from_all_over_the_recording(frames: int) -> None:
    views = sample_views(frames)
    assert (np.diff(views) > 0).all()
    assert views.min() >= 0
    assert views.max() < frames
    assert (views[:, 0] < max(2, frames / 48 + frames - 48)).all()
    if frames >= 96:
        parts = np.arange(49) * frames // 48
        assert ((views >= parts[:-1]) & (views < parts[1:])).all()


def test_the_global_random_numbers_are_left_alone() -> None:
    np.random.seed(1)  # noqa: NPY002 - the global generator is what this is about
    expected = np.random.random(3)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    for frames in (5, 60, 200):
        sample_views(frames)
    assert np.array_equal(np.random.random(3), expected)  # noqa: NPY002
