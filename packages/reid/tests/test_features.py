"""People's own pictures into features, by the command `extract`; the file, and what is refused as one."""

import hashlib
import io
import json
import os
import shutil
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.errors import DataError, WriteError
from modelzoo.common.session import open_session
from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.reid.features.file import FeatureFile, read_features, write_features
from modelzoo.reid.features.fingerprint import Fingerprint, fingerprint
from modelzoo.reid.pictures import find_pictures

Commands = Callable[..., Finished]

NAMES = ["b.png", "deep/er/a,\"'.jpg", "deep/图 1.webp", "no suffix but jpg.JPG", "z.bmp"]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Pictures of any names and sizes in a tree, among other things."""
    folder = tmp_path / "album"
    rng = np.random.default_rng(0)
    for i, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (20 + 30 * i, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((300, 200)).save(folder / name)
    for name in ("notes.txt", "deep/Thumbs.db", ".hidden.jpg", ".cache/thumb.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("no picture")
    return folder


def pooled_feature(path: Path) -> np.ndarray:
    """What the pooled model of the tests gives, in double precision."""
    image = Image.open(path).convert("RGB").resize((128, 256), Image.Resampling.BILINEAR)
    values = (np.asarray(image, np.float64) / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    return values.transpose(2, 0, 1).reshape(3, 16, 16, 8, 16).mean((2, 4)).ravel()


def loaded(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("words", [(), ("--batchsize", 2, "--workers", 3)])
def test_every_picture_below_a_folder(
    words: tuple[object, ...], album: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    done = reid("extract", "--model", pooled, "--input", album, "--output", tmp_path / "f.npz", *words)
    assert done.code == 0, done.err
    assert f"5 pictures to {tmp_path / 'f.npz'}: names, and features float32 (5, 384)" in done.out
    assert "other files passed over: 3" in done.out
    arrays = loaded(tmp_path / "f.npz")
    assert arrays["names"].tolist() == NAMES
    assert arrays["features"].dtype == np.float32
    want = np.stack([pooled_feature(album / name) for name in NAMES])
    assert arrays["features"] == pytest.approx(want, abs=1e-5)
    assert np.linalg.norm(want, axis=1).min() > 1.5  # as the model gives them, not of length 1
    assert arrays["sizes"].tolist() == [(album / name).stat().st_size for name in NAMES]
    assert arrays["mtimes"].tolist() == [(album / name).stat().st_mtime_ns for name in NAMES]
    assert str(arrays["folder"]) == str(album)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["album", "f.npz"]


def test_models_of_every_kind(album: Path, tmp_path: Path, make_model: Any, reid: Commands) -> None:
    for name, dtype, batch in (("pooled", "float32", "N"), ("u8", "uint8", "N"), ("fixed", "float32", 4)):
        image = (3, 256, 128) if dtype == "float32" else (256, 128, 3)
        model = make_model(f"any_{name}", dtype, batch, image)
        done = reid("extract", "--model", model, "--input", album, "--output", tmp_path / f"{name}.npz")
        assert done.code == 0, done.err
        have = loaded(tmp_path / f"{name}.npz")["features"]
        if dtype == "uint8":
            mean, std = (np.repeat(values, 128) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
            have = (have / 255 - mean) / std
        assert have == pytest.approx(np.stack([pooled_feature(album / name) for name in NAMES]), abs=1e-5)


def test_one_picture(album: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    (album / "deep" / "face").write_bytes((album / "z.bmp").read_bytes())  # of any name, when it is named
    words = ("--input", album / "deep" / "face", "--output", tmp_path / "f.npz")
    assert reid("extract", "--model", pooled, *words).code == 0
    arrays = loaded(tmp_path / "f.npz")
    assert (arrays["names"].tolist(), str(arrays["folder"])) == (["face"], str(album / "deep"))
    assert arrays["features"][0] == pytest.approx(pooled_feature(album / "z.bmp"), abs=1e-5)
    assert json.loads(str(arrays["model"]))["form"] == {}  # the file says nothing of itself


def test_the_network_gives_the_recorded_features(
    market: Path,
    tmp_path: Path,
    exported: Callable[[str], Path],
    tiny_features: dict[str, np.ndarray],
    reid: Commands,
) -> None:
    shutil.rmtree(market / "bounding_box_train")
    done = reid("extract", "--model", exported("after"), "--input", market, "--output", tmp_path / "f.npz")
    assert done.code == 0, done.err
    arrays = loaded(tmp_path / "f.npz")
    assert len(arrays["names"]) == len(tiny_features) == 32
    assert str(arrays["names"][0]).startswith("bounding_box_test/")
    for name, feature in zip(arrays["names"], arrays["features"], strict=True):
        assert np.abs(feature - tiny_features[Path(str(name)).name.split(".")[0]]).max() <= 1e-5
    model = json.loads(str(arrays["model"]))
    assert model["file"] == "after.onnx"
    assert model["form"] == {"backbone": "resnet50", "neck_feat": "after", "dtype": "float32"}


def test_a_checkpoint_is_known_by_its_form_too(
    market: Path, tmp_path: Path, checkpoint: Path, tiny_features: dict[str, np.ndarray], reid: Commands
) -> None:
    query = market / "query"
    picture = next(path for path in sorted(query.iterdir()) if path.suffix == ".jpg")
    for neck in ("after", "before"):
        words = ("--model", checkpoint, "--neck-feat", neck, "--output", tmp_path / f"{neck}.npz")
        assert reid("extract", "--input", picture, *words).code == 0
    after, before = (read_features(tmp_path / f"{neck}.npz") for neck in ("after", "before"))
    assert after.features[0] == pytest.approx(tiny_features[picture.name.split(".")[0]], abs=1e-5)
    assert after.model.sha256 == before.model.sha256
    assert after.model != before.model


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_an_unreadable_picture_among_many(
    on_error: str, album: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    bad, gone = album / "deep" / "bad.jpg", album / "deep" / "gone.jpg"
    bad.write_bytes(b"this is no picture")
    gone.symlink_to("nowhere")
    words = ("--input", album, "--output", tmp_path / "f.npz", "--on-error", on_error, "--workers", 1)
    done = reid("extract", "--model", pooled, *words)
    assert done.code == 1
    if on_error == "fail":
        assert done.error == f"{bad} is not an image"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["album"]
        return
    lines = [f"skipped: {bad} is not an image", f"skipped: cannot read {gone}: {os.strerror(2)}"]
    assert done.err.splitlines() == lines
    assert loaded(tmp_path / "f.npz")["names"].tolist() == NAMES


def test_nothing_can_be_read(tmp_path: Path, pooled: Path, reid: Commands) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no")
    (tmp_path / "b.jpg").write_bytes(b"no")
    words = ("--input", tmp_path, "--output", tmp_path / "f.npz", "--on-error", "skip")
    done = reid("extract", "--model", pooled, *words)
    assert done.code == 1
    assert done.error == (
        f"none of the 2 pictures in {tmp_path} can be read, the first: {tmp_path / 'a.jpg'} is not an image"
    )
    assert not (tmp_path / "f.npz").exists()


def places(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    return {
        "no images": (tmp_path / "texts", f"no images in {tmp_path / 'texts'}"),
        "missing": (tmp_path / "nowhere.jpg", f"no such input: {tmp_path / 'nowhere.jpg'}"),
        "a text": (tmp_path / "texts" / "a.txt", f"{tmp_path / 'texts' / 'a.txt'} is not an image"),
    }


@pytest.mark.parametrize("case", ["no images", "missing", "a text"])
def test_places_without_pictures(case: str, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    place, message = places(tmp_path)[case]
    done = reid("extract", "--model", pooled, "--input", place, "--output", tmp_path / "f.npz")
    assert (done.code, done.error) == (1, message)
    assert not (tmp_path / "f.npz").exists()


def test_an_output_that_cannot_be_written(album: Path, tmp_path: Path, reid: Commands) -> None:
    before = tree(tmp_path)
    for output in (tmp_path / "nowhere" / "f.npz", album / "z.bmp" / "f.npz"):
        words = ("--input", album, "--output", output)
        done = reid("extract", "--model", "not even looked at", *words)
        assert done.code == 1
        assert str(output.parent) in done.error
    assert tree(tmp_path) == before


def test_a_model_that_gives_no_numbers(album: Path, tmp_path: Path, make_model: Any, reid: Commands) -> None:
    model = make_model("logarithm", last="Log")  # of negative numbers
    done = reid("extract", "--model", model, "--input", album, "--output", tmp_path / "f.npz", "--workers", 1)
    assert done.code == 1
    assert done.error == f"the feature of {album / 'b.png'} is not finite, or too large to compute distances with"


def test_links_and_drawn_rankings(album: Path, tmp_path: Path) -> None:
    """Links to folders are followed, to each folder once; what a search drew is left out."""
    (album / "again").symlink_to(album)
    (album / "a link to er").symlink_to(album / "deep" / "er")  # found by its own name
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(album / "deep", elsewhere / "far")
    (elsewhere / "back").symlink_to(album)
    (album / "deep" / "b").symlink_to(elsewhere)
    (album / "deep" / "c").symlink_to(elsewhere / "far")
    (tmp_path / "link").symlink_to(album)
    (album / "deep" / "ranking.csv").write_text("query,rank,gallery,distance\n")
    shutil.copytree(album / "deep" / "er", album / "deep" / "ranked")
    shutil.copytree(album / "deep" / "er", album / "ranked")  # no table beside it: somebody's own folder
    found = find_pictures(tmp_path / "link", "gallery")
    linked = ["deep/b/far/er/a,\"'.jpg", "deep/b/far/图 1.webp"]
    assert [picture.name for picture in found.pictures] == sorted([*NAMES, *linked, "ranked/a,\"'.jpg"])
    assert found.folder == tmp_path / "link"


def example() -> FeatureFile:
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    model = Fingerprint("a.onnx", "0f" * 32, {"neck_feat": "after"})
    return FeatureFile(model, Path("/somewhere"), ["a", "b", "\udcff"], features, np.arange(3), np.arange(3) * 10**18)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_features(tmp_path / "f.npz", example())
    have, want = read_features(tmp_path / "f.npz"), example()
    assert (have.model, have.folder, list(have.names)) == (want.model, want.folder, want.names)
    assert (have.model.file, have.features.tolist()) == ("a.onnx", want.features.tolist())
    assert (have.sizes.tolist(), have.mtimes.tolist()) == (want.sizes.tolist(), want.mtimes.tolist())
    assert have.model.describe() == "a.onnx (sha256 0f0f0f0f, neck_feat after)"


def test_an_old_file_stays_when_a_new_one_cannot_be_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_features(tmp_path / "f.npz", example())
    before = tree(tmp_path)

    def full(file: Any, **_: Any) -> None:
        file.write(b"PK half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(WriteError, match=r"cannot write .*f\.npz: No space left on device"):
        write_features(tmp_path / "f.npz", example())
    assert tree(tmp_path) == before


class Trap:
    """What must not come to life when a file is read."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("trapped",)


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "names missing": ({"names": None}, "it holds no names"),
    "model missing": ({"model": None}, "it holds no model"),
    "names of numbers": ({"names": np.arange(3)}, "names is int64 (3,)"),
    "one name less": ({"names": np.array(["a", "b"])}, "not hold as many features as names"),
    "one size less": ({"sizes": np.arange(2)}, "not hold as many features as names"),
    "a name twice": ({"names": np.array(["a", "b", "a"])}, "a name stands in it twice"),
    "features of another kind": ({"features": np.zeros((3, 2), int)}, "features is int64 (3, 2)"),
    "double precision": ({"features": np.zeros((3, 2))}, "features are float64, not float32"),
    "features of no numbers": ({"features": np.zeros((3, 0), np.float32)}, "features are (3, 0)"),
    "flat features": ({"features": np.zeros(6, np.float32)}, "features is float32 (6,)"),
    "not a number": ({"features": np.full((3, 2), np.nan, np.float32)}, "some of its features are not finite"),
    "too large": ({"features": np.full((3, 2), 1e30, np.float32)}, "some of its features are not finite"),
    "folder of numbers": ({"folder": np.array(1)}, "folder is int64 ()"),
    "no JSON": ({"model": np.array("{")}, "Expecting property name"),
    "another JSON": ({"model": np.array('{"file": "a"}')}, "does not say which model"),
    "pickled": ({"names": np.array([Trap()] * 3, object)}, "names holds objects, which would be unpickled"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_files_that_do_not_fit_together(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    change, word = CHANGES[case]
    write_features(tmp_path / "f.npz", example())
    arrays = {**loaded(tmp_path / "f.npz"), **change}
    np.savez(tmp_path / "g.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DataError) as caught:
        read_features(tmp_path / "g.npz")
    assert str(caught.value).startswith(f"{tmp_path / 'g.npz'} is not a file of features, or is damaged: ")
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.npz", "g.npz"]


def damaged(path: Path) -> dict[str, Callable[[], object]]:
    whole = path.read_bytes()
    middle = len(whole) // 2
    return {
        "empty": lambda: path.write_bytes(b""),
        "text": lambda: path.write_bytes(b"names,features\n"),
        "truncated": lambda: path.write_bytes(whole[: len(whole) // 2]),
        "one byte": lambda: path.write_bytes(whole[:100] + bytes([whole[100] ^ 255]) + whole[101:]),
        "zeros": lambda: path.write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :]),
        "array": lambda: np.save(path.open("wb"), np.zeros(3)),
        "pickle": lambda: np.save(path.open("wb"), np.array([Trap()]), allow_pickle=True),
        "other zip": lambda: zipfile.ZipFile(path, "w").writestr("names.npy", b"no array"),
        "huge": lambda: rewritten(path, "features.npy", b"(3, 2)", b"(999999999999, 9999999)"),
    }


def rewritten(path: Path, member: str, old: bytes, new: bytes) -> None:
    """The same .npz with other bytes in the header of an array; headers are padded with blanks."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert old in contents[member]
    changed = contents[member].replace(old + b", }" + b" " * (len(new) - len(old)), new + b", }")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (contents | {member: changed}).items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    "case", ["empty", "text", "truncated", "one byte", "zeros", "array", "pickle", "other zip", "huge"]
)
def test_damaged_files(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_features(tmp_path / "f.npz", example())
    damaged(tmp_path / "f.npz")[case]()
    with pytest.raises(DataError) as caught:
        read_features(tmp_path / "f.npz")
    assert str(caught.value).startswith(f"{tmp_path / 'f.npz'} is not a file of features, or is damaged: ")
    assert caught.value.hint
    assert not (tmp_path / "trapped").exists()


def zipped(path: Path, method: int = zipfile.ZIP_STORED, again: str = "") -> None:
    """The same arrays in another archive."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name in [*contents, *([again] if again else [])]:
            archive.writestr(name, contents[name])


def test_an_archive_that_grows_when_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused by what its directory and its headers say, before anything is read."""
    bomb = replace(example(), features=np.zeros((3, 2_000_000), np.float32))
    write_features(tmp_path / "f.npz", bomb)
    zipped(tmp_path / "f.npz", zipfile.ZIP_DEFLATED)
    assert (tmp_path / "f.npz").stat().st_size < 100_000
    monkeypatch.setattr(np.lib.format, "read_array", None)
    with pytest.raises(DataError, match="its arrays are compressed"):
        read_features(tmp_path / "f.npz")
    write_features(tmp_path / "f.npz", example())
    zipped(tmp_path / "f.npz", again="names.npy")
    with pytest.raises(DataError, match="it holds an array twice"):
        read_features(tmp_path / "f.npz")
    write_features(tmp_path / "f.npz", replace(example(), names=["a", "b", "c" * 5000]))
    with pytest.raises(DataError, match="names are longer than 4096 characters"):
        read_features(tmp_path / "f.npz")


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_extract_takes_the_place_of_nothing_that_it_was_not_told(
    overwrite: tuple[str, ...], album: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    model = Path(shutil.copy(pooled, tmp_path / "m.onnx"))
    (tmp_path / "soft.npz").symlink_to(album / "b.png")
    os.link(model, tmp_path / "hard.npz")
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "old.npz").write_text("an index of many hours")
    cases = {
        model: "is the model",
        tmp_path / "hard.npz": "is the model",
        album / "z.bmp": "is one of the pictures",
        tmp_path / "soft.npz": "is one of the pictures",
        tmp_path / "folder.npz": "is a folder",
    }
    before = tree(tmp_path)
    for output, message in cases.items():
        done = reid("extract", "--model", model, "--input", album, "--output", output, *overwrite)
        assert (done.code, done.error) == (1, f"--output {output} {message}")
    assert tree(tmp_path) == before
    words = ("--input", album, "--output", tmp_path / "old.npz")
    if not overwrite:
        done = reid("extract", "--model", "not even looked at", *words)
        assert (done.code, done.error) == (1, f"{tmp_path / 'old.npz'} is there already")
        assert "--overwrite" in done.hint
        assert tree(tmp_path) == before
    else:
        assert reid("extract", "--model", model, *words, *overwrite).code == 0
        assert loaded(tmp_path / "old.npz")["names"].tolist() == NAMES


@pytest.mark.parametrize("weights", ["m.onnx.data", "no name that one would guess", "x" * 200])
def test_weights_beside_the_model_are_part_of_it(
    weights: str, album: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(pooled)
    assert model.graph.node[-1].op_type == "Identity"
    offsets = numpy_helper.from_array(np.arange(384, dtype=np.float32), "offsets")
    model.graph.initializer.append(offsets)
    model.graph.node[-1].CopyFrom(helper.make_node("Add", ["flat", "offsets"], ["feature"]))
    place = {"location": weights, "size_threshold": 0, "convert_attribute": False}
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, **place)
    words = ("--model", tmp_path / "m.onnx", "--query", album / "b.png", "--gallery", album)
    places = ("--index", tmp_path / "i.npz", "--output", tmp_path / "out", "--overwrite")
    assert reid("search", *words, *places).code == 0
    assert reid("search", *words, *places).code == 0
    content = (tmp_path / weights).read_bytes()
    (tmp_path / weights).write_bytes(content[:-1] + b"\0")
    done = reid("search", *words, *places)
    assert done.code == 1
    assert done.error.startswith(f"{tmp_path / 'i.npz'} was made with m.onnx (sha256 ")


def test_the_fingerprint_of_one_file_is_its_sha256(pooled: Path) -> None:
    have = fingerprint(pooled, open_session(pooled), {})
    assert have.sha256 == hashlib.sha256(pooled.read_bytes()).hexdigest()
    assert have.length == 384


def test_bad_pictures_among_thousands(tmp_path: Path, pooled: Path, reid: Commands) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    content = io.BytesIO()
    Image.new("RGB", (4, 8), (200, 100, 50)).save(content, format="PNG")
    for i in range(2000):
        (folder / f"{i:04d}.png").write_bytes(content.getvalue())
    bad = [folder / "0700.png", folder / "1999.png"]
    bad[0].write_bytes(b"no")
    bad[1].write_bytes(content.getvalue()[:40])
    words = ("--input", folder, "--output", tmp_path / "f.npz", "--on-error", "skip", "--batchsize", 64)
    done = reid("extract", "--model", pooled, *words)
    assert done.code == 1
    first, second = done.err.splitlines()
    assert first == f"skipped: {bad[0]} is not an image"
    assert second.startswith("skipped: ")
    assert str(bad[1]) in second
    arrays = loaded(tmp_path / "f.npz")
    assert arrays["names"].tolist() == [f"{i:04d}.png" for i in range(1999) if i != 700]
    assert np.abs(arrays["features"] - pooled_feature(folder / "0000.png")).max() < 1e-5
