"""Which model features come from."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelzoo.common.files import existing_file
from modelzoo.common.session import Session
from modelzoo.common.text import printable

LOCATION = b"\x0a\x08location\x12"
"""What stands in an .onnx before the name of a file of weights: the key, and the tag of the value that follows it."""

SHOWN = 80
"""Characters that messages show of a name or value that stands in a file."""


@dataclass(frozen=True)
class Fingerprint:
    """Which model features come from; equal where the bytes of its files and the form are, whatever its name.

    Args:
        file: Name of the model file.
        sha256: Of its content; of an .onnx that keeps weights in files beside it, of the digests of all its files.
        form: The choices made at export, or those with which a checkpoint was opened.
        length: Numbers of a feature, where the model says it.
    """

    file: str = field(compare=False)
    sha256: str
    form: Mapping[str, Any]
    length: int | None = field(default=None, compare=False)

    def describe(self) -> str:
        """`ReID.onnx (sha256 3f2a9c01, backbone resnet50, neck_feat after)`."""
        form = [printable(f"{name} {value}", SHOWN) for name, value in self.form.items()]
        return f"{printable(self.file, SHOWN)} ({', '.join([f'sha256 {printable(self.sha256[:8])}', *form])})"


def fingerprint(path: Path, session: Session, form: Mapping[str, Any]) -> Fingerprint:
    """The fingerprint of an opened model.

    Args:
        path: The model file.
        session: What it was opened as.
        form: How a checkpoint, which does not say it itself, was opened; used for nothing else.

    Raises:
        DataError: There is no such file.
    """
    if session.identity:
        form = session.identity.form
    elif session.backend != "torch":
        form = {}
    existing_file(path, "model")
    weights = _weight_files(path) if path.suffix.lower() == ".onnx" else []
    length = session.outputs[0].shape[-1]
    return Fingerprint(path.name, _sha256([path, *weights]), dict(form), length if isinstance(length, int) else None)


def _weight_files(path: Path) -> list[Path]:
    """The files beside an .onnx that hold its weights (ONNX calls them external data), by name.

    They are found by the key that stands before their names, so that this needs no `onnx`. ONNX Runtime has opened
    them by now: what is no file is a chance match among the weights.
    """
    names = set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = content.find(LOCATION)
        while place >= 0:
            start, length = _varint(content, place + len(LOCATION))
            names.add(content[start : start + length])
            place = content.find(LOCATION, start)
    files = [path.parent / os.fsdecode(name) for name in sorted(names)]
    return [file for file in files if file.is_file()]


def _varint(content: mmap.mmap, place: int) -> tuple[int, int]:
    """Where a number of Protocol Buffers ends, and the number: seven bits a byte, the lowest first."""
    number = shift = 0
    for byte in content[place : place + 5]:
        place += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return place, number


def _sha256(files: Sequence[Path]) -> str:
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
