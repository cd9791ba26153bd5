"""The command as a program: help, wrong usage, what it imports."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.plugin import CommandRunner, Finished
from modelzoo.gaitset.cli import commands, main

Commands = Callable[..., Finished]

STEPS = [command.name for command in commands()]

HEAVY = ["PIL", "cv2", "numpy", "onnx", "onnxruntime", "onnxsim", "torch", "tqdm"]

IMPORTS = """
import json, sys
from modelzoo.gaitset.cli import main
sys.argv[0] = "gaitset"
code = main()
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.mark.parametrize("step", STEPS)
def test_help_of_a_command(step: str, gaitset: Commands, command: CommandRunner) -> None:
    done = gaitset(step, "--help")
    assert done.code == 0
    assert "--debug" in done.out
    assert command(main, f"/usr/bin/gaitset-{step}", "--help").out == done.out


def test_every_command_is_installed_as_a_script_of_its_own() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = ["gaitset", *(f"gaitset-{step}" for step in STEPS)]
    assert project["scripts"] == dict.fromkeys(names, "modelzoo.gaitset.cli:main")


@pytest.mark.parametrize("words", [["--help"], *([step, "--help"] for step in STEPS)], ids=" ".join)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    line = [sys.executable, "-c", IMPORTS, *words]
    done = subprocess.run(line, capture_output=True, text=True, timeout=100, check=False)
    code, imported = json.loads(done.stderr)
    assert code == 0
    assert sorted(set(imported) & set(HEAVY)) == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["preprocess", "--input_path", "a"], id="no folder for the bins"),
        pytest.param(["preprocess-step1", "--input_path", "a"], id="no folder for the silhouettes"),
        pytest.param(["export"], id="no weights"),
        pytest.param(["export", "--weights", "a", "--dataset", "ou-mvlp"], id="unknown data set"),
        pytest.param(["run", "--data", "a"], id="neither weights nor model"),
        pytest.param(["run", "--data", "a", "--model", "b", "--padding", "repeat"], id="a padding of the bins only"),
        pytest.param(["run", "--data", "a", "--model", "b", "--pid_num", "-1"], id="fewer than nobody"),
        pytest.param(["postprocess", "--output_path", "r", "--index", "i", "--data_path", "p"], id="both sources"),
        pytest.param(["search", "--model", "m", "--probe", "p"], id="no gallery"),
    ],
)
def test_wrong_usage_is_one_error_line(
    words: list[str], gaitset: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = gaitset(*words)
    assert done.code == 2
    assert done.error
    assert list(tmp_path.iterdir()) == []
