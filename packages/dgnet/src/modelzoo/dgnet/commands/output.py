"""What several commands print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.files import atomic_path, existing_folder
from modelzoo.common.text import printable
from modelzoo.dgnet.dataset import PhotoTree

if TYPE_CHECKING:
    from PIL import Image

SHOWN = 3
"""How many names a note shows."""

FRAME_MS = 120
"""How long a moving picture shows a step."""


def print_tree(tree: PhotoTree) -> None:
    """Say what is odd about a tree of pictures."""
    identities = {photo.label for photo in tree.photos}
    if len(tree.photos) == 1:
        _note("there is one picture, which is structure and appearance in one")
    elif len(identities) == 1:
        _note("there is one identity, whose pictures lend each other their structure")
    if tree.passed_over:
        print(f"{tree.passed_over} entries that are no images were passed over")


def print_others(names: Sequence[str], fate: str) -> None:
    """Say what became of files that were not expected, and name them."""
    if names:
        _note(f"{fate}: {_shortened(names)}")


def print_clipped(stems: Sequence[str]) -> None:
    """Name the pictures that held infinite values."""
    if stems:
        _note(f"pictures in which infinite values were clipped: {_shortened(stems)}")


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(printable(name) for name in names[:SHOWN]) + more


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def check_picture(path: Path, suffixes: Sequence[str], overwrite: bool) -> None:
    """Before long work: whether a picture can be written.

    Raises:
        DataError: There is a file already, or a folder.
        UsageError: The name has another suffix.
    """
    existing_folder(path.absolute().parent, "--output")
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"--output {path} has none of the suffixes {', '.join(suffixes)}")
    if path.is_dir():
        raise DataError(f"--output {path} is a folder", "give the name of a file")
    if path.exists() and not overwrite:
        raise DataError(f"{path} is there already", "choose another --output, or --overwrite it")


def write_picture(path: Path, picture: Image.Image, *others: Image.Image) -> None:
    """Write a picture, or with others a moving one; the suffix names the format.

    Raises:
        WriteError: It cannot be written.
    """
    moving = {"save_all": True, "append_images": others, "duration": FRAME_MS, "loop": 0} if others else {}
    kind = {".jpg": "JPEG"}.get(path.suffix.lower(), path.suffix[1:].upper())
    with atomic_path(path) as partial:
        picture.save(partial, format=kind, **moving)
