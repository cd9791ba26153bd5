"""The command `preprocess`: files, index, labels, and what it says before it writes."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.posec3d.annotations import check_annotation
from modelzoo.posec3d.preprocess import fingerprint

Commands = Callable[..., Finished]
Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]

KEYPOINTS = ("--format", "keypoints")

VOLUME = 20 * 17 * 48 * 56 * 56 * 4


class Disk(NamedTuple):
    """What `shutil.disk_usage` gives."""

    total: int
    used: int
    free: int


@pytest.fixture
def two(record: Record, write_annotations: Write) -> Path:
    return write_annotations([record("brush hair (1)", 30), record("wave.avi", 2, people=2)])


def test_the_guide_s_files(tmp_path: Path, posec3d: Commands, golden: Path) -> None:
    done = posec3d("preprocess", "--ann_file", golden / "hmdb51_synth.pkl", "--split", "train1",
                   "--frame_dir", "/nowhere", "--output_dir", tmp_path / "train")  # fmt: skip
    assert done.code == 0, done.err
    assert "note: --frame_dir is not needed" in done.err
    assert done.out == (
        f"1 recordings to {tmp_path}/train/bin, each float32 (20, 17, 48, 56, 56)\n"
        f"labels: {tmp_path}/train/hmdb51_label.txt\n"
    )
    assert (tmp_path / "train/hmdb51_label.txt").read_text() == "00000 5\n"
    assert (tmp_path / "train/bin/00000.bin").stat().st_size == VOLUME
    assert sorted(path.name for path in (tmp_path / "train").iterdir()) == ["bin", "bin_index.json", "hmdb51_label.txt"]


def test_volumes_of_the_files_are_those_of_the_original(
    tmp_path: Path, posec3d: Commands, recorded: dict[str, dict[str, Any]], golden: Path
) -> None:
    import pickle

    content = pickle.loads((golden / "hmdb51_synth.pkl").read_bytes())
    (tmp_path / "one.pkl").write_bytes(pickle.dumps({**content, "split": {"test1": ["s04_t100_tiny"]}}))
    done = posec3d("preprocess", "--ann_file", tmp_path / "one.pkl", "--output_dir", tmp_path / "out")
    assert done.code == 0, done.err
    volume = np.fromfile(tmp_path / "out/bin/00000.bin", np.float32).reshape(20, 17, 48, 56, 56)
    slices = volume[[0, 9, 10, 19]][:, :, [0, 24, 47]]
    assert np.abs(slices - recorded["s04_t100_tiny"]["slices"]).max() <= 1e-6
    assert np.count_nonzero(volume) == recorded["s04_t100_tiny"]["nonzero"]


def test_keypoints_index_and_labels(two: Path, tmp_path: Path, posec3d: Commands) -> None:
    done = posec3d("preprocess", "--ann_file", two, "--output_dir", tmp_path / "out", "--format", "keypoints")
    assert done.code == 0, done.err
    assert (tmp_path / "out/hmdb51_label.txt").read_text() == "00000 30\n00001 2\n"
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "out/bin").iterdir()}
    assert sizes == {"00000.bin": 97_920, "00001.bin": 2 * 97_920}
    index = json.loads((tmp_path / "out/bin_index.json").read_text())
    assert index["samples"] == [
        {"stem": "00000", "source": "brush hair (1)", "label": 30},
        {"stem": "00001", "source": "wave.avi", "label": 2},
    ]
    assert index["inputs"] == [{"name": "keypoints", "dtype": "float32", "shape": ["persons", 10, 48, 17, 3]}]
    assert (index["model"], index["complete"], index["skipped"]) == ("posec3d", True, [])


def test_room_for_a_number_of_people(two: Path, tmp_path: Path, posec3d: Commands) -> None:
    words = ("preprocess", "--ann_file", two, "--format", "keypoints")
    done = posec3d(*words, "--output_dir", tmp_path / "three", "--persons", 3)
    assert done.code == 0, done.err
    assert {path.stat().st_size for path in (tmp_path / "three/bin").iterdir()} == {3 * 97_920}
    done = posec3d(*words, "--output_dir", tmp_path / "one", "--persons", 1)
    assert done.code == 1
    assert done.error == "wave.avi: it has 2 people, but there is room for 1"
    assert "--persons 2 of preprocess makes room for all" in done.hint
    done = posec3d(*words[:-2], "--output_dir", tmp_path / "volumes", "--persons", 1)
    assert (done.code, done.error[:40]) == (2, "--persons belongs to --format keypoints:")


def test_there_is_no_other_dtype(two: Path, tmp_path: Path, posec3d: Commands) -> None:
    done = posec3d("preprocess", "--ann_file", two, "--output_dir", tmp_path / "out", "--dtype", "uint8")
    assert done.code == 2
    assert "argument --dtype: invalid choice: 'uint8'" in done.error
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_used_stops_before_anything_is_written(
    record: Record, write_annotations: Write, tmp_path: Path, posec3d: Commands
) -> None:
    path = write_annotations([record("a"), record("b", 51), record("c")])
    words = ("preprocess", "--ann_file", path, "--output_dir", tmp_path / "out", "--format", "keypoints")
    done = posec3d(*words)
    assert (done.code, done.error) == (1, "b: label is 51, but there are 51 actions, 0 to 50")
    assert done.hint == "run takes their number from the model, preprocess from --classes"
    assert not (tmp_path / "out").exists()
    done = posec3d(*words, "--on-error", "skip")
    assert done.code == 1
    assert "skipped: b: label is 51" in done.err
    assert (tmp_path / "out/hmdb51_label.txt").read_text() == "00000 3\n00002 3\n"
    index = json.loads((tmp_path / "out/bin_index.json").read_text())
    assert [row["source"] for row in index["skipped"]] == ["b"]
    done = posec3d(*words[:-3], tmp_path / "sixty", *words[-2:], "--classes", 60)
    assert done.code == 0, done.err


def test_an_interrupted_run_is_continued(two: Path, tmp_path: Path, posec3d: Commands) -> None:
    words = ("preprocess", "--ann_file", two, "--output_dir", tmp_path / "out", "--format", "keypoints")
    assert posec3d(*words).code == 0
    whole = tree(tmp_path / "out")
    index = tmp_path / "out/bin_index.json"
    index.write_text(index.read_text().replace('"complete": true', '"complete": false'))
    (tmp_path / "out/bin/00001.bin").unlink()
    kept = (tmp_path / "out/bin/00000.bin").stat().st_mtime_ns
    assert posec3d(*words).code == 0
    assert tree(tmp_path / "out") == whole
    assert (tmp_path / "out/bin/00000.bin").stat().st_mtime_ns == kept
    done = posec3d(*words)
    assert (done.code, done.error) == (1, f"the output folder {tmp_path}/out/bin is not empty")
    assert posec3d(*words, "--overwrite").code == 0
    assert tree(tmp_path / "out") == whole


def test_another_annotation_of_the_same_name_does_not_continue(
    record: Record, write_annotations: Write, tmp_path: Path, posec3d: Commands
) -> None:
    """A number would mean another recording."""
    write_annotations([record("a"), record("b")])
    words = (
        "preprocess",
        "--ann_file",
        tmp_path / "data.pkl",
        "--output_dir",
        tmp_path / "out",
        "--format",
        "keypoints",
    )
    assert posec3d(*words).code == 0
    index = tmp_path / "out/bin_index.json"
    index.write_text(index.read_text().replace('"complete": true', '"complete": false'))
    write_annotations([record("b"), record("a")])
    done = posec3d(*words)
    assert done.code == 1
    assert "it holds an interrupted run with other options or another source" in done.hint


def test_a_changed_annotation_file_is_written_again(
    record: Record, write_annotations: Write, tmp_path: Path, posec3d: Commands
) -> None:
    write_annotations([record("a")])
    words = (
        "preprocess",
        "--ann_file",
        tmp_path / "data.pkl",
        "--output_dir",
        tmp_path / "out",
        "--format",
        "keypoints",
    )
    assert posec3d(*words).code == 0
    before = tree(tmp_path / "out/bin")
    index = tmp_path / "out/bin_index.json"
    index.write_text(index.read_text().replace('"complete": true', '"complete": false'))
    path = write_annotations([record("a", keypoint=np.full((1, 60, 17, 2), 30.0))])
    os.utime(path, (path.stat().st_mtime + 5,) * 2)
    assert posec3d(*words).code == 0
    assert tree(tmp_path / "out/bin") != before


def test_much_is_said_aloud_with_its_exact_size(
    record: Record, write_annotations: Write, tmp_path: Path, posec3d: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_annotations([record(f"clip{number}", frames=2) for number in range(49)])
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(10**12, 0, 49 * VOLUME - 1))
    done = posec3d("preprocess", "--ann_file", path, "--output_dir", tmp_path / "out")
    assert (
        f"warning: 49 files of 204,718,080 bytes in {tmp_path}/out/bin are 10,031,185,920 bytes (10.0 GB)" in done.err
    )
    assert done.code == 1
    assert done.error == (
        f"the .bin files need 10,031,185,920 bytes, but there are 10,031,185,919 free for {tmp_path}/out/bin"
    )
    assert not (tmp_path / "out").exists()


def test_little_is_written_without_a_word(two: Path, tmp_path: Path, posec3d: Commands) -> None:
    done = posec3d("preprocess", "--ann_file", two, "--output_dir", tmp_path / "out", "--format", "keypoints")
    assert done.err == ""


def test_what_is_there_needs_no_room(
    two: Path, tmp_path: Path, posec3d: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("preprocess", "--ann_file", two, "--output_dir", tmp_path / "out", "--format", "keypoints", "--overwrite")
    assert posec3d(*words).code == 0
    before = tree(tmp_path / "out/bin")
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(10**12, 0, 0))
    assert posec3d(*words).code == 0
    assert tree(tmp_path / "out/bin") == before


def test_a_pickle_that_runs_something(tmp_path: Path, posec3d: Commands) -> None:
    (tmp_path / "bad.pkl").write_bytes(f"cos\nsystem\n(Vtouch {tmp_path}/trace\ntR.".encode())
    done = posec3d("preprocess", "--ann_file", tmp_path / "bad.pkl", "--output_dir", tmp_path / "out")
    assert done.code == 1
    assert done.error == f"cannot read {tmp_path}/bad.pkl: it names os.system, which is not data; nothing of it was run"
    assert not (tmp_path / "trace").exists()
    assert not (tmp_path / "out").exists()


def test_the_fingerprint_of_names_that_no_encoding_has(record: Callable[..., dict[str, Any]]) -> None:
    one, other = ([check_annotation(0, record(name), 51)] for name in ("x\ud800", "x\ud801"))
    assert fingerprint(one) != fingerprint(other)
