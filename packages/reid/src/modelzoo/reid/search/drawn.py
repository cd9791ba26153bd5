"""The drawn rankings as files, one per query, which say of themselves that a search has made them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import make_folder
from modelzoo.common.work import Skipped
from modelzoo.reid.decode import read_rgb
from modelzoo.reid.search import RankedPicture
from modelzoo.reid.search.sheets import Tile, draw_sheet, fitted

if TYPE_CHECKING:
    from PIL import Image

    from modelzoo.reid.pictures import Picture

SHEET_SUFFIX = ".jpg"

SHOWN = 50
"""Answers on a picture; the table has them all."""

QUALITY = 90

MADE_BY = b"reid search"
"""The comment in every file, by which a later search knows what it may remove."""

HEAD = 256
"""Bytes from the beginning of a file that hold its comment."""

LONGEST, CUT = 240, 60
"""Bytes of a file name that leave room for suffixes (systems allow 255), and the characters of a longer one."""


def sheet_names(queries: Sequence[str]) -> list[str]:
    """A name for the picture of every query: its own with the suffix added, as often as it takes to be the only one.

    >>> sheet_names(["a/1.png", "b/1.png"]), sheet_names(["1.png", "1.png.jpg/2.png"])
    (['a/1.png.jpg', 'b/1.png.jpg'], ['1.png.jpg.jpg', '1.png.jpg/2.png.jpg'])
    """
    taken = {str(folder) for query in queries for folder in PurePosixPath(query).parents}
    names = []
    for query in queries:
        path = PurePosixPath(query)
        name = query if len(os.fsencode(path.name)) <= LONGEST else str(path.with_name(path.name[:CUT]))
        name += SHEET_SUFFIX
        while name in taken:
            name += SHEET_SUFFIX
        taken.add(name)
        names.append(name)
    return names


def nothing_found(threshold: float | None) -> str:
    """What is said of a query without answers.

    >>> nothing_found(0.25), nothing_found(None)
    ('no answer within 0.25', 'no answer')
    """
    return "no answer" if threshold is None else f"no answer within {threshold:g}"


def draw_ranking(path: Path, one: RankedPicture, threshold: float | None, on_error: str) -> list[Skipped]:
    """Draw a query and its answers into a file.

    Args:
        path: The file; its folder is made.
        one: The ranking.
        threshold: What was asked for.
        on_error: `fail` or `skip` for pictures that cannot be read any more.

    Returns:
        Those that were skipped; their places are empty.

    Raises:
        DataError: A picture cannot be read, and `on_error` is `fail`.
    """
    skipped: list[Skipped] = []

    def read(picture: Picture) -> Image.Image | None:
        try:
            return fitted(read_rgb(picture.path))
        except DataError as error:
            if on_error == "fail":
                raise
            skipped.append(Skipped(str(picture.path), str(error)))
            return None

    query = Tile(read(one.query), "query", "", one.query.name)
    answers = [
        Tile(read(answer.picture), str(rank), f"{answer.distance:.3f}", answer.picture.name)
        for rank, answer in enumerate(one.answers[:SHOWN], start=1)
    ]
    sheet = draw_sheet(query, answers, threshold is not None, nothing_found(threshold))
    make_folder(path.parent)
    sheet.save(path, format="JPEG", quality=QUALITY, subsampling=0, comment=MADE_BY)
    return skipped


def remove_drawn(folder: Path) -> None:
    """Remove what a search has drawn, and the folders that this leaves empty; everything else stays."""
    for path in [path for path in folder.rglob("*" + SHEET_SUFFIX) if _is_drawn(path)]:
        path.unlink()
        for parent in path.parents:
            if parent == folder.parent or any(parent.iterdir()):
                break
            parent.rmdir()


def _is_drawn(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return MADE_BY in file.read(HEAD)
