"""What text files that list labelled images have in common: how they are read, and what is checked."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file, reason
from modelzoo.reid.dataset import SPLITS, LabelledImage, numbers_of


@dataclass(frozen=True)
class Row:
    """What one line lists.

    Args:
        line: Number of the line, from 1.
        image: The image.
    """

    line: int
    image: LabelledImage


def read_text(file: Path) -> str:
    """Read a text file, with its line ends as they are.

    Raises:
        DataError: It is missing, or not UTF-8.
    """
    data = existing_file(file, "list").read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{file}, line {line}: this is not UTF-8", "save the file as UTF-8") from error


def check_rows(file: Path, rows: Sequence[Row], folder: Path) -> None:
    """Check that every image is there, none listed twice in a split, and none with two persons or cameras.

    Args:
        file: The list.
        rows: What it lists.
        folder: The folder from which its paths start.

    Raises:
        DataError: Names the first line that is wrong.
    """
    _check_images(file, rows)
    missing = [row for row in rows if not _is_there(file, row)]
    if missing:
        raise DataError(
            f"{file}, line {missing[0].line}: no such image: {missing[0].image.path} "
            f"({len(missing)} of {len(rows)} images are missing)",
            f"paths start from {folder.absolute()}, with / between folders",
        )


def _check_images(file: Path, rows: Sequence[Row]) -> None:
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        path, split = os.path.normpath(row.image.path), row.image.split
        other = first.setdefault((split, path), row)
        if other is not row:
            raise DataError(
                f"{file}, line {row.line}: {row.image.source} is in the {split} already, by line {other.line}"
            )
        for one in SPLITS:
            _check_same(file, first.get((one, path), row), row)


def _check_same(file: Path, first: Row, row: Row) -> None:
    """One image shows one person, and is by one camera."""
    pairs = {
        "person": (first.image.person, row.image.person),
        "camera": (first.image.camera, row.image.camera),
    }
    for what, (there, here) in pairs.items():
        numbers = numbers_of((there, here))
        if numbers[there] != numbers[here]:
            source = row.image.source
            raise DataError(
                f"{file}, line {row.line}: {source} has the {what} '{here}', but '{there}' by line {first.line}"
            )


def _is_there(file: Path, row: Row) -> bool:
    try:
        return row.image.path.is_file()
    except OSError as error:
        raise DataError(f"{file}, line {row.line}: cannot look for {row.image.source:.80}: {reason(error)}") from error
