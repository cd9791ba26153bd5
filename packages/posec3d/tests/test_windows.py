"""Windows of long recordings, and who counts in them."""

from itertools import pairwise

import numpy as np
import pytest

from modelzoo.posec3d.skeletons import Skeletons, check_skeletons
from modelzoo.posec3d.windows import (
    Segment,
    Window,
    cut_windows,
    is_somebody,
    most_certain,
    part,
    segments,
)


def says(frames: range, action: int | None, share: float = 0.6) -> Window:
    """A window in which an action of three is the most probable one."""
    if action is None:
        return Window(frames)
    probabilities = np.full(3, (1 - share) / 2)
    probabilities[action] = share
    return Window(frames, probabilities)


def people(scores: np.ndarray) -> Skeletons:
    """Skeletons with scores `(people, frames)` of all joints; x is the person, y the frame."""
    count, frames = scores.shape
    places = np.stack(np.meshgrid(np.arange(1, count + 1), np.arange(1, frames + 1), indexing="ij"), axis=-1)
    keypoints = np.repeat(places[:, :, None], 17, axis=2).astype(np.float32)
    return check_skeletons((100, 100), keypoints, np.repeat(scores[..., None], 17, axis=2).astype(np.float32))


@pytest.mark.parametrize(
    ("frames", "length", "stride", "wanted"),
    [
        (10, 4, 3, [(0, 4), (3, 7), (6, 10)]),
        (11, 4, 3, [(0, 4), (3, 7), (6, 10), (7, 11)]),
        (4, 4, 2, [(0, 4)]),
        (3, 4, 2, [(0, 3)]),
        (5, 4, 4, [(0, 4), (1, 5)]),
        (1, 1, 1, [(0, 1)]),
    ],
)
def test_windows_by_hand(frames: int, length: int, stride: int, wanted: list[tuple[int, int]]) -> None:
    assert cut_windows(frames, length, stride) == [range(*pair) for pair in wanted]


def test_windows_reach_every_frame_and_no_two_are_alike() -> None:
    for frames in range(1, 40):
        for length in range(1, 12):
            for stride in range(1, length + 1):
                windows = cut_windows(frames, length, stride)
                assert sorted({number for window in windows for number in window}) == list(range(frames))
                assert len(set(windows)) == len(windows)
                assert {len(window) for window in windows} == {min(length, frames)}


def test_segments_by_hand() -> None:
    """Middles at 2, 5, 8, 11 and 13: between them the edges 4 (3.5 to even), 6, 10 and 12."""
    windows = [
        says(range(4), 0, 0.5),
        says(range(3, 7), 0, 0.7),
        says(range(6, 10), 2, 0.8),
        says(range(9, 13), None),
        says(range(11, 15), 2, 0.9),
    ]
    found = segments(windows)
    assert [(one.frames, one.action) for one in found] == [
        (range(6), 0),
        (range(6, 10), 2),
        (range(10, 12), None),
        (range(12, 15), 2),
    ]
    assert [one.probability for one in found] == pytest.approx([0.6, 0.8, 0.0, 0.9])


def test_segments_share_the_recording_without_gaps() -> None:
    random = np.random.default_rng(0)
    for frames in (5, 50, 201):
        windows = [says(one, int(random.integers(3))) for one in cut_windows(frames, 16, 5)]
        found = segments(windows)
        assert [number for one in found for number in one.frames] == list(range(frames))
        assert all(a.action != b.action for a, b in pairwise(found))
    assert segments([]) == []


def test_one_window_is_one_segment() -> None:
    assert segments([says(range(9), 1, 0.8)]) == [Segment(range(9), 1, pytest.approx(0.8))]


def test_of_equal_actions_the_lower_number_is_taken() -> None:
    window = Window(range(3), np.array([0.2, 0.4, 0.4]))
    assert (window.action, window.certainty) == (1, 0.4)
    assert (Window(range(3)).action, Window(range(3)).certainty) == (None, 0.0)


def test_a_part_has_its_frames_only() -> None:
    cut = part(people(np.ones((2, 9))), range(3, 5))
    np.testing.assert_array_equal(cut.keypoints[:, :, 0, 1], [[4, 5], [4, 5]])
    assert cut.scores.shape == (2, 2, 17)


def test_somebody_is_who_has_a_joint_that_is_drawn() -> None:
    assert is_somebody(people(np.array([[0.0, 0.0002]])))
    assert not is_somebody(people(np.array([[0.0, 0.00009]])))
    assert not is_somebody(people(np.ones((0, 4))))


def test_the_most_certain_people_of_every_frame() -> None:
    scores = np.array([[0.9, 0.1, 0.5], [0.2, 0.8, 0.5], [0.5, 0.3, 0.6]])
    two = most_certain(people(scores), 2)
    np.testing.assert_allclose(two.scores[:, :, 4], [[0.9, 0.8, 0.6], [0.5, 0.3, 0.5]])
    np.testing.assert_array_equal(two.keypoints[:, :, 0, 0], [[1, 2, 3], [3, 3, 1]])
    np.testing.assert_array_equal(two.keypoints[:, :, 0, 1], [[1, 2, 3], [1, 2, 3]])
    assert most_certain(people(scores), 3).keypoints.shape == (3, 3, 17, 2)
