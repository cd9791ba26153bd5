"""Which files feed which input of a model: listing, pairing and checking before anything is run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.bins import read_bin, sample_shape
from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file, list_folder, neighbour_hint, reason
from modelzoo.common.index import index_path, read_index
from modelzoo.common.spec import TensorSpec

if TYPE_CHECKING:
    import numpy as np

INPUT_SUFFIXES = (".bin", ".npy")
PAIRINGS = ("stem", "order")


@dataclass(frozen=True)
class Feed:
    """The files of one sample.

    Args:
        stem: Name of the first input's file up to its first dot; results are named by it.
        files: One path per model input, as the user wrote the folder.
        shapes: One shape per model input, without the batch axis.
    """

    stem: str
    files: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]


def find_feeds(inputs: str, specs: Sequence[TensorSpec], pair: str = "stem") -> list[Feed]:
    """List the samples in the order in which ais_bench takes them, and check every file.

    Args:
        inputs: Comma-separated folders, one per model input in the model's order, or comma-separated files: first all
            files of the first input, then those of the second.
        specs: The model's inputs.
        pair: `stem` pairs files of equal stems; `order` pairs them by their order.

    Raises:
        DataError: Something is missing, does not pair, is of another input, or has the wrong size or dtype.
    """
    columns = _list_files(inputs, specs)
    for column in columns:
        _check_stems(column)
    rows = _pair_by_order(columns) if pair == "order" else _pair_by_stem(columns)
    if len(specs) > 1:
        _check_order(rows[0], specs)
    return [Feed(file_stem(row[0]), row, tuple(map(_shape_of, row, specs))) for row in rows]


def file_stem(file: str) -> str:
    """The name up to its first dot, as ais_bench cuts it."""
    return os.path.basename(file).split(".")[0]  # noqa: PTH119 - paths stay as the user wrote them


def read_feed(feed: Feed, specs: Sequence[TensorSpec]) -> tuple[np.ndarray, ...]:
    """Read the arrays of one sample, one per model input, without the batch axis.

    Raises:
        DataError: A file cannot be read or has changed since it was checked.
    """
    return tuple(
        _read(Path(file), spec, shape) for file, spec, shape in zip(feed.files, specs, feed.shapes, strict=True)
    )


def natural_key(name: str) -> list[int | str]:
    """Sort key in which numbers count as numbers: img_2 before img_10, letter case aside."""
    return [int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", name)]


def _list_files(inputs: str, specs: Sequence[TensorSpec]) -> list[list[str]]:
    parts = inputs.split(",")
    if len(parts) > 1 and Path(inputs).exists():
        raise DataError(f"{inputs}: a comma separates the folders of several inputs", "rename the folder")
    if any(Path(part).is_file() for part in parts) and not Path(parts[0]).is_dir():
        for part in parts:
            existing_file(Path(part), "input")
        return _cut(parts, specs)
    if len(parts) != len(specs):
        names = ", ".join(spec.name for spec in specs)
        raise DataError(f"the model has {len(specs)} inputs ({names}), --input names {len(parts)} folders")
    return [_files_in(part) for part in parts]


def _cut(files: list[str], specs: Sequence[TensorSpec]) -> list[list[str]]:
    if len(files) % len(specs):
        raise DataError(f"--input names {len(files)} files, which cannot be divided among {len(specs)} inputs")
    count = len(files) // len(specs)
    return [files[i * count : (i + 1) * count] for i in range(len(specs))]


def _files_in(folder: str) -> list[str]:
    names = [entry.name for entry in list_folder(Path(folder), "input") if _is_input(entry)]
    if not names:
        raise DataError(f"no .bin or .npy files in {folder}", neighbour_hint(Path(folder)))
    for name in names:
        if "," in name:
            raise DataError(f"{folder}/{name}: ais_bench cannot take a comma in a file name", "rename the file")
    joint = "" if folder.endswith("/") else "/"
    return [f"{folder}{joint}{name}" for name in sorted(names, key=natural_key)]


def _is_input(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(INPUT_SUFFIXES) and entry.is_file()


def _check_stems(files: Iterable[str]) -> None:
    seen: dict[str, str] = {}
    for file in files:
        stem = file_stem(file)
        if stem in seen:
            raise DataError(
                f"{seen[stem]} and {file} have one stem, '{stem}' (names are cut at the first dot)",
                "rename one of them: their results would have one name",
            )
        seen[stem] = file


def _pair_by_order(columns: list[list[str]]) -> list[tuple[str, ...]]:
    if len({len(column) for column in columns}) > 1:
        raise DataError(f"the inputs have different numbers of files: {[len(column) for column in columns]}")
    return list(zip(*columns, strict=True))


def _pair_by_stem(columns: list[list[str]]) -> list[tuple[str, ...]]:
    by_stem = [{file_stem(file): file for file in column} for column in columns]
    for i, files in enumerate(by_stem[1:], start=2):
        for here, there, number in ((by_stem[0], files, i), (files, by_stem[0], 1)):
            for stem in here:
                if stem not in there:
                    raise DataError(
                        f"{here[stem]} has no partner of the same stem among the {len(there)} files of input {number}",
                        "--pair order pairs files by their order instead",
                    )
    return [tuple(files[file_stem(file)] for files in by_stem) for file in columns[0]]


def _check_order(files: Sequence[str], specs: Sequence[TensorSpec]) -> None:
    for file, spec in zip(files, specs, strict=True):
        fitting = _fitting_inputs(Path(file), specs)
        if fitting and spec.name not in fitting:
            order = ", ".join(spec.name for spec in specs)
            hint = f"the folders are swapped, or one is given twice: the order is {order}"
            raise DataError(f"{file} is of the input {fitting[0]}, not of {spec.name}", hint)


def _fitting_inputs(file: Path, specs: Sequence[TensorSpec]) -> list[str]:
    """Which inputs a file may be of, by the index beside its folder, else by its size."""
    index, size = index_path(file.parent), file.stat().st_size
    said: set[str] = set()
    with suppress(DataError):  # an index that cannot be read does not limit what is read
        said = {tensor.name for tensor in read_index(index).inputs} if index.exists() else said
    named = [spec.name for spec in specs if spec.name in said]
    return named or [spec.name for spec in specs if size == spec.sample_bytes() and not spec.free_axes]


def _shape_of(file: str, spec: TensorSpec) -> tuple[int, ...]:
    path = Path(file)
    try:
        size = path.stat().st_size
        if not os.access(path, os.R_OK):
            raise DataError(f"cannot read {file}: Permission denied")
        return _npy_shape(path, spec) if path.suffix.lower() == ".npy" else sample_shape(path, size, spec)
    except OSError as error:
        raise DataError(f"cannot read {file}: {reason(error)}") from error


def _npy_shape(path: Path, spec: TensorSpec) -> tuple[int, ...]:
    import numpy as np

    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, EOFError) as error:
        raise DataError(f"{path} is not a .npy file: {error}") from error
    if array.dtype != spec.dtype:
        raise DataError(f"{path} holds {array.dtype}, the model takes {spec.describe()}")
    if not array.flags.c_contiguous:
        raise DataError(f"{path} is in Fortran order, the model takes C order", "save np.ascontiguousarray(x)")
    shape = array.shape if array.ndim == len(spec.shape) else (1, *array.shape)
    if shape[0] != 1 or not spec.accepts((spec.batch or 1, *shape[1:])):
        raise DataError(f"{path} has the shape {array.shape}, one sample of {spec.describe()} is needed")
    return tuple(shape[1:])


def _read(path: Path, spec: TensorSpec, shape: tuple[int, ...]) -> np.ndarray:
    import numpy as np

    if path.suffix.lower() != ".npy":
        return read_bin(path, spec.dtype, shape)
    try:
        array: np.ndarray = np.load(path, allow_pickle=False)
        return array.reshape(shape)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
