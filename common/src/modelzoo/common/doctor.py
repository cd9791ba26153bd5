"""What is installed, which backends work here, which files are missing and where they come from."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from modelzoo.common.errors import MissingDependencyError

OK, MISSING, WRONG = "ok", "missing", "wrong"

PIN = re.compile(r"([\w.-]+)==([^;\s]+)")
"""A requirement of one version that no extra brings."""

UNPUBLISHED = ("checksum", "not published")
"""The digest of a file that was published without one."""

BACKENDS = {"onnxruntime": ("onnxruntime",), "torch": ("torch",), "ascend": ("atc", "npu-smi", "ais_bench")}
"""What each backend needs, by the names of the checks."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        state: `ok`, `missing` or `wrong`.
        name: The thing.
        detail: Its version or place, or what to do about it.
    """

    state: str
    name: str
    detail: str


def environment_checks(model: str) -> list[Check]:
    """Python, the distributions, the Ascend tools, and which backends work with them.

    Args:
        model: The package, whose extra brings torch.
    """
    extra = f"pip install './packages/{model}[export]' (only export, run --weights, verify and demo need it)"
    base = {"numpy": "", "onnxruntime": "", **_pins("modelzoo-common"), **_pins(f"modelzoo-{model}")}
    toolkit = "comes with CANN; source its set_env.sh first (only .om files need it)"
    driver = "comes with the Ascend driver (only .om files need it)"
    checks = [Check(OK, "Python", platform.python_version())]
    checks += [_distribution(name, f"pip install ./packages/{model}", pin) for name, pin in base.items()]
    checks += [_distribution(name, extra) for name in ("torch", "onnx", "onnxsim")]
    checks += [_program("atc", toolkit), _program("npu-smi", driver), _ais_bench()]
    return checks + [_backend(name, [check for check in checks if check.name in BACKENDS[name]]) for name in BACKENDS]


def file_checks(reference: Mapping[str, Any], weights: Path | None, data: Path | None) -> list[Check]:
    """The published weights and the data set.

    Args:
        reference: The package's published facts, with `weights` and `data`.
        weights: The user's checkpoint, or None to look for the published name here.
        data: The user's data, or None to only tell where they come from.
    """
    published = reference["weights"]
    source = f"{published['file']}, {published['url']}, {' '.join(_digest(published))}"
    path, absent = weights or Path(published["file"]), f"{weights} is no file; " if weights else ""
    checks = [_weights(path, published) if path.is_file() else Check(MISSING, "weights", absent + source)]
    others = {name: facts for name, facts in reference.items() if name.endswith("_weights")}
    checks += [_other_weights(name.replace("_", " "), facts) for name, facts in others.items()]
    if data and data.is_dir():
        return [*checks, Check(OK, "data", str(data))]
    dataset, absent = reference["data"], f"{data} is no folder; " if data else ""
    return [*checks, Check(MISSING, "data", f"{absent}{dataset['name']}, {dataset['url']}, {dataset['licence']}")]


def _weights(path: Path, published: Mapping[str, Any]) -> Check:
    from modelzoo.common.checkpoint import git_blob_of, md5_of

    kind, digest = _digest(published)
    if (kind, digest) == UNPUBLISHED:
        return Check(OK, "weights", f"{path}; its {kind} is {digest}")
    if {"md5": md5_of, "git_blob": git_blob_of}[kind](path) == digest:
        return Check(OK, "weights", f"{path} is the published {published['file']}")
    return Check(WRONG, "weights", f"{path} is not the published file: its {kind} is not {digest}")


def _other_weights(name: str, published: Mapping[str, Any]) -> Check:
    there = Path(published["file"]).is_file()
    return Check(OK if there else MISSING, name, f"{published['file']}{'' if there else ', ' + published['url']}")


def _digest(published: Mapping[str, Any]) -> tuple[str, str]:
    """How the published file is told from others: its `md5`, or its `git_blob` where it was published by git."""
    return next(((kind, published[kind]) for kind in ("md5", "git_blob") if kind in published), UNPUBLISHED)


def _pins(distribution: str) -> dict[str, str]:
    """The versions that an installed distribution requires, by name, without those of its extras."""
    try:
        requirements = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return {}
    return {pin[1]: pin[2] for pin in map(PIN.fullmatch, requirements) if pin}


def _distribution(name: str, hint: str, pin: str = "") -> Check:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(MISSING, name, hint)
    wrong = pin and version != pin
    return Check(WRONG, name, f"{version}, not {pin}: {hint}") if wrong else Check(OK, name, version)


def _program(name: str, hint: str) -> Check:
    path = shutil.which(name)
    return Check(OK, name, path) if path else Check(MISSING, name, hint)


def _ais_bench() -> Check:
    from modelzoo.common.ascend.ais_bench import WrongToolError, find_tool

    try:
        return Check(OK, "ais_bench", f"in {find_tool()[0]}")
    except MissingDependencyError as error:
        state = WRONG if isinstance(error, WrongToolError) else MISSING
        return Check(state, "ais_bench", f"{error}; {error.hint} (only .om files need it)")


def _backend(name: str, needs: Sequence[Check]) -> Check:
    lacking = [check for check in needs if check.state != OK]
    if not lacking:
        return Check(OK, f"backend {name}", "works here")
    state = MISSING if any(check.state == MISSING for check in lacking) else WRONG
    return Check(state, f"backend {name}", f"see {', '.join(check.name for check in lacking)}")
