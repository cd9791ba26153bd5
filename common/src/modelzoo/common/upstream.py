"""The published source of a network: cloned at its pinned commit, patched, and run in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from modelzoo.common.checkpoint import describe_keys
from modelzoo.common.errors import MissingDependencyError, UsageError, ZooError
from modelzoo.common.files import existing_folder, make_folder
from modelzoo.common.spec import Upstream

GUARDS = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.autocrlf=false", "protocol.ext.allow=never")
"""Settings that keep a configuration from running programs, and from changing the bytes of the files."""

FIXED = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C"}

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

    Ignored files (`__pycache__`) do not count, and neither does what is staged.

    Args:
        upstream: The full hash of its commit counts.
        patch: The patch.
        folder: The checkout.

    Returns:
        Whether the patch is applied.

    Raises:
        DataError: There is no such folder.
        UpstreamError: It is no git repository, another one, at another commit, or has other changes.
        MissingDependencyError: git is not installed.
    """
    folder = existing_folder(folder, "upstream").resolve()
    failure = f"{folder} is not a git checkout"
    top, head = _git(failure, folder, "rev-parse", "--show-toplevel", "HEAD", hint=ANOTHER).splitlines()
    if not folder.samefile(top):
        raise UpstreamError(f"{failure}: its files are in {top}", ANOTHER)
    if head != upstream.commit:
        known = _git(failure, folder, "rev-list", "--ignore-missing", "--no-walk", upstream.commit)
        where = f"at commit {head}, not at {upstream.commit}"
        raise UpstreamError(f"{folder} is {'' if known else 'another repository, '}{where}", ANOTHER)
    changed, beside = _changes(folder), _changes(folder, patch)
    if changed and beside:
        hint = f"git -C {folder} stash -u, or {ANOTHER}"
        names = describe_keys(min(changed, beside, key=len))
        raise UpstreamError(f"{folder} has changes beside the patch: {names}", hint)
    return bool(changed)


def run_upstream(
    runner: str, directory: Path, weights: Path, form: Mapping[str, str], inputs: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Run an upstream's own network in a process of its own, because its modules have names such as `config`.

    Args:
        runner: A module whose main calls `serve`.
        directory: The upstream's checkout. Its code is run: `check_upstream` before.
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
        for options in (["--check"], []):
            _git(f"{patch} does not apply", folder, "apply", *options, "--", patch.resolve())
    return f"at commit {upstream.commit}", "patched" if wanted else "as published"


def _changes(folder: Path, patch: Path | None = None) -> list[str]:
    """Files that differ from the commit, or from the commit with the patch; the repository's own index is not used."""
    failure = f"cannot compare {folder} with its commit"
    with TemporaryDirectory() as hidden:
        index = str(Path(hidden, "index"))
        _git(failure, folder, "read-tree", "HEAD", GIT_INDEX_FILE=index)
        if patch:
            _git(f"{patch} does not apply", folder, "apply", "--cached", "--", patch.resolve(), GIT_INDEX_FILE=index)
        listed = _git(failure, folder, "ls-files", "-z", "-m", "-o", "--exclude-standard", GIT_INDEX_FILE=index)
    return sorted(set(listed.split("\0")) - {""})


def _git(failure: str, folder: Path, *words: object, hint: str | None = None, **variables: str) -> str:
    """Run git in a folder that is a repository itself, and return what it prints."""
    if not shutil.which("git"):
        raise MissingDependencyError("an upstream needs git, which is not installed", "install git, or put it on PATH")
    inherited = {name: value for name, value in os.environ.items() if name not in INHERITED}
    variables |= inherited | FIXED | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}
    guards = (word for guard in GUARDS for word in ("-c", guard))
    return _run(failure, ["git", *guards, *words], hint, env=variables, cwd=folder)


def _run(failure: str, words: Sequence[object], hint: str | None = None, **options: Any) -> str:
    done = subprocess.run(list(map(str, words)), capture_output=True, errors="replace", check=False, **options)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        told = next((text for text in lines if text.startswith("fatal: ")), lines[-1])
        raise UpstreamError(f"{failure}: {told.removeprefix('fatal: ').removeprefix('error: ')}", hint)
    return str(done.stdout)
