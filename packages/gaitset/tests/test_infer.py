"""`gaitset infer`: folders of .bin files through exported graphs into the layout of ais_bench."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]


@pytest.fixture(scope="module")
def casia_b(network_golden: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The recorded network of CASIA-B."""
    return network_golden("casia-b")


@pytest.fixture
def walks(golden: Path, tmp_path: Path) -> Path:
    """The walks of two subjects of the small CASIA-B: of 120, 40, 30, 100 and 4 frames."""
    for subject in ("075", "076"):
        shutil.copytree(golden / "casia_b_tiny" / subject, tmp_path / "walks" / subject)
    return tmp_path / "walks"


def write_bins(folder: Path, sequences: list[np.ndarray]) -> Path:
    folder.mkdir()
    for number, sequence in enumerate(sequences):
        sequence.tofile(folder / f"{number:04d}.bin")
    return folder


def results(folder: Path) -> np.ndarray:
    files = sorted(folder.glob("*.bin"))
    assert [file.name for file in files] == [f"{number:04d}_0.bin" for number in range(len(files))]
    return np.stack([np.fromfile(file, np.float32).reshape(62, 256) for file in files])


@pytest.mark.parametrize("batchsize", [1, 2])
def test_bins_of_100_frames(
    batchsize: int, exported: Callable[[str], Path], casia_b: dict[str, Any], tmp_path: Path, gaitset: Commands
) -> None:
    bins = write_bins(tmp_path / "bins", list(casia_b["input_100"]))
    words = ("--input", bins, "--output", tmp_path, "--output_dirname", "result", "--batchsize", batchsize)
    done = gaitset("infer", "--model", exported("fixed"), *words)
    assert done.code == 0, done.err
    assert np.abs(results(tmp_path / "result") - casia_b["out_100"]).max() <= 2e-5
    summary = json.loads((tmp_path / "result_summary.json").read_text())
    made = [file for row in summary["filesinfo"].values() for file in row["outfiles"]]
    assert sorted(Path(file).name for file in made) == ["0000_0.bin", "0001_0.bin", "0002_0.bin"]


@pytest.mark.parametrize("batchsize", [1, 3])
@pytest.mark.parametrize("form", ["dynamic", "zeros"])
def test_bins_of_two_lengths_through_a_free_frame_axis(
    form: str,
    batchsize: int,
    exported: Callable[[str], Path],
    casia_b: dict[str, Any],
    tmp_path: Path,
    gaitset: Commands,
) -> None:
    """The length of a sequence follows from the size of its file; a batch holds one length."""
    sequences = [casia_b["input_30"][0], casia_b["input_40"][0], casia_b["input_30"][1], casia_b["input_30"][2]]
    bins = write_bins(tmp_path / "bins", sequences)
    words = ("--input", bins, "--output", tmp_path, "--output_dirname", "result", "--batchsize", batchsize)
    done = gaitset("infer", "--model", exported(form), *words)
    assert done.code == 0, done.err
    have = results(tmp_path / "result")
    answer = "out_40" if form == "dynamic" else "out_40_zero_padded_front_to_100"
    assert np.abs(have[1] - casia_b[answer][0]).max() <= 2e-5
    of_30 = np.abs(have[[0, 2, 3]] - casia_b["out_30"]).max()
    assert of_30 <= 2e-5 if form == "dynamic" else of_30 > 1e-3


def test_a_bin_of_another_length_is_named(
    exported: Callable[[str], Path], casia_b: dict[str, Any], tmp_path: Path, gaitset: Commands
) -> None:
    bins = write_bins(tmp_path / "bins", [casia_b["input_100"][0], casia_b["input_30"][0]])
    done = gaitset("infer", "--model", exported("fixed"), "--input", bins, "--output", tmp_path / "out")
    assert done.code == 1
    assert f"{bins / '0001.bin'} has {30 * 64 * 44 * 4} bytes" in done.error
    assert f"has {100 * 64 * 44 * 4}" in done.error
    assert not (tmp_path / "out").exists()


def test_a_bin_that_ends_within_a_frame_is_named(
    exported: Callable[[str], Path], casia_b: dict[str, Any], tmp_path: Path, gaitset: Commands
) -> None:
    bins = write_bins(tmp_path / "bins", [casia_b["input_30"][0].ravel()[:-1]])
    done = gaitset("infer", "--model", exported("dynamic"), "--input", bins, "--output", tmp_path / "out")
    assert done.code == 1
    assert f"{bins / '0000.bin'} has {30 * 64 * 44 * 4 - 4} bytes" in done.error
    assert f"a multiple of {64 * 44 * 4}" in done.error


def test_the_dynamic_way_of_the_guide_s_answer_for_walks_of_any_length(
    walks: Path, exported: Callable[[str], Path], tmp_path: Path, gaitset: Commands
) -> None:
    """Walks of up to 120 frames, whole in their files, against the guide's 100 frames."""
    answers = {}
    for form, frames in (("fixed", "100"), ("zeros", "dynamic")):
        bins = tmp_path / form / "bins"
        words = ("--input_path", walks, "--bin_file_path", bins, "--pid_num", 0, "--frames", frames)
        assert gaitset("preprocess", *words).code == 0
        out = ("--output", tmp_path / form, "--output_dirname", "result")
        done = gaitset("infer", "--model", exported(form), "--input", bins, *out)
        assert done.code == 0, done.err
        answers[form] = results(tmp_path / form / "result")
    sizes = [path.stat().st_size // (4 * 64 * 44) for path in sorted((tmp_path / "zeros" / "bins").iterdir())]
    assert sizes == [120, 40, 30, 100, 4]
    assert np.abs(answers["zeros"] - answers["fixed"]).max() <= 1e-5


def test_a_checkpoint_of_oumvlp_is_recognised(
    checkpoint_of: Callable[[str], Path],
    network_golden: Callable[[str], dict[str, Any]],
    casia_b: dict[str, Any],
    tmp_path: Path,
    gaitset: Commands,
) -> None:
    sequence = casia_b["input_40"][0]
    bins = write_bins(tmp_path / "bins", [np.concatenate([np.zeros((60, 64, 44), np.float32), sequence])])
    words = ("--input", bins, "--output", tmp_path, "--output_dirname", "result")
    done = gaitset("infer", "--model", checkpoint_of("oumvlp"), *words)
    assert done.code == 0, done.err
    want = network_golden("oumvlp")["out_40_zero_padded_front_to_100"][:1]
    assert np.abs(results(tmp_path / "result") - want).max() <= 1e-4
