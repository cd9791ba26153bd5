"""`dgnet preprocess`: bit-equal to the recordings, every photo decoded once, and what the indices say."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.dgnet import preprocess

Commands = Callable[..., Finished]
Draw = Callable[..., Path]


@pytest.fixture
def written(train_all: Path, tmp_path: Path, dgnet: Commands) -> Callable[..., tuple[Path, Path, Finished]]:
    """Preprocess the small Market-1501: folder of appearances, folder of structures, how it ended."""

    def run(*words: object, data: Path = train_all) -> tuple[Path, Path, Finished]:
        folders = tmp_path / "bin_path1", tmp_path / "bin_path2"
        flags = ("--input_folder", data, "--output_folder", folders[0], "--output_folder2", folders[1])
        return *folders, dgnet("preprocess", *flags, *words)

    return run


def index_of(folder: Path) -> dict[str, Any]:
    return json.loads(folder.with_name(f"{folder.name}_index.json").read_text())


def unfinish(*folders: Path) -> None:
    """Make a finished run look like one that was interrupted before its end."""
    for folder in folders:
        path = folder.with_name(f"{folder.name}_index.json")
        path.write_text(json.dumps({**index_of(folder), "complete": False}))


@pytest.fixture
def recorded(golden: Path) -> dict[str, dict[str, Any]]:
    """What the original gave for every photo, by the photo's name; `sha256_gray` is of its own grey picture."""
    rows = json.loads((golden / "preprocess.json").read_text())["images"]
    grey = {row["structure_image"]: row["sha256_gray"] for row in rows}
    return {row["name"]: {**row, "sha256_gray": grey[row["name"]]} for row in rows}


def test_every_file_is_bit_equal_to_the_original(written: Any, recorded: dict[str, dict[str, Any]]) -> None:
    appearances, structures, done = written()
    assert done.code == 0, done.err
    samples = index_of(appearances)["samples"]
    assert len(samples) == len(recorded) == 6
    for sample in samples:
        appearance, structure = (recorded[Path(sample[key]).stem] for key in ("appearance", "structure"))
        labels = structure["appearance_label"], appearance["appearance_label"]
        assert sample["stem"] == "{:03d}_{:03d}_gan{}".format(*labels, appearance["name"])
        for folder, want in ((appearances, appearance["sha256_rgb"]), (structures, structure["sha256_gray"])):
            content = (folder / f"{sample['stem']}.bin").read_bytes()
            assert hashlib.sha256(content).hexdigest() == want
    assert {path.name for path in structures.iterdir()} == {f"{sample['stem']}.bin" for sample in samples}


def test_the_indices(written: Any) -> None:
    appearances, structures, _ = written()
    one, two = index_of(appearances), index_of(structures)
    assert one["inputs"] == [{"name": "image2", "dtype": "float32", "shape": [3, 256, 128]}]
    assert two["inputs"] == [{"name": "image1", "dtype": "float32", "shape": [1, 256, 128]}]
    assert one["samples"] == two["samples"]
    assert (one["complete"], one["model"], one["command"]["seed"]) == (True, "dgnet", 10)
    for sample in one["samples"]:
        assert sample["source"] == sample["appearance"]
        assert sample["stem"].startswith(f"{sample['structure_label']:03d}_{sample['appearance_label']:03d}_gan")
        labels = {"0002": 0, "0007": 1, "0010": 2}
        assert sample["structure_label"] == labels[sample["structure"].split("/")[0]]
        assert sample["appearance_label"] == labels[sample["appearance"].split("/")[0]]


def test_pixels(written: Any, train_all: Path, golden: Path) -> None:
    appearances, structures, done = written("--dtype", "uint8")
    assert done.code == 0, done.err
    for sample in index_of(structures)["samples"]:
        for folder, key in ((appearances, "appearance"), (structures, "structure")):
            pixels = np.fromfile(folder / f"{sample['stem']}.bin", np.uint8).reshape(256, 128, 3)
            with Image.open(train_all / sample[key]) as image:
                want = np.asarray(image.resize((128, 256), Image.Resampling.BICUBIC))
            assert np.array_equal(pixels, want)
    shapes = [index_of(folder)["inputs"][0] for folder in (structures, appearances)]
    assert shapes == [{"name": name, "dtype": "uint8", "shape": [256, 128, 3]} for name in ("image1", "image2")]


@pytest.mark.parametrize("workers", [1, 5])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_every_photo_is_decoded_once(
    workers: int, dtype: str, written: Any, train_all: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[Path] = Counter()
    real = preprocess.read_pixels

    def counted(path: Path) -> np.ndarray:
        decoded[path] += 1
        return real(path)

    monkeypatch.setattr(preprocess, "read_pixels", counted)
    assert written("--workers", workers, "--dtype", dtype)[2].code == 0
    assert decoded == dict.fromkeys(train_all.rglob("*.jpg"), 1)


def test_photos_are_let_go_after_their_second_pair(train_all: Path) -> None:
    from modelzoo.dgnet.dataset import read_tree
    from modelzoo.dgnet.pairing import pair_photos

    pairs = pair_photos(read_tree(train_all).photos, 10)
    photos = preprocess.SharedPhotos(pairs)
    held = []
    for pair in pairs:
        photos.read(pair.appearance.path)
        photos.read(pair.structure.path)
        held.append(len(photos._held))
    assert held == [2, 2, 2, 2, 2, 0]  # the first one waits for the last pair


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_pairs(written: Any) -> None:
    first, _, _ = written()
    before = tree(first)
    assert written("--overwrite", "--workers", 1)[2].code == 0
    assert tree(first) == before
    assert written("--overwrite", "--seed", 11)[2].code == 0
    assert {name[8:] for name in tree(first)} == {name[8:] for name in before}  # the appearances are the same
    assert tree(first).keys() != before.keys()


def test_a_bad_photo_is_an_error_or_two_pairs_are_skipped(written: Any, train_all: Path) -> None:
    bad = train_all / "0007" / "0007_c2s3_071002_01.jpg"
    bad.unlink()  # it is a link
    bad.write_text("no image")
    appearances, _, done = written()
    assert (done.code, done.error) == (1, f"{bad} is not an image")
    appearances, structures, done = written("--on-error", "skip", "--overwrite")
    assert done.code == 1
    index = index_of(structures)
    assert [len(index["samples"]), len(index["skipped"])] == [4, 2]
    assert all("0007_c2s3_071002_01.jpg is not an image" in row["reason"] for row in index["skipped"])
    assert done.err.count("skipped: ") == 2
    assert len(tree(appearances)) == len(tree(structures)) == 4


def test_an_interrupted_run_is_continued_unless_there_are_other_photos(
    written: Any, train_all: Path, market: Path
) -> None:
    bad = train_all / "0010" / "0010_c6s4_002427_02.jpg"
    bad.unlink()
    bad.write_text("no image")
    assert written()[2].code == 1
    shutil.copyfile(market / "bounding_box_train" / bad.name, bad)
    appearances, structures, done = written()
    assert done.code == 0, done.err
    assert len(tree(appearances)) == 6
    unfinish(appearances, structures)
    assert written()[2].code == 0  # nothing has changed
    unfinish(appearances, structures)
    (train_all / "0099").mkdir()
    shutil.copyfile(bad, train_all / "0099" / "0099_c1s1_000001_00.jpg")
    done = written()[2]
    assert done.code == 1
    assert "not empty" in done.error


def test_one_image_is_structure_and_appearance_in_one(written: Any, draw: Draw, tmp_path: Path) -> None:
    draw("tree/anna/a.png")
    appearances, structures, done = written(data=tmp_path / "tree")
    assert done.code == 0
    assert "one picture" in done.err
    assert [[path.name for path in folder.iterdir()] for folder in (appearances, structures)] == 2 * [
        ["000_000_gana.bin"]
    ]
    colours = np.fromfile(appearances / "000_000_gana.bin", np.float32).reshape(3, 256, 128)
    grey = np.fromfile(structures / "000_000_gana.bin", np.float32).reshape(256, 128)
    assert np.array_equal(grey, (colours[0] + colours[1] + colours[2]) / np.float32(3))


def test_one_identity_lends_structures_to_itself(written: Any, draw: Draw, tmp_path: Path) -> None:
    for name in "abc":
        draw(f"tree/anna/{name}.png", seed=ord(name))
    appearances, _, done = written(data=tmp_path / "tree")
    assert done.code == 0
    assert "one identity" in done.err
    assert {path.name for path in appearances.iterdir()} == {f"000_000_gan{name}.bin" for name in "abc"}


@pytest.mark.parametrize(
    ("name", "mode", "size", "colour", "want"),
    [
        ("pixel.png", "RGB", (1, 1), (255, 0, 128), (255, 0, 128)),
        ("grey.png", "L", (64, 128), 77, (77, 77, 77)),
        ("grey_pixel.jpg", "L", (1, 1), 200, (200, 200, 200)),
        ("alpha.png", "RGBA", (64, 128), (1, 2, 3, 9), (1, 2, 3)),
        ("wide.bmp", "RGB", (500, 2), (9, 8, 7), (9, 8, 7)),
    ],
)
def test_images_of_one_colour(
    name: str, mode: str, size: tuple[int, int], colour: Any, want: Any, written: Any, draw: Draw, tmp_path: Path
) -> None:
    draw(f"tree/0001/{name}", mode, size, colour=colour)
    appearances, structures, done = written(data=tmp_path / "tree")
    assert done.code == 0, done.err
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    normalised = (np.array(want) / 255 - mean) / std
    (appearance,), (structure,) = appearances.iterdir(), structures.iterdir()
    colours = np.fromfile(appearance, np.float32).reshape(3, -1)
    assert np.abs(colours - normalised[:, None]).max() < 1e-6
    assert np.abs(np.fromfile(structure, np.float32) - normalised.mean()).max() < 1e-6


def test_what_is_no_image_is_counted(written: Any, draw: Draw, tmp_path: Path) -> None:
    draw("tree/0001/a.jpg")
    draw("tree/0001/deeper/b.jpg")
    draw("tree/c.jpg")
    for name in ("0001/Thumbs.db", "0001/._a.jpg", "notes.txt", ".hidden/d.jpg"):
        (tmp_path / "tree" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "tree" / name).write_text("no image")
    appearances, _, done = written(data=tmp_path / "tree")
    assert [path.name for path in appearances.iterdir()] == ["000_000_gana.bin"]
    assert "6 entries that are no images were passed over" in done.out


def test_odd_names(written: Any, draw: Draw, tmp_path: Path) -> None:
    draw("tree/0001/0002 c1 (süd).v2.png")
    assert [path.name for path in written(data=tmp_path / "tree")[0].iterdir()] == ["000_000_gan0002_c1__s_d_.bin"]
    draw("tree/0002/0002 c1 (süd).v2.png")  # the same name, another identity
    assert len(list(written("--overwrite", data=tmp_path / "tree")[0].iterdir())) == 2
    draw("tree/0002/0002_c1_[süd].jpg")
    done = written("--overwrite", data=tmp_path / "tree")[2]
    assert done.error == "0002 c1 (süd).v2.png and 0002_c1_[süd].jpg would both write 0002_c1__s_d_.bin"


def test_folders_that_are_no_tree(written: Any, market: Path, draw: Draw, tmp_path: Path) -> None:
    draw("flat/a.jpg")
    for data, error, hint in (
        (market, f"{market} is a raw Market-1501", "dgnet prepare-market"),
        (market / "pytorch", f"no images in the folders of {market / 'pytorch'}", "one folder per identity"),
        (tmp_path / "flat", f"no images in the folders of {tmp_path / 'flat'}", "one folder per identity"),
        (market / "pytorch" / "train_al", f"no such image folder: {market / 'pytorch' / 'train_al'}", "train_all?"),
    ):
        done = written(data=data)[2]
        assert (done.code, done.error) == (1, error)
        assert hint in done.hint


@pytest.mark.parametrize(("one", "two"), [("bins", "x/../bins"), ("bins", "bins/in"), ("bins/in", "bins")])
def test_output_folders_that_share_files_are_refused(
    one: str, two: str, train_all: Path, tmp_path: Path, dgnet: Commands
) -> None:
    words = ("--output_folder", tmp_path / one, "--output_folder2", tmp_path / two)
    done = dgnet("preprocess", "--input_folder", train_all, *words)
    assert done.code == 2
    assert done.error == f"{tmp_path / one} and {tmp_path / two} are one folder, or one is in the other"
    assert not (tmp_path / "bins").exists()


def test_a_link_to_nothing_is_skipped(written: Any, train_all: Path) -> None:
    (train_all / "0007" / "gone.jpg").symlink_to("nowhere.jpg")
    done = written()[2]
    assert done.code == 1
    assert done.error.endswith("gone.jpg: No such file or directory")
    _, structures, done = written("--on-error", "skip", "--overwrite")
    assert (done.code, len(index_of(structures)["samples"])) == (1, 5)


@pytest.mark.parametrize(
    ("name", "spoil", "error"),
    [
        ("a.jpg", lambda path: path.write_bytes(b""), "is not an image"),
        ("a.jpg", lambda path: path.write_bytes(path.read_bytes()[:1500]), "truncated"),
        ("a.jpg", lambda path: path.write_bytes(path.read_bytes()[:20]), ""),
        ("a.png", lambda path: path.write_bytes(path.read_bytes()[:60]), ""),
        ("a.png", lambda path: Image.fromarray(np.zeros((9, 9), np.uint16)).save(path), "more than 8 bits"),
    ],
)
def test_damaged_images(
    name: str, spoil: Callable[[Path], object], error: str, written: Any, draw: Draw, tmp_path: Path
) -> None:
    spoil(draw(f"tree/0001/{name}"))
    appearances, structures, done = written(data=tmp_path / "tree")
    assert done.code == 1
    assert str(tmp_path / "tree" / "0001" / name) in done.error
    assert error in done.error
    assert tree(appearances) == tree(structures) == {}
