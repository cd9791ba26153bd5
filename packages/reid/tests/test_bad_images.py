"""Images that cannot be used: one error line that names them, nothing half-written, or skipped and listed."""

import io
import json
import os
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]

BAD = "0001_c3s1_000999_00"
"""The stem of the bad image."""


def jpeg(size: tuple[int, int] = (64, 128)) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


def sixteen_bits() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(64 * 128, dtype=np.uint16).reshape(128, 64)).save(file, "PNG")
    return file.getvalue()


def sixteen_bit_colours() -> bytes:
    """A PNG that Pillow opens as if it had 8 bits."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(range(24)) for _ in range(4)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


IMAGES = {
    "text": (".jpg", lambda: b"this is no image", "is not an image"),
    "empty": (".jpg", lambda: b"", "is not an image"),
    "truncated": (".jpg", lambda: jpeg()[: len(jpeg()) // 2], "truncated"),
    "header only": (".jpg", lambda: jpeg()[:20], ""),
    "16 bits": (".png", sixteen_bits, "more than 8 bits"),
    "16 bits a colour": (".png", sixteen_bit_colours, "more than 8 bits"),
    "truncated png": (".png", lambda: sixteen_bits()[:60], ""),
}


@pytest.fixture(params=IMAGES)
def bad_image(request: pytest.FixtureRequest, market: Path) -> tuple[Path, str]:
    """A bad image among the gallery images, and what the error says of it."""
    suffix, content, word = IMAGES[request.param]
    path = market / "bounding_box_test" / f"{BAD}{suffix}"
    path.write_bytes(content())
    return path, word


def files_of(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def assert_only_whole_bins(folder: Path) -> None:
    """Every file in the folder is a whole .bin, and the index beside it says that the run did not end."""
    assert all(name.endswith(".bin") and not name.startswith(".") for name in files_of(folder))
    assert set(files_of(folder).values()) <= {393_216}
    assert json.loads(folder.with_name(f"{folder.name}_index.json").read_text())["complete"] is False


def test_preprocess_names_a_bad_image_and_goes_on_when_it_is_gone(
    bad_image: tuple[Path, str], market: Path, tmp_path: Path, reid: Commands
) -> None:
    path, word = bad_image
    words = ("preprocess", market / "bounding_box_test", tmp_path / "bins")
    done = reid(*words)
    assert done.code == 1
    assert str(path) in done.error
    assert word in done.error
    assert_only_whole_bins(tmp_path / "bins")
    path.unlink()
    assert reid(*words).code == 0
    assert len(files_of(tmp_path / "bins")) == 23


def test_preprocess_can_skip_a_bad_image(
    bad_image: tuple[Path, str], market: Path, tmp_path: Path, reid: Commands
) -> None:
    path, word = bad_image
    done = reid("preprocess", market / "bounding_box_test", tmp_path / "bins", "--on-error", "skip")
    assert done.code == 1
    skipped = [line for line in done.err.splitlines() if line.startswith("skipped: ")]
    assert len(skipped) == 1
    assert str(path) in skipped[0]
    assert word in skipped[0]
    assert set(files_of(tmp_path / "bins").values()) == {393_216}
    assert len(files_of(tmp_path / "bins")) == 23
    index = json.loads((tmp_path / "bins_index.json").read_text())
    assert index["complete"] is True
    assert len(index["samples"]) == 23
    (row,) = index["skipped"]
    assert Path(row["source"]).name == path.name
    assert word in row["reason"]


def test_nothing_is_written_after_the_command_has_ended(market: Path, tmp_path: Path, reid: Commands) -> None:
    (market / "query" / "0000_c1s1_000000_00.jpg").write_text("this is no image")
    Image.new("RGB", (5000, 5000)).save(market / "query" / "0000_c1s1_000001_00.png")
    assert reid("preprocess", market / "query", tmp_path / "bins", "--workers", 4).code == 1
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("modelzoo")] == []


def test_run_names_a_bad_image(
    bad_image: tuple[Path, str], market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    path, word = bad_image
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(path) in done.error
    assert word in done.error
    assert done.out == ""
    assert not (tmp_path / "report").exists()


def test_run_can_skip_a_bad_image(
    bad_image: tuple[Path, str], market: Path, tmp_path: Path, pooled: Path, reid: Commands, report_of: Any
) -> None:
    path, _ = bad_image
    words = ("run", "--data", market, "--model", pooled, "--output")
    done = reid(*words, tmp_path / "with", "--on-error", "skip")
    assert done.code == 1
    assert str(path) in next(line for line in done.err.splitlines() if line.startswith("skipped: "))
    assert done.out.startswith("mAP: ")
    path.unlink()
    assert reid(*words, tmp_path / "without").code == 0
    have, want = report_of(tmp_path / "with"), report_of(tmp_path / "without")
    assert have["metrics"] == want["metrics"]
    assert have["samples"] == want["samples"] == 29
    assert [Path(row["source"]).name for row in have["skipped"]] == [path.name]


@pytest.mark.parametrize("spelling", ["same", "absolute"])
def test_postprocess_leaves_out_what_preprocess_skipped(
    spelling: str, market: Path, pooled: Path, reid: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's way with a bad image in each folder; paths are given as they were, or absolute later."""
    bad = [market / "query" / "0001_c1s1_000998_00.jpg", market / "bounding_box_test" / f"{BAD}.jpg"]
    for path in bad:
        path.write_text("this is no image")
    monkeypatch.chdir(market)
    assert reid("preprocess", "query", "prep_query", "--on-error", "skip").code == 1
    assert reid("preprocess", "bounding_box_test", "prep_gallery", "--on-error", "skip").code == 1
    for path in (market / "prep_gallery").iterdir():
        path.rename(market / "prep_query" / path.name)
    infer = ("infer", "--model", pooled, "--input", "prep_query", "--output", ".", "--output_dirname", "bs1")
    assert reid(*infer).code == 0
    base = Path() if spelling == "same" else market
    folders = ["--query_dir", base / "query", "--gallery_dir", base / "bounding_box_test", "--pred_dir", base / "bs1"]
    # The summary names only the folder that the bins were moved to; the other index has to be named.
    done = reid("postprocess", *folders)
    assert done.code == 1
    assert "has no result for 1 of 33 images, the first is " in done.error
    assert done.error.endswith(f"_0.bin of {base / 'bounding_box_test' / bad[1].name}")
    done = reid("postprocess", *folders, "--index", "prep_query_index.json", "prep_gallery_index.json")
    assert done.code == 0, done.err
    assert "2 images were skipped by preprocess" in done.err
    for path in bad:
        path.unlink()
    assert reid("postprocess", *folders).out == done.out


@pytest.mark.parametrize("step", ["preprocess", "run"])
@pytest.mark.parametrize(
    ("names", "stem"),
    [
        (("0001_c1s1_1.jpg", "0001_c1s1_1.png"), "0001_c1s1_1"),
        (("0001_c1s1_1.jpg", "0001_c1s1_1.jpg.jpg"), "0001_c1s1_1"),
        (("0001_c1s1 1.jpg", "0001_c1s1_1.jpg"), "0001_c1s1_1"),
    ],
)
def test_two_images_with_one_stem_are_both_named(
    names: tuple[str, str], stem: str, step: str, market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    for name in names:
        (market / "query" / name).write_bytes(jpeg())
    words = {
        "preprocess": ("preprocess", market / "query", tmp_path / "out"),
        "run": ("run", "--data", market, "--model", pooled, "--output", tmp_path / "out"),
    }
    done = reid(*words[step])
    assert done.code == 1
    assert all(name in done.error for name in names)
    assert f"{stem}.bin" in done.error
    assert done.hint == "rename one of them"
    assert not (tmp_path / "out").exists()


def test_a_name_before_its_first_dot_is_needed(market: Path, tmp_path: Path, reid: Commands) -> None:
    """A hidden file is no image, so it is passed over."""
    (market / "query" / ".jpg").write_bytes(jpeg())
    done = reid("preprocess", market / "query", tmp_path / "bins")
    assert done.code == 0
    assert "2 entries that are no images were passed over" in done.out


def test_run_needs_a_person_id_in_every_name(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    (market / "query" / "somebody.jpg").write_bytes(jpeg())
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(market / "query" / "somebody.jpg") in done.error
    assert "0002_c1s1_000451_03" in done.hint


def test_a_dangling_link_is_named(market: Path, tmp_path: Path, reid: Commands) -> None:
    link = market / "query" / f"{BAD}.jpg"
    link.symlink_to(tmp_path / "nowhere.jpg")
    done = reid("preprocess", market / "query", tmp_path / "bins")
    assert done.code == 1
    assert str(link) in done.error
    assert os.strerror(2) in done.error


def test_a_number_that_no_one_has_is_no_person_id(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    odd = market / "query" / f"{'9' * 20}_c1s1_000001_00.jpg"
    odd.write_bytes(jpeg())
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(odd) in done.error


def test_a_name_that_is_no_utf8_ends_up_in_the_report_as_an_escape(
    market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    (market / "query" / os.fsdecode(b"0001_c6s4_00220\xff_00.jpg")).write_bytes(jpeg())
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 0, done.err
    assert {path.suffix for path in (tmp_path / "report").iterdir()} == {".json", ".html", ".md"}
