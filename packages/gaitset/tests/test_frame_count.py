"""`--frames` of the preprocess commands: how many frames of a walk a .bin file holds."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]


@pytest.fixture(scope="module")
def frames(golden: Path) -> list[np.ndarray]:
    """The recorded frames of every tested walk, `(n, 64, 44) uint8`."""
    saved = np.load(golden / "preprocess_frames.npz")
    return [saved[key][:, :, 10:54] for key in sorted(saved.files)]


@pytest.fixture(scope="module")
def aligned(casia_b: Path, gaitset_once: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What step 1 makes of the small data set."""
    folder = tmp_path_factory.mktemp("step1")
    words = ("--input_path", casia_b, "--output_path", folder / "predata", "--log_file", folder / "log")
    assert gaitset_once("preprocess-step1", *words).code == 0
    return folder / "predata"


@pytest.mark.parametrize("count", [1, 50, 130])
@pytest.mark.parametrize("way", ["preprocess", "preprocess-step2"])
def test_the_first_frames_with_zeros_in_front(
    way: str, count: int, casia_b: Path, aligned: Path, frames: list[np.ndarray], tmp_path: Path, gaitset: Commands
) -> None:
    source = {"preprocess": ("--input_path", casia_b), "preprocess-step2": ("--data_path", aligned)}[way]
    bins = tmp_path / "bins"
    done = gaitset(way, *source, "--bin_file_path", bins, "--frames", count, "--dtype", "uint8")
    assert done.code == 0, done.err
    assert done.out == f"10 sequences to {bins}, each uint8 ({count}, 64, 44)\n"
    index = json.loads((tmp_path / "bins_index.json").read_text())
    assert index["inputs"] == [{"name": "image_seq", "dtype": "uint8", "shape": [count, 64, 44]}]
    assert len(frames) == 10
    for number, want in enumerate(frames):
        have = np.fromfile(bins / f"{number:04d}.bin", np.uint8).reshape(count, 64, 44)
        missing = max(count - len(want), 0)
        assert not have[:missing].any()
        assert np.array_equal(have[missing:], want[:count])


def test_shorter_walks_are_repeated_up_to_the_count(
    casia_b: Path, frames: list[np.ndarray], tmp_path: Path, gaitset: Commands
) -> None:
    words = ("--frames", 50, "--padding", "repeat", "--dtype", "uint8")
    assert gaitset("preprocess", "--input_path", casia_b, "--bin_file_path", tmp_path / "bins", *words).code == 0
    for number, want in enumerate(frames):
        have = np.fromfile(tmp_path / "bins" / f"{number:04d}.bin", np.uint8).reshape(50, 64, 44)
        assert np.array_equal(have, np.concatenate([want] * 50)[:50])


@pytest.mark.parametrize("count", ["0", "-1", "1.5", "all", ""])
def test_what_is_no_frame_count(count: str, casia_b: Path, tmp_path: Path, gaitset: Commands) -> None:
    done = gaitset("preprocess", "--input_path", casia_b, "--bin_file_path", tmp_path / "bins", "--frames", count)
    assert done.code == 2
    assert f"must be dynamic or a whole number from 1, got '{count}'" in done.err
    assert not (tmp_path / "bins").exists()
