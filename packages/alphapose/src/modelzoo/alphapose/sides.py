"""Are results those of the crops, and those of the mirrored crops, as they are given to `postprocess`?"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from modelzoo.alphapose.folders import MIRRORED
from modelzoo.alphapose.spec import SPEC
from modelzoo.common.ascend.ais_bench import describe
from modelzoo.common.errors import DataError, ModelError
from modelzoo.common.provenance import find_indices
from modelzoo.common.results import read_summary, summary_path
from modelzoo.common.session import OM_SUFFIX, open_session
from modelzoo.common.spec import Identity

MODEL_FLAGS = ("--model", "-m")
"""How the command line in a summary names the model."""


def check_sides(results: Path, mirrored: Path | None) -> None:
    """Check two result folders, as far as their summaries lead to what they are of.

    Args:
        results: What is given as results of the crops.
        mirrored: What is given as results of the mirrored crops; None for no flip test, or one in the graph.

    Raises:
        DataError: They have changed places, both are of one side, or the model does the flip test by itself.
    """
    here, there = is_mirrored(results), is_mirrored(mirrored) if mirrored else None
    if here and mirrored and not there:
        text = f"--dump_dir and --dump_dir_flip have changed places: {results} holds the results of mirrored crops"
        raise DataError(text, f"--dump_dir {mirrored} --dump_dir_flip {results}")
    if here:
        raise DataError(f"--dump_dir is {results}, which holds the results of mirrored crops")
    if there is False:
        text = f"--dump_dir_flip is {mirrored}, which holds the results of crops that are not mirrored"
        hint = "mirrored are those that preprocess wrote into --output_flip; where it was interrupted, preprocess again"
        raise DataError(text, hint)
    models = {model_of(folder): folder for folder in (mirrored, results)} if mirrored else {}
    for model, folder in models.items():
        if model and has_flip_test(model):
            text = f"{folder} holds the results of {model}, which does the flip test by itself"
            raise DataError(text, "leave out --dump_dir_flip, or export without --flip-test")


def is_mirrored(results: Path) -> bool | None:
    """Whether a result folder is of mirrored crops; None where no index says it.

    Args:
        results: The folder.
    """
    try:
        indices = find_indices(SPEC.name, results)
    except DataError:  # one that cannot be used, and is not: --index was given
        return None
    return any(index.command.get(MIRRORED) is True for index in indices.values()) if indices else None


def model_of(results: Path) -> Path | None:
    """The model of a result folder, by the command line in its summary; None where it is not known.

    Args:
        results: The folder.
    """
    words: object = None
    with suppress(DataError):  # no summary says nothing, and one that is damaged neither
        words = (read_summary(results) or {}).get("args")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    given = [value for flag, value in pairwise(words) if flag in MODEL_FLAGS]
    given += [word.partition("=")[2] for word in words if word.startswith("--model=")]
    path = Path(given[-1]) if given else Path()
    unchanged = path.is_file() and path.stat().st_mtime <= summary_path(results).stat().st_mtime
    return path if unchanged else None


def has_flip_test(model: Path) -> bool:
    """Whether a model file says that the flip test is in its graph.

    Args:
        model: `.onnx`, or an `.om` with its description beside it; others do not say it.
    """
    identity: Identity | None = None
    with suppress(ModelError):  # it ran then; what it is now does not matter
        if model.suffix.lower() == OM_SUFFIX:
            identity = describe(model)
        elif model.suffix.lower() == ".onnx":
            identity = open_session(model).identity
    return identity is not None and bool(identity.form.get("flip_test"))
