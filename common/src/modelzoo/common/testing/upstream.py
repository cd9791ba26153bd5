"""What the tests of every package's `upstream` command share: a stand-in of the published repository, and checks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from modelzoo.common.commands.verify import VerifyJob
from modelzoo.common.spec import Upstream
from modelzoo.common.testing.plugin import CommandRunner, Finished
from modelzoo.common.testing.processes import run_python
from modelzoo.common.upstream import UpstreamError

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")

SETTINGS = {"CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
"""Of a program in a checkout: it sees no GPU and leaves nothing behind."""


def git(folder: Path, *words: object) -> str:
    """Run `git WORDS` in a folder and give its output; fails where git does."""
    line = ["git", *IDENTITY, "-C", str(folder), *map(str, words)]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def make_repository(folder: Path, files: Mapping[str, str], licence: str) -> Upstream:
    """Write files and commit them, as a stand-in of a published repository.

    Args:
        folder: Is made.
        files: Text by path in the repository.
        licence: What is said to be its licence.

    Returns:
        The folder, at its one commit.
    """
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    return Upstream(str(folder), git(folder, "rev-parse", "HEAD"), licence)


def check_patch(patch: Path, folder: Path, changed_lines: int, quoted_lines: int) -> list[PurePosixPath]:
    """Fail unless a patch is small, changes nothing but Python files, and stays inside the repository.

    Args:
        patch: As `git apply` takes it.
        folder: Outside of every repository: inside of one, git reads a patch as one of that.
        changed_lines: How many lines it may add or remove.
        quoted_lines: How many lines of the upstream it may show.

    Returns:
        The paths that it changes.
    """
    rows = [line.split("\t") for line in git(folder, "apply", "--numstat", patch).splitlines()]
    assert sum(int(added) + int(removed) for added, removed, _ in rows) <= changed_lines
    paths = [PurePosixPath(name) for _, _, name in rows]
    for path in paths:
        assert path.suffix == ".py"
        assert not path.is_absolute()
        assert ".." not in path.parts
    lines = patch.read_text(encoding="utf-8").splitlines()
    hunks = lines[next(i for i, line in enumerate(lines) if line.startswith("--- ")) :]
    quoted = [line for line in hunks if line[:1] in {"-", " "} and not line.startswith("--- ")]
    assert 0 < len(quoted) <= quoted_lines
    return paths


def check_clone_patch_and_again(command: CommandRunner, upstream: Upstream, folder: Path) -> None:
    """Fail unless `upstream FOLDER` says what it does, and a second time needs no source.

    Args:
        command: Runs `<model> WORDS`, which takes the stand-in for the published repository.
        upstream: The stand-in.
        folder: Does not exist yet; becomes a patched checkout.
    """
    licence = f"licence of the upstream: {upstream.licence}, {upstream.url}\n"
    commit = f"at commit {upstream.commit}, patched\n"
    done = command("upstream", folder)
    assert done.code == 0, done.err
    assert done.out == f"{folder}: cloned from {upstream.url}, {commit}{licence}"
    again = command("upstream", folder, "--source", "/nowhere")
    assert (again.code, again.out) == (0, f"{folder}: already there, {commit}{licence}")


def run_in_checkout(command: CommandRunner, upstream: Upstream, folder: Path, program: str, patched: bool) -> Finished:
    """Check the stand-in out and run Python source there.

    Args:
        command: Runs `<model> WORDS`.
        upstream: The stand-in.
        folder: Does not exist yet, or is a checkout that is not more patched than asked for.
        program: The source.
        patched: False leaves the checkout as published.
    """
    done = command("upstream", folder, "--source", upstream.url, *([] if patched else ["--no-patch"]))
    assert done.code == 0, done.err
    return run_python(program, folder=folder, environment=SETTINGS)


def check_planted_file_is_refused(checkout: Path, make_job: Callable[[], VerifyJob]) -> VerifyJob:
    """Fail unless the job refuses a checkout with a file that was put there.

    Args:
        checkout: A patched checkout of the stand-in.
        make_job: Describes its comparison.

    Returns:
        The job, and the file is gone.
    """
    planted = checkout / "torch.py"
    planted.write_text("raise SystemExit('planted')")
    job = make_job()
    assert job.upstream is not None
    with pytest.raises(UpstreamError, match=r"has changes beside the patch: torch\.py"):
        job.upstream([])
    planted.unlink()
    return job
