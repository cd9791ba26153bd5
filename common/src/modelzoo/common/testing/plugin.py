"""Fixtures: load with `pytest_plugins = ["modelzoo.common.testing.plugin"]` in a conftest.py."""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from modelzoo.common.testing.ascend import FakeAisBench

pytest.register_assert_rewrite("modelzoo.common.testing.upstream")  # its checks say what they saw, like a test's

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


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """Ctrl-C reaches what the tests start: a script's background process ignores it, and so do all its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


@pytest.fixture(scope="session")
def command_once() -> CommandRunner:
    """Run a command line as `command` does, for what is made once and used by many tests."""

    def run(main: Callable[[], int], *words: object) -> Finished:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", [str(word) for word in words])
            code = main()
        return Finished(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def _toy_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from modelzoo.common.testing.toys import write_toys

    return write_toys(tmp_path_factory.mktemp("toys"))


@pytest.fixture
def toys(_toy_original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a fresh folder of the toy models and their data, see `testing.toys.write_toys`."""
    folder = tmp_path / "toys"
    shutil.copytree(_toy_original, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def fake_ais_bench(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAisBench]:
    """Fake Python packages `ais_bench` and `aclruntime`, see `testing.ascend`."""
    from modelzoo.common.testing.ascend import forget_fakes, install_fakes

    forget_fakes()
    yield install_fakes(tmp_path_factory.mktemp("fake_site"), monkeypatch)
    forget_fakes()


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and sha256 of every file below a folder, by relative path."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in contents.items()}


@pytest.fixture
def parsed(command: CommandRunner, monkeypatch: pytest.MonkeyPatch) -> Callable[..., argparse.Namespace]:
    """Parse a command line and do nothing: `parsed(main, "reid", "run", "--data", folder)` gives its arguments."""
    seen: list[argparse.Namespace] = []

    def keep(_handler: object, arguments: argparse.Namespace) -> int:
        seen.append(arguments)
        return 0

    def parse(main: Callable[[], int], *words: object) -> argparse.Namespace:
        done = command(main, *words)
        assert done.code == 0, done.err
        return seen[-1]

    monkeypatch.setattr("modelzoo.common.cli.guarded", keep)
    return parse
