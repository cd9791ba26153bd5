"""The index beside a folder of .bin files: which sample comes from which source, and what was skipped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file, write_text
from modelzoo.common.spec import TensorSpec
from modelzoo.common.work import SampleInfo, Skipped

Value = TypeVar("Value")


@dataclass(frozen=True)
class Index:
    """What a preprocess command did.

    Args:
        model: `ModelSpec.name`.
        version: Version of the package.
        inputs: The tensors in the folder's files.
        command: What makes two runs the same work: source folder and options.
        complete: False while the run is under way, and after an interruption.
        samples: One row per sample, in order.
        skipped: What could not be used.
    """

    model: str
    version: str
    inputs: tuple[TensorSpec, ...]
    command: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False
    samples: Sequence[SampleInfo] = ()
    skipped: Sequence[Skipped] = ()


def index_path(folder: Path) -> Path:
    """Where the index of a .bin folder lies: beside it, `<folder>_index.json`."""
    folder = folder.absolute()
    return folder.parent / f"{folder.name}_index.json"


def write_index(folder: Path, index: Index) -> Path:
    """Write the index of a folder, atomically.

    Returns:
        Its path.
    """
    content = {
        "model": index.model,
        "version": index.version,
        "inputs": [{"name": i.name, "dtype": i.dtype, "shape": list(i.sample_shape)} for i in index.inputs],
        "command": dict(index.command),
        "complete": index.complete,
        "samples": [{"stem": s.stem, "source": s.source, **s.fields} for s in index.samples],
        "skipped": [{"source": s.source, "reason": s.reason} for s in index.skipped],
    }
    path = index_path(folder)
    write_text(path, json.dumps(content, indent=1) + "\n")
    return path


def read_index(path: Path) -> Index:
    """Read an index file.

    Raises:
        DataError: It is missing or is not an index.
    """
    existing_file(path, "index")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Index(
            model=_text(content, "model"),
            version=_text(content, "version"),
            inputs=tuple(map(_tensor, _get(content, "inputs", list))),
            command=_get({"command": {}, **content}, "command", dict),
            complete=_get(content, "complete", bool),
            samples=tuple(map(_sample, _get(content, "samples", list))),
            skipped=tuple(Skipped(_text(r, "source"), _text(r, "reason")) for r in _get(content, "skipped", list)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} is not an index of a preprocess command ({error})") from error


def _get(row: Mapping[str, Any], key: str, kind: type[Value]) -> Value:
    value = row[key]
    if not isinstance(value, kind):
        raise TypeError(f"{key} must be a {kind.__name__}")
    return value


def _text(row: Mapping[str, Any], key: str) -> str:
    return _get(row, key, str)


def _tensor(row: Mapping[str, Any]) -> TensorSpec:
    shape = _get(row, "shape", list)
    if not all(type(size) in (int, str) for size in shape):
        raise TypeError("shape must hold sizes and names")
    return TensorSpec(_text(row, "name"), _text(row, "dtype"), ("N", *shape))


def _sample(row: Mapping[str, Any]) -> SampleInfo:
    fields = {key: value for key, value in row.items() if key not in ("stem", "source")}
    return SampleInfo(_text(row, "stem"), _text(row, "source"), fields)
