"""One process against folders of files: the same numbers from both ways, and what the report holds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.session import open_session
from modelzoo.common.testing.plugin import Finished
from modelzoo.reid.spec import SPEC

Commands = Callable[..., Finished]

METRICS = ["mAP", "rank1", "rank5", "rank10", "cmc", "queries", "queries_without_match", "gallery"]


def by_files(
    reid: Commands, market: Path, model: Path, folder: Path, batchsize: int, dtype: str, *words: object
) -> dict[str, Any]:
    """The guide's way: preprocess both folders, move the gallery's bins to the query's, infer, postprocess."""
    query, gallery = folder / "prep_dataset_query", folder / "prep_dataset_gallery"
    steps = [
        ["preprocess", market / "query", query, "--dtype", dtype],
        ["preprocess", market / "bounding_box_test", gallery, "--dtype", dtype],
        ["infer", "--model", model, "--input", query, "--output", folder, "--output_dirname", "bs"],
    ]
    steps[2] += ["--outfmt", "BIN", "--batchsize", batchsize]
    for i, step in enumerate(steps):
        if i == 2:
            for path in gallery.iterdir():
                path.rename(query / path.name)
        done = reid(*step)
        assert done.code == 0, done.err
    done = reid(
        "postprocess",
        f"--query_dir={market / 'query'}",
        f"--gallery_dir={market / 'bounding_box_test'}",
        f"--pred_dir={folder / 'bs'}",
        *words,
        "--json",
        folder / "metrics.json",
    )
    assert done.code == 0, done.err
    return {"out": done.out, **json.loads((folder / "metrics.json").read_text())}


def by_run(reid: Commands, market: Path, model: Path, folder: Path, *words: object) -> dict[str, Any]:
    done = reid("run", "--data", market, "--model", model, "--output", folder, *words)
    assert done.code == 0, done.err
    metrics = json.loads((folder / "report.json").read_text())["metrics"]
    return {"out": "".join(f"{line}\n" for line in done.out.splitlines()[:4]), **metrics}


@pytest.mark.parametrize("batchsize", [1, 8])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("feat_norm", ["yes", "no"])
def test_both_ways_give_the_same_metrics(
    feat_norm: str, dtype: str, batchsize: int, market: Path, tmp_path: Path, make_model: Any, reid: Commands
) -> None:
    image = (3, 256, 128) if dtype == "float32" else (256, 128, 3)
    model = make_model(f"pooled_{dtype}", dtype, shape=image)
    words = ["--feat-norm", feat_norm]
    files = by_files(reid, market, model, tmp_path, batchsize, dtype, *words)
    run = by_run(reid, market, model, tmp_path / "report", "--batchsize", batchsize, *words)
    assert run == files
    assert 0 < run["mAP"] < 1


@pytest.mark.parametrize("form", ["after", "uint8"])
def test_both_ways_give_the_same_metrics_with_the_network(
    form: str, market: Path, tmp_path: Path, exported: Callable[[str], Path], reid: Commands
) -> None:
    dtype = "uint8" if form == "uint8" else "float32"
    files = by_files(reid, market, exported(form), tmp_path, 1, dtype)
    run = by_run(reid, market, exported(form), tmp_path / "report", "--dtype", dtype)
    assert run == files


def test_the_recorded_metrics_from_images_and_weights_in_one_command(
    market: Path, golden: Path, tmp_path: Path, checkpoint: Path, reid: Commands
) -> None:
    done = reid("run", "--data", market, "--weights", checkpoint, "--output", tmp_path / "report")
    assert done.code == 0, done.err
    recorded = json.loads((golden / "metrics.json").read_text())["results"]
    want = recorded["tiny dataset end to end, feat_after, feat_norm=yes"]
    have = json.loads((tmp_path / "report" / "report.json").read_text())["metrics"]
    assert have["mAP"] == pytest.approx(want["mAP"], abs=1e-9, rel=0)
    assert have["cmc"] == pytest.approx(want["cmc"], abs=1e-7, rel=0)
    assert (tmp_path / "report" / "ReID.onnx").exists()
    assert "CMC curve, Rank-1  :12.5%" in done.out


def test_run_exports_what_the_flags_ask_for(
    market: Path, tmp_path: Path, checkpoint: Path, reid: Commands, report_of: Any
) -> None:
    words = ["--weights", checkpoint, "--dtype", "uint8", "--neck-feat", "before", "--feat-norm", "no"]
    done = reid("run", "--data", market, "--output", tmp_path / "report", *words)
    assert done.code == 0, done.err
    session = open_session(tmp_path / "report" / "ReID.onnx", SPEC)
    assert session.identity is not None
    assert session.identity.form == {"backbone": "resnet50", "neck_feat": "before", "dtype": "uint8"}
    again = by_run(reid, market, tmp_path / "report" / "ReID.onnx", tmp_path / "again", "--feat-norm", "no")
    assert {key: again[key] for key in METRICS} == report_of(tmp_path / "report")["metrics"]


@pytest.mark.parametrize("backend", ["onnxruntime", "torch"])
def test_infer_gives_the_recorded_features(
    backend: str,
    market: Path,
    tmp_path: Path,
    checkpoint: Path,
    exported: Callable[[str], Path],
    tiny_features: dict[str, np.ndarray],
    reid: Commands,
) -> None:
    model = exported("after") if backend == "onnxruntime" else checkpoint
    assert reid("preprocess", market / "query", tmp_path / "bins").code == 0
    words = ("--input", tmp_path / "bins", "--output", tmp_path, "--output_dirname", "bs4", "--batchsize", 4)
    done = reid("infer", "--model", model, *words)
    assert done.code == 0, done.err
    assert f"9 samples through {model} ({backend})" in done.out
    results = sorted((tmp_path / "bs4").iterdir())
    assert len(results) == 9
    for path in results:
        feature = np.fromfile(path, np.float32)
        assert np.abs(feature - tiny_features[path.name.removesuffix("_0.bin")]).max() <= 1e-5


def test_report_of_a_run(market: Path, tmp_path: Path, pooled: Path, reid: Commands, report_of: Any) -> None:
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report", "--batchsize", 8)
    assert done.code == 0
    assert str(tmp_path / "report" / "report.json") in done.out
    report = report_of(tmp_path / "report")
    head = ["model", "backend", "batchsize", "samples", "metrics", "reference", "throughput", "stages"]
    assert [key for key in report if key in {*head, "environment"}] == [*head, "environment"]
    assert (report["model"], report["backend"], report["batchsize"]) == ("reid", "onnxruntime", 8)
    assert list(report["metrics"]) == METRICS
    assert report["reference"]["accuracy"]["upstream"] == {"mAP": 0.859, "rank1": 0.945}
    assert len(report["reference"]["throughput"]["rows"]) == 6
    assert set(report["throughput"]) == {"end_to_end", "inference_only", "ratio"}
    assert set(report["stages"]) == {"preprocess_s", "inference_s", "postprocess_s"}
    assert all(value > 0 for part in ("throughput", "stages") for value in report[part].values())
    assert {"python", "platform", "versions"} <= set(report["environment"])
    assert report["skipped"] == []


def test_junk_is_not_computed(market: Path, tmp_path: Path, pooled: Path, reid: Commands, report_of: Any) -> None:
    with_junk = by_run(reid, market, pooled, tmp_path / "with")
    junk = sorted((market / "bounding_box_test").glob("-1_*"))
    assert len(junk) == 3
    assert report_of(tmp_path / "with")["samples"] == 32 - 3
    for path in junk:
        path.write_text("junk is not even read")
    assert by_run(reid, market, pooled, tmp_path / "unread") == with_junk
    for path in junk:
        path.unlink()
    assert by_run(reid, market, pooled, tmp_path / "without") == with_junk


def test_metrics_also_go_into_a_file(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    run = by_run(reid, market, pooled, tmp_path / "report", "--json", tmp_path / "metrics.json")
    assert {"out": run["out"], **json.loads((tmp_path / "metrics.json").read_text())} == run


@pytest.mark.parametrize("workers", [1, 5])
@pytest.mark.parametrize("batch", ["N", 4, 64])
def test_workers_and_a_fixed_batch_do_not_change_the_metrics(
    batch: int | str,
    workers: int,
    market: Path,
    tmp_path: Path,
    make_model: Any,
    pooled: Path,
    reid: Commands,
    report_of: Any,
) -> None:
    model = make_model(f"pooled_batch_{batch}", batch=batch)
    want = by_run(reid, market, pooled, tmp_path / "want")
    assert by_run(reid, market, model, tmp_path / "have", "--workers", workers) == want
    assert report_of(tmp_path / "have")["batchsize"] == (8 if batch == "N" else batch)
    assert report_of(tmp_path / "have")["samples"] == 29


def test_a_second_run_replaces_the_report(
    market: Path, tmp_path: Path, pooled: Path, reid: Commands, report_of: Any
) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "notes.txt").write_text("mine")
    by_run(reid, market, pooled, tmp_path / "report", "--batchsize", 2)
    by_run(reid, market, pooled, tmp_path / "report", "--batchsize", 3)
    assert report_of(tmp_path / "report")["batchsize"] == 3
    assert (tmp_path / "report" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("where", ["run", "files"])
def test_the_same_image_in_both_folders_counts_in_both(
    where: str, market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    name = "0001_c1s1_001051_00.jpg"
    shutil.copy(market / "query" / name, market / "bounding_box_test" / name)
    if where == "run":
        metrics = by_run(reid, market, pooled, tmp_path / "report")
    else:
        metrics = by_files(reid, market, pooled, tmp_path, 8, "float32")
    assert (metrics["queries"], metrics["gallery"]) == (9, 21)


def test_missing_data_are_found_out_before_the_export(checkpoint: Path, tmp_path: Path, reid: Commands) -> None:
    done = reid("run", "--data", tmp_path / "nosuch", "--weights", checkpoint, "--output", tmp_path / "report")
    assert done.code == 1
    assert "nosuch" in done.error
    assert not (tmp_path / "report").exists()


def test_a_metrics_file_without_a_folder_is_found_out_before_the_work(
    market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    file = tmp_path / "new" / "metrics.json"
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report", "--json", file)
    assert done.code == 1
    assert str(file.parent) in done.error
    assert not (tmp_path / "report").exists()
