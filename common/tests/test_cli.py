"""The command line: spellings, abbreviations, names of scripts, exit codes, error lines, and what `--help` imports."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common import cli
from modelzoo.common.cli import Command, natural, positive, run_program
from modelzoo.common.errors import (
    CheckpointError,
    DataError,
    ExportError,
    MissingDependencyError,
    ModelError,
    UsageError,
    WriteError,
    ZooError,
)
from modelzoo.common.testing.plugin import CommandRunner, Finished
from modelzoo.common.testing.processes import PATIENCE_S, run_python

HEAVY = ("numpy", "torch", "cv2", "onnxruntime", "onnx", "PIL")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pred_dir", default="P")
    parser.add_argument("--max-rank", type=positive, default=50)
    parser.add_argument("--max_size-kb", type=natural, default=0)
    parser.add_argument("--re_rank", action="store_true")
    parser.add_argument("words", nargs="*")


@pytest.fixture
def toy(command: CommandRunner) -> Callable[..., Finished]:
    """Run `toy strict` or `toy lenient`, which print their flags, or `toy fail`, which raises what it is given."""

    def show(arguments: argparse.Namespace) -> int:
        shown = [arguments.pred_dir, arguments.max_rank, arguments.max_size_kb, arguments.re_rank, *arguments.words]
        sys.stdout.write(" ".join(map(str, shown)) + "\n")
        return 0

    def run(*words: str, script: str = "toy", error: BaseException | None = None, code: int = 0) -> Finished:
        def fail(arguments: argparse.Namespace) -> int:
            if error:
                raise error
            return code

        commands = [
            Command("strict", "shows its flags", add_arguments, show),
            Command("lenient-step1", "shows its flags", add_arguments, show, abbreviations=True),
            Command("fail", "fails", lambda parser: None, fail),
        ]
        return command(lambda: run_program("toy", "A toy.", "1.2", commands), script, *words)

    return run


SPELLINGS = {
    "as defined": ["--pred_dir", "D", "--max-rank", "7", "--max_size-kb", "1", "--re_rank"],
    "hyphens": ["--pred-dir", "D", "--max-rank", "7", "--max_size-kb", "1", "--re-rank"],
    "underscores": ["--pred_dir", "D", "--max_rank", "7", "--max_size-kb", "1", "--re_rank"],
    "with =": ["--pred-dir=D", "--max_rank=7", "--max_size-kb=1", "--re-rank"],
}


@pytest.mark.parametrize("name", ["strict", "lenient-step1"])
@pytest.mark.parametrize("words", SPELLINGS.values(), ids=SPELLINGS)
def test_flags_may_be_spelt_with_hyphens_or_underscores(
    toy: Callable[..., Finished], name: str, words: list[str]
) -> None:
    assert toy(name, *words) == Finished(0, "D 7 1 True\n", "")


@pytest.mark.parametrize("value", ["a-b_c", "--max_rank", "--pred-dir=x_y", "-1"])
def test_values_are_left_alone(toy: Callable[..., Finished], value: str) -> None:
    assert toy("strict", f"--pred-dir={value}").out == f"{value} 50 0 False\n"


def test_words_that_are_no_flags_are_left_alone(toy: Callable[..., Finished]) -> None:
    assert toy("strict", "a-b_c", "MODEL.PRETRAIN_CHOICE", "('self')").out == (
        "P 50 0 False a-b_c MODEL.PRETRAIN_CHOICE ('self')\n"
    )


@pytest.mark.parametrize("words", [["--pred", "D"], ["--pred_d", "D"], ["--pred-d=D"], ["--pre=D"]])
def test_abbreviations_are_taken_only_where_allowed(toy: Callable[..., Finished], words: list[str]) -> None:
    assert toy("lenient-step1", *words).out == "D 50 0 False\n"
    done = toy("strict", *words)
    assert (done.code, done.out) == (2, "")
    assert words[0] in done.error


@pytest.mark.parametrize(("word", "out"), [("--max-r=7", "P 7 0"), ("--max_r=7", "P 7 0"), ("--max_s=7", "P 50 7")])
def test_abbreviations_may_be_spelt_either_way(toy: Callable[..., Finished], word: str, out: str) -> None:
    assert toy("lenient-step1", word).out == f"{out} False\n"


def test_ambiguous_abbreviation_is_refused(toy: Callable[..., Finished]) -> None:
    done = toy("lenient-step1", "--max", "7")
    assert done.code == 2
    assert "--max" in done.error


@pytest.mark.parametrize("script", ["toy-strict", "/usr/local/bin/toy-strict", "C/toy-strict.exe"])
def test_script_is_the_command_that_it_names(toy: Callable[..., Finished], script: str) -> None:
    assert toy("--pred-dir", "D", "x", script=script) == toy("strict", "--pred-dir", "D", "x", script="toy")


def test_script_of_a_command_with_a_hyphen(toy: Callable[..., Finished]) -> None:
    assert toy("--pred", "D", script="bin/toy-lenient-step1").out == "D 50 0 False\n"


@pytest.mark.parametrize("script", ["toy-nosuch", "toy-"])
def test_script_of_no_command_is_refused(toy: Callable[..., Finished], script: str) -> None:
    assert toy("--pred-dir", "D", script=script).code == 2


WRONG_USAGE = {
    "no command": [],
    "unknown command": ["nosuch"],
    "unknown flag": ["strict", "--nosuch"],
    "flag without value": ["strict", "--pred_dir"],
    "no number": ["strict", "--max-rank", "x"],
    "a fraction": ["strict", "--max-rank", "1.5"],
    "too small": ["strict", "--max-rank", "0"],
    "negative": ["strict", "--max-rank=-1"],
    "no number from 0": ["strict", "--max_size-kb", "--5"],
    "a digit that is no number": ["strict", "--max-rank", "²"],
}


@pytest.mark.parametrize("words", WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_exits_with_2(toy: Callable[..., Finished], words: list[str]) -> None:
    done = toy(*words)
    assert (done.code, done.out) == (2, "")
    assert done.error
    assert "--help" in done.hint


@pytest.mark.parametrize("code", [0, 1])
def test_exit_code_is_what_the_handler_returns(toy: Callable[..., Finished], code: int) -> None:
    assert toy("fail", code=code) == Finished(code, "", "")


EXIT_CODES = {
    ZooError: 1,
    DataError: 1,
    ModelError: 1,
    CheckpointError: 1,
    ExportError: 1,
    WriteError: 1,
    UsageError: 2,
    MissingDependencyError: 3,
}


@pytest.mark.parametrize("kind", EXIT_CODES)
def test_error_is_one_line_and_a_hint(toy: Callable[..., Finished], kind: type[ZooError]) -> None:
    assert toy("fail", error=kind("a.bin is bad", "repair it")) == Finished(
        EXIT_CODES[kind], "", "error: a.bin is bad\nhint: repair it\n"
    )
    assert toy("fail", error=kind("a.bin is bad")) == Finished(EXIT_CODES[kind], "", "error: a.bin is bad\n")


def test_what_a_terminal_would_obey_is_escaped(toy: Callable[..., Finished]) -> None:
    done = toy("fail", error=DataError("no such file: a\x1b[2J\u202egpj.exe", "did you mean a\x07?"))
    assert done.err == "error: no such file: a\\x1b[2J\\u202egpj.exe\nhint: did you mean a\\x07?\n"


def test_error_of_several_lines_becomes_one(toy: Callable[..., Finished]) -> None:
    done = toy("fail", error=DataError("a.bin is bad:\n  no number\n", "repair\nit"))
    assert done.err == "error: a.bin is bad: no number\nhint: repair it\n"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(28, "No space left on device", "out/a.bin"), "out/a.bin: No space left on device"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(13, "Permission denied", b"a"), "Permission denied"),
        (ValueError("of 3"), "unexpected ValueError: of 3"),
        (MemoryError(), "unexpected MemoryError"),
    ],
)
def test_any_other_error_is_one_line(toy: Callable[..., Finished], error: Exception, text: str) -> None:
    done = toy("fail", error=error)
    assert done.code == 1
    assert text in done.error


def test_interruption_exits_with_130(toy: Callable[..., Finished]) -> None:
    assert toy("fail", error=KeyboardInterrupt()) == Finished(130, "", "interrupted\n")


@pytest.mark.parametrize(
    ("error", "code"), [(DataError("a.bin is bad"), 1), (UsageError("no"), 2), (ValueError("x"), 1)]
)
def test_debug_adds_the_traceback(toy: Callable[..., Finished], error: Exception, code: int) -> None:
    done = toy("fail", "--debug", error=error)
    assert done.code == code
    assert done.err.startswith("Traceback (most recent call last):\n")
    assert "in fail" in done.err
    assert any(line.startswith("error: ") for line in done.err.splitlines())


def test_version_and_help(toy: Callable[..., Finished]) -> None:
    assert toy("--version") == Finished(0, "toy 1.2\n", "")
    helped = toy("--help")
    assert (helped.code, helped.err) == (0, "")
    assert {"strict", "lenient-step1", "fail"} <= set(helped.out.split())
    assert "--pred_dir" in toy("strict", "--help").out


@pytest.mark.parametrize("words", [["--help"], ["infer", "--help"], ["--version"], ["infer"], ["nosuch"]])
def test_help_and_wrong_usage_import_nothing_heavy(words: list[str]) -> None:
    program = f"""
import sys
from modelzoo.common.cli import main
sys.argv[0] = "modelzoo"
code = main()
print("imported:", *sorted(set(sys.modules) & set({HEAVY})))
sys.exit(code)
"""
    done = run_python(program, *words)
    assert done.out.splitlines()[-1] == "imported:"
    assert done.code == (0 if words[-1].startswith("--") else 2)


def test_data_errors_before_the_model_runs_are_one_line(command: CommandRunner, toys: Path) -> None:
    done = command(cli.main, "modelzoo", "infer", "--model", "toyA_bs1.onnx", "--input", "bin1O")
    assert done.code == 1
    assert done.err == "error: no such input folder: bin1O\nhint: did you mean bin10?\n"


@pytest.mark.parametrize("lines", [1, 100_000])
@pytest.mark.parametrize("buffering", ["", "1"], ids=["buffered", "unbuffered"])
def test_reader_that_has_gone_is_no_error(lines: int, buffering: str) -> None:
    """`toy show | head -1`."""
    program = """
import sys
from modelzoo.common.cli import Command, run_program
command = Command("show", "", lambda parser: parser.add_argument("lines", type=int),
                  lambda arguments: print("x\\n" * arguments.lines) or 0)
sys.argv[0] = "toy"
sys.exit(run_program("toy", "", "1", [command]))
"""
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "PYTHONUNBUFFERED": buffering}
    words = [sys.executable, "-c", program, "show", str(lines)]
    try:
        done = subprocess.run(words, env=environment, stdout=writer, stderr=-1, timeout=PATIENCE_S, check=False)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
