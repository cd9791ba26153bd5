"""The fake ais_bench beside the recorded runs of the original (three generations): it is a copy, not an invention.

`data/ais_bench/cases.json` and `printed.json` hold command lines, exit codes, files, summaries and printed lines that
were recorded with the real front ends.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.testing.ascend import FakeAisBench, write_om
from modelzoo.common.testing.fake_ais_bench import InferSession, main
from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.common.testing.toys import doubler, image, toy_a, toy_b

DATA = Path(__file__).with_name("data") / "ais_bench"
CASES: dict[str, dict[str, Any]] = json.loads((DATA / "cases.json").read_text(encoding="utf-8"))
PRINTED: dict[str, dict[str, Any]] = json.loads((DATA / "printed.json").read_text(encoding="utf-8"))
WRITING = [name for name, case in CASES.items() if "summary" in case]
OTHERS = [
    (generation, name)
    for generation in ("2022-11", "2024-06")
    for name, printed in PRINTED.items()
    if generation in printed.get("stderr_last_line_differs", {}) or name in {"bs4_partial", "txt_bs4", "two_inputs_bs4"}
]
"""What the other two generations do otherwise, and three runs in which they do the same."""
TIME = re.compile(r"\d{4}(_\d\d){2}-\d\d(_\d\d){2}")
NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"
RULES = (
    (TIME, "<YYYY_mm_dd-HH_MM_SS>"),
    (re.compile(rf"((?:min|max|mean|median|percentile\(99%\)) =) {NUMBER}"), r"\1 <t>"),
    (re.compile(rf"(NPU_compute_time\.mean)\({NUMBER}\): {NUMBER}"), r"\1(<t>): <fps>"),
    (re.compile(r" +(\d+%)\|[# ]*\| (\d+/\d+) \[[^]]*\]"), r" \1|<bar>| \2 [<rate>]"),
)


@pytest.fixture
def models(toys: Path) -> Path:
    for name, model in (("toyA", toy_a), ("toyB", toy_b)):
        for batch in (1, 4):
            write_om(toys / f"{name}_bs{batch}.om", model(batch))
    return toys


Run = Callable[..., Finished]


@pytest.fixture
def run(models: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the fake front end in this process; an exception counts as the traceback that Python would print."""

    def run_case(name: str, generation: str = "2023-06") -> Finished:
        case = CASES[name]
        subprocess.run(case.get("prepare", "true"), shell=True, check=True)
        monkeypatch.setattr(sys, "argv", ["__main__.py", *case["args"]])
        capfd.readouterr()
        code, last = 0, ""
        try:
            main(generation)
        except SystemExit as ended:
            code = ended.code
        except (RuntimeError, IndexError) as error:
            code, last = 1, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        printed = capfd.readouterr()
        return Finished(code, printed.out, last or (printed.err.splitlines() or [""])[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pkg_resources", sys)  # as of setuptools before 82
        yield run_case


def lines_of(text: str) -> list[str]:
    """Printed lines in the form of the recording: without numbers that differ from run to run."""
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    lines = [line for line in re.split(r"[\r\n]+", text) if line]
    return [line for line in lines if "[ERROR]" in line or not line.startswith("Inference array Processing: 0%")]


def without_quotes(text: str) -> str:
    """Newer versions of argparse print choices without quotes."""
    return text.replace("'", "")


def created_in(folder: Path) -> dict[str, list[Any] | None]:
    files = {
        TIME.sub("<YYYY_mm_dd-HH_MM_SS>", f"out/{name}"): list(facts) for name, facts in tree(folder / "out").items()
    }
    return {name: None if name.endswith("_summary.json") else facts for name, facts in files.items()}


def test_every_recorded_case_is_used() -> None:
    assert len(CASES) == len(PRINTED) == 33
    assert len(WRITING) == 19


@pytest.mark.parametrize("name", CASES)
def test_same_exit_code_files_and_lines(run: Run, models: Path, name: str) -> None:
    done = run(name)
    assert done.code == CASES[name]["exit_code"]
    assert created_in(models) == CASES[name]["created_files"]
    assert lines_of(done.out) == PRINTED[name]["stdout"]
    assert without_quotes(done.err).strip() == without_quotes(PRINTED[name]["stderr_last_line"]).strip()


@pytest.mark.parametrize(("generation", "name"), OTHERS)
def test_other_generations(run: Run, models: Path, generation: str, name: str) -> None:
    done = run(name, generation)
    printed = PRINTED[name]
    assert done.code == printed["exit_code"][generation]
    if done.code == 0:
        assert created_in(models) == CASES[name]["created_files"]
    wanted = printed.get("stderr_last_line_differs", {}).get(generation, printed["stderr_last_line"])
    assert without_quotes(done.err).strip() == without_quotes(wanted).strip()


@pytest.mark.parametrize("name", [name for name in WRITING if "stdout_differs" in PRINTED[name]])
def test_throughput_line_of_2022(run: Run, name: str) -> None:
    lines = lines_of(run(name, "2022-11").out)
    assert set(PRINTED[name]["stdout_differs"]["2022-11"]) <= set(lines)


@pytest.mark.parametrize("name", WRITING)
def test_same_summary(run: Run, models: Path, name: str) -> None:
    run(name)
    (path,) = (models / "out").glob("*_summary.json")
    summary = json.loads(TIME.sub("<YYYY_mm_dd-HH_MM_SS>", path.read_text()))
    wanted = CASES[name]["summary"]
    assert list(summary) == list(wanted)
    assert summary["filesinfo"] == wanted["filesinfo"]
    assert summary["args"][1:] == wanted["args"][1:]
    for key in ("NPU_compute_time", "H2D_latency", "D2H_latency"):
        assert list(summary[key]) == list(wanted[key])
    assert summary["NPU_compute_time"]["count"] == wanted["NPU_compute_time"]["count"]


def test_float64_npy_is_taken_as_two_samples(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only bytes are compared: the garbage that the original writes, and exit code 0."""
    for k in range(4):
        np.save(models / "npy10" / f"img_{k + 1}.npy", image(k)[None].astype(np.float64))
    files = ",".join(f"npy10/img_{k + 1}.npy" for k in range(4))
    words = ["--model", "toyA_bs4.om", "--input", files, "--output", "out", "--output_dirname", "x"]
    monkeypatch.setattr(sys, "argv", ["__main__.py", *words])
    main()
    right = np.zeros((1, 2, 8, 8), np.float32).nbytes
    assert (models / "out/x/img_1_0.bin").stat().st_size == 2 * right


def test_session_reads_memory_not_arrays(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    session = InferSession(0, str(write_om(tmp_path / "m.om", doubler((2, 3)))))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert np.array_equal(session.infer([x])[0], 2 * x)
    assert np.array_equal(session.infer([np.asfortranarray(x)])[0], 2 * x.T.reshape(2, 3))
    assert session.infer([np.ones(3)])[0].shape == (2, 3)  # 24 bytes of float64
    capfd.readouterr()
    with pytest.raises(RuntimeError, match="general failure"):
        session.infer([x[:1]])
    assert capfd.readouterr().out == "[ERROR] Check i:0 name:x in size:12 needsize:24 not match\n"


def test_installed_it_runs_as_a_module(fake_ais_bench: FakeAisBench, models: Path) -> None:
    words = [sys.executable, "-m", "ais_bench", *CASES["bs4_partial"]["args"]]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert lines_of(done.stdout) == PRINTED["bs4_partial"]["stdout"]
    assert created_in(models) == CASES["bs4_partial"]["created_files"]


def test_2024_dies_without_pkg_resources(fake_ais_bench: FakeAisBench, models: Path) -> None:
    fake_ais_bench.install("2024-06")
    fake_ais_bench.hide("pkg_resources")
    words = [sys.executable, "-m", "ais_bench", *CASES["bs1"]["args"]]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "UnboundLocalError" in done.stderr


def test_it_says_that_it_is_fake(fake_ais_bench: FakeAisBench) -> None:
    fake_ais_bench.install("2024-06")
    for path in fake_ais_bench.site.rglob("*.py"):
        assert path.read_text().startswith('"""Fake'), path
