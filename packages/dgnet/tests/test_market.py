"""`dgnet prepare-market`: the published tree, and nothing of the user's lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.dgnet.market import UNFINISHED

Commands = Callable[..., Finished]

FIRST = "0002_c1s1_000451_03.jpg"
"""The first picture of identity 0002 by name, the second of three by the file system of the recording."""


@pytest.fixture
def wanted(golden: Path) -> set[str]:
    """What the original makes of the small Market-1501."""
    return set(json.loads((golden / "preprocess.json").read_text())["prepared_tree"])


def files(market: Path) -> set[str]:
    return {name for name in tree(market) if name.startswith("pytorch/")}


def test_the_tree_is_that_of_the_original(market: Path, wanted: set[str], dgnet: Commands) -> None:
    done = dgnet("prepare-market", "--data", market)
    assert done.code == 0, done.err
    assert files(market) == wanted
    contents = tree(market)
    folders = {"query": "query", "gallery": "bounding_box_test", "multi-query": "gt_bbox"}
    for name in wanted:
        _, part, _, file = name.split("/")
        assert contents[name] == contents[f"{folders.get(part, 'bounding_box_train')}/{file}"], name
    assert "query 2, gallery 3, multi-query 1, train_all 6, train 3, val 3" in done.out
    assert "bounding_box_train: 2 entries that do not end in .jpg were passed over" in done.out


def test_pictures_are_hard_links(market: Path, dgnet: Commands) -> None:
    assert dgnet("prepare-market", "--data", market).code == 0
    picture = market / "bounding_box_train" / FIRST
    assert picture.stat().st_nlink == 3
    assert picture.samefile(market / "pytorch" / "val" / "0002" / FIRST)


def test_where_there_are_no_hard_links_pictures_are_copied(
    market: Path, wanted: set[str], dgnet: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert dgnet("prepare-market", "--data", market).code == 0
    assert files(market) == wanted
    copy, picture = market / "pytorch" / "val" / "0002" / FIRST, market / "bounding_box_train" / FIRST
    assert copy.read_bytes() == picture.read_bytes()
    assert not copy.samefile(picture)


def test_a_tree_is_not_touched_without_overwrite(market: Path, dgnet: Commands) -> None:
    (market / "pytorch" / "train_all").mkdir(parents=True)
    (market / "pytorch" / "mine.txt").write_text("mine")
    before = tree(market)
    done = dgnet("prepare-market", "--data", market)
    assert (done.code, done.error) == (1, f"{market / 'pytorch'} is there already")
    assert "--overwrite" in done.hint
    assert tree(market) == before


def test_overwrite_replaces_pictures_and_leaves_all_else(market: Path, wanted: set[str], dgnet: Commands) -> None:
    pytorch = market / "pytorch"
    for name in ("val/0002/0002_c1s1_000551_01.jpg", f"train/0002/{FIRST}", f"train_all/0002/{FIRST}"):
        (pytorch / name).parent.mkdir(parents=True, exist_ok=True)
        (pytorch / name).write_text("of the published script, which took another picture for val")
    mine = {"val/0002/0002_c1s7_000001_00.jpg", "notes.txt", "best/net.pth"}
    for name in mine:
        (pytorch / name).parent.mkdir(parents=True, exist_ok=True)
        (pytorch / name).write_text("mine")
    done = dgnet("prepare-market", "--data", market, "--overwrite")
    assert done.code == 0, done.err
    assert files(market) == wanted | {f"pytorch/{name}" for name in mine}
    assert all((pytorch / name).read_text() == "mine" for name in mine)
    assert (pytorch / "train_all" / "0002" / FIRST).samefile(market / "bounding_box_train" / FIRST)
    assert "3 files in the tree do not belong to it and were left" in done.out


def test_a_second_run_with_overwrite_changes_nothing(market: Path, wanted: set[str], dgnet: Commands) -> None:
    assert dgnet("prepare-market", "--data", market).code == 0
    done = dgnet("prepare-market", "--data", market, "--overwrite")
    assert done.code == 0
    assert files(market) == wanted
    assert "do not belong" not in done.out


def test_an_interrupted_run_is_seen_and_continued(
    market: Path, wanted: set[str], dgnet: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.link, iter(range(100))

    def interrupted(source: Path, target: Path) -> None:
        if next(calls) == 5:
            raise KeyboardInterrupt
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", interrupted)
        assert dgnet("prepare-market", "--data", market).code == 130
    assert len(files(market) & wanted) == 5
    assert files(market) - wanted == {f"pytorch/{UNFINISHED}"}
    assert dgnet("prepare-market", "--data", market).code == 0
    assert files(market) == wanted


def test_places_without_data_flag(market: Path, dgnet: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    (market.parent / "DG-Net").mkdir()
    for folder, place in ((market.parent / "DG-Net", "../Market"), (market.parent, "Market")):
        monkeypatch.chdir(folder)
        assert f"{place}/pytorch: query 2" in dgnet("prepare-market", "--overwrite").out
    shutil.rmtree(market)
    assert dgnet("prepare-market").error == "no such Market-1501 folder: Market"


def test_data_without_multi_query(market: Path, wanted: set[str], dgnet: Commands) -> None:
    shutil.rmtree(market / "gt_bbox")
    done = dgnet("prepare-market", "--data", market)
    assert done.code == 0
    assert "there is no gt_bbox" in done.out
    assert files(market) == {name for name in wanted if "multi-query" not in name}


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda m: shutil.rmtree(m / "query"), "no such query folder: {}/query"),
        (lambda m: (m / "query" / "nobody.jpg").touch(), "{}/query/nobody.jpg has no identity before the first _ of"),
        (lambda m: (m / "query" / "_c1s1.jpg").touch(), "{}/query/_c1s1.jpg has no identity before the first _ of"),
        (lambda m: [p.rename(p.with_suffix(".png")) for p in (m / "query").iterdir()], "no .jpg files in {}/query"),
    ],
)
def test_data_that_cannot_be_prepared(
    spoil: Callable[[Path], object], error: str, market: Path, dgnet: Commands
) -> None:
    spoil(market)
    done = dgnet("prepare-market", "--data", market)
    assert done.code == 1
    assert done.error.startswith(error.format(market))
    assert not (market / "pytorch").exists()


def test_hidden_files_and_folders_are_passed_over(market: Path, wanted: set[str], dgnet: Commands) -> None:
    (market / "query" / "._0001_c1s1_001051_00.jpg").touch()
    (market / "query" / "0009_c1.jpg").mkdir()
    done = dgnet("prepare-market", "--data", market)
    assert files(market) == wanted
    assert "query: 2 entries that do not end in .jpg were passed over" in done.out


def test_pictures_that_are_symbolic_links(market: Path, wanted: set[str], dgnet: Commands) -> None:
    picture = market / "bounding_box_train" / FIRST
    picture.rename(market / "elsewhere.jpg")
    picture.symlink_to("../elsewhere.jpg")
    assert dgnet("prepare-market", "--data", market).code == 0
    assert files(market) == wanted
    target = market / "pytorch" / "val" / "0002" / FIRST
    assert target.samefile(market / "elsewhere.jpg")
    assert not target.is_symlink()
