"""`modelzoo infer` beside recorded runs of ais_bench (0.0.2 of 2023-06): same files, same bytes, same summary.

`data/ais_bench/cases.json` holds the command lines, exit codes, created files (size and sha256) and summaries that were
recorded with the real front end of ais_bench.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelzoo.common.cli import main
from modelzoo.common.testing.plugin import CommandRunner, Finished, tree

DATA = Path(__file__).with_name("data") / "ais_bench"
CASES: dict[str, dict[str, Any]] = json.loads((DATA / "cases.json").read_text(encoding="utf-8"))
PASSED = [name for name, case in CASES.items() if case["exit_code"] == 0]
FAILED = [name for name, case in CASES.items() if case["exit_code"] != 0]

REFUSED = {"dotted_stems": "dotted/a.y.bin", "two_samples_per_file": "pairs/pair_0.bin", "two_unequal_pad": "[6, 5]"}
"""What ais_bench gets wrong silently, and what our error names."""
UNLIKE_STEMS = ("two_inputs_bs4", "two_inputs_filelist", "two_unequal_pad")
WRONG_USAGE = ("err_axis", "err_bad_outfmt", "err_batch0", "err_dirname_alone")
SUMMARISED = [name for name in PASSED if "summary" in CASES[name] and name not in REFUSED]
WRITING = [name for name in PASSED if name not in REFUSED]
TIME = re.compile(r"\d{4}(_\d\d){2}-\d\d(_\d\d){2}")


def words_of(case: dict[str, Any], model: str = "fixed") -> list[str]:
    """The command line of a case for our command, with the model of its batch size or with the free one."""
    file = case["args"][1].replace(".om", ".onnx")
    rest = without_flag("--display_all_summary", case["args"][2:])
    if model == "fixed":
        return ["--model", file, *rest]
    free = f"{file.partition('_')[0]}_free.onnx"
    return ["--model", free, *without_flag("--batchsize", rest), "--batchsize", batch_of(case)]


def without_flag(flag: str, words: list[str]) -> list[str]:
    at = words.index(flag) if flag in words else len(words)
    return words[:at] + words[at + 2 :]


def batch_of(case: dict[str, Any]) -> str:
    return case["args"][1].removesuffix(".om")[-1]


def run_case(command: CommandRunner, name: str, model: str = "fixed", *more: str) -> Finished:
    case = CASES[name]
    subprocess.run(case.get("prepare", "true"), shell=True, check=True)
    pairing = ["--pair", "order"] if name in UNLIKE_STEMS else []
    return command(main, "modelzoo", "infer", *words_of(case, model), *pairing, *more)


def without_time(text: str) -> str:
    return TIME.sub("<YYYY_mm_dd-HH_MM_SS>", text)


def created_in(folder: Path) -> dict[str, list[Any] | None]:
    """The files of a result folder as a case lists them; a summary has no fixed bytes."""
    files = {without_time(f"out/{name}"): list(facts) for name, facts in tree(folder / "out").items()}
    return {name: None if name.endswith("_summary.json") else facts for name, facts in files.items()}


def test_every_recorded_case_is_used() -> None:
    assert (len(PASSED), len(FAILED)) == (21, 12)
    assert set(REFUSED) | set(UNLIKE_STEMS) <= set(PASSED)


def test_toy_data_are_those_of_the_recording(toys: Path) -> None:
    files = tree(toys)
    wanted = json.loads((DATA / "inputs_sha256.json").read_text(encoding="utf-8"))
    assert len(wanted) == 10
    assert {name: files[name][1] for name in wanted} == wanted


@pytest.mark.parametrize("model", ["fixed", "free"])
@pytest.mark.parametrize("name", WRITING)
def test_same_files(command: CommandRunner, toys: Path, name: str, model: str) -> None:
    before = tree(toys)
    done = run_case(command, name, model)
    assert (done.code, done.out.count("throughput")) == (0, 1), done.err
    assert created_in(toys) == CASES[name]["created_files"]
    if "prepare" not in CASES[name]:
        assert {file: facts for file, facts in tree(toys).items() if not file.startswith("out/")} == before


@pytest.mark.parametrize("name", SUMMARISED)
def test_same_summary(command: CommandRunner, toys: Path, name: str) -> None:
    run_case(command, name)
    wanted = CASES[name]["summary"]
    (path,) = (toys / "out").glob("*_summary.json")
    summary = json.loads(path.read_text(encoding="utf-8"))
    assert list(summary) == list(wanted)
    assert json.loads(without_time(json.dumps(summary["filesinfo"]))) == wanted["filesinfo"]
    for key in ("NPU_compute_time", "H2D_latency", "D2H_latency"):
        assert list(summary[key]) == list(wanted[key])
    times, runs = summary["npu_compute_time_list"], summary["NPU_compute_time"]
    assert runs["count"] == len(times) == wanted["NPU_compute_time"]["count"]
    assert f"<list of {len(times)} ms floats>" == wanted["npu_compute_time_list"]
    assert runs["min"] == min(times) <= runs["median"] <= runs["percentile(99%)"] <= runs["max"] == max(times)
    assert summary["throughput"] == pytest.approx(1000 * int(batch_of(CASES[name])) / runs["mean"])
    assert type(summary["pid"]) is int
    assert summary["args"][2 : 2 + len(words_of(CASES[name]))] == words_of(CASES[name])


@pytest.mark.parametrize("model", ["fixed", "free"])
@pytest.mark.parametrize("name", REFUSED)
def test_silent_mistakes_of_ais_bench_are_refused(command: CommandRunner, toys: Path, name: str, model: str) -> None:
    before = tree(toys)
    done = run_case(command, name, model)
    assert done.code == 1
    assert REFUSED[name] in done.error
    assert tree(toys) == before
    assert not (toys / "out").exists()


@pytest.mark.parametrize("name", ["two_inputs_bs4", "two_inputs_filelist"])
def test_unlike_stems_need_pair_order(command: CommandRunner, toys: Path, name: str) -> None:
    done = run_case(command, name, "fixed", "--pair", "stem")
    assert done.code == 1
    assert "dirA/gray_0.bin" in done.error
    assert "--pair order" in done.hint
    assert not (toys / "out").exists()


@pytest.mark.parametrize("name", FAILED)
def test_what_ais_bench_refuses_is_refused(command: CommandRunner, toys: Path, name: str) -> None:
    done = run_case(command, name)
    assert done.code == (2 if name in WRONG_USAGE else 1)
    assert "error: " in done.err
    assert not (toys / "out").exists()
