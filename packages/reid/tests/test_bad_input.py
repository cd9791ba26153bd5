"""Images, folders and models that cannot be used: one error line that names them, and nothing half-written."""

import io
import json
import os
import shutil
import threading
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


IMAGES = {
    "text": (".jpg", lambda: b"this is no image", "is not an image"),
    "empty": (".jpg", lambda: b"", "is not an image"),
    "truncated": (".jpg", lambda: jpeg()[: len(jpeg()) // 2], "truncated"),
    "header only": (".jpg", lambda: jpeg()[:20], ""),
    "16 bits": (".png", sixteen_bits, "more than 8 bits"),
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
    assert [line for line in done.err.splitlines() if line.startswith("skipped: ")][0].count(str(path)) == 1
    assert done.out.startswith("mAP: ")
    path.unlink()
    assert reid(*words, tmp_path / "without").code == 0
    have, want = report_of(tmp_path / "with"), report_of(tmp_path / "without")
    assert have["metrics"] == want["metrics"]
    assert have["samples"] == want["samples"] == 29
    assert [Path(row["source"]).name for row in have["skipped"]] == [path.name]


@pytest.mark.parametrize("spelling", ["same", "absolute"])
def test_postprocess_leaves_out_what_preprocess_skipped(
    spelling: str, market: Path, tmp_path: Path, pooled: Path, reid: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide's way with a bad image in each folder; paths are given as they were, or absolute later."""
    for folder in ("query", "bounding_box_test"):
        (market / folder / f"{BAD}.jpg").write_text("this is no image")
    monkeypatch.chdir(market)
    assert reid("preprocess", "query", "prep_query", "--on-error", "skip").code == 1
    assert reid("preprocess", "bounding_box_test", "prep_gallery", "--on-error", "skip").code == 1
    for path in (market / "prep_gallery").iterdir():
        path.rename(market / "prep_query" / path.name)
    assert (
        reid("infer", "--model", pooled, "--input", "prep_query", "--output", ".", "--output_dirname", "bs1").code == 0
    )
    base = Path() if spelling == "same" else market
    folders = ["--query_dir", base / "query", "--gallery_dir", base / "bounding_box_test", "--pred_dir", base / "bs1"]
    # The summary names only the folder that the bins were moved to; the other index has to be named.
    done = reid("postprocess", *folders)
    assert done.code == 1
    assert "has no result for 1 of" in done.error
    done = reid("postprocess", *folders, "--index", "prep_query_index.json", "prep_gallery_index.json")
    assert done.code == 0, done.err
    assert "2 images were skipped by preprocess" in done.err
    for folder in ("query", "bounding_box_test"):
        (market / folder / f"{BAD}.jpg").unlink()
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


def test_preprocess_into_a_folder_in_use(market: Path, tmp_path: Path, reid: Commands) -> None:
    bins = tmp_path / "bins"
    bins.mkdir()
    (bins / "notes.txt").write_text("mine")
    done = reid("preprocess", market / "query", bins)
    assert done.code == 1
    assert str(bins) in done.error
    assert "--overwrite" in done.hint
    assert files_of(tmp_path / "bins") == {"notes.txt": 4}
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
    kept = {name: size for name, size in files_of(bins).items() if size != 393_216}
    assert kept == {"notes.txt": 4, "sub/inner.bin": 4, "old.bin.gz": 4}
    assert len(files_of(bins)) - len(kept) == 9


@pytest.mark.parametrize("change", ["dtype", "source"])
def test_an_interrupted_run_is_not_continued_with_something_else(
    change: str, market: Path, tmp_path: Path, reid: Commands
) -> None:
    bad = market / "query" / f"{BAD}.jpg"
    bad.write_text("this is no image")
    assert reid("preprocess", market / "query", tmp_path / "bins").code == 1
    bad.unlink()
    before = files_of(tmp_path / "bins")
    other = {"dtype": (market / "query", "--dtype", "uint8"), "source": (market / "bounding_box_test",)}[change]
    done = reid("preprocess", other[0], tmp_path / "bins", *other[1:])
    assert done.code == 1
    assert "interrupted run with other options or another source" in done.hint
    assert files_of(tmp_path / "bins") == before


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
    assert files_of(tmp_path / "bs1") == {"notes.txt": 4}
    assert reid(*words, "--overwrite").code == 0
    assert len(files_of(tmp_path / "bs1")) == 10


@pytest.mark.parametrize("step", ["run", "infer"])
@pytest.mark.parametrize(
    ("name", "content"),
    [("garbage.onnx", b"garbage\x00\xff"), ("empty.onnx", b""), ("page.onnx", b"<html></html>")],
    ids=["garbage", "empty", "page"],
)
def test_an_onnx_file_that_is_garbage(
    name: str, content: bytes, step: str, market: Path, tmp_path: Path, reid: Commands
) -> None:
    (tmp_path / name).write_bytes(content)
    rest = ["--data", market] if step == "run" else ["--input", market / "query"]
    done = reid(step, "--model", tmp_path / name, *rest, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(tmp_path / name) in done.error
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    "model",
    [
        {"name": "larger", "shape": (3, 384, 128)},
        {"name": "grey", "shape": (1, 256, 128)},
        {"name": "swapped", "dtype": "uint8", "shape": (3, 256, 128)},
    ],
)
def test_run_refuses_a_model_of_another_shape(
    model: dict[str, Any], market: Path, tmp_path: Path, make_model: Any, reid: Commands
) -> None:
    done = reid("run", "--data", market, "--model", make_model(**model), "--output", tmp_path / "report")
    assert done.code == 1
    assert f"N, {', '.join(map(str, model['shape']))}" in done.error
    assert not (tmp_path / "report").exists()


def test_run_refuses_the_file_of_another_package(market: Path, tmp_path: Path, make_model: Any, reid: Commands) -> None:
    image = {"name": "image", "dtype": "float32", "shape": ["N", 3, 256, 128]}
    metadata = {"model": "gaitset", "version": "0.1.0", "inputs": [image], "outputs": [image]}
    model = make_model("of_gaitset", metadata=json.dumps(metadata))
    done = reid("run", "--data", market, "--model", model, "--output", tmp_path / "report")
    assert done.code == 1
    assert done.error == f"{model} is a model of gaitset, not of reid"


def test_run_refuses_metadata_that_it_cannot_read(
    market: Path, tmp_path: Path, make_model: Any, reid: Commands
) -> None:
    model = make_model("broken_metadata", metadata="{")
    done = reid("run", "--data", market, "--model", model, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(model) in done.error


def test_run_names_the_image_whose_feature_is_not_a_number(
    market: Path, tmp_path: Path, make_model: Any, reid: Commands
) -> None:
    done = reid("run", "--data", market, "--model", make_model("log", last="Log"), "--output", tmp_path / "report")
    assert done.code == 1
    assert "0001_c1s1_001051_00" in done.error
    assert "not finite" in done.error
    assert not (tmp_path / "report").exists()


def test_run_asked_for_another_dtype_than_the_model_takes(
    market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    words = ("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    done = reid(*words, "--dtype", "uint8")
    assert done.code == 2
    assert "--dtype uint8 does not fit the model, which takes image float32 (N, 3, 256, 128)" in done.error


@pytest.mark.parametrize("name", ["ReID.onnx", "missing.pth", "model.om", "model.txt"])
def test_a_model_that_is_not_there_or_not_known(name: str, market: Path, tmp_path: Path, reid: Commands) -> None:
    if name == "model.txt":
        (tmp_path / name).write_text("no model")
    done = reid("run", "--data", market, "--model", tmp_path / name, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(tmp_path / name) in done.error
    assert not (tmp_path / "report").exists()


def test_the_checkpoint_of_another_model(market: Path, tmp_path: Path, reid: Commands) -> None:
    import torch

    weights = {f"module.set_layer{i}.conv.weight": torch.ones(3, 3) for i in range(6)}
    torch.save(weights, tmp_path / "gaitset.pth")
    words = ("--weights", tmp_path / "gaitset.pth", "--output", tmp_path / "report")
    done = reid("run", "--data", market, *words)
    assert done.code == 1
    assert f"{tmp_path / 'gaitset.pth'} is not a resnet50 strong baseline" in done.error
    assert "6 keys unknown (set_layer0.conv.weight" in done.error
    assert not (tmp_path / "report").exists()


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


def test_a_report_folder_that_is_a_file(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    (tmp_path / "report").write_text("mine")
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 1
    assert str(tmp_path / "report") in done.error
    assert (tmp_path / "report").read_text() == "mine"


def test_a_dangling_link_is_named(market: Path, tmp_path: Path, reid: Commands) -> None:
    link = market / "query" / f"{BAD}.jpg"
    link.symlink_to(tmp_path / "nowhere.jpg")
    done = reid("preprocess", market / "query", tmp_path / "bins")
    assert done.code == 1
    assert str(link) in done.error
    assert os.strerror(2) in done.error
