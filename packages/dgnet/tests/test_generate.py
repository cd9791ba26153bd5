"""`dgnet generate`: sets for training in the layout of Market-1501, with names that no photo has."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.dgnet.dataset import read_tree
from modelzoo.dgnet.generate import plan_set

Commands = Callable[..., Finished]
Draw = Callable[..., Path]

NAME = re.compile(r"(\d{4})_c(\d)s(\d+)_(\d{6})_00\.jpg")


@pytest.fixture
def generated(
    train_all: Path, whole_toy: Path, tmp_path: Path, dgnet: Commands
) -> Callable[..., tuple[Path, Finished]]:
    """Generate with the toy: the output folder, and how it ended."""

    def start(*words: object, data: Path = train_all, count: int = 4) -> tuple[Path, Finished]:
        flags = ("--data", data, "--model", whole_toy, "--per-identity", count, "--output", tmp_path / "set")
        return tmp_path / "set", dgnet("generate", *flags, *words)

    return start


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "generated.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_set(generated: Any, train_all: Path) -> None:
    folder, done = generated()
    assert done.code == 0, done.err
    assert "12 pictures of 3 identities" in done.out
    table = rows(folder)
    assert set(tree(folder)) == {"generated.csv", *(f"bounding_box_train/{row['name']}" for row in table)}
    matches = [NAME.fullmatch(row["name"]) for row in table]
    assert all(matches)
    assert Counter(match[1] for match in matches if match) == {"0002": 4, "0007": 4, "0010": 4}
    assert len({(row["appearance"], row["structure"]) for row in table}) == 12
    for row, match in zip(table, matches, strict=True):
        assert match
        assert row["appearance"].startswith(f"{match[1]}/{match[1]}_c{match[2]}s")  # identity and camera
        assert not row["structure"].startswith(match[1])
        assert match[3] == "7"
        assert (train_all / row["appearance"]).is_file()
        assert (train_all / row["structure"]).is_file()


def test_it_can_be_prepared_beside_the_photos(generated: Any, market: Path, dgnet: Commands) -> None:
    folder, _ = generated()
    for path in (folder / "bounding_box_train").iterdir():
        assert not (market / "bounding_box_train" / path.name).exists()
        path.rename(market / "bounding_box_train" / path.name)
    done = dgnet("prepare-market", "--data", market, "--overwrite")
    assert "train_all 18, train 15, val 3" in done.out
    assert [len(list(one.iterdir())) for one in sorted((market / "pytorch" / "train_all").iterdir())] == [7, 5, 6]
    planned = plan_set(read_tree(market / "pytorch" / "train_all").photos, 2, 10)
    assert all("s8_" in one.name for one in planned)


def test_the_seed_decides(generated: Any) -> None:
    folder, _ = generated()
    first = tree(folder)
    assert generated("--overwrite", "--workers", 1, "--batchsize", 3)[1].code == 0
    assert tree(folder) == first
    assert generated("--overwrite", "--seed", 11)[1].code == 0
    assert tree(folder) != first


def test_one_identity(generated: Any, draw: Draw, tmp_path: Path) -> None:
    for name in ("a", "b"):
        draw(f"tree/0005/{name}.jpg", seed=ord(name))
    folder, done = generated(data=tmp_path / "tree")
    assert done.code == 0, done.err
    pairs = {(row["appearance"], row["structure"]) for row in rows(folder)}
    assert pairs == {(f"0005/{a}.jpg", f"0005/{b}.jpg") for a in "ab" for b in "ab"}
    assert {row["name"] for row in rows(folder)} == {f"0005_c1s7_{i:06d}_00.jpg" for i in range(1, 5)}
    done = generated("--overwrite", data=tmp_path / "tree", count=5)[1]
    assert done.error == "--per-identity 5 is too many: identity 0005 has 4 different pairs"


def test_a_name_that_does_not_tell_the_identity(generated: Any, draw: Draw, tmp_path: Path) -> None:
    draw("tree/my_dog/a.jpg")
    done = generated(data=tmp_path / "tree", count=1)[1]
    assert done.error == "the folder name my_dog cannot begin a picture's name"
    assert not (tmp_path / "set").exists()


def test_overwrite_removes_what_its_table_lists_and_nothing_else(generated: Any, tmp_path: Path) -> None:
    folder, _ = generated(count=5)
    mine = folder / "bounding_box_train" / "0002_c1s1_000001_00.jpg"
    mine.write_text("a photo")
    outside = tmp_path / "outside.jpg"
    outside.write_text("mine")
    table = folder / "generated.csv"
    table.write_text(table.read_text() + "../../outside.jpg,a,b\n")
    done = generated()[1]
    assert (done.code, done.error) == (1, f"the output folder {folder} is not empty")
    assert generated("--overwrite", count=2)[1].code == 0
    assert len(tree(folder)) == 6 + 2
    assert (mine.read_text(), outside.read_text()) == ("a photo", "mine")


@pytest.mark.parametrize(
    "name", ["0002_c1s1_000451_03.jpg", "0002_c1s6_000001_00.jpg", "holiday.jpg", "0002_c1s7_000001_00.jpg.jpg"]
)
def test_overwrite_leaves_names_that_no_generated_picture_has(name: str, generated: Any) -> None:
    folder, _ = generated()
    mine, table = folder / "bounding_box_train" / name, folder / "generated.csv"
    mine.write_text("mine")
    table.write_text(f"{table.read_text()}{name},a,b\n")
    assert generated("--overwrite", count=2)[1].code == 0
    assert mine.read_text() == "mine"
    assert len(tree(folder)) == 6 + 2


def test_a_folder_with_another_table_is_refused(generated: Any, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "generated.csv").write_text("something,else\n1,2\n")
    done = generated("--overwrite")[1]
    assert done.code == 1
    assert "is no table of generated pictures" in done.error


def test_skipped_photos_are_not_in_the_table(generated: Any, train_all: Path) -> None:
    bad = train_all / "0007" / "0007_c2s3_071002_01.jpg"
    bad.unlink()
    bad.write_text("no image")
    folder, done = generated()
    assert done.code == 1
    assert done.error.endswith(f"{bad} is not an image")
    folder, done = generated("--on-error", "skip", "--overwrite")
    assert done.code == 1
    assert "skipped: " in done.err
    table = rows(folder)
    assert {f"bounding_box_train/{row['name']}" for row in table} == set(tree(folder)) - {"generated.csv"}
    assert 0 < len(table) < 12
    assert not any("0007_c2s3" in row["appearance"] + row["structure"] for row in table)
