"""Rankings as files: one table, and a picture per probe."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.files import atomic_path, check_writable, make_folder, write_text
from modelzoo.common.progress import progress
from modelzoo.common.work import Threads, bounded_map
from modelzoo.gaitset.dataset import FrameSequence
from modelzoo.gaitset.preprocess import read_sequence
from modelzoo.gaitset.search import RankedProbe
from modelzoo.gaitset.sheets import SILHOUETTES, Row, draw_sheet, evenly_spaced

if TYPE_CHECKING:
    import numpy as np

TABLE, DRAWN, SHEET_SUFFIX = "ranking.csv", "ranked", ".png"
"""What a search writes: a table, and beside it a folder of drawn rankings."""

HEADER = ("probe", "rank", "gallery", "distance")

SHOWN = 20
"""Answers on a picture; the table has them all."""

LONGEST, CUT = 200, 60
"""Bytes of a picture's name that leave room for suffixes (systems allow 255), and the characters of a longer one."""

KEPT = 1000
"""Sequences whose silhouettes are kept for other pictures: 23 MB."""


def check_output(folder: Path, sources: Sequence[Path], overwrite: bool) -> None:
    """Check that no results are there already, which might be taken for those of this search, and nothing to search.

    Args:
        folder: Where results go.
        sources: Folders of sequences.
        overwrite: Whether results may be replaced.

    Raises:
        DataError: There are results, and `overwrite` is not set.
        UsageError: The folder is in one of the sources, where the next search would find the pictures.
        WriteError: The folder cannot be written.
    """
    check_writable(folder)
    around = next((source for source in sources if folder.resolve().is_relative_to(source.resolve())), None)
    if around:
        raise UsageError(f"{folder} is in {around}, where the next search would take its pictures for silhouettes")
    there = [folder / name for name in (TABLE, DRAWN) if (folder / name).exists()]
    if there and not overwrite:
        raise DataError(f"{there[0]} is there already", "choose another --output, or --overwrite the results in it")


def write_rankings(folder: Path, ranked: Sequence[RankedProbe], threads: Threads) -> None:
    """Write pictures and, last, the table; files of the same names are replaced, others stay.

    Args:
        folder: Made if need be.
        ranked: The rankings.
        threads: What draws.

    Raises:
        DataError: A frame cannot be read any more.
        WriteError: Something cannot be written.
    """
    make_folder(folder / DRAWN)
    silhouettes = lru_cache(KEPT)(_silhouettes)
    names = sheet_names([one.probe.name for one in ranked])
    sheets = [(folder / DRAWN / name, one) for name, one in zip(names, ranked, strict=True)]
    drawn = bounded_map(lambda sheet: _write_sheet(*sheet, silhouettes), sheets, threads)
    for _ in progress(drawn, len(ranked), "pictures", "probe"):
        pass
    write_text(folder / TABLE, to_csv(ranked))


def sheet_names(probes: Iterable[str]) -> list[str]:
    """A file name for the picture of every probe: its own without folders, numbered where it would not be the only one.

    >>> sheet_names(["075/nm-01", "075_nm-01", "."])
    ['075_nm-01.png', '075_nm-01_2.png', '_.png']
    """
    taken: dict[str, None] = {}
    for probe in probes:
        flat = probe.replace("/", "_")
        short = flat if len(os.fsencode(flat)) <= LONGEST else flat[-CUT:]
        name = re.sub(r"^\.", "_", short)  # a name that starts with a dot is hidden
        endings = chain([SHEET_SUFFIX], (f"_{number}{SHEET_SUFFIX}" for number in count(2)))
        taken[next(name + ending for ending in endings if name + ending not in taken)] = None
    return list(taken)


def to_csv(ranked: Iterable[RankedProbe]) -> str:
    """The table, one line per answer; ranks from 1, distances with six decimals."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    for one in ranked:
        for rank, answer in enumerate(one.answers, start=1):
            table.writerow([one.probe.name, rank, answer.sequence.name, f"{answer.distance:.6f}"])
    return text.getvalue()


def _write_sheet(path: Path, one: RankedProbe, silhouettes: Callable[[FrameSequence], np.ndarray]) -> None:
    answers = [
        Row(silhouettes(answer.sequence), str(rank), f"{answer.distance:.3f}", answer.sequence.name)
        for rank, answer in enumerate(one.answers[:SHOWN], start=1)
    ]
    sheet = draw_sheet(Row(silhouettes(one.probe), "probe", "", one.probe.name), answers)
    with atomic_path(path) as partial:
        sheet.save(partial, format="PNG")


def _silhouettes(sequence: FrameSequence) -> np.ndarray:
    return evenly_spaced(read_sequence(sequence), SILHOUETTES)
