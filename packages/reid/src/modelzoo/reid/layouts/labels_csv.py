"""Labels of any images in a .csv file: path, person, camera, split."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.reid.dataset import JUNK, NUMBER, SPLITS, Crop, LabelledImage, to_crops
from modelzoo.reid.layouts.lists import Row, check_rows, read_text

COLUMNS = ("path", "person", "camera", "split")
HEADER = ",".join(COLUMNS)
OTHER_SEPARATORS = (";", "\t")

DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?")
"""Whatever reads like a number, also where it is none by `NUMBER`."""


def read_labels_csv(file: Path) -> list[Crop]:
    """The crops that a .csv file lists, queries first, in the order of its rows.

    Its first row names the columns `path` (absolute, or from the folder of the file), `person`, `camera` (numbers or
    any text) and `split` (`query` or `gallery`), in any order; other columns, blank rows, and blanks around a value do
    not count. Persons and cameras with equal numbers are one (7 and 007), else with equal texts; a text that reads like
    the number of another one (7.0, +7) is an error.

    Args:
        file: UTF-8, columns separated by commas.

    Raises:
        DataError: Names the file and the line of what is wrong.
    """
    rows = list(_rows(file))
    check_rows(file, rows, file.parent)
    junk = {Decimal(JUNK): (str(JUNK), "what is left out")}
    _check_numbers(file, "person", [(row.line, row.image.person) for row in rows], junk)
    _check_numbers(file, "camera", [(row.line, row.image.camera) for row in rows], {})
    for split in SPLITS:
        if not any(row.image.split == split for row in rows):
            raise DataError(f"{file} has no row with the split '{split}'", f"split is {' or '.join(SPLITS)}")
    return to_crops([row.image for row in rows])


def _check_numbers(
    file: Path, what: str, labels: Sequence[tuple[int, str]], known: Mapping[Decimal, tuple[str, str]]
) -> None:
    """Check that no two labels are one number in two forms, of which one is a text.

    Args:
        file: The list.
        what: What the labels are.
        labels: Lines and labels.
        known: Labels that mean something, by their numbers, and what they mean.
    """
    first = dict(known)
    for line, label in labels:
        if not DECIMAL.fullmatch(label):
            continue
        other, where = first.setdefault(Decimal(label), (label, f"by line {line}"))
        if label != other and not (NUMBER.fullmatch(label) and NUMBER.fullmatch(other)):
            raise DataError(
                f"{file}, line {line}: the {what} '{label}' reads like '{other}', {where}",
                "write one number in one way, as whole numbers are: 7",
            )


def _rows(file: Path) -> Iterator[Row]:
    records = _records(file)
    line, header = next(records, (1, []))
    if not header:
        raise DataError(f"{file} is empty", f"its first line is {HEADER}")
    places = _places(f"{file}, line {line}", header)
    for line, cells in records:
        where = f"{file}, line {line}"
        if len(cells) != len(header):
            raise DataError(f"{where}: {len(cells)} values in {len(header)} columns", "quote values that hold a comma")
        path, person, camera, split = _values(where, [cells[place] for place in places])
        yield Row(line, LabelledImage(file.parent / path, path, person, camera, split))


def _records(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with the numbers of the lines where they begin."""
    reader = csv.reader(io.StringIO(read_text(file), newline=""), strict=True, skipinitialspace=True)
    line = 1
    try:
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if any(values):
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{file}, line {line}: {error}", "are the quotes right?") from error


def _places(where: str, header: Sequence[str]) -> list[int]:
    """Where the columns are."""
    wrong = [name for name in COLUMNS if header.count(name) != 1]
    if not wrong:
        return [header.index(name) for name in COLUMNS]
    separator = next((one for one in OTHER_SEPARATORS if one in header[0]), None)
    if separator:
        raise DataError(f"{where}: columns are separated by {separator!r}", "save the file with commas")
    problem = "twice the column" if wrong[0] in header else "no column"
    raise DataError(f"{where}: {problem} '{wrong[0]}' in {','.join(header)}", f"the first line is {HEADER}")


def _values(where: str, values: Sequence[str]) -> Sequence[str]:
    for name, value in zip(COLUMNS, values, strict=True):
        if not value:
            raise DataError(f"{where}: the {name} is empty")
    if values[-1] not in SPLITS:
        raise DataError(f"{where}: the split is '{values[-1]}'", f"split is {' or '.join(SPLITS)}")
    return values
