"""The evaluator: recorded metrics as JSON, data sets that are not whole, and features that cannot be compared."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import DataError
from modelzoo.common.work import SampleInfo
from modelzoo.gaitset.evaluate import CrossViewEvaluator, metric_lines, remarks
from modelzoo.gaitset.metrics import GALLERY, VIEWS

Row = tuple[str, str, str]


def info(row: Row) -> SampleInfo:
    return SampleInfo("0000", "/".join(row), dict(zip(("subject", "condition", "view"), row, strict=True)))


def output(values: Iterable[float]) -> np.ndarray:
    """A feature that begins with some values."""
    feature = np.zeros((1, 62, 256), np.float32)
    start = np.array(list(values), np.float32)
    feature.ravel()[: len(start)] = start
    return feature


def evaluate(walks: dict[Row, float]) -> dict[str, Any]:
    evaluator = CrossViewEvaluator(len(walks))
    for row, value in walks.items():
        evaluator.update(info(row), (output([value]),))
    return evaluator.result()


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Callable[..., dict[str, Any]]:
    """Evaluate the recorded features, or some of them."""
    data = dict(np.load(golden / "metrics.npz"))
    rows = list(zip(*(data[name].tolist() for name in ("subject", "type", "view")), strict=True))

    def run(keep: Callable[[Row], bool] = lambda row: True) -> dict[str, Any]:
        evaluator = CrossViewEvaluator(len(rows))
        for feature, row in zip(data["features"], rows, strict=True):
            if keep(row):
                evaluator.update(info(row), (output(feature),))
        return evaluator.result()

    return run


def test_recorded_metrics(recorded: Callable[..., dict[str, Any]], golden: Path) -> None:
    means = json.loads((golden / "metrics.json").read_text())
    rank1 = np.load(golden / "metrics.npz")["acc"][..., 0]
    metrics = recorded()
    assert list(metrics)[:6] == ["NM", "BG", "CL", "rank", "views", "cells"]
    for i, name in enumerate(("NM", "BG", "CL")):
        included, excluded = (means[f"{key}_identical_view"][name] for key in ("include", "exclude"))
        assert list(metrics[name]) == ["include", "exclude"]
        assert metrics[name]["include"] == pytest.approx(included[0], abs=1e-9, rel=0)
        assert metrics[name]["exclude"] == pytest.approx(excluded[0], abs=1e-9, rel=0)
        assert metrics["ranks"][name]["include"] == pytest.approx(included, abs=1e-9, rel=0)
        assert metrics["ranks"][name]["exclude"] == pytest.approx(excluded, abs=1e-9, rel=0)
        assert metrics["cells"][name] == rank1[i].tolist()
        by_view = means["rank1_each_probe_angle_excluding_identical"][name]
        assert metrics["probe_views"][name] == pytest.approx(by_view, abs=1e-9, rel=0)
    assert (metrics["rank"], metrics["views"]) == (1, means["views"])
    assert (metrics["subjects"], metrics["sequences"]) == (12, 1317)
    assert (metrics["unused"], metrics["unmatched"]) == (0, 0)
    assert metrics["missing"] == {"gallery": [], "NM": [], "BG": [], "CL": []}
    assert remarks(metrics) == []


def test_the_lines_of_the_published_scripts(recorded: Callable[..., dict[str, Any]], golden: Path) -> None:
    printed = json.loads((golden / "metrics.json").read_text())["printed_by_modelzoo_postprocess"]
    assert metric_lines(recorded()) == [
        "===Rank-1 (Include identical-view cases)===",
        printed,
        "===Rank-1 (Exclude identical-view cases)===",
        "NM: 57.781,\tBG: 48.295,\tCL: 54.224",
    ]


def test_one_condition_leaves_the_others_empty(recorded: Callable[..., dict[str, Any]]) -> None:
    whole, metrics = recorded(), recorded(lambda row: row[1].startswith("nm"))
    assert metrics["NM"] == whole["NM"]
    assert metrics["BG"] == metrics["CL"] == {"include": None, "exclude": None}
    assert metrics["cells"]["BG"] == [[None] * 11] * 11
    assert metrics["ranks"]["CL"]["include"] == [None] * 5
    assert metrics["missing"] == {"gallery": [], "NM": [], "BG": list(VIEWS), "CL": list(VIEWS)}
    assert metric_lines(metrics)[1] == "NM: 61.238,\tBG: nan,\tCL: nan"
    assert remarks(metrics) == [
        "no BG probe sequence (bg-01, bg-02) at all",
        "no CL probe sequence (cl-01, cl-02) at all",
        "the means are over the 121 of 363 cells that exist, published ones over all",
    ]


def test_missing_views_are_named(recorded: Callable[..., dict[str, Any]]) -> None:
    def keep(row: Row) -> bool:
        return row[2] not in ("018", "180") and not (row[2] == "090" and row[1] in GALLERY)

    whole, metrics = recorded(), recorded(keep)
    assert metrics["views"] == list(VIEWS)
    probes = ["018", "180"]
    assert metrics["missing"] == {"gallery": ["018", "090", "180"], "NM": probes, "BG": probes, "CL": probes}
    assert remarks(metrics)[0] == "no gallery sequence (nm-01, nm-02, nm-03, nm-04) at view 018, 090, 180"
    assert remarks(metrics)[-1] == "the means are over the 216 of 363 cells that exist, published ones over all"
    for i, probe in enumerate(VIEWS):
        for j, gallery in enumerate(VIEWS):
            gone = probe in ("018", "180") or gallery in ("018", "090", "180")
            assert metrics["cells"]["CL"][i][j] == (None if gone else whole["cells"]["CL"][i][j])


def test_json_of_a_partial_data_set_has_no_nan() -> None:
    metrics = evaluate({("a", "nm-01", "000"): 0, ("b", "nm-01", "000"): 5, ("a", "nm-05", "090"): 1})
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert metrics["NM"] == {"include": 100, "exclude": 100}
    assert metrics["ranks"]["NM"]["include"] == [100, 100, None, None, None]
    assert (metrics["subjects"], metrics["sequences"]) == (2, 3)


def test_identical_views_only_have_no_mean_without_them() -> None:
    metrics = evaluate({("a", "nm-01", "000"): 0, ("a", "bg-02", "000"): 1})
    assert metrics["BG"] == {"include": 100, "exclude": None}
    assert [line for line in metric_lines(metrics) if "BG" in line] == [
        "NM: nan,\tBG: 100.000,\tCL: nan",
        "NM: nan,\tBG: nan,\tCL: nan",
    ]


def test_lines_without_numbers_are_still_lines_of_numbers() -> None:
    """Scripts read what the published ones print with three places."""
    metrics = evaluate({("a", "nm-01", "000"): 0, ("a", "bg-02", "000"): 1})
    for line in metric_lines(metrics)[1::2]:
        values = [float(part.split(": ")[1]) for part in line.split(",\t")]
        assert line == "NM: {:.3f},\tBG: {:.3f},\tCL: {:.3f}".format(*values)


def test_subjects_without_gallery_and_other_walks_are_counted() -> None:
    walks = {
        ("a", "nm-01", "000"): 0.0,
        ("b", "nm-01", "090"): 9.0,
        ("a", "nm-05", "000"): 1.0,
        ("c", "cl-01", "000"): 2.0,
        ("a", "nm-07", "000"): 0.0,
    }
    metrics = evaluate(walks)
    assert (metrics["unmatched"], metrics["unused"], metrics["sequences"]) == (3, 1, 5)
    assert remarks(metrics)[-2:] == [
        "3 times a probe's subject is not in the gallery of a view, which counts as wrong",
        "1 of 5 sequences are neither probe nor gallery",
    ]


def test_other_views_than_those_of_casia_b() -> None:
    metrics = evaluate({("a", "nm-01", "015"): 0, ("b", "nm-02", "270"): 5, ("a", "nm-05", "270"): 1})
    assert metrics["views"] == ["015", "270"]
    assert metrics["cells"]["NM"] == [[None, None], [100, 0]]


@pytest.mark.parametrize(
    ("walks", "kind"),
    [
        ({}, "gallery"),
        ({("a", "nm-05", "000"): 0, ("a", "bg-01", "000"): 0}, "gallery"),
        ({("a", "nm-01", "000"): 0, ("a", "nm-04", "000"): 0}, "probe"),
    ],
)
def test_nothing_to_compare_is_an_error(walks: dict[Row, float], kind: str) -> None:
    with pytest.raises(DataError, match=f"none of the {len(walks)} walks is a {kind} sequence"):
        evaluate(walks)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e19, -3e38])
def test_a_feature_that_cannot_be_compared_is_named(value: float) -> None:
    evaluator = CrossViewEvaluator(2)
    evaluator.update(info(("a", "nm-01", "000")), (output([1e18]),))
    with pytest.raises(DataError, match="075/nm-05/090 is not finite, or too large"):
        evaluator.update(info(("075", "nm-05", "090")), (output([1.0, value]),))


@pytest.mark.parametrize("shape", [(1, 62, 255), (1, 15872), (2, 62, 256), (62, 256)])
def test_a_feature_of_another_shape_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"075/nm-05/090 has shape .*, not \(1, 62, 256\)"):
        CrossViewEvaluator(1).update(info(("075", "nm-05", "090")), (np.zeros(shape, np.float32),))
