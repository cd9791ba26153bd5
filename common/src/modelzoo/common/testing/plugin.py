"""Fixtures: load with `pytest_plugins = ["modelzoo.common.testing.plugin"]` in a conftest.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

CommandRunner = Callable[..., "Finished"]


@dataclass(frozen=True)
class Finished:
    """How a command ended.

    Args:
        code: Its exit code.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The text of its one error line; fails unless there is exactly one, and no traceback."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err, self.err
        return lines[0].removeprefix("error: ")

    @property
    def hint(self) -> str:
        """The text of its hint line, or nothing."""
        lines = [line for line in self.err.splitlines() if line.startswith("hint: ")]
        return lines[0].removeprefix("hint: ") if lines else ""


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandRunner:
    """Run a command line in this process: `command(main, "reid", "run", "--data", folder)`."""

    def run(main: Callable[[], int], *words: object) -> Finished:
        monkeypatch.setattr(sys, "argv", [str(word) for word in words])
        capsys.readouterr()
        code = main()
        captured = capsys.readouterr()
        return Finished(code, captured.out, captured.err)

    return run
