"""The command as a program: help, spellings, wrong usage, what it imports."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.plugin import CommandRunner, Finished
from modelzoo.reid import __version__
from modelzoo.reid.cli import commands, main

Commands = Callable[..., Finished]

STEPS = [command.name for command in commands()]

HEAVY = ["PIL", "cv2", "numpy", "onnx", "onnxruntime", "onnxsim", "torch", "tqdm", "yaml", "yacs"]

IMPORTS = """
import json, sys
from modelzoo.reid.cli import main
sys.argv[0] = "reid"
code = main()
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def test_help_names_every_command(reid: Commands) -> None:
    assert {"preprocess", "export", "infer", "postprocess", "run", "demo"} <= set(STEPS)
    done = reid("--help")
    assert done.code == 0
    assert set(STEPS) <= set(done.out.split())


@pytest.mark.parametrize("step", STEPS)
def test_help_of_a_command(step: str, reid: Commands, command: CommandRunner) -> None:
    done = reid(step, "--help")
    assert done.code == 0
    assert "--debug" in done.out
    assert command(main, f"/usr/bin/reid-{step}", "--help").out == done.out


def test_version(reid: Commands) -> None:
    assert reid("--version").out == f"reid {__version__}\n"


def test_every_command_is_installed_as_a_script_of_its_own() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = ["reid", *(f"reid-{step}" for step in STEPS)]
    assert project["scripts"] == dict.fromkeys(names, "modelzoo.reid.cli:main")


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([step, "--help"] for step in STEPS)], ids=" ".join)
def test_help_imports_nothing_heavy(words: list[str], reid_process: Commands) -> None:
    done = reid_process(*words, program=IMPORTS)
    code, imported = json.loads(done.err)
    assert code == 0
    assert sorted(set(imported) & set(HEAVY)) == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="nothing"),
        pytest.param(["fly"], id="unknown command"),
        pytest.param(["preprocess"], id="no folders"),
        pytest.param(["preprocess", "a", "b", "--fly"], id="unknown flag"),
        pytest.param(["preprocess", "a", "b", "--dtype", "float64"], id="unknown choice"),
        pytest.param(["preprocess", "a", "b", "--on", "skip"], id="abbreviation"),
        pytest.param(["run", "--data", "a"], id="neither weights nor model"),
        pytest.param(["run", "--data", "a", "--weights", "b", "--model", "c"], id="both"),
        pytest.param(["run", "--data", "a", "--model", "b", "--batchsize", "0"], id="batch of nothing"),
        pytest.param(["run", "--data", "a", "--model", "b", "--max-rank", "ten"], id="no number"),
        pytest.param(["postprocess", "--query_dir", "a"], id="not enough flags"),
        pytest.param(["infer", "--model", "a", "--outfmt", "PNG"], id="unknown format"),
        pytest.param(["export", "--backbone", "vgg16", "--weights", "a"], id="unknown backbone"),
    ],
)
def test_wrong_usage_is_one_error_line(
    words: list[str], reid: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = reid(*words)
    assert done.code == 2
    assert done.error
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "flags",
    [
        ("--query_dir", "--gallery_dir", "--pred_dir", "--feat_norm", "--max_rank"),
        ("--query-dir", "--gallery-dir", "--pred-dir", "--feat-norm", "--max-rank"),
        ("--query", "--gallery", "--pred", "--feat", "--max"),
    ],
)
@pytest.mark.parametrize("joint", [" ", "="])
def test_spellings_of_flags(
    flags: tuple[str, ...], joint: str, command: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr("modelzoo.common.cli.guarded", lambda _handler, arguments: seen.append(arguments) or 0)
    values = ("q", "g", "p", "no", "7")
    words = " ".join(f"{flag}{joint}{value}" for flag, value in zip(flags, values, strict=True)).split()
    done = command(main, "reid-postprocess", *words)
    assert done.code == 0, done.err
    (arguments,) = seen
    assert (arguments.query_dir, arguments.gallery_dir, arguments.pred_dir) == (Path("q"), Path("g"), Path("p"))
    assert (arguments.feat_norm, arguments.max_rank) == ("no", 7)


def test_debug_shows_the_traceback_before_the_error(tmp_path: Path, reid: Commands) -> None:
    words = ("preprocess", tmp_path / "missing", tmp_path / "bins")
    plain, debug = reid(*words), reid(*words, "--debug")
    assert "Traceback" not in plain.err
    assert "Traceback" in debug.err
    assert "DataError" in debug.err
    assert debug.err.endswith(plain.err)
    assert debug.code == plain.code == 1


def test_no_progress_bar_where_there_is_no_terminal(market: Path, tmp_path: Path, pooled: Path, reid: Commands) -> None:
    done = reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report")
    assert done.code == 0
    assert done.err == "note: 1 of 9 queries have no match and do not count\n"


@pytest.mark.parametrize("name", ["/abs", "..", "../up", "a/../../b"])
def test_infer_writes_only_below_its_output(
    name: str, market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    done = reid("infer", "--model", pooled, "--input", market, "--output", tmp_path / "out", "--output_dirname", name)
    assert done.code == 2
    assert name in done.error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("model", ["onnx", "checkpoint"])
def test_infer_without_input_only_measures(
    model: str, pooled: Path, checkpoint: Path, reid: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = reid("infer", "--model", pooled if model == "onnx" else checkpoint, "--batchsize", 2, "--loop", 3)
    assert done.code == 0, done.err
    assert done.out.startswith("throughput in samples/s, batch 2: ")
    assert list(tmp_path.iterdir()) == []
