"""Folders: missing, empty, in use, not what they should be; what is there is never lost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.plugin import Finished, tree

Commands = Callable[..., Finished]


def test_preprocess_of_a_missing_folder(market: Path, tmp_path: Path, reid: Commands) -> None:
    done = reid("preprocess", market / "querry", tmp_path / "bins")
    assert done.code == 1
    assert done.error == f"no such image folder: {market / 'querry'}"
    assert done.hint == f"did you mean {market / 'query'}?"
    assert not (tmp_path / "bins").exists()


def test_preprocess_of_a_file(market: Path, tmp_path: Path, reid: Commands) -> None:
    image = market / "query" / "0900_c2s1_000001_00.jpg"
    done = reid("preprocess", image, tmp_path / "bins")
    assert (done.code, done.error) == (1, f"the image is not a folder: {image}")


@pytest.mark.parametrize("others", [[], ["Thumbs.db", "readme.txt"]])
def test_preprocess_of_a_folder_without_images(others: list[str], tmp_path: Path, reid: Commands) -> None:
    (tmp_path / "images").mkdir()
    for name in others:
        (tmp_path / "images" / name).write_text("no image")
    done = reid("preprocess", tmp_path / "images", tmp_path / "bins")
    assert done.code == 1
    assert f"no images in {tmp_path / 'images'}" in done.error
    assert not (tmp_path / "bins").exists()


def test_preprocess_into_a_folder_in_use(market: Path, tmp_path: Path, reid: Commands) -> None:
    bins = tmp_path / "bins"
    bins.mkdir()
    (bins / "notes.txt").write_text("mine")
    done = reid("preprocess", market / "query", bins)
    assert done.code == 1
    assert str(bins) in done.error
    assert "--overwrite" in done.hint
    assert [path.name for path in bins.iterdir()] == ["notes.txt"]
    assert not (tmp_path / "bins_index.json").exists()


def test_preprocess_twice_needs_overwrite(market: Path, tmp_path: Path, reid: Commands) -> None:
    words = ("preprocess", market / "query", tmp_path / "bins")
    assert reid(*words).code == 0
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "bins").iterdir()}
    done = reid(*words)
    assert done.code == 1
    assert "--overwrite" in done.hint
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "bins").iterdir()} == before


def test_overwrite_replaces_the_bins_and_keeps_everything_else(market: Path, tmp_path: Path, reid: Commands) -> None:
    bins = tmp_path / "bins"
    (bins / "sub").mkdir(parents=True)
    for name in ("notes.txt", "sub/inner.bin", "old.bin", "old.bin.gz"):
        (bins / name).write_text("mine")
    assert reid("preprocess", market / "query", bins, "--overwrite").code == 0
    kept = {name: size for name, (size, _) in tree(bins).items() if size != 393_216}
    assert kept == {"notes.txt": 4, "sub/inner.bin": 4, "old.bin.gz": 4}
    assert len(tree(bins)) - len(kept) == 9


@pytest.mark.parametrize("change", ["dtype", "source"])
def test_an_interrupted_run_is_not_continued_with_something_else(
    change: str, market: Path, tmp_path: Path, reid: Commands
) -> None:
    bad = market / "query" / "0001_c3s1_000999_00.jpg"
    bad.write_text("this is no image")
    assert reid("preprocess", market / "query", tmp_path / "bins").code == 1
    bad.unlink()
    before = tree(tmp_path / "bins")
    other = {"dtype": (market / "query", "--dtype", "uint8"), "source": (market / "bounding_box_test",)}[change]
    done = reid("preprocess", other[0], tmp_path / "bins", *other[1:])
    assert done.code == 1
    assert "interrupted run with other options or another source" in done.hint
    assert tree(tmp_path / "bins") == before


@pytest.mark.parametrize("size", [0, 98_304, 393_215, 2 * 393_216])
def test_infer_refuses_a_bin_of_the_wrong_size(
    size: int, market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    assert reid("preprocess", market / "query", tmp_path / "bins").code == 0
    wrong = tmp_path / "bins" / "0900_c2s1_000001_00.bin"
    wrong.write_bytes(bytes(size))
    done = reid(
        "infer", "--model", pooled, "--input", tmp_path / "bins", "--output", tmp_path, "--output_dirname", "bs1"
    )
    assert done.code == 1
    assert f"{wrong} has {size} bytes" in done.error
    assert "393216" in done.error
    assert not (tmp_path / "bs1").exists()
    assert not (tmp_path / "bs1_summary.json").exists()


def test_infer_into_a_folder_in_use(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    assert reid("preprocess", market / "query", tmp_path / "bins").code == 0
    words = ("infer", "--model", pooled, "--input", tmp_path / "bins", "--output", tmp_path, "--output_dirname", "bs1")
    (tmp_path / "bs1").mkdir()
    (tmp_path / "bs1" / "notes.txt").write_text("mine")
    done = reid(*words)
    assert done.code == 1
    assert str(tmp_path / "bs1") in done.error
    assert [path.name for path in (tmp_path / "bs1").iterdir()] == ["notes.txt"]
    assert reid(*words, "--overwrite").code == 0
    assert len(tree(tmp_path / "bs1")) == 10


@pytest.mark.parametrize("missing", ["", "query", "bounding_box_test"])
def test_run_on_a_folder_that_is_no_market1501(
    missing: str, market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    shutil.rmtree(market / missing)
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(market) in done.error
    assert missing in done.error
    assert not (tmp_path / "report").exists()


def test_run_finds_the_folder_one_level_down(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    done = reid("run", "--data", market.parent, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert f"{market.parent} is not a Market-1501 folder" in done.error
    assert done.hint == f"did you mean {market}?"


@pytest.mark.parametrize(("folder", "word"), [("bounding_box_test", "the gallery is empty"), ("query", "0 queries")])
def test_run_on_nothing_but_junk(
    folder: str, word: str, market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    for path in (market / folder).glob("*.jpg"):
        path.rename(path.with_name(f"-1_{path.name.partition('_')[2]}"))
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert word in done.error
    assert not (tmp_path / "report").exists()


def test_a_report_folder_that_is_a_file(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    (tmp_path / "report").write_text("mine")
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(tmp_path / "report") in done.error
    assert (tmp_path / "report").read_text() == "mine"


@pytest.mark.parametrize("workers", ["0", "-1"])
@pytest.mark.parametrize("step", ["preprocess", "run"])
def test_workers_from_one(step: str, workers: str, market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    words = {
        "preprocess": (market / "query", tmp_path / "out"),
        "run": ("--data", market, "--model", pooled, "--output", tmp_path / "out"),
    }
    done = reid(step, *words[step], f"--workers={workers}")
    assert done.code == 2
    assert f"'{workers}'" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("step", ["preprocess", "run"])
def test_an_empty_path_is_not_this_folder(step: str, market: Path, tmp_path: Path, reid: Commands) -> None:
    words = {"preprocess": (market / "query", ""), "run": ("--data", "", "--model", tmp_path / "m.onnx")}
    done = reid(step, *words[step])
    assert done.code == 2
    assert "must not be empty" in done.error
