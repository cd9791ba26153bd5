"""Which preprocess runs a result folder comes from: by the index that is given, else by the summary."""

import json
import re
from pathlib import Path

import pytest

from modelzoo.common.errors import DataError
from modelzoo.common.index import Index, write_index
from modelzoo.common.provenance import find_indices


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of two folders of inputs, written as `./out/bs1` from `tmp_path / "there"`."""
    folder = tmp_path / "there" / "out" / "bs1"
    folder.mkdir(parents=True)
    row = {"infiles": ["./a/x.bin", "b/x.bin"], "outfiles": ["./out/bs1/x_0.bin"]}
    folder.with_name("bs1_summary.json").write_text(json.dumps({"filesinfo": {"0": row}}))
    return folder


def written(folder: Path, model: str = "toy", complete: bool = True) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return write_index(folder, Index(model, "1", (), complete=complete))


def test_indices_beside_the_inputs_of_the_summary(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [written(tmp_path / "there" / name) for name in "ab"]
    written(tmp_path / "a", complete=False)
    monkeypatch.chdir(tmp_path)
    assert list(find_indices("toy", results)) == paths
    paths[1].unlink()
    assert list(find_indices("toy", Path("there/out/bs1"))) == paths[:1]


def test_results_that_were_moved_are_sought_from_the_working_directory(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = written(tmp_path / "cwd" / "b")
    moved = results.rename(tmp_path / "moved")
    results.with_name("bs1_summary.json").rename(tmp_path / "moved_summary.json")
    monkeypatch.chdir(tmp_path / "cwd")
    assert [path.resolve() for path in find_indices("toy", moved)] == [index]


def test_a_given_index_is_the_only_one(results: Path, tmp_path: Path) -> None:
    written(tmp_path / "there" / "a")
    given = written(tmp_path / "elsewhere")
    assert list(find_indices("toy", results, [given])) == [given]


def test_no_summary_and_no_index(tmp_path: Path, results: Path) -> None:
    assert find_indices("toy", results) == {}
    assert find_indices("toy", tmp_path / "other") == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [({"model": "other"}, "is an index of the model other, not of toy"), ({"complete": False}, "shows an interrupted")],
)
def test_indices_that_cannot_be_used_are_named(change: dict, words: str, results: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "there" / "b", **change)
    with pytest.raises(DataError, match=re.escape(f"{path} {words}")):
        find_indices("toy", results)
