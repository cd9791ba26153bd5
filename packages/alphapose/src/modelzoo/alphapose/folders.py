"""The folders that `preprocess` writes into: may it, and which of them holds mirrored crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelzoo.alphapose import __version__
from modelzoo.alphapose.spec import SPEC
from modelzoo.common.errors import DataError
from modelzoo.common.files import check_writable, list_folder
from modelzoo.common.index import Index, index_path, read_index, write_index

MIRRORED = "mirrored"
"""What the index of a folder of mirrored crops says in its `command`."""


def check_folders(folders: Sequence[Path], command: Mapping[str, Any], overwrite: bool) -> None:
    """Find out before long work whether crops can go there; nothing is changed yet.

    Args:
        folders: The output folders.
        command: What makes two runs the same work, as far as it is known before there are boxes.
        overwrite: Whether the folders may hold something.

    Raises:
        DataError: A folder holds something that is not an interrupted run of the same command.
        WriteError: A folder cannot be made or written into.
    """
    for folder in folders:
        check_writable(folder)
        if overwrite or not folder.exists() or not list_folder(folder, "output"):
            continue
        index = read_index(index_path(folder)) if index_path(folder).exists() else None
        if not (index and _can_continue(index, command)):
            held = "it holds an interrupted run of another command; " if index and not index.complete else ""
            hint = f"{held}choose another folder, or --overwrite to replace its .bin files"
            raise DataError(f"the output folder {folder} is not empty", hint)


def _can_continue(index: Index, command: Mapping[str, Any]) -> bool:
    same = all(index.command.get(key) == value for key, value in command.items())
    return same and not index.complete and (index.model, index.version) == (SPEC.name, __version__)


def mark_mirrored(folder: Path) -> None:
    """Write into the index of a folder that its crops are mirrored, so that `postprocess` knows its results.

    Args:
        folder: One whose index is complete.
    """
    index = read_index(index_path(folder))
    write_index(folder, replace(index, command={**index.command, MIRRORED: True}))
