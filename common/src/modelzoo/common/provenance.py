"""Which preprocess runs a folder of results comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from modelzoo.common.bins import BIN_SUFFIX, result_name
from modelzoo.common.errors import DataError
from modelzoo.common.index import Index, index_path, read_index
from modelzoo.common.results import list_results, read_summary

OTHER_RUN = "another run's results, or other data; --index BINS_index.json says what was preprocessed"
"""Why results and samples may not belong together."""


def find_indices(model: str, results: Path, given: Sequence[Path] = ()) -> dict[Path, Index]:
    """The indices of the preprocess runs: the given ones, else those beside the folders that the summary names.

    Args:
        model: `ModelSpec.name`.
        results: The result folder.
        given: Index files.

    Raises:
        DataError: One is missing, is not an index, is of another model, or shows an interrupted run.
    """
    paths = given or [path for path in map(index_path, _input_folders(results)) if path.exists()]
    indices = {path: read_index(path) for path in paths}
    for path, index in indices.items():
        if index.model != model:
            raise DataError(f"{path} is an index of the model {index.model}, not of {model}")
        if not index.complete:
            raise DataError(f"{path} shows an interrupted preprocess run", "run the same preprocess command again")
    return indices


def matching_results(sources: Mapping[str, str], results: Path, unit: str, hint: str = OTHER_RUN) -> dict[str, Path]:
    """The result file of every sample, by stem.

    Args:
        sources: Where each sample comes from, by stem; for the message.
        results: The result folder.
        unit: What the samples are, such as `walks`; for the message.
        hint: What to do where they do not belong together.

    Raises:
        DataError: A sample has no result, or a result belongs to no sample.
    """
    files = list_results(results)
    missing = [stem for stem in sources if stem not in files]
    if missing:
        first = f"{result_name(missing[0], 0, BIN_SUFFIX)} of {sources[missing[0]]}"
        raise DataError(
            f"{results} has no result for {len(missing)} of {len(sources)} {unit}, the first is {first}", hint
        )
    unknown = [path for stem, path in files.items() if stem not in sources]
    if unknown:
        count = f"{len(unknown)} of {len(files)} results belong to none of the {len(sources)} {unit}"
        raise DataError(f"{count}, the first is {unknown[0]}", hint)
    return files


def _input_folders(results: Path) -> list[Path]:
    """The folders that the summary names, from where infer was run."""
    rows = list((read_summary(results) or {"filesinfo": {}})["filesinfo"].values())
    outfile = next((file for row in rows for file in row["outfiles"]), "")
    base = _start_folder(results, Path(outfile).parent)
    return sorted({base / Path(file).parent for row in rows for file in row["infiles"]})


def _start_folder(results: Path, written: Path) -> Path:
    """The folder from which the result folder is called `written`; the working directory where none is."""
    for real in (results.absolute(), results.resolve()):
        count = len(written.parts)
        if count and real.parts[-count:] == written.parts:
            return Path(*real.parts[:-count])
    return Path()
