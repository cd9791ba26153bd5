"""A folder of results as ais_bench lays it out: `<stem>_<output>.bin` files and a summary beside the folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.bins import BIN_SUFFIX, RESULT_NAME, result_name
from modelzoo.common.errors import DataError
from modelzoo.common.files import check_writable, list_folder, locked, make_folder, write_bytes, write_text

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = {"BIN": ".bin", "NPY": ".npy", "TXT": ".txt"}


@dataclass(frozen=True)
class ResultFolder:
    """Where results go.

    Args:
        output: The parent folder, as the user wrote it.
        dirname: The folder's name inside it, as the user wrote it.
        outfmt: `BIN`, `NPY` or `TXT`.
    """

    output: str
    dirname: str
    outfmt: str = "BIN"

    @property
    def prefix(self) -> str:
        """The folder as ais_bench writes it into its summary: joined, not normalised."""
        return os.path.join(self.output, self.dirname)  # noqa: PTH118 - pathlib would normalise it

    @property
    def folder(self) -> Path:
        """The folder."""
        return Path(self.prefix)

    @property
    def summary(self) -> Path:
        """The summary, beside the folder."""
        return summary_path(self.folder)

    def names(self, stem: str, outputs: int) -> list[str]:
        """The result files of one sample, as they stand in the summary."""
        return [f"{self.prefix}/{result_name(stem, i, SUFFIXES[self.outfmt])}" for i in range(outputs)]

    def check(self, overwrite: bool, inputs: Iterable[str] = ()) -> list[os.DirEntry[str]]:
        """Find out whether results can go there; nothing is changed yet.

        Args:
            overwrite: Whether the folder may hold something.
            inputs: The files that will be read, none of which may lie in the folder.

        Returns:
            What it holds.

        Raises:
            DataError: It holds something, or inputs.
            WriteError: It cannot be made or written into.
        """
        parents = {str(Path(file).parent) for file in inputs}
        if self.folder.resolve() in {Path(parent).resolve() for parent in parents}:
            raise DataError(f"the result folder {self.folder} is an input folder", "choose another --output_dirname")
        for folder in (self.folder, self.summary.parent):
            check_writable(folder)
        entries = list_folder(self.folder, "output") if self.folder.exists() else []
        if entries and not overwrite:
            raise DataError(
                f"the result folder {self.folder} is not empty",
                "choose another --output_dirname, or --overwrite to replace its results",
            )
        return entries

    def prepare(self, overwrite: bool, inputs: Iterable[str] = ()) -> None:
        """Make the folder, without the results of an older run; see `check`."""
        entries = self.check(overwrite, inputs)
        make_folder(self.folder)
        for entry in entries:
            if RESULT_NAME.fullmatch(entry.name):
                Path(entry.path).unlink()
        self.summary.unlink(missing_ok=True)

    @contextmanager
    def opened(self, overwrite: bool, inputs: Iterable[str] = ()) -> Iterator[None]:
        """Prepare the folder, and keep other runs out of it while the block writes; see `check`.

        Raises:
            WriteError: Another process is writing there.
        """
        make_folder(self.folder)
        with locked(self.folder):
            self.prepare(overwrite, inputs)
            yield

    def write(self, stem: str, outputs: Sequence[np.ndarray]) -> None:
        """Write the outputs of one sample.

        Args:
            stem: Its stem.
            outputs: One array per model output, with the rows of the sample as first axis.

        Raises:
            WriteError: A file cannot be written.
        """
        for name, output in zip(self.names(stem, len(outputs)), outputs, strict=True):
            write_bytes(Path(name), encode(output, self.outfmt))


def summary_path(folder: Path) -> Path:
    """Where the summary of a result folder lies: beside it, `<folder>_summary.json`."""
    folder = folder.absolute()
    return folder.parent / f"{folder.name}_summary.json"


def encode(output: np.ndarray, outfmt: str) -> bytes:
    """An array as the bytes of a result file.

    Args:
        output: The array, with its leading axis.
        outfmt: `BIN` raw C-order bytes, `NPY` with the leading axis kept, `TXT` a line per row of the last axis.
    """
    import numpy as np

    output = np.ascontiguousarray(output)
    if outfmt == "BIN":
        return output.tobytes()
    if outfmt == "NPY":
        buffer = BytesIO()
        np.save(buffer, output)
        return buffer.getvalue()
    number = "%d " if np.issubdtype(output.dtype, np.integer) else "%f "
    rows = output.reshape(-1, output.shape[-1])
    return "".join("".join(number % value for value in row) + "\n" for row in rows).encode()


def write_summary(
    results: ResultFolder, pairs: Sequence[tuple[Sequence[str], Sequence[str]]], timing: Mapping[str, Any]
) -> None:
    """Write the summary beside the folder.

    Args:
        results: The folder.
        pairs: Input files and result files of each sample, in order.
        timing: Every other key of the summary.

    Raises:
        WriteError: The file cannot be written.
    """
    files = {str(i): {"infiles": list(ins), "outfiles": list(outs)} for i, (ins, outs) in enumerate(pairs)}
    write_text(results.summary, json.dumps({"filesinfo": files, **timing}))


def read_summary(folder: Path) -> dict[str, Any] | None:
    """The summary of a result folder, or None where there is none.

    Raises:
        DataError: It is not a summary.
    """
    path = summary_path(folder)
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for row in content["filesinfo"].values():
            _check_names(row["infiles"])
            _check_names(row["outfiles"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} is not a summary of an inference ({error})") from error
    return dict(content)


def _check_names(names: Any) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError("infiles and outfiles must be lists of names")


def list_results(folder: Path, output: int = 0) -> dict[str, Path]:
    """The result files of one model output, by stem.

    Args:
        folder: The result folder.
        output: The number of the model output.

    Raises:
        DataError: There is no such folder, or it holds no results, or two for one stem.
    """
    matches = [(RESULT_NAME.fullmatch(entry.name), Path(entry.path)) for entry in list_folder(folder, "result")]
    named = [(match["stem"], path) for match, path in matches if match and int(match["output"]) == output]
    found: dict[str, Path] = {}
    for stem, path in named:
        if path.suffix.lower() == BIN_SUFFIX and found.setdefault(stem, path) != path:
            raise DataError(f"{found[stem]} and {path} are both results of {stem}", "remove the one that is older")
    if not found:
        other = f"its results are {named[0][1].suffix} files; infer with --outfmt BIN" if named else None
        raise DataError(f"no results (<stem>_{output}.bin) in {folder}", other)
    return found
