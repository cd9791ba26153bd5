"""`search` on people's own pictures: table, drawn rankings, the index, and what is refused."""

import csv
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.sessions.onnxruntime import OnnxRuntimeSession
from modelzoo.common.spec import TensorSpec
from modelzoo.common.stream import StreamStats
from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.reid.features.file import FeatureFile
from modelzoo.reid.features.fingerprint import Fingerprint
from modelzoo.reid.pictures import Picture, Pictures
from modelzoo.reid.preprocess import CHUNK
from modelzoo.reid.search import drawn, gallery
from modelzoo.reid.search import table as tables
from modelzoo.reid.search.drawn import sheet_names

Commands = Callable[..., Finished]
Table = list[tuple[str, int, str, float]]

GALLERY = ["a/1.png", "a/2.png", "b.jpg", "c, d.bmp", "e.png", "f.png", "图.png"]
QUERIES = ["q.png", "sub/r.jpg"]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """`query` and `gallery` with pictures of any names; a/2.png and e.png are copies of one."""
    rng = np.random.default_rng(0)
    for side, names in (("query", QUERIES), ("gallery", GALLERY)):
        for name in names:
            path = tmp_path / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (8, 4, 3), dtype=np.uint8)).resize((64, 128)).save(path)
    shutil.copy(tmp_path / "gallery" / "e.png", tmp_path / "gallery" / "a" / "2.png")
    return tmp_path


def pooled_feature(path: Path) -> np.ndarray:
    """What the pooled model of the tests gives, in double precision."""
    image = Image.open(path).convert("RGB").resize((128, 256), Image.Resampling.BILINEAR)
    values = (np.asarray(image, np.float64) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    return values.transpose(2, 0, 1).reshape(3, 16, 16, 8, 16).mean((2, 4)).ravel()


def by_sorting(query: Path, gallery: Path, names: list[str], metric: str = "cosine") -> Table:
    """The whole table, by a stable sort of all distances."""
    rows = []
    for name in names:
        q = pooled_feature(query / name)
        answers = []
        for other in GALLERY:
            g = pooled_feature(gallery / other)
            cosine = 1 - q @ g / np.linalg.norm(q) / np.linalg.norm(g)
            answers.append((round(float(cosine if metric == "cosine" else np.linalg.norm(q - g)), 4), other))
        answers.sort()
        rows += [(name, rank, other, distance) for rank, (distance, other) in enumerate(answers, start=1)]
    return rows


def table(folder: Path) -> Table:
    with (folder / "ranking.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["query", "rank", "gallery", "distance"]
    return [(query, int(rank), gallery, round(float(distance), 4)) for query, rank, gallery, distance in rows]


@pytest.fixture
def search(reid: Commands, pooled: Path, album: Path) -> Commands:
    """`search` of `query` in `gallery`, or as the words say, into `out`."""

    def run(*words: object, query: Path | None = album / "query", gallery: Path | None = album / "gallery") -> Finished:
        model = () if "--model" in words else ("--model", pooled)
        place = () if "--output" in words else ("--output", album / "out")
        sides = [word for flag, path in (("--query", query), ("--gallery", gallery)) if path for word in (flag, path)]
        return reid("search", *model, *sides, *place, *words)

    return run


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_table_is_that_of_a_full_sort(metric: str, album: Path, search: Commands) -> None:
    done = search("--metric", metric)
    assert done.code == 0, done.err
    want = by_sorting(album / "query", album / "gallery", QUERIES, metric)
    assert table(album / "out") == want
    ranks = {(query, name): rank for query, rank, name, _ in want}
    assert all(ranks[query, "e.png"] == ranks[query, "a/2.png"] + 1 for query in QUERIES)  # copies, by name
    drawn = sorted(path.relative_to(album / "out").as_posix() for path in (album / "out").rglob("*.*"))
    assert drawn == ["ranked/q.png.jpg", "ranked/sub/r.jpg.jpg", "ranking.csv"]
    assert f"gallery: 7 pictures, 7 computed\nqueries: 2\ntable: {album / 'out' / 'ranking.csv'}" in done.out
    command = {"cosine": "reid run", "euclidean": "reid run --feat-norm no"}[metric]
    assert done.out.endswith(
        f"to choose a --threshold: the report of '{command}' on labelled pictures has a table of them\n"
    )


def test_one_picture_and_few_answers(album: Path, search: Commands) -> None:
    done = search("--top", 2, query=album / "query" / "sub" / "r.jpg")
    assert done.code == 0, done.err
    want = [("r.jpg", *row[1:]) for row in by_sorting(album / "query", album / "gallery", ["sub/r.jpg"])][:2]
    assert table(album / "out") == want
    printed = [line.split(maxsplit=2) for line in done.out.splitlines()[2:4]]
    assert [(int(rank), name, round(float(distance), 4)) for rank, distance, name in printed] == [
        (rank, name, distance) for _, rank, name, distance in want
    ]
    assert (album / "out" / "ranked" / "r.jpg.jpg").exists()


def test_a_file_is_no_answer_to_itself(album: Path, search: Commands) -> None:
    """By any path that leads to it; a copy is another file."""
    (album / "query" / "linked.png").symlink_to(album / "gallery" / "e.png")
    os.link(album / "gallery" / "b.jpg", album / "query" / "hard.jpg")
    done = search("--threshold", 10)
    assert done.code == 0, done.err
    assert "queries: 4, 2 of them in the gallery: no picture is an answer to itself" in done.out
    answers = {query: [row[2:] for row in table(album / "out") if row[0] == query] for query in ("linked.png", "q.png")}
    assert answers["linked.png"][0] == ("a/2.png", 0.0)
    assert sorted(name for name, _ in answers["linked.png"]) == sorted({*GALLERY} - {"e.png"})
    assert len(answers["q.png"]) == len(GALLERY)


def test_a_folder_in_itself_is_computed_once(
    album: Path, search: Commands, monkeypatch: pytest.MonkeyPatch, read_names: list[str]
) -> None:
    done = search(query=album / "gallery")
    assert done.code == 0, done.err
    assert sorted(read_names) == sorted(Path(name).name for name in GALLERY)
    want = [row for row in by_sorting(album / "gallery", album / "gallery", GALLERY) if row[0] != row[2]]
    assert [(query, name, distance) for query, _, name, distance in table(album / "out")] == [
        (query, name, distance) for query, _, name, distance in want
    ]


def test_a_threshold_lists_what_is_within_it(album: Path, search: Commands) -> None:
    """The queries are named for which nothing is, and are drawn too."""
    want = by_sorting(album / "query", album / "gallery", QUERIES)
    nearest = {query: min(row[3] for row in want if row[0] == query) for query in QUERIES}
    far, near = sorted(QUERIES, key=lambda query: -nearest[query])
    threshold = (nearest[far] + nearest[near]) / 2
    done = search("--threshold", f"{threshold:.5f}")
    assert done.code == 0, done.err
    assert table(album / "out") == [row for row in want if row[3] <= threshold]
    assert f"\n{far}: no answer within {threshold:.5f}".rstrip("0") in done.out
    assert f"{near}: no answer" not in done.out
    assert "to choose a --threshold" not in done.out
    empty, full = (Image.open(album / "out" / "ranked" / name) for name in sheet_names([far, near]))
    assert empty.width <= full.width
    done = search("--threshold", 0, "--overwrite")
    assert done.code == 0
    assert table(album / "out") == []
    assert done.out.count("no answer within 0\n") == 2


@pytest.fixture
def read_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that go to the model, in a list that grows."""
    names: list[str] = []
    real = gallery.read_image

    def seen(path: Path) -> Image.Image:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(gallery, "read_image", seen)
    return names


def test_an_index_keeps_what_has_not_changed(album: Path, search: Commands, read_names: list[str]) -> None:
    index, one = ("--index", album / "i.npz"), album / "query" / "q.png"
    first = search(*index, query=one)
    assert first.code == 0, first.err
    assert "gallery: 7 pictures, 7 computed, 0 known from the index, 0 gone" in first.out
    want, written = table(album / "out"), (album / "i.npz").read_bytes()
    read_names.clear()
    again = search(*index, "--overwrite", query=one, gallery=None)
    assert "gallery: 7 pictures, 0 computed, 7 known from the index, 0 gone" in again.out
    assert (read_names, table(album / "out")) == (["q.png"], want)
    assert (album / "i.npz").read_bytes() == written

    for name in ("b.jpg", "图.png"):
        (album / "gallery" / name).unlink()
    Image.new("RGB", (30, 60), "red").save(album / "gallery" / "f.png")
    Image.new("RGB", (30, 60), "blue").save(album / "gallery" / "a" / "new.png")
    touched = album / "gallery" / "e.png"
    os.utime(touched, ns=(0, touched.stat().st_mtime_ns + 1))
    read_names.clear()
    third = search(*index, "--overwrite", query=one, gallery=None)
    assert third.code == 0, third.err
    assert "gallery: 6 pictures, 3 computed, 3 known from the index, 2 gone" in third.out
    assert sorted(read_names) == ["e.png", "f.png", "new.png", "q.png"]
    fresh = search("--output", album / "fresh", query=one)
    assert fresh.code == 0
    assert table(album / "fresh") == table(album / "out")


def test_an_index_is_written_whenever_it_changes(album: Path, search: Commands) -> None:
    words, one = ("--index", album / "i.npz", "--overwrite"), album / "query" / "q.png"

    def known() -> list[str]:
        assert search(*words, query=one).code == 0
        with np.load(album / "i.npz") as arrays:
            return list(arrays["names"].tolist())

    assert known() == GALLERY
    Image.new("RGB", (30, 60), "blue").save(album / "gallery" / "a" / "new.png")
    assert known() == sorted([*GALLERY, "a/new.png"])
    (album / "gallery" / "b.jpg").unlink()
    assert known() == sorted({*GALLERY, "a/new.png"} - {"b.jpg"})
    assert "gallery: 7 pictures, 0 computed, 7 known from the index, 0 gone" in search(*words, query=one).out


def test_features_of_extract_are_an_index(
    album: Path, pooled: Path, search: Commands, reid: Commands, read_names: list[str]
) -> None:
    words = ("--input", album / "gallery", "--output", album / "f.npz")
    assert reid("extract", "--model", pooled, *words).code == 0
    shutil.copy(pooled, album / "renamed.onnx")
    shutil.copytree(album / "gallery", album / "moved", copy_function=shutil.copy2)
    read_names.clear()
    done = search("--index", album / "f.npz", "--model", album / "renamed.onnx", gallery=album / "moved")
    assert done.code == 0, done.err
    assert sorted(read_names) == ["q.png", "r.jpg"]
    assert table(album / "out") == by_sorting(album / "query", album / "gallery", QUERIES)
    with np.load(album / "f.npz", allow_pickle=False) as arrays:
        assert str(arrays["folder"]) == str(album / "moved")


def test_an_index_of_another_model(album: Path, make_model: Any, search: Commands) -> None:
    assert search("--index", album / "i.npz").code == 0
    before = tree(album)
    other = make_model("other", last="Neg")
    done = search("--index", album / "i.npz", "--overwrite", "--model", other)
    assert done.code == 1
    head = f"{album / 'i.npz'} was made with pooled.onnx (sha256 "
    assert done.error.startswith(head)
    assert "), not with other.onnx (sha256 " in done.error
    assert "--model" in done.hint
    assert tree(album) == before


def test_an_index_of_another_gallery(album: Path, search: Commands) -> None:
    assert search("--index", album / "i.npz").code == 0
    before = (album / "i.npz").read_bytes()
    done = search("--index", album / "i.npz", "--overwrite", gallery=album / "query")
    assert done.code == 1
    assert done.error == (
        f"{album / 'i.npz'} is the index of {album / 'gallery'}, and 0 of its 7 pictures are in {album / 'query'}"
    )
    assert (album / "i.npz").read_bytes() == before


@pytest.mark.parametrize("side", ["query", "gallery"])
def test_a_forged_index_with_features_of_another_length(side: str, album: Path, search: Commands) -> None:
    """The model says how long its features are, so that it shows even where nothing is computed."""
    assert search("--index", album / "i.npz").code == 0
    with np.load(album / "i.npz") as arrays:
        forged = {**arrays, "features": arrays["features"][:, :7].copy()}
    np.savez(album / "i.npz", **forged)
    done = search("--index", album / "i.npz", "--overwrite", query=album / side)
    assert (done.code, done.error) == (1, f"the features in {album / 'i.npz'} have 7 numbers, those of the model 384")


def test_a_forged_index_for_a_model_that_says_no_length(
    album: Path, search: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert search("--index", album / "i.npz").code == 0
    with np.load(album / "i.npz") as arrays:
        forged = {**arrays, "features": arrays["features"][:, :7].copy()}
    np.savez(album / "i.npz", **forged)
    silent = property(lambda session: (TensorSpec("feature", "float32", ("N", "features")),), lambda *_: None)
    monkeypatch.setattr(OnnxRuntimeSession, "outputs", silent, raising=False)
    monkeypatch.setattr(
        OnnxRuntimeSession, "_output_names", property(lambda _: ["feature"], lambda *_: None), raising=False
    )
    done = search("--index", album / "i.npz", "--overwrite")
    assert (done.code, done.error) == (1, "features of the query have 384 numbers, those of the gallery 7")
    (album / "gallery" / "b.jpg").unlink()
    Image.new("RGB", (9, 9)).save(album / "gallery" / "new.png")
    done = search("--index", album / "i.npz", "--overwrite")
    assert (done.code, done.error) == (1, "the features in the index have 7 numbers, those of the model 384")


@pytest.mark.parametrize("content", [b"", b"no index", b"PK\x03\x04 neither"])
def test_a_damaged_index(content: bytes, album: Path, search: Commands) -> None:
    (album / "i.npz").write_bytes(content)
    before = tree(album)
    done = search("--index", album / "i.npz")
    assert done.code == 1
    assert done.error.startswith(f"{album / 'i.npz'} is not a file of features, or is damaged: ")
    assert done.hint
    assert tree(album) == before


@pytest.mark.parametrize("side", ["query", "gallery"])
@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_an_unreadable_picture_among_many(on_error: str, side: str, album: Path, search: Commands) -> None:
    bad = album / side / "bad.jpg"
    bad.write_bytes(b"this is no picture")
    before = tree(album)
    done = search("--index", album / "i.npz", "--on-error", on_error)
    assert done.code == 1
    if on_error == "fail":
        assert done.error == f"{bad} is not an image"
        assert not (album / "out").exists()
        assert tree(album) == before
        return
    assert done.err.splitlines() == [f"skipped: {bad} is not an image"]
    assert table(album / "out") == by_sorting(album / "query", album / "gallery", QUERIES)
    bad.unlink()
    assert search("--index", album / "i.npz", "--overwrite").code == 0


def test_a_picture_that_is_bad_on_both_sides_is_named_once(
    album: Path, search: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    (album / "gallery" / "bad.jpg").write_bytes(b"no")
    monkeypatch.chdir(album)  # the paths of an index are absolute, those of the query are not
    for words, place in ((("--index", "i.npz"), album / "gallery"), (("--index", "i.npz"), None)):
        done = search("--on-error", "skip", "--overwrite", *words, query=Path("gallery"), gallery=place)
        assert done.code == 1
        assert done.err.splitlines() == [f"skipped: {album / 'gallery' / 'bad.jpg'} is not an image"]
        assert len(table(album / "out")) == 7 * 6


def test_no_query_can_be_read(album: Path, search: Commands) -> None:
    bad = album / "bad.jpg"
    bad.write_bytes(b"no")
    done = search("--on-error", "skip", query=bad)
    assert (done.code, done.error) == (
        1,
        f"none of the 1 query pictures can be read, the first: {bad} is not an image",
    )
    assert not (album / "out").exists()


def test_results_are_not_mixed_with_those_of_another_search(album: Path, search: Commands) -> None:
    assert search().code == 0
    (album / "out" / "notes.txt").write_text("mine")
    before = tree(album)
    done = search("--top", 1)
    assert (done.code, done.error) == (1, f"{album / 'out' / 'ranking.csv'} is there already")
    assert "--overwrite" in done.hint
    assert tree(album) == before
    assert search("--top", 1, "--overwrite").code == 0
    assert len(table(album / "out")) == 2
    assert (album / "out" / "notes.txt").read_text() == "mine"


def test_an_output_folder_among_the_pictures(album: Path, search: Commands) -> None:
    """What an earlier search drew is no picture of the gallery."""
    words = ("--output", album / "gallery")
    assert search(*words).code == 0
    want = table(album / "gallery")
    assert search(*words, "--overwrite").code == 0
    assert table(album / "gallery") == want


@pytest.mark.parametrize("place", ["below a file", "a file", "index"])
def test_places_that_cannot_be_written(place: str, album: Path, search: Commands, read_names: list[str]) -> None:
    (album / "file").write_text("mine")
    words = {
        "below a file": ("--output", album / "file" / "out"),
        "a file": ("--output", album / "file"),
        "index": ("--index", album / "nowhere" / "i.npz"),
    }[place]
    before = tree(album)
    done = search(*words)
    assert done.code == 1
    assert str(album / ("nowhere" if place == "index" else "file")) in done.error
    assert read_names == []  # found out before the work
    assert tree(album) == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--top", "0"), "--top: must be a whole number from 1"),
        (("--top", "x"), "--top: must be a whole number from 1"),
        (("--threshold", "-1"), "--threshold: must be a number from 0, got '-1'"),
        (("--threshold", "nan"), "--threshold: must be a number from 0, got 'nan'"),
        (("--threshold", "near"), "--threshold: must be a number from 0, got 'near'"),
        (("--metric", "cos"), "--metric: invalid choice"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], part: str, album: Path, search: Commands) -> None:
    done = search(*words)
    assert done.code == 2
    assert part in done.error
    assert not (album / "out").exists()


def test_missing_sides(album: Path, search: Commands) -> None:
    done = search(query=album / "query" / "qq.png")
    assert (done.code, done.error) == (1, f"no such query: {album / 'query' / 'qq.png'}")
    assert done.hint == f"did you mean {album / 'query' / 'q.png'}?"
    (album / "empty").mkdir()
    done = search(gallery=album / "empty")
    assert (done.code, done.error) == (1, f"no images in {album / 'empty'}")
    done = search(gallery=None)
    assert (done.code, done.error) == (2, "there is nothing to search")
    done = search("--index", album / "i.npz", gallery=None)
    assert (done.code, done.error) == (1, f"no such index: {album / 'i.npz'}")
    assert "--gallery" in done.hint
    assert search("--index", album / "i.npz").code == 0
    shutil.move(album / "gallery", album / "elsewhere")
    done = search("--index", album / "i.npz", "--overwrite", gallery=None)
    assert (done.code, done.error) == (1, f"{album / 'i.npz'} is the index of {album / 'gallery'}, which is not there")


def test_names_that_are_no_utf8(album: Path, pooled: Path, search: Commands, reid_process: Commands) -> None:
    odd = album / "gallery" / os.fsdecode(b"\xff.png")
    shutil.copy(album / "gallery" / "e.png", odd)
    words = ("--query", album / "gallery" / "e.png", "--gallery", album / "gallery", "--output", album / "printed")
    printed = reid_process("search", "--model", pooled, *words, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    assert printed.code == 0, printed.err
    assert "  \\udcff.png\n" in printed.out
    done = search("--index", album / "i.npz", query=odd)
    assert done.code == 0, done.err
    assert table(album / "out")[0] == ("\\udcff.png", 1, "a/2.png", 0.0)
    assert "2 computed" not in search("--index", album / "i.npz", "--overwrite", query=odd).out


def test_a_gallery_is_a_folder(album: Path, search: Commands) -> None:
    assert search("--index", album / "i.npz").code == 0
    before = (album / "i.npz").read_bytes()
    for name in ("b.jpg", "e.png"):
        one = album / "gallery" / name
        done = search("--index", album / "i.npz", "--overwrite", gallery=one)
        assert (done.code, done.error) == (1, f"the gallery is not a folder: {one}")
    assert (album / "i.npz").read_bytes() == before


def test_one_equal_name_does_not_give_an_index_to_another_gallery(album: Path, search: Commands) -> None:
    assert search("--index", album / "i.npz").code == 0
    before = (album / "i.npz").read_bytes()
    other = album / "other"
    other.mkdir()
    for name in ("b.jpg", "x.jpg"):
        shutil.copy2(album / "gallery" / "b.jpg", other / name)
    done = search("--index", album / "i.npz", "--overwrite", gallery=other)
    assert done.code == 1
    assert (
        done.error == f"{album / 'i.npz'} is the index of {album / 'gallery'}, and 1 of its 7 pictures are in {other}"
    )
    assert (album / "i.npz").read_bytes() == before
    for name in GALLERY[:4]:
        (other / name).parent.mkdir(exist_ok=True)
        shutil.copy2(album / "gallery" / name, other / name)  # most of them now: a copy of the gallery
    assert search("--index", album / "i.npz", "--overwrite", gallery=other).code == 0
    shutil.move(other, album / "moved")
    for name in GALLERY[1:4]:
        (album / "moved" / name).unlink()  # moved and thinned out; the old folder is gone
    done = search("--index", album / "i.npz", "--overwrite", gallery=album / "moved")
    assert "gallery: 2 pictures, 0 computed, 2 known from the index, 3 gone" in done.out


def test_a_query_is_no_answer_under_any_of_its_names(album: Path, search: Commands) -> None:
    os.link(album / "gallery" / "e.png", album / "gallery" / "hard.png")
    (album / "gallery" / "soft.png").symlink_to("e.png")
    (album / "query" / "e.png").symlink_to(album / "gallery" / "e.png")
    done = search()
    assert "queries: 3, 1 of them in the gallery: no picture is an answer to itself" in done.out
    answers = [name for query, _, name, _ in table(album / "out") if query == "e.png"]
    assert sorted(answers) == sorted({*GALLERY} - {"e.png"})


def test_sheets_of_an_earlier_search_go_and_other_files_stay(album: Path, search: Commands) -> None:
    """Those of queries without answers too, which the old table does not name."""
    ranked = album / "out" / "ranked"
    assert search("--threshold", 0).code == 0
    assert sorted(tree(ranked)) == ["q.png.jpg", "sub/r.jpg.jpg"]
    Image.new("RGB", (9, 9)).save(ranked / "mine.jpg", comment=b"holiday")
    (ranked / "empty").mkdir()
    assert search("--overwrite", query=album / "gallery" / "b.jpg").code == 0
    assert sorted(tree(ranked)) == ["b.jpg.jpg", "mine.jpg"]
    assert (ranked / "empty").is_dir()
    assert not (ranked / "sub").exists()


@pytest.mark.parametrize("on_error", ["fail", "skip"])
@pytest.mark.parametrize("side", ["gallery/b.jpg", "query/q.png"])
def test_a_picture_that_is_gone_when_it_is_drawn(
    side: str, on_error: str, album: Path, search: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table does not need it any more; in its place on the sheets there is nothing."""
    assert search("--output", album / "whole").code == 0
    write_rankings = tables.write_rankings

    def later(*arguments: Any) -> Any:
        (album / side).unlink()
        return write_rankings(*arguments)

    monkeypatch.setattr(tables, "write_rankings", later)
    done = search("--on-error", on_error)
    assert done.code == 1
    lost = f"cannot read {album / side}: {os.strerror(2)}"
    if on_error == "fail":
        assert done.error == lost
        assert tree(album / "out") == {}
        return
    assert done.err.splitlines() == [f"skipped: {lost}"]
    assert table(album / "out") == table(album / "whole")
    for name in sheet_names(QUERIES):
        with Image.open(album / "out" / "ranked" / name) as have, Image.open(album / "whole" / "ranked" / name) as want:
            assert have.size == want.size
            assert (np.asarray(have) != np.asarray(want)).any() == (side != "query/q.png" or name == "q.png.jpg")


def test_ctrl_c_while_drawing_leaves_nothing_in_the_way(
    album: Path, search: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in an empty place nor beside older results, which stay whole."""
    real = drawn.draw_sheet
    for words in ((), ("--overwrite",)):
        before = tree(album / "out") if words else {}
        with monkeypatch.context() as patch:
            patch.setattr(drawn, "draw_sheet", lambda one, *rest: (interrupt if "r" in one.name else real)(one, *rest))
            done = search("--workers", 1, *words)  # the first sheet is drawn by then
        assert (done.code, done.err) == (130, "interrupted\n")
        assert tree(album / "out") == before
        assert search(*words).code == 0


def interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def test_what_a_killed_search_leaves_is_cleared_away(album: Path, search: Commands) -> None:
    """Killed while it drew, and while it put its sheets in place: they are no pictures of the gallery."""
    out = album / "gallery"
    assert search("--output", out).code == 0
    want = tree(out)
    shutil.copytree(out / "ranked", out / ".ranked.part")
    (out / "ranking.csv").unlink()
    done = search("--output", out, "--overwrite")
    assert "gallery: 7 pictures" in done.out
    assert tree(out) == want
    shutil.copytree(out / "ranked", album / "out" / ".ranked.part")
    assert search().code == 0
    assert ".ranked.part" not in tree(album / "out")


def test_the_table_comes_last(album: Path, search: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older one goes before its sheets do."""
    assert search().code == 0

    def full(path: Path, text: str) -> None:
        assert sorted(tree(album / "out" / "ranked")) == ["q.png.jpg", "sub/r.jpg.jpg"]
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(tables, "write_text", full)
    done = search("--overwrite")
    assert (done.code, done.error) == (1, f"cannot write {album / 'out' / 'ranking.csv'}: No space left on device")
    assert not (album / "out" / "ranking.csv").exists()


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_a_bad_query_shows_before_the_gallery_is_computed(
    on_error: str, inside: bool, album: Path, search: Commands, read_names: list[str]
) -> None:
    bad = album / ("gallery" if inside else "query") / "z.png"
    bad.write_bytes(b"no")
    done = search("--on-error", on_error, "--workers", 1, query=bad)
    assert done.code == 1
    assert done.error.endswith(f"{bad} is not an image")
    assert not {*read_names} - {"z.png"} or (inside and on_error == "fail")  # read ahead, and not computed


@pytest.mark.parametrize("kind", ["bad picture", "Ctrl-C"])
def test_what_is_computed_is_kept_in_the_index(
    kind: str, album: Path, search: Commands, read_names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--index", album / "i.npz", "--batchsize", 1, "--workers", 1)
    one = album / "query" / "q.png"
    first = [f"0{i}.png" for i in range(CHUNK)]  # a thread takes so many at a time
    for name in first:
        shutil.copy(album / "gallery" / "f.png", album / "gallery" / name)
    bad = album / "gallery" / "e.png"
    content = bad.read_bytes()
    with monkeypatch.context() as patch:
        real = gallery.read_image
        if kind == "Ctrl-C":
            patch.setattr(gallery, "read_image", lambda path: interrupt() if path == bad else real(path))
        else:
            bad.write_bytes(b"no")
        assert search(*words, query=one).code == {"Ctrl-C": 130, "bad picture": 1}[kind]
    bad.write_bytes(content)
    with np.load(album / "i.npz") as arrays:
        assert arrays["names"].tolist() == first
        want = pooled_feature(album / "gallery" / "f.png")
        assert arrays["features"] == pytest.approx(np.stack([want] * CHUNK), abs=1e-5)
    read_names.clear()
    done = search(*words, query=one)
    assert f"gallery: 15 pictures, 7 computed, {CHUNK} known from the index, 0 gone" in done.out
    assert sorted(read_names) == sorted(["q.png", *(Path(name).name for name in GALLERY)])


def test_pipes_and_devices_are_passed_over(album: Path, search: Commands) -> None:
    os.mkfifo(album / "gallery" / "pipe.jpg")
    os.mkfifo(album / "pipe.jpg")
    (album / "gallery" / "null.png").symlink_to("/dev/null")
    done = search()
    assert "gallery: 7 pictures, 7 computed; other files passed over: 2\n" in done.out
    done = search("--overwrite", query=album / "pipe.jpg")
    assert (done.code, done.error) == (1, f"the query is not a file: {album / 'pipe.jpg'}")


def test_names_cannot_command_the_terminal(album: Path, search: Commands) -> None:
    odd = album / "gallery" / "e\x1b[2J\u202e.png"
    shutil.copy(album / "gallery" / "e.png", odd)
    (album / "gallery" / "bad\x1b.png").write_bytes(b"no")
    done = search("--on-error", "skip", query=album / "gallery" / "e.png")
    assert "e\\x1b[2J\\u202e.png" in done.out
    assert "skipped" in done.err
    assert not {"\x1b", "\u202e"} & {*done.out, *done.err}


def test_values_of_an_index_are_shown_short_and_harmless(album: Path, search: Commands) -> None:
    assert search("--index", album / "i.npz").code == 0
    with np.load(album / "i.npz") as arrays:
        honest = dict(arrays)
    model = {"file": "\x1b[31m.onnx", "sha256": "\x1b" * 64, "form": {"backbone": "x" * 10_000, "\x1b": [1]}}
    np.savez(album / "i.npz", **{**honest, "model": np.array(json.dumps(model))})
    done = search("--index", album / "i.npz", "--overwrite")
    assert "was made with \\x1b[31m.onnx (sha256 " in done.error
    assert len(done.error) < 600
    assert "\x1b" not in done.err
    np.savez(album / "i.npz", **{**honest, "folder": np.array("/\x1b" + "x" * 10_000)})
    done = search("--index", album / "i.npz", "--overwrite", gallery=None)
    assert "is the index of /\\x1bxxx" in done.error
    assert len(done.error) < 600


def test_a_changed_index_is_merged_in_one_array() -> None:
    count, length = 4000, 1024
    names = [f"{i:05d}.png" for i in range(count)]
    pictures = [Picture(Path(name), name, 1, 1, (0, i)) for i, name in enumerate(names)]
    values = np.arange(count, dtype=np.float32)[:, None] * np.ones(length, np.float32)
    old = slice(0, count, 2)
    known = FeatureFile(
        Fingerprint("", "", {}), Path(), names[old], values[old].copy(), *np.ones((2, count // 2), np.int64)
    )
    draft = gallery.GalleryDraft(Pictures(Path(), pictures, 0), known)

    def compute(todo: list[Picture], keep: Any) -> StreamStats:
        for number, picture in list(enumerate(todo))[1:]:  # the first one cannot be read
            keep(number, picture.name, values[picture.inode[1]])
        return StreamStats()

    tracemalloc.start()
    draft.compute(compute)
    features = draft.gallery.features
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(features, np.delete(values, 1, axis=0))
    assert peak < 1.5 * values.nbytes
