"""A folder of result files into pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from modelzoo.common.bins import read_bin
from modelzoo.common.errors import DataError
from modelzoo.common.files import list_folder
from modelzoo.common.index import Index
from modelzoo.common.progress import progress
from modelzoo.common.provenance import matching_results
from modelzoo.common.results import list_results
from modelzoo.common.work import Threads, bounded_map
from modelzoo.dgnet.evaluate import write_picture
from modelzoo.dgnet.spec import HEIGHT, OUTPUT, WIDTH
from modelzoo.dgnet.trees import PictureTrees, picture_name

SHAPE = (3, HEIGHT, WIDTH)


@dataclass(frozen=True)
class Results:
    """A folder of results.

    Args:
        files: The file of every pair, by stem.
        strays: Names of other entries, which nothing is made of.
    """

    files: Mapping[str, Path]
    strays: Sequence[str]


def check_results(folder: Path, indices: Mapping[Path, Index]) -> Results:
    """List the results of a folder; names and sizes are checked here, before anything is written.

    Args:
        folder: The result folder.
        indices: What preprocess wrote, by path; where there are none, the names say what the results are.

    Raises:
        DataError: A result has another size or is not named like a pair, one of the index is missing, or one is there
            that the index does not know.
    """
    sources = {sample.stem: sample.source for index in indices.values() for sample in index.samples}
    files = matching_results(sources, folder, "pairs") if sources else list_results(folder)
    for stem, path in files.items():
        _check(stem, path)
    used = {path.name for path in files.values()}
    return Results(files, [entry.name for entry in list_folder(folder, "result") if entry.name not in used])


def write_pictures(results: Results, trees: PictureTrees, threads: Threads) -> Iterator[str]:
    """Write the picture of every result.

    Args:
        results: What `check_results` gives.
        trees: Where they go; prepared.
        threads: What computes them.

    Yields:
        The stem of every pair whose picture held infinite values, which were clipped.

    Raises:
        DataError: A result holds NaN, or cannot be read.
        WriteError: A picture cannot be written.
    """

    def write(item: tuple[str, Path]) -> tuple[str, bool]:
        stem, path = item
        return stem, write_picture(read_bin(path, OUTPUT.dtype, SHAPE), str(path), partial(trees.write, stem))

    written = bounded_map(write, results.files.items(), threads)
    for stem, infinite in progress(written, len(results.files), "pictures"):
        if infinite:
            yield stem


def _check(stem: str, path: Path) -> None:
    try:
        picture_name(stem)
    except DataError as error:
        raise DataError(f"{path} is no result of dgnet-preprocess: {error}", error.hint) from error
    size = path.stat().st_size
    if size != OUTPUT.sample_bytes():
        raise DataError(f"{path} has {size} bytes; a result has {OUTPUT.sample_bytes()}: {OUTPUT.dtype} {SHAPE}")
