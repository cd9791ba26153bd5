"""Images to .bin files: bit-equal to the recordings, and what the index says."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished

FOLDERS = ("query", "bounding_box_test")
RECORDS = {"float32": "tensor_f32_chw_sha256", "uint8": "resized_u8_hwc_sha256"}
BYTES = {"float32": 393_216, "uint8": 98_304}


@pytest.fixture(scope="module")
def recorded(golden: Path) -> list[dict[str, Any]]:
    """preprocess.json, one row per image."""
    return json.loads((golden / "preprocess.json").read_text())["files"]


@pytest.fixture(scope="module", params=["float32", "uint8"])
def written(
    request: pytest.FixtureRequest,
    golden: Path,
    reid_once: Callable[..., Finished],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Path, list[Finished]]:
    """Both folders of the small Market-1501 through the command: dtype, folder, how it ended."""
    folder = tmp_path_factory.mktemp(request.param)
    source = golden / "market1501_tiny"
    done = [reid_once("preprocess", source / name, folder / name, "--dtype", request.param) for name in FOLDERS]
    return request.param, folder, done


def index_of(folder: Path) -> dict[str, Any]:
    return json.loads(folder.with_name(f"{folder.name}_index.json").read_text())


def save(path: Path, mode: str, colour: Any, size: tuple[int, int] = (64, 128), **options: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)
    return path


def test_bins_are_bit_equal_to_the_recordings(
    written: tuple[str, Path, list[Finished]], recorded: list[dict[str, Any]]
) -> None:
    dtype, folder, _ = written
    want = {str(Path(row["file"]).with_name(row["bin"])): row[RECORDS[dtype]] for row in recorded}
    assert len(want) == 32
    bins = [path for name in FOLDERS for path in (folder / name).iterdir()]
    assert {path.stat().st_size for path in bins} == {BYTES[dtype]}
    have = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in bins}
    assert have == want


def test_the_command_counts_images_and_what_it_passed_over(written: tuple[str, Path, list[Finished]]) -> None:
    dtype, folder, done = written
    shape = "(3, 256, 128)" if dtype == "float32" else "(256, 128, 3)"
    for name, count, finished in zip(FOLDERS, (9, 23), done, strict=True):
        assert finished.code == 0
        assert finished.err == ""
        assert finished.out.splitlines() == [
            f"{count} images to {folder / name}, each {dtype} {shape}",
            "1 entries that are no images were passed over",
        ]


def test_index_names_every_source(
    written: tuple[str, Path, list[Finished]], recorded: list[dict[str, Any]], golden: Path
) -> None:
    dtype, folder, _ = written
    for name in FOLDERS:
        index = index_of(folder / name)
        shape = {"float32": [3, 256, 128], "uint8": [256, 128, 3]}[dtype]
        assert index["model"] == "reid"
        assert index["inputs"] == [{"name": "image", "dtype": dtype, "shape": shape}]
        assert index["command"] == {"source": str(golden / "market1501_tiny" / name), "dtype": dtype}
        assert index["complete"] is True
        assert index["skipped"] == []
        rows = [row for row in recorded if row["file"].startswith(f"{name}/")]
        want = sorted((Path(row["bin"]).stem, Path(row["file"]).name) for row in rows)
        assert [(sample["stem"], sample["source"]) for sample in index["samples"]] == want


def test_normalisation_is_the_recorded_table(golden: Path, tmp_path: Path, reid: Callable[..., Finished]) -> None:
    every_value = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 128, axis=1)
    (tmp_path / "images").mkdir()
    Image.fromarray(every_value).save(tmp_path / "images" / "levels.png")
    assert reid("preprocess", tmp_path / "images", tmp_path / "bins").code == 0
    planes = np.fromfile(tmp_path / "bins" / "levels.bin", np.float32).reshape(3, 256, 128)
    table = np.load(golden / "preprocess_full.npz")["lut"]
    assert np.array_equal(planes, np.repeat(table[:, :, None], 128, axis=2))


def test_resized_pixels_of_odd_sizes(golden: Path, market: Path, reid: Callable[..., Finished]) -> None:
    recorded = np.load(golden / "preprocess_full.npz")
    names = [name for name in recorded.files if name != "lut"]
    assert len(names) == 6
    for folder in FOLDERS:
        assert reid("preprocess", market / folder, market / f"{folder}_u8", "--dtype", "uint8").code == 0
    for name in names:
        folder, file = name.split("__")
        pixels = np.fromfile(market / f"{folder}_u8" / f"{file.split('.')[0]}.bin", np.uint8)
        assert np.array_equal(pixels.reshape(256, 128, 3), recorded[name]), name


@pytest.mark.parametrize(
    ("name", "mode", "colour", "size", "options", "want"),
    [
        ("cmyk.jpg", "CMYK", (255, 0, 0, 0), (64, 128), {"quality": 95}, (0, 255, 255)),
        ("palette.png", "P", 3, (64, 128), {}, (10, 200, 30)),
        ("palette_transparent.png", "P", 3, (64, 128), {"transparency": 3}, (10, 200, 30)),
        ("one_pixel.png", "RGB", (12, 34, 56), (1, 1), {}, (12, 34, 56)),
        ("grey.png", "L", 77, (31, 17), {}, (77, 77, 77)),
        ("grey_alpha.png", "LA", (77, 0), (64, 128), {}, (77, 77, 77)),
        ("alpha.png", "RGBA", (9, 8, 7, 100), (64, 128), {}, (9, 8, 7)),
        ("two_levels.png", "1", 1, (64, 128), {}, (255, 255, 255)),
        ("UPPER.JPG", "RGB", (128, 128, 128), (64, 128), {"quality": 95}, (128, 128, 128)),
        ("wide.bmp", "RGB", (1, 2, 3), (999, 3), {}, (1, 2, 3)),
    ],
)
def test_images_of_one_colour(
    name: str,
    mode: str,
    colour: Any,
    size: tuple[int, int],
    options: dict[str, Any],
    want: tuple[int, int, int],
    tmp_path: Path,
    reid: Callable[..., Finished],
) -> None:
    image = Image.new(mode, size, colour)
    if mode == "P":
        image.putpalette([0, 0, 0, 1, 1, 1, 2, 2, 2, 10, 200, 30])
    (tmp_path / "images").mkdir()
    image.save(tmp_path / "images" / name, **options)
    done = reid("preprocess", tmp_path / "images", tmp_path / "bins", "--dtype", "uint8")
    assert done.code == 0, done.err
    pixels = np.fromfile(tmp_path / "bins" / f"{name.split('.', maxsplit=1)[0]}.bin", np.uint8).reshape(-1, 3)
    assert len(pixels) == 256 * 128
    tolerance = 2 if name.endswith((".jpg", ".JPG")) else 0
    assert np.abs(pixels.astype(int) - want).max() <= tolerance


def test_exif_rotation_is_not_applied(tmp_path: Path, reid: Callable[..., Finished]) -> None:
    image = Image.new("RGB", (64, 128), (255, 0, 0))
    image.paste((0, 0, 255), (0, 64, 64, 128))
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    image.save(tmp_path / "images" / "turned.jpg", exif=exif, quality=95)
    assert reid("preprocess", tmp_path / "images", tmp_path / "bins", "--dtype", "uint8").code == 0
    pixels = np.fromfile(tmp_path / "bins" / "turned.bin", np.uint8).reshape(256, 128, 3).astype(int)
    assert np.abs(pixels[:120] - (255, 0, 0)).max() <= 5
    assert np.abs(pixels[136:] - (0, 0, 255)).max() <= 5


def test_only_images_are_taken_and_the_rest_is_counted(tmp_path: Path, reid: Callable[..., Finished]) -> None:
    images = tmp_path / "images"
    save(images / "a.jpg", "RGB", 0)
    for name in ("Thumbs.db", "notes.txt", "._a.jpg", "b"):
        (images / name).write_text("no image")
    (images / "folder.jpg").mkdir()
    done = reid("preprocess", images, tmp_path / "bins")
    assert done.code == 0
    assert "5 entries that are no images were passed over" in done.out
    assert [path.name for path in (tmp_path / "bins").iterdir()] == ["a.bin"]


def test_other_characters_in_a_name_become_underscores(tmp_path: Path, reid: Callable[..., Finished]) -> None:
    save(tmp_path / "images" / "0002 c1 (süd).v2.png", "RGB", 0)
    assert reid("preprocess", tmp_path / "images", tmp_path / "bins").code == 0
    assert [path.name for path in (tmp_path / "bins").iterdir()] == ["0002_c1__s_d_.bin"]
    assert index_of(tmp_path / "bins")["samples"] == [{"stem": "0002_c1__s_d_", "source": "0002 c1 (süd).v2.png"}]


@pytest.mark.parametrize("workers", [1, 7])
def test_workers_do_not_change_the_bytes(
    workers: int, written: tuple[str, Path, list[Finished]], market: Path, reid: Callable[..., Finished]
) -> None:
    dtype, folder, _ = written
    assert reid("preprocess", market / "query", market / "bins", "--dtype", dtype, "--workers", workers).code == 0
    want = {path.name: path.read_bytes() for path in (folder / "query").iterdir()}
    assert {path.name: path.read_bytes() for path in (market / "bins").iterdir()} == want
    assert index_of(market / "bins")["samples"] == index_of(folder / "query")["samples"]


def test_a_changed_image_is_done_again_when_a_run_is_continued(market: Path, reid: Callable[..., Finished]) -> None:
    words = ("preprocess", market / "query", market / "bins")
    (market / "query" / "9999_c1s1_000000_00.jpg").write_text("not an image")
    assert reid(*words).code == 1
    changed, other = sorted((market / "query").glob("000*.jpg"))[:2]
    before = {path: (market / "bins" / f"{path.stem}.bin").read_bytes() for path in (changed, other)}
    kept = (market / "bins" / f"{other.stem}.bin").stat()
    (market / "query" / "9999_c1s1_000000_00.jpg").unlink()
    shutil.copyfile(market / "bounding_box_test" / "0777_c3s1_000170_01.jpg", changed)
    os.utime(changed, (time.time() + 10, time.time() + 10))  # not in the same tick as its .bin
    assert reid(*words).code == 0
    assert (market / "bins" / f"{changed.stem}.bin").read_bytes() != before[changed]
    assert (market / "bins" / f"{other.stem}.bin").read_bytes() == before[other]
    assert (market / "bins" / f"{other.stem}.bin").stat().st_ino == kept.st_ino
