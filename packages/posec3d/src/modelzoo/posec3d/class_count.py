"""How many actions a folder of results is of: what the model says that made them, else what preprocess was told."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from modelzoo.common.ascend.ais_bench import describe
from modelzoo.common.errors import ZooError
from modelzoo.common.index import Index
from modelzoo.common.results import read_summary, summary_path
from modelzoo.common.session import OM_SUFFIX, open_session
from modelzoo.common.spec import TensorSpec

MODEL_FLAGS = ("--model", "-m")
"""How the command line in a summary names the model."""

CLASSES_KEY = "classes"
"""Where the index of preprocess has the number."""


class ClassCount(NamedTuple):
    """How many actions there are, and what says so."""

    classes: int
    source: str


def find_class_count(results: Path, indices: Mapping[Path, Index]) -> ClassCount | None:
    """The number of actions, where the model or an index says it.

    Args:
        results: The result folder.
        indices: What preprocess wrote, by path.
    """
    model = model_of(results)
    classes = classes_of(model) if model else None
    if classes:
        return ClassCount(classes, f"the model {model}")
    said = {path: index.command.get(CLASSES_KEY) for path, index in indices.items()}
    return next((ClassCount(count, str(path)) for path, count in said.items() if type(count) is int and count), None)


def model_of(results: Path) -> Path | None:
    """The model of a result folder, by the command line in its summary; None where it is not known, or newer.

    Args:
        results: The folder.
    """
    words: object = None
    with suppress(ZooError):  # no summary says nothing, and one that is damaged neither
        words = (read_summary(results) or {}).get("args")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    given = [value for flag, value in pairwise(words) if flag in MODEL_FLAGS]
    given += [word.partition("=")[2] for word in words if word.startswith("--model=")]
    path = Path(given[-1]) if given else Path()
    unchanged = path.is_file() and path.stat().st_mtime <= summary_path(results).stat().st_mtime
    return path if unchanged else None


def classes_of(model: Path) -> int | None:
    """The number of actions that a model tells apart.

    Args:
        model: `.onnx`, or an `.om` with its description beside it; others do not say it.
    """
    outputs: tuple[TensorSpec, ...] = ()
    with suppress(ZooError):  # it ran then; what it is now does not matter
        if model.suffix.lower() == OM_SUFFIX:
            identity = describe(model)
            outputs = identity.outputs if identity else ()
        elif model.suffix.lower() == ".onnx":
            outputs = open_session(model).outputs
    last = outputs[0].shape[-1] if outputs and outputs[0].shape else None
    return last if isinstance(last, int) else None
