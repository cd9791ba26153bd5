"""`gaitset verify` on golden weights: passes for the right graphs, names the first stage that is wrong."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest

from modelzoo.common.session import open_session
from modelzoo.gaitset.spec import SPEC
from modelzoo.gaitset.verify import VARIANTS, ZeroPadding, sample_walks, scaled, verify_job, zero_padded

STAGES = ["onnx", "simplified", "uint8", "dynamic", "dynamic zeros"]


@pytest.fixture
def ready_exports(monkeypatch, exported):
    """The graphs of the golden weights in the place of new ones."""
    names = dict(zip(VARIANTS.values(), ("fixed", "uint8", "dynamic", "zeros"), strict=True))

    def copy(weights, path, dataset, *form, simplify):
        return Path(shutil.copy(exported(names[form]), path))

    monkeypatch.setattr("modelzoo.gaitset.verify.export", copy)


@pytest.fixture
def three_walks(casia_b, tmp_path):
    """Two walks in the gallery and a probe, of 18, 6 and 12 frames."""
    for source, walk in (
        ("078/nm-02/054", "078/nm-01/000"),
        ("078/nm-06/162", "077/nm-01/000"),
        ("077/nm-05/036",) * 2,
    ):
        shutil.copytree(casia_b / source, tmp_path / "data" / walk)
    return (tmp_path / "data" / "077/nm-05/036").rename(tmp_path / "data" / "077/nm-05/000").parents[2]


@pytest.mark.usefixtures("ready_exports")
def test_every_form_gives_the_answer_and_the_metric_of_the_checkpoint(
    gaitset, checkpoint, exported, three_walks, tmp_path
):
    words = ("--weights", checkpoint, "--model", exported("dynamic"), "--data", three_walks, "--pid_num", 0)
    done = gaitset("verify", *words, "--json", tmp_path / "v.json")
    assert done.code == 0, done.err
    content = json.loads((tmp_path / "v.json").read_text())
    stages = [*STAGES, "dynamic.onnx"]
    assert [row["stage"] for row in content["comparisons"]] == stages
    assert all(row["passed"] and row["max_abs"] < 1e-4 for row in content["comparisons"])
    assert set(content["metrics"]) == {"torch", *stages}
    assert all(set(values) == {"NM rank-1"} for values in content["metrics"].values())
    assert len({values["NM rank-1"] for values in content["metrics"].values()}) == 1
    assert content["failed"] is None


def test_what_is_exported(checkpoint, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("modelzoo.gaitset.verify.export", lambda *words, **more: calls.append((*words, more)))
    job = verify_job(checkpoint, "oumvlp")
    assert (job.form, job.metric, job.upstream) == ({"dataset": "oumvlp"}, None, None)
    path = tmp_path / "x.onnx"
    for variant in job.variants:
        job.export(path, variant, variant == "float32")
    assert calls == [
        (checkpoint, path, "oumvlp", 100, "zeros", "float32", {"simplify": True}),
        (checkpoint, path, "oumvlp", 100, "zeros", "uint8", {"simplify": False}),
        (checkpoint, path, "oumvlp", "dynamic", "none", "float32", {"simplify": False}),
        (checkpoint, path, "oumvlp", "dynamic", "zeros", "float32", {"simplify": False}),
    ]


def test_the_metric_is_measured_on_zero_padded_walks_and_told_as_a_fraction(monkeypatch, make_model):
    seen = []

    def run(walks, session, options):
        seen.append((walks, type(session), session.identity.form["padding"], options.padding))
        empty = {"include": None, "exclude": None}
        return SimpleNamespace(metrics={"NM": {"include": 95.5, "exclude": 90.0}, "BG": empty, "CL": empty})

    monkeypatch.setattr("modelzoo.gaitset.verify.run", run)
    job = verify_job(Path("encoder.ptm"), data=["a walk"])
    for form in ((100, "zeros"), ("dynamic", "zeros"), ("dynamic", "none")):
        assert job.metric(open_session(make_model(*form), SPEC)) == {"NM rank-1": 0.955}
    padded = [kind is ZeroPadding for _, kind, _, _ in seen]
    assert (padded, [row[2:] for row in seen]) == ([False, False, True], [("zeros", None)] * 3)
    assert all(walks == ["a walk"] for walks, *_ in seen)


@pytest.mark.usefixtures("ready_exports")
def test_a_graph_of_other_weights_is_named_and_the_json_is_there_all_the_same(gaitset, checkpoint, exported, tmp_path):
    model = onnx.load(exported("dynamic"))
    weights = next(weight for weight in model.graph.initializer if list(weight.dims) == [62, 128, 256])
    values = onnx.numpy_helper.to_array(weights).copy()
    values[7, :, 3] = 0
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    onnx.save(model, tmp_path / "other.onnx")
    words = ("--weights", checkpoint, "--model", tmp_path / "other.onnx", "--json", tmp_path / "v.json")
    done = gaitset("verify", *words)
    assert done.code == 1
    assert done.error.startswith("the first stage that fails is other.onnx: feature differs")
    assert json.loads((tmp_path / "v.json").read_text())["failed"]


def test_the_samples_are_walks_and_repeatable():
    walks = sample_walks()
    assert (walks.shape, walks.dtype) == ((2, 30, 64, 44), np.uint8)
    assert np.array_equal(walks, sample_walks())
    filled = (walks > 127).mean(axis=(2, 3))
    assert filled.min() > 0.1
    assert filled.max() < 0.7
    assert len(np.unique(walks)) > 50
    assert not np.array_equal(walks[0], walks[1])


def test_a_graph_without_padding_gives_the_zero_padded_answer_when_asked_for_it(exported):
    session = open_session(exported("dynamic"), SPEC)
    walks = scaled(sample_walks())[:1]
    padded = ZeroPadding(session)
    (want,) = open_session(exported("fixed"), SPEC).run(zero_padded(walks, 100))
    assert np.abs(padded.run(walks)[0] - want).max() <= 1e-5
    assert np.abs(session.run(walks)[0] - want).max() > 1e-3
    long = np.concatenate([walks] * 4, axis=1)
    assert np.array_equal(padded.run(long)[0], session.run(long)[0])
    assert padded.identity.form == {**session.identity.form, "padding": "zeros"}
