"""`dgnet run`: the same pictures as through files, FID, and the report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx.helper import make_node
from PIL import Image

from modelzoo.common.spec import TensorSpec
from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.common.testing.toys import onnx_model, save_model
from modelzoo.dgnet.spec import PICTURES, identity_of

Commands = Callable[..., Finished]
Draw = Callable[..., Path]


@pytest.fixture
def run(train_all: Path, whole_toy: Path, tmp_path: Path, dgnet: Commands) -> Callable[..., tuple[Path, Finished]]:
    """Run the toy on the small Market-1501: folder of the report, and how it ended."""

    def start(*words: object, model: Path = whole_toy) -> tuple[Path, Finished]:
        flags = ("--data", train_all, "--model", model, "--output", tmp_path / "report")
        return tmp_path / "report", dgnet("run", *flags, *words)

    return start


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """A feature network that costs nothing: the mean of each colour."""
    nodes = [make_node("ReduceMean", ["image"], ["feature"], axes=[2, 3], keepdims=0)]
    image, feature = TensorSpec("image", "float32", ("N", 3, "H", "W")), TensorSpec("feature", "float32", ("N", 3))
    return save_model(tmp_path / "features.onnx", onnx_model(nodes, [image], [feature]))


def pictures(folder: Path) -> dict[str, Any]:
    return {name: content for name, content in tree(folder).items() if name.endswith(".jpg")}


def report_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


@pytest.mark.parametrize("batchsize", [1, 4])
def test_pictures_are_those_of_the_way_through_files(
    batchsize: int, run: Any, train_all: Path, whole_toy: Path, tmp_path: Path, dgnet: Commands
) -> None:
    bins = [tmp_path / "bin_path1", tmp_path / "bin_path2"]
    steps = [
        ("preprocess", "--input_folder", train_all, "--output_folder", bins[0], "--output_folder2", bins[1]),
        ("infer", "--model", whole_toy, "--input", f"{bins[1]},{bins[0]}", "--output", tmp_path / "results"),
        (
            "postprocess",
            "--result_folder",
            tmp_path / "results" / "one",
            "--output_folder",
            tmp_path / "files/off-gan_id",
        ),
    ]
    words = [
        (),
        ("--output_dirname", "one", "--batchsize", batchsize),
        ("--output_folder2", tmp_path / "files/off-gan_bg"),
    ]
    for step, more in zip(steps, words, strict=True):
        done = dgnet(*step, *more)
        assert done.code == 0, done.err
    assert "index: " in done.err
    folder, done = run("--batchsize", batchsize)
    assert done.code == 0, done.err
    assert pictures(folder) == pictures(tmp_path / "files")
    assert len(pictures(folder)) == 12


def test_a_picture_is_what_the_model_makes_of_its_pair(run: Any, train_all: Path) -> None:
    """The toy adds the mean colour of the appearance to the grey of the structure, in squares of 4 x 4 pixels."""
    folder, _ = run()
    paths = sorted((folder / "off-gan_id").rglob("*.jpg"))
    for path in paths:
        appearance, structure, _ = path.name.split("_", 2)
        assert path.parent.name == structure
        labels = sorted(one.name for one in train_all.iterdir())
        (source,) = train_all.rglob(f"{path.stem.partition('gangan')[2]}.jpg")
        assert source.parent.name == labels[int(appearance)]
        candidates = [expected(one, source) for one in (train_all / labels[int(structure)]).iterdir()]
        with Image.open(path) as image:
            drawn = np.asarray(image).astype(float)
        assert min(np.abs(drawn - want).mean() for want in candidates) < 2.5


def expected(structure: Path, appearance: Path) -> np.ndarray:
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

    def normalised(path: Path) -> np.ndarray:
        with Image.open(path) as image:
            return (np.asarray(image.resize((128, 256), Image.Resampling.BICUBIC)) / 255 - mean) / std

    steps = normalised(structure).mean(2).reshape(64, 4, 32, 4).mean((1, 3)).repeat(4, 0).repeat(4, 1)
    return (((steps[..., None] + normalised(appearance).mean((0, 1))) * std + mean) * 255).clip(0, 255)


def test_the_report(run: Any, train_all: Path, tmp_path: Path) -> None:
    folder, done = run("--json", tmp_path / "metrics.json")
    report = report_of(folder)
    assert (report["model"], report["samples"], report["metrics"]) == ("dgnet", 6, {"pictures": 6})
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"pictures": 6}
    page = (folder / "report.html").read_text()
    assert page.count("<img") == 19
    assert "a sheet of 6 structures, appearances and generated pictures" in page
    assert all(f"with the clothes of {path.parent.name}/{path.name}" in page for path in train_all.rglob("*.jpg"))
    assert "Frechet" not in page
    assert f"6 pictures to {folder / 'off-gan_id'}, the same to {folder / 'off-gan_bg'}" in done.out


def test_fid_is_that_of_the_command(run: Any, features: Path, train_all: Path, tmp_path: Path, dgnet: Commands) -> None:
    folder, done = run("--features", features)
    assert done.code == 0, done.err
    report = report_of(folder)
    for name in ("off-gan_id", "off-gan_bg"):
        assert dgnet("fid", train_all, folder / name, "--features", features, "--json", tmp_path / "fid.json").code == 0
        value = json.loads((tmp_path / "fid.json").read_text())["fid"]
        assert report["metrics"] == {"pictures": 6, "fid": pytest.approx(value, rel=1e-9)}
    assert value > 0
    assert f"FID: {value:.6g} (6 real and 6 generated pictures" in done.out
    assert "warning: " in done.err
    page = (folder / "report.html").read_text()
    assert page.count(f"{value:.4f}") >= 2
    assert "off-gan_bg (by appearance, the same pictures)" in page


def test_other_pictures_in_the_folders_do_not_count(run: Any, features: Path, train_all: Path, draw: Draw) -> None:
    folder, done = run("--features", features)
    value = report_of(folder)["metrics"]["fid"]
    assert "Other files" not in (folder / "report.html").read_text()
    for number, place in enumerate((folder / "off-gan_id", folder / "off-gan_id" / "000", train_all)):
        draw(place / f"stray{number}.png", seed=number)
    (train_all / "0002" / "deeper").mkdir()
    draw(train_all / "0002" / "deeper" / "stray.png", seed=4)
    folder, done = run("--features", features, "--overwrite")
    assert done.code == 0, done.err
    assert report_of(folder)["metrics"] == {"pictures": 6, "fid": value}
    assert f"FID: {value:.6g} (6 real and 6 generated pictures" in done.out
    assert "Other files in these folders, which do not count: 2." in (folder / "report.html").read_text()


def test_photos_that_the_fid_leaves_out_are_listed(run: Any, features: Path, train_all: Path) -> None:
    bad = train_all / "0007" / "0007_c2s3_071002_01.jpg"
    bad.unlink()
    bad.write_text("no image")
    folder, done = run("--features", features, "--on-error", "skip")
    assert done.code == 1
    assert done.err.count("skipped: ") == 3
    assert f"skipped: {bad} is not an image (left out of FID)" in done.err
    assert "(5 real and 4 generated pictures" in done.out
    assert "Pictures that could not be read, which do not count: 1." in (folder / "report.html").read_text()


def test_real_pictures_that_have_no_fid_are_found_before_the_work(run: Any, features: Path, train_all: Path) -> None:
    folder, done = run()
    before = pictures(folder)
    paths = sorted(train_all.rglob("*.jpg"))
    for path in paths[1:]:
        path.unlink()
    done = run("--features", features, "--overwrite")[1]
    assert (done.code, done.error) == (1, f"{train_all}: FID needs at least 2 pictures, got 1")
    assert pictures(folder) == before


def test_a_run_is_reported_though_its_pictures_have_no_fid(run: Any, tmp_path: Path) -> None:
    """The model draws black, of which the feature network takes the logarithm."""
    known = identity_of()
    nodes = [
        make_node("Add", ["image1", "image2"], ["sum"]),
        make_node("Mul", ["sum", "zero"], ["zeros"]),
        make_node("Sub", ["zeros", "ten"], ["output"]),
    ]
    constants = {"zero": np.array([0], np.float32), "ten": np.array([10], np.float32)}
    model = save_model(tmp_path / "black.onnx", onnx_model(nodes, known.inputs, known.outputs, constants, known))
    mean = make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0)
    specs = [TensorSpec("image", "float32", ("N", 3, "H", "W"))], [TensorSpec("feature", "float32", ("N", 3))]
    features = save_model(tmp_path / "log.onnx", onnx_model([mean, make_node("Log", ["mean"], ["feature"])], *specs))
    folder, done = run("--features", features, "--json", tmp_path / "metrics.json", model=model)
    assert (done.code, "is not finite" in done.error) == (1, True)
    assert report_of(folder)["metrics"] == json.loads((tmp_path / "metrics.json").read_text()) == {"pictures": 6}
    assert "Frechet" not in (folder / "report.html").read_text()


def test_published_distances_stand_beside_those_of_the_published_features_only(
    run: Any, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "The features are not those of the published weights"
    folder, _ = run()
    assert "18.12" not in (folder / "report.html").read_text()
    run("--features", features, "--overwrite")
    assert "accuracy" not in report_of(folder)["reference"]
    page = (folder / "report.html").read_text()
    assert ("18.12" in page, note in page) == (False, True)
    monkeypatch.setattr("modelzoo.dgnet.fid.extractor.is_published", lambda identity: True)
    run("--features", features, "--overwrite")
    assert report_of(folder)["reference"]["accuracy"]["ascend_310P3"] == {"fid": 18.12}
    page = (folder / "report.html").read_text()
    assert ("18.12" in page, note in page) == (True, False)


def test_flags_that_cannot_be_are_refused_before_the_work(run: Any, tmp_path: Path) -> None:
    done = run("--features-range", "0..1")[1]
    assert (done.code, done.error) == (2, "--features-range is what the network of --features takes: give that too")
    folder, done = run("--json", tmp_path)
    assert (done.code, done.error) == (1, f"--json {tmp_path} is a folder")
    assert not folder.exists()


def test_few_pictures_are_shown_by_name_only(run: Any, train_all: Path) -> None:
    for path in sorted(train_all.rglob("*.jpg"))[3:]:
        path.unlink()
    page = (run()[0] / "report.html").read_text()
    assert (page.count("<img"), "a sheet of" in page) == (9, False)


def test_pixels_are_what_a_model_of_pixels_gets(run: Any, tmp_path: Path) -> None:
    """The model takes the appearance's green for red, and so on, and nothing of the structure."""
    known = identity_of("whole", "uint8")
    nodes = [
        make_node("Cast", ["image1"], ["structure"], to=1),
        make_node("Cast", ["image2"], ["colours"], to=1),
        make_node("Mul", ["structure", "zero"], ["nothing"]),
        make_node("Add", ["colours", "nothing"], ["sum"]),
        make_node("Mul", ["sum", "scale"], ["scaled"]),
        make_node("Transpose", ["scaled"], ["output"], perm=[0, 3, 1, 2]),
    ]
    constants = {"zero": np.array([0], np.float32), "scale": np.array([1 / 64], np.float32)}
    model = save_model(tmp_path / "u8.onnx", onnx_model(nodes, known.inputs, known.outputs, constants, known))
    folder, done = run(model=model)
    assert done.code == 0, done.err
    assert len(pictures(folder)) == 12
    done = run("--dtype", "float32", "--overwrite", model=model)[1]
    assert (done.code, "does not fit the model" in done.error) == (2, True)


def test_pictures_of_an_older_run_are_kept_without_overwrite(run: Any) -> None:
    folder, _ = run()
    before = pictures(folder)
    done = run("--seed", 11)[1]
    assert (done.code, done.error) == (1, f"the output folder {folder / 'off-gan_id'} is not empty")
    assert pictures(folder) == before
    assert run("--seed", 11, "--overwrite")[1].code == 0
    assert len(pictures(folder)) == 12
    assert pictures(folder).keys() != before.keys()


def test_skipped_photos(run: Any, train_all: Path) -> None:
    bad = train_all / "0007" / "0007_c2s3_071002_01.jpg"
    bad.unlink()
    bad.write_text("no image")
    folder, done = run()
    assert (done.code, done.error) == (1, f"{bad} is not an image")
    folder, done = run("--on-error", "skip", "--overwrite")
    assert done.code == 1
    assert done.err.count("skipped: ") == 2
    assert report_of(folder)["metrics"] == {"pictures": 4}
    assert len(pictures(folder)) == 8
    for path in train_all.rglob("*.jpg"):
        path.unlink()
        path.write_text("no image")
    done = run("--on-error", "skip", "--overwrite")[1]
    assert done.error.startswith("no photo could be used, the first: ")


def test_infinite_and_missing_numbers(run: Any, tmp_path: Path) -> None:
    known = identity_of()
    nodes = [
        make_node("Add", ["image1", "image2"], ["sum"]),
        make_node("Mul", ["sum", "zero"], ["zeros"]),
        make_node("Add", ["zeros", "value"], ["output"]),
    ]
    for value, code in ((np.inf, 0), (np.nan, 1)):
        constants = {"zero": np.array([0], np.float32), "value": np.array([value], np.float32)}
        model = save_model(tmp_path / "odd.onnx", onnx_model(nodes, known.inputs, known.outputs, constants, known))
        done = run("--overwrite", model=model)[1]
        assert done.code == code
        assert ("infinite values were clipped" in done.err) == (code == 0)
    assert "holds NaN in 98304 of 98304 values" in done.error


def test_models_that_are_none_for_it(run: Any, toy: Path, tmp_path: Path, make_other: Callable[..., Path]) -> None:
    for model, word in (
        (toy.with_name("toy_decoder.onnx"), "takes structure"),
        (make_other("swapped"), "the model takes image2 float32 (N, 3, 256, 128) and image1 float32 (N, 1, 256, 128)"),
        (make_other("pixels"), "the model takes image2 uint8 (N, 256, 128, 3) and image1 uint8 (N, 256, 128, 3), not"),
        (make_other("small"), "the model takes image1 float32 (N, 1, 128, 64)"),
    ):
        done = run(model=model)[1]
        assert done.code == 1
        assert word in done.error


@pytest.fixture
def make_other(tmp_path: Path) -> Callable[..., Path]:
    """Models of two pictures that are not DG-Net's."""

    small = [TensorSpec(f"image{i}", "float32", ("N", channels, 128, 64)) for i, channels in ((1, 1), (2, 3))]
    orders = {"small": small, "swapped": PICTURES["float32"][::-1], "pixels": PICTURES["uint8"][::-1]}

    def make(name: str) -> Path:
        inputs = orders[name]
        nodes = [
            *(make_node("Cast", [one.name], [f"{one.name}_float"], to=1) for one in inputs),
            make_node("Add", [f"{one.name}_float" for one in inputs], ["output"]),
        ]
        output = TensorSpec("output", "float32", max((one.shape for one in inputs), key=lambda shape: shape[1]))
        return save_model(tmp_path / f"{name}.onnx", onnx_model(nodes, inputs, [output]))

    return make


def test_a_fixed_batch_is_filled_up(run: Any, tmp_path: Path, whole_toy: Path) -> None:
    import onnx

    model = onnx.load(whole_toy)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(model, tmp_path / "fixed.onnx")
    folder, done = run("--batchsize", 3, model=tmp_path / "fixed.onnx")
    assert done.code == 0, done.err
    assert "note: the model is fixed to batch 4; --batchsize is not used" in done.err
    fixed = pictures(folder)
    shutil.rmtree(folder)
    assert pictures(run()[0]) == fixed


def test_the_model_is_named_once(run: Any, train_all: Path, dgnet: Commands) -> None:
    done = run("--gen", "gen_00000001.pt", "--name", "x")[1]
    assert (done.code, done.error) == (2, "--model names a model already: leave out --gen and --name")
