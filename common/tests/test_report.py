"""The report of a run: the keys of the contract, and numbers that follow from what was measured."""

import json
from pathlib import Path

import pytest

from modelzoo.common.errors import WriteError
from modelzoo.common.report import Report, environment, read_reference, throughput, write_report
from modelzoo.common.stream import StreamStats
from modelzoo.common.work import Skipped

STATS = StreamStats(
    samples=40,
    skipped=[Skipped("bad.jpg", "bad.jpg is not an image")],
    wall_s=8.0,
    preprocess_s=6.0,
    inference_s=4.0,
    postprocess_s=0.5,
    batch_ms=[1000.0, 3000.0],
)
REPORT = Report("toy", "onnxruntime", 8, {"mAP": 0.859, "cmc": [0.9, 1.0]}, STATS, {"accuracy": {"mAP": 85.9}})


def test_keys_of_the_contract(tmp_path: Path) -> None:
    content = json.loads(write_report(tmp_path / "a" / "report", REPORT).read_text(encoding="utf-8"))
    machine = content.pop("environment")
    assert content.pop("skipped") == [{"source": "bad.jpg", "reason": "bad.jpg is not an image"}]
    assert content == {
        "model": "toy",
        "backend": "onnxruntime",
        "batchsize": 8,
        "samples": 40,
        "metrics": {"mAP": 0.859, "cmc": [0.9, 1.0]},
        "reference": {"accuracy": {"mAP": 85.9}},
        "throughput": {"end_to_end": 5.0, "inference_only": 10.0, "ratio": 0.5},
        "stages": {"preprocess_s": 6.0, "inference_s": 4.0, "postprocess_s": 0.5},
    }
    assert machine == json.loads(json.dumps(environment()))


def test_report_lies_in_its_folder(tmp_path: Path) -> None:
    path = write_report(tmp_path / "r", REPORT)
    assert path == tmp_path / "r" / "report.json"
    path.write_text("of an older run")
    write_report(tmp_path / "r", REPORT)
    assert json.loads(path.read_text(encoding="utf-8"))["samples"] == 40
    assert not list((tmp_path / "r").glob(".*"))


def test_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "r").touch()
    with pytest.raises(WriteError, match=str(tmp_path / "r")):
        write_report(tmp_path / "r", REPORT)


def test_environment_names_what_a_number_depends_on() -> None:
    machine = environment()
    assert set(machine) == {"python", "platform", "processor", "cores", "versions"}
    assert {"modelzoo-common", "numpy", "onnxruntime", "torch"} == set(machine["versions"])
    assert machine["cores"] >= 1


def test_throughput_of_nothing_is_nothing() -> None:
    """Every image of a run may have been skipped."""
    assert throughput(StreamStats(wall_s=1.0)) == {"end_to_end": 0.0, "inference_only": 0.0, "ratio": 0.0}


def test_reference_is_read(tmp_path: Path) -> None:
    (tmp_path / "reference.toml").write_text('[accuracy]\nmAP = 85.9\nsource = "指南"\n', encoding="utf-8")
    assert read_reference(tmp_path / "reference.toml") == {"accuracy": {"mAP": 85.9, "source": "指南"}}
