"""Rankings as files: a picture per query, and when they are all there, one table."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import DataError, WriteError
from modelzoo.common.files import check_writable, locked, make_folder, reason, write_text
from modelzoo.common.progress import progress
from modelzoo.common.work import Skipped, Threads, bounded_map
from modelzoo.reid.pictures import DRAWN, TABLE, UNFINISHED
from modelzoo.reid.search import RankedPicture
from modelzoo.reid.search.drawn import draw_ranking, remove_drawn, sheet_names

HEADER = ("query", "rank", "gallery", "distance")


@dataclass(frozen=True)
class SheetOptions:
    """How rankings are drawn.

    Args:
        threshold: What was asked for.
        threads: What draws.
        on_error: `fail` or `skip` for pictures that cannot be read any more.
    """

    threshold: float | None
    threads: Threads
    on_error: str


def check_output(folder: Path, overwrite: bool) -> None:
    """Check that no results are there already; they might be taken for those of this search.

    Raises:
        DataError: There are, and `overwrite` is not set.
        WriteError: The folder cannot be written.
    """
    check_writable(folder)
    there = [folder / name for name in (TABLE, DRAWN) if (folder / name).exists()]
    if there and not overwrite:
        raise DataError(f"{there[0]} is there already", "choose another --output, or --overwrite the results in it")


def write_rankings(folder: Path, ranked: Sequence[RankedPicture], options: SheetOptions) -> list[Skipped]:
    """Draw the pictures in a hidden folder, put them in the place of those of an earlier search, and write the table.

    Where there is a table, everything is there. Files that no search has made stay.

    Args:
        folder: Made if need be.
        ranked: The rankings.
        options: How to draw them.

    Returns:
        Pictures that cannot be read any more; their places are empty.

    Raises:
        DataError: There are such pictures, and `options.on_error` is `fail`.
        WriteError: Something cannot be written.
    """
    make_folder(folder)
    names = sheet_names([one.query.name for one in ranked])
    with locked(folder), _writing(folder):
        skipped = _draw(folder / UNFINISHED, names, ranked, options)
        (folder / TABLE).unlink(missing_ok=True)
        remove_drawn(folder / DRAWN)
        for name in names:
            make_folder((folder / DRAWN / name).parent)
            (folder / UNFINISHED / name).replace(folder / DRAWN / name)
        write_text(folder / TABLE, to_csv(ranked))
        shutil.rmtree(folder / UNFINISHED)
    return skipped


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot write {error.filename or folder}: {reason(error)}") from error


def _draw(folder: Path, names: Sequence[str], ranked: Sequence[RankedPicture], options: SheetOptions) -> list[Skipped]:
    """Draw all sheets, or none."""
    if folder.exists():
        shutil.rmtree(folder)  # of a run that was killed
    jobs = [(folder / name, one) for name, one in zip(names, ranked, strict=True)]
    skipped: dict[Skipped, None] = {}
    try:
        drawn = bounded_map(lambda job: draw_ranking(*job, options.threshold, options.on_error), jobs, options.threads)
        for bad in progress(drawn, len(jobs), "pictures", "query"):
            skipped |= dict.fromkeys(bad)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return list(skipped)


def to_csv(ranked: Iterable[RankedPicture]) -> str:
    """The table, one line per answer; ranks from 1, distances with six decimals."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    for one in ranked:
        for rank, answer in enumerate(one.answers, start=1):
            table.writerow([one.query.name, rank, answer.picture.name, f"{answer.distance:.6f}"])
    return text.getvalue()
