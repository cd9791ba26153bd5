"""The published source of a network: cloned at its pinned commit, patched, and run in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from modelzoo.common.checkpoint import describe_keys
from modelzoo.common.errors import MissingDependencyError, UsageError, ZooError
from modelzoo.common.files import existing_folder, make_folder
from modelzoo.common.spec import Upstream

GUARDS = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.autocrlf=false", "core.fileMode=false"),
    "protocol.ext.allow=never",
)
"""No hook, no monitor, bytes as published, and permissions do not count.

They do not stop filters and fetches that a checkout's own settings ask for: its files are read through `_repository`.
Filters of the user's own settings are run.
"""

FIXED = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}

INHERITED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")
"""Variables that point git at another repository, as inside a hook."""

ANOTHER = "name a folder that is empty or does not exist yet"


class UpstreamError(ZooError):
    """The upstream is not as it was published, cannot be had or patched, or fails when it runs."""


def prepare(upstream: Upstream, patch: Path, destination: Path, source: str | None, apply_patch: bool) -> list[str]:
    """Clone an upstream, check its commit and apply a patch; what is there already is checked and kept.

    Args:
        upstream: Where it is, and the full hash of its commit.
        patch: A patch in the `patch -p1` form.
        destination: The folder to make. Nothing is left of a clone that fails.
        source: A URL or a local path to clone from; None for the upstream's own.
        apply_patch: Whether the patch is wanted.

    Returns:
        What was done, and what was found, in words.

    Raises:
        UsageError: The source looks like an option.
        DataError: The destination is a file.
        UpstreamError: The destination holds something else, the source has not that commit, the patch does not apply.
        MissingDependencyError: git is not installed.
        WriteError: The folder above the destination cannot be made.
    """
    url = upstream.url if source is None else source
    if url.startswith("-"):
        raise UsageError(f"the source is a URL or a path, got '{url}'")
    folder = destination.resolve()
    if folder.exists() and any(existing_folder(folder, "upstream").iterdir()):
        return ["already there", *_patched(upstream, patch, folder, apply_patch)]
    make_folder(folder.parent)
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as hidden:
        clone = Path(hidden, "clone")
        failure = f"cannot get commit {upstream.commit} from {url}"
        _git(failure, Path.cwd(), "clone", "--quiet", "--no-checkout", "--", url, clone)
        _git(failure, clone, "checkout", "--quiet", "--detach", upstream.commit)
        done = _patched(upstream, patch, clone, apply_patch)
        clone.replace(folder)
    return [f"cloned from {url}", *done]


def check_upstream(upstream: Upstream, patch: Path, folder: Path) -> bool:
    """Check that a folder is an upstream at its pinned commit, untouched or with exactly the patch.

    Its own settings are not used. Files that the `.gitignore` at the top of the commit ignores (`__pycache__`) do not
    count, and neither does what is staged: run what `clean_copy` makes, not the folder.

    Args:
        upstream: The full hash of its commit counts.
        patch: The patch.
        folder: The checkout.

    Returns:
        Whether the patch is applied.

    Raises:
        DataError: There is no such folder.
        UpstreamError: It is no git repository, another one, at another commit, damaged, or has other changes.
        MissingDependencyError: git is not installed.
    """
    folder = existing_folder(folder, "upstream").resolve()
    with _repository(upstream, folder) as (repository, _):
        changed, beside = _changes(folder, repository), _changes(folder, repository, patch)
    if changed and beside:
        hint = f"git -C {folder} stash -u, or {ANOTHER}"
        names = describe_keys(min(changed, beside, key=len))
        raise UpstreamError(f"{folder} has changes beside the patch: {names}", hint)
    return bool(changed)


@contextmanager
def clean_copy(upstream: Upstream, patch: Path, folder: Path) -> Iterator[Path]:
    """The pinned commit with the patch in a temporary folder, from a checkout that `check_upstream` accepts.

    Nothing but the commit's objects comes from the checkout, whether the patch is applied there or not.

    Args:
        upstream: The full hash of its commit counts.
        patch: The patch.
        folder: The checkout.

    Raises:
        What `check_upstream` raises.
    """
    check_upstream(upstream, patch, folder)
    with _repository(upstream, folder.resolve()) as (repository, files):
        _git(f"{patch} does not apply", files, "apply", "--", patch.resolve(), repository=repository)
        yield files


def run_upstream(
    runner: str, directory: Path, weights: Path, form: Mapping[str, str], inputs: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Run an upstream's own network in a process of its own, because its modules have names such as `config`.

    Args:
        runner: A module whose main calls `serve`.
        directory: The upstream's files, which are run, compiled or ignored ones too: those of `clean_copy`.
        weights: The checkpoint.
        form: Keyword arguments of the runner's loader, such as `{"neck_feat": "after"}`.
        inputs: One batch for each input of the network.

    Returns:
        One array for each output.

    Raises:
        UpstreamError: The process failed.
    """
    with TemporaryDirectory() as exchange:
        given, made = Path(exchange, "given.npz"), Path(exchange, "made.npz")
        np.savez(given, *inputs)
        options = [f"{key}={value}" for key, value in form.items()]
        _run("the upstream failed", [sys.executable, "-PBm", runner, directory, weights, given, made, *options])
        return list(np.load(made).values())


def serve(load: Callable[..., Callable[..., Sequence[np.ndarray]]], words: Sequence[str]) -> None:
    """The other end of `run_upstream`: build the network, run it on the given arrays, save what it makes.

    Args:
        load: Takes the path of the checkpoint and the form, and returns the network, which maps the input arrays to
            the output arrays; the upstream can be imported by then.
        words: The arguments of the process.
    """
    directory, weights, given, made = map(Path, words[:4])
    sys.path.insert(0, str(directory.resolve()))
    network = load(weights, **dict(word.split("=", 1) for word in words[4:]))
    np.savez(made, *network(*np.load(given).values()))


def _patched(upstream: Upstream, patch: Path, folder: Path, wanted: bool) -> tuple[str, str]:
    """Check a checkout, and apply the patch where it is wanted and not there yet."""
    patched = check_upstream(upstream, patch, folder)
    if patched and not wanted:
        raise UpstreamError(f"{folder} has the patch applied", f"git -C {folder} apply --reverse {patch}")
    if wanted and not patched:
        with _repository(upstream, folder) as (repository, _):
            _git(f"{patch} does not apply", folder, "apply", "--", patch.resolve(), repository=repository)
    return f"at commit {upstream.commit}", "patched" if wanted else "as published"


@contextmanager
def _repository(upstream: Upstream, folder: Path) -> Iterator[tuple[Path, Path]]:
    """A repository of the pinned commit alone, and its files: a checkout's objects, verified, without its settings."""
    failure = f"{folder} is not a git checkout"
    words = ("rev-parse", "--show-toplevel", "--git-path", "objects", "HEAD")
    top, objects, head = _git(failure, folder, *words, hint=ANOTHER).splitlines()
    if not folder.samefile(top):
        raise UpstreamError(f"{failure}: its files are in {top}", ANOTHER)
    with TemporaryDirectory() as hidden:
        own, files = Path(hidden, "git"), Path(hidden, "files")
        for path in (files, own / "refs", own / "objects" / "info", own / "objects" / "pack"):
            path.mkdir(parents=True)
        (own / "HEAD").write_text(head)
        (own / "objects" / "info" / "alternates").write_text(str(folder / objects))
        if head != upstream.commit:
            known = _git(failure, files, "rev-list", "--ignore-missing", "--no-walk", upstream.commit, repository=own)
            where = f"at commit {head}, not at {upstream.commit}"
            raise UpstreamError(f"{folder} is {'' if known else 'another repository, '}{where}", ANOTHER)
        _take_objects(f"{folder} is damaged", own, files)
        yield own, files


def _take_objects(failure: str, own: Path, files: Path) -> None:
    """Copy HEAD's objects from the alternate, which is let go, compare them with their hashes, and write its files."""
    listed = _git(failure, files, "rev-list", "--objects", "--no-walk", "HEAD", repository=own, hint=ANOTHER)
    packs = own / "objects" / "pack"
    _git(failure, files, "pack-objects", "--quiet", packs / "pack", repository=own, hint=ANOTHER, input=listed)
    (own / "objects" / "info" / "alternates").unlink()
    _git(failure, files, "verify-pack", *packs.glob("*.idx"), repository=own, hint=ANOTHER)
    _git(failure, files, "read-tree", "--reset", "-u", "HEAD", repository=own, hint=ANOTHER)


def _changes(folder: Path, repository: Path, patch: Path | None = None) -> list[str]:
    """Files that differ from the commit of `_repository`, or from the commit with the patch."""
    failure = f"cannot compare {folder} with its commit"
    _git(failure, folder, "read-tree", "HEAD", repository=repository)
    if patch:
        _git(f"{patch} does not apply", folder, "apply", "--cached", "--", patch.resolve(), repository=repository)
    ignored = [f"--exclude-from={path}" for path in repository.parent.glob("files/.gitignore")]
    listed = _git(failure, folder, "ls-files", "-z", "-m", "-o", *ignored, repository=repository)
    return sorted(set(listed.split("\0")) - {""})


def _git(failure: str, folder: Path, *words: object, repository: Path | None = None, **options: Any) -> str:
    """Run git in a folder, as the files of a repository or as a repository itself, and return what it prints."""
    if not shutil.which("git"):
        raise MissingDependencyError("an upstream needs git, which is not installed", "install git, or put it on PATH")
    inherited = {name: value for name, value in os.environ.items() if name not in INHERITED}
    variables = inherited | FIXED | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    if repository:
        variables |= {"GIT_DIR": str(repository), "GIT_WORK_TREE": str(folder)}
    guards = (word for guard in GUARDS for word in ("-c", guard))
    return _run(failure, ["git", *guards, *words], env=variables, cwd=folder, **options)


def _run(failure: str, words: Sequence[object], hint: str | None = None, **options: Any) -> str:
    done = subprocess.run(list(map(str, words)), capture_output=True, errors="replace", check=False, **options)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        told = next((text for text in lines if text.startswith("fatal: ")), lines[-1])
        raise UpstreamError(f"{failure}: {told.removeprefix('fatal: ').removeprefix('error: ')}", hint)
    return str(done.stdout)
