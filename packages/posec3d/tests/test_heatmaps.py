"""The heat maps: the original's bits where this machine computes `exp` as it did, and a second implementation."""

import hashlib
from typing import Any

import numpy as np
import pytest

from modelzoo.posec3d.annotations import Annotation
from modelzoo.posec3d.clips import Clips, cut_clips

EXP_DIGEST = "464048926f7311c1ffd9181a8d4659e8a69b5e7203e84f806286a3f48e4d5bf1"
"""Of `exp` of the squares that occur, as the machine of the goldens computes it; others may differ in the last bit."""

Recorded = dict[str, dict[str, Any]]


def volume(clips: Clips) -> np.ndarray:
    out = np.empty((20, 17, 48, 56, 56), np.float32)
    clips.draw_volumes(out)
    return out


def exp_is_the_recorded_one() -> bool:
    values = np.exp(-np.linspace(0, 25, 100_000, dtype=np.float32))
    return hashlib.sha256(values).hexdigest() == EXP_DIGEST


def test_volumes_are_the_original_s(annotated: dict[str, Annotation], recorded: Recorded) -> None:
    same_exp = exp_is_the_recorded_one()
    for name, row in recorded.items():
        drawn = volume(cut_clips(annotated[name].skeletons))
        slices = drawn[[0, 9, 10, 19]][:, :, [0, 24, 47]]
        assert np.array_equal(slices > 0, row["slices"] > 0), name
        assert np.abs(slices - row["slices"]).max() <= 1e-6
        assert np.count_nonzero(drawn) == row["nonzero"]
        assert np.allclose(drawn.sum((2, 3, 4), dtype=np.float64), row["chan_sum"], rtol=0, atol=1e-3)
        assert hashlib.sha256(drawn).hexdigest() == row["sha256"] or not same_exp, name


def test_whole_clips_are_the_original_s(annotated: dict[str, Annotation], recorded: Recorded) -> None:
    """With a score at the limit, NaN and coordinates of 0."""
    drawn = volume(cut_clips(annotated["s05_t96_odd"].skeletons))
    for clip in (0, 10):
        expected = recorded["s05_t96_odd"][f"clip{clip}_full"]
        assert np.array_equal(drawn[clip] > 0, expected > 0)
        assert np.abs(drawn[clip] - expected).max() <= 1e-6


def slow_map(centres: list[tuple[float, float, np.float32]]) -> np.ndarray:
    """One map, joint by joint and pixel by pixel; behind the window the centre is rounded to single precision."""
    out = np.zeros((56, 56))
    for x, y, score in centres:
        if float(score) < 1e-4:
            continue
        for row in range(max(int(y - 1.8), 0), min(int(y + 1.8) + 1, 56)):
            for column in range(max(int(x - 1.8), 0), min(int(x + 1.8) + 1, 56)):
                square = (column - float(np.float32(x))) ** 2 + (row - float(np.float32(y))) ** 2
                value = np.exp(-square / (2 * 0.6**2)) * float(score)
                out[row, column] = max(out[row, column], value)
    return out


@pytest.fixture
def odd_clips() -> Clips:
    """Two people in three frames: joints inside, at the edges, outside, far away, alike, with odd scores."""
    random = np.random.default_rng(5)
    joints = random.uniform(-4, 60, (2, 3, 17, 3)).astype(np.float32)
    joints[..., 2] = random.uniform(0, 1, joints.shape[:3])
    places = [-2.5, -1.9, -1.8, -1.0, -0.5, 0, 1e-4, 1.7999, 1.8, 1.8001, 27.2, 53.2, 54.2, 55.9, 56, 57.8, 58.5]
    joints[0, 0, :, 0] = places
    joints[0, 1, :, 1] = places
    joints[0, 2, :6, 2] = [0, -1, 9.9e-5, 1e-4, 1.0001e-4, 1.5]
    joints[1, 2, 6:9, :2] = joints[0, 2, 6:9, :2]
    joints[1, 2, 9:12, :2] = [[1e6, 20], [20, -1e6], [1.6e7, 1.6e7]]
    return Clips(joints, np.arange(480).reshape(10, 48) % 3)


def test_a_second_implementation_draws_the_same(odd_clips: Clips) -> None:
    frames = np.full((6, 17, 56, 56), np.nan, np.float32)
    odd_clips.draw_frames(frames)
    partner = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    for frame in range(3):
        for joint in range(17):
            centres = [tuple(person[frame, joint]) for person in odd_clips.joints]
            mirrored = [tuple(person[frame, partner[joint]]) for person in odd_clips.joints]
            flipped = [(56 - np.float64(x) if x else 0.0, np.float64(y), score) for x, y, score in mirrored]
            plain = [(np.float64(x), np.float64(y), score) for x, y, score in centres]
            for drawn, expected in (
                (frames[frame, joint], slow_map(plain)),
                (frames[3 + frame, joint], slow_map(flipped)),
            ):
                assert np.array_equal(drawn > 0, expected > 0)
                assert np.abs(drawn - expected).max() < 1e-6


def test_clips_are_made_of_the_distinct_frames(odd_clips: Clips) -> None:
    frames = np.empty((6, 17, 56, 56), np.float32)
    odd_clips.draw_frames(frames)
    assert odd_clips.indices.shape == (20, 48)
    assert odd_clips.indices.dtype == np.int64
    assert np.array_equal(frames[odd_clips.indices].transpose(0, 2, 1, 3, 4), volume(odd_clips))


def test_a_flipped_clip_is_no_mirror_image(annotated: dict[str, Annotation]) -> None:
    drawn = volume(cut_clips(annotated["s01_t30_m1"].skeletons))
    assert not np.array_equal(drawn[10, 0], drawn[0, 0, :, :, ::-1])
    assert np.abs(drawn[10, 0, :, :, 1:] - drawn[0, 0, :, :, :0:-1]).max() < 0.2  # 56 - x moves it by one pixel


def test_what_is_there_is_overwritten(odd_clips: Clips) -> None:
    first = volume(odd_clips)
    again = np.full_like(first, 7)
    odd_clips.draw_volumes(again)
    assert np.array_equal(first, again)
