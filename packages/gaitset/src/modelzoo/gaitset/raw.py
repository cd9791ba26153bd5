"""Folders of raw silhouettes, told from those of aligned ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.index import index_path, read_index
from modelzoo.gaitset.aligned import describes_tree
from modelzoo.gaitset.dataset import Tree, Walk, list_walks
from modelzoo.gaitset.spec import HEIGHT

LOOKED_INTO = 8
"""Frames of a tree without an index that tell whether it is aligned; the first larger one tells that it is not."""


def list_raw_walks(root: Path) -> Tree:
    """The walking sequences of a folder of raw silhouettes; see `list_walks`.

    Raises:
        DataError: It is not in that layout, or its silhouettes are aligned: aligned once more, they change.
    """
    tree = list_walks(root)
    if _is_of_step_1(root) or _look_aligned(tree.walks):
        raise DataError(
            f"{root} holds aligned silhouettes of {HEIGHT} x {HEIGHT}, not raw ones", "use gaitset-preprocess-step2"
        )
    return tree


def _is_of_step_1(root: Path) -> bool:
    try:
        index = read_index(index_path(root))
    except DataError:  # there is none, or the name is that of somebody else's file
        return False
    return describes_tree(index)


def _look_aligned(walks: Sequence[Walk]) -> bool:
    """Whether all of the first frames that can be read have the size of aligned ones."""
    from modelzoo.gaitset.silhouettes import read_silhouette

    readable = False
    for path in islice(_frame_paths(walks), LOOKED_INTO):
        with suppress(DataError):  # whoever needs the frame names it
            if read_silhouette(path).shape != (HEIGHT, HEIGHT):
                return False
            readable = True
    return readable


def _frame_paths(walks: Sequence[Walk]) -> Iterator[str]:
    for walk in walks:
        with suppress(DataError):  # whoever needs the walk names it
            yield from (f"{walk.folder}/{name}" for name in walk.frames().names)
