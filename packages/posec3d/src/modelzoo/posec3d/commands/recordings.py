"""What `preprocess` and `run` share: which recordings of an annotation file are used."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.posec3d.annotations import SPLIT

if TYPE_CHECKING:
    from modelzoo.posec3d.annotations import Selection


def add_split_flag(parser: argparse.ArgumentParser) -> None:
    """Which split is used; None where nothing is said."""
    names = f"which recordings of the file (default: {SPLIT}; all, where the file has no splits)"
    parser.add_argument("--split", metavar="NAME", help=names)


def select(arguments: argparse.Namespace, path: Path, classes: int, persons: int | None = None) -> Selection:
    """The recordings that the flags ask for; notes say what was done with some of them.

    Args:
        arguments: With the flags.
        path: The annotation file.
        classes: How many actions there are.
        persons: People of a frame that count, at most: the most certain ones; None for all.
    """
    from modelzoo.posec3d.annotations import read_annotations, select_annotations
    from modelzoo.posec3d.crowds import keep_most_certain

    selection = select_annotations(read_annotations(path), arguments.split, classes, arguments.on_error)
    if persons:
        selection = keep_most_certain(selection, persons)
    for note in selection.notes():
        print(f"note: {note}", file=sys.stderr)
    return selection
