"""`dgnet postprocess`: the recorded pixels and tree, and nothing of the user's lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.dgnet.recover import recover

Commands = Callable[..., Finished]

STEMS = ("002_000_gan0002_c1s1_000451_03", "000_002_gan0010_c6s4_002427_02", "001_001_gan0007_c2s3_071002_01")


@pytest.fixture
def outputs(golden: Path) -> dict[str, np.ndarray]:
    """The recorded outputs by stem, by their rule; their hashes are checked."""
    recorded = np.load(golden / "postprocess.npz")
    arrays = {}
    for i, stem in enumerate(STEMS):
        rng = np.random.default_rng(4001 + i)
        blocks = rng.standard_normal((3, 16, 8)).repeat(16, 1).repeat(16, 2) * 1.2
        arrays[stem] = (blocks + rng.standard_normal((3, 256, 128)) * 0.1).astype(np.float32)
        assert hashlib.sha256(arrays[stem].tobytes()).hexdigest() == recorded[f"{stem}_0.bin|in_sha256"]
    return arrays


@pytest.fixture
def results(outputs: dict[str, np.ndarray], tmp_path: Path) -> Path:
    """A folder of results."""
    folder = tmp_path / "results"
    folder.mkdir()
    for stem, array in outputs.items():
        array.tofile(folder / f"{stem}_0.bin")
    return folder


@pytest.fixture
def written(results: Path, tmp_path: Path, dgnet: Commands) -> Callable[..., tuple[Path, Finished]]:
    """Postprocess into `off-gan_id` and `off-gan_bg`: their parent, and how it ended."""

    def run(*words: object) -> tuple[Path, Finished]:
        flags = (
            "--output_folder",
            tmp_path / "out" / "off-gan_id",
            "--output_folder2",
            tmp_path / "out" / "off-gan_bg",
        )
        return tmp_path / "out", dgnet("postprocess", "--result_folder", results, *flags, *words)

    return run


@pytest.mark.parametrize("stem", STEMS)
def test_pixels_are_those_of_the_original(stem: str, outputs: dict[str, np.ndarray], golden: Path) -> None:
    want = np.load(golden / "postprocess.npz")[f"{stem}_0.bin|u8"]
    assert np.array_equal(recover(outputs[stem], stem), want)


def test_the_tree_is_that_of_the_original(written: Any, golden: Path) -> None:
    folder, done = written()
    assert done.code == 0, done.err
    recorded = json.loads((golden / "postprocess.json").read_text())
    assert set(tree(folder)) == set(recorded["tree"])
    assert done.err == ""
    for name, said in recorded["jpeg"].items():
        with Image.open(folder / name) as image:
            assert (image.size, image.mode, image.format) == ((128, 256), "RGB", "JPEG")
            assert abs(np.asarray(image).mean() - said["mean"]) < 0.01
        assert abs((folder / name).stat().st_size - said["bytes"]) < 20  # quality 75, 4:2:0


def test_the_second_tree_holds_the_same_files(written: Any) -> None:
    folder, _ = written("--workers", 3)
    for path in (folder / "off-gan_id").rglob("*.jpg"):
        (other,) = (folder / "off-gan_bg").rglob(path.name)
        assert path.samefile(other)


def test_json(written: Any, tmp_path: Path) -> None:
    written("--json", tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"pictures": 3}


def test_recover_by_hand() -> None:
    """In double precision: 0.225 * 2.64 + 0.406 = 1.0, and 255 is kept; what is behind the point is cut off."""
    values = np.array([[-9, 0, 0.5, np.inf], [-9, 0, 0.5, np.inf], [-np.inf, 0, 0.5, 9]], np.float32)
    want = [[0, 123, 152, 255], [0, 116, 144, 255], [0, 103, 132, 255]]
    assert recover(values.reshape(3, 1, 4), "x")[0].T.tolist() == want


def test_infinite_values_are_clipped_and_told(written: Any, results: Path, outputs: dict[str, np.ndarray]) -> None:
    array = outputs[STEMS[0]]
    array[0, :9] = np.inf
    array[1, :9] = -np.inf
    array.tofile(results / f"{STEMS[0]}_0.bin")
    folder, done = written()
    assert done.code == 0
    assert done.err == f"note: pictures in which infinite values were clipped: {STEMS[0]}\n"
    (path,) = (folder / "off-gan_id").rglob("*0002_c1s1_000451_03.jpg")
    with Image.open(path) as image:
        red, green, _ = np.asarray(image)[2].mean(0)
    assert red > 220
    assert green < 40


def test_nan_is_an_error(written: Any, results: Path, outputs: dict[str, np.ndarray]) -> None:
    array = outputs[STEMS[1]]
    array[2, 5, 7] = np.nan
    array[1, 5, 7] = np.inf
    array.tofile(results / f"{STEMS[1]}_0.bin")
    _, done = written()
    assert done.code == 1
    assert done.error == f"{results / STEMS[1]}_0.bin holds NaN in 1 of 98304 values"


BAD = {
    "size": (lambda r: (r / f"{STEMS[0]}_0.bin").write_bytes(b"1234"), "has 4 bytes; a result has 393216"),
    "name": (lambda r: (r / f"{STEMS[0]}_0.bin").rename(r / "img_7_0.bin"), "img_7_0.bin is no result of dgnet-prep"),
    "short name": (lambda r: (r / f"{STEMS[0]}_0.bin").rename(r / "02_000_gana_0.bin"), "is no result of dgnet-prep"),
    "two": (lambda r: (r / f"{STEMS[0]}_0.BIN").touch(), "are both results of"),
    "none": (lambda r: [path.unlink() for path in r.iterdir()], "no results"),
}


@pytest.mark.parametrize(("spoil", "error"), BAD.values(), ids=BAD)
def test_bad_results_are_found_before_anything_is_written(
    spoil: Callable[[Path], object], error: str, written: Any, results: Path
) -> None:
    spoil(results)
    folder, done = written()
    assert done.code == 1
    assert error in done.error
    assert not folder.exists()


def test_strays_are_named(written: Any, results: Path) -> None:
    for name in ("notes.txt", "sumary.json", f"{STEMS[0]}_1.bin"):
        (results / name).write_text("stray")
    folder, done = written()
    assert done.code == 0
    assert len(tree(folder)) == 6
    assert done.err == f"note: no results, passed over in {results}: {STEMS[0]}_1.bin, notes.txt, sumary.json\n"


def test_what_is_there_is_not_touched_without_overwrite(written: Any, tmp_path: Path) -> None:
    mine = tmp_path / "out" / "off-gan_bg" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    _, done = written()
    assert (done.code, done.error) == (1, f"the output folder {mine.parent} is not empty")
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [mine]


def test_overwrite_replaces_generated_pictures_and_leaves_all_else(written: Any, tmp_path: Path) -> None:
    mine = ["off-gan_id/mine.jpg", "off-gan_id/000/mine.jpg", "off-gan_bg/x/000_000_gangana.jpg", "off-gan_bg/7/a.jpg"]
    older = ["off-gan_id/004/000_004_ganganolder.jpg", "off-gan_bg/000/000_004_ganganolder.jpg"]
    for name in [*mine, *older]:
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text(name)
    folder, done = written("--overwrite")
    assert done.code == 0, done.err
    assert {name for name in tree(folder) if "gangan0" not in name} == set(mine)
    assert all((folder / name).read_text() == name for name in mine)
    assert len(tree(folder)) == 6 + len(mine)
    assert "left in these folders: " in done.err
    before = tree(folder)
    assert written("--overwrite")[1].code == 0
    assert tree(folder) == before


def test_one_folder_or_one_in_the_other_is_refused(results: Path, tmp_path: Path, dgnet: Commands) -> None:
    for one, two in (("a", "a"), ("a", "a/b"), ("a/b", "a")):
        words = ("--output_folder", tmp_path / one, "--output_folder2", tmp_path / two)
        done = dgnet("postprocess", "--result_folder", results, *words)
        assert done.code == 2
        assert "are one folder, or one is in the other" in done.error
        assert not (tmp_path / "a").exists()


def test_a_missing_result_folder(written: Any, results: Path) -> None:
    results.rename(results.with_name("resultss"))
    _, done = written()
    assert (done.error, done.hint) == (f"no such result folder: {results}", f"did you mean {results}s?")


def index(path: Path, *stems: str, model: str = "dgnet") -> Path:
    samples = [{"stem": stem, "source": f"0000/{stem}.jpg"} for stem in stems]
    content = {"model": model, "version": "0", "inputs": [], "complete": True, "samples": samples, "skipped": []}
    path.write_text(json.dumps(content))
    return path


def test_the_index_says_what_there_should_be(written: Any, results: Path, tmp_path: Path) -> None:
    file = index(tmp_path / "bins_index.json", *STEMS)
    _, done = written("--index", file)
    assert (done.code, done.err) == (0, f"index: {file}\n")
    _, done = written("--overwrite", "--index", index(file, *STEMS, "000_000_ganx"))
    assert f"{results} has no result for 1 of 4 pairs" in done.error
    _, done = written("--overwrite", "--index", index(file, *STEMS[1:]))
    assert "1 of 3 results belong to none of the 2 pairs" in done.error
    _, done = written("--overwrite", "--index", index(file, *STEMS, model="reid"))
    assert "is an index of the model reid" in done.error
