"""What is installed, which backends work here, which files are missing and where they come from."""

from __future__ import annotations

import importlib.util
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

OK, MISSING, WRONG = "ok", "missing", "wrong"


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
    """Python, the distributions and the Ascend tools.

    Args:
        model: The package whose extra brings torch.
    """
    extra = f"pip install './packages/{model}[export]' (only export, run --weights, verify and demo need it)"
    base = f"pip install ./packages/{model}"
    distributions = {"numpy": base, "onnxruntime": base, "torch": extra, "onnx": extra, "onnxsim": extra}
    toolkit = "comes with CANN; source its set_env.sh first (only .om files need it)"
    driver = "comes with the Ascend driver (only .om files need it)"
    checks = [Check(OK, "Python", platform.python_version())]
    checks += [_distribution(name, hint) for name, hint in distributions.items()]
    checks += [_program("atc", toolkit), _program("npu-smi", driver)]
    found = importlib.util.find_spec("aclruntime") is not None
    wheels = "the wheels ais_bench and aclruntime of the Ascend tools (only .om files need them)"
    return [*checks, Check(OK if found else MISSING, "aclruntime", "the runtime of ais_bench" if found else wheels)]


def file_checks(reference: Mapping[str, Any], weights: Path | None, data: Path | None) -> list[Check]:
    """The published weights and the data set.

    Args:
        reference: The package's published facts, with `weights` and `data`.
        weights: The user's checkpoint, or None to look for the published name here.
        data: The user's data, or None to only tell where they come from.
    """
    published = reference["weights"]
    source = f"{published['file']}, {published['url']}, md5 {published['md5']}"
    path = weights or Path(published["file"])
    checks = [_weights(path, published) if path.is_file() else Check(MISSING, "weights", source)]
    dataset = reference["data"]
    if data and data.is_dir():
        return [*checks, Check(OK, "data", str(data))]
    return [*checks, Check(MISSING, "data", f"{dataset['name']}, {dataset['url']}, {dataset['licence']}")]


def _weights(path: Path, published: Mapping[str, Any]) -> Check:
    from modelzoo.common.checkpoint import md5_of

    if md5_of(path) == published["md5"]:
        return Check(OK, "weights", f"{path} is the published {published['file']}")
    return Check(WRONG, "weights", f"{path} is not the published file: its md5 is not {published['md5']}")


def _distribution(name: str, hint: str) -> Check:
    try:
        return Check(OK, name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(MISSING, name, hint)


def _program(name: str, hint: str) -> Check:
    path = shutil.which(name)
    return Check(OK, name, path) if path else Check(MISSING, name, hint)
