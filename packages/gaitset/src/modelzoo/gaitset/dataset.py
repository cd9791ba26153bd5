"""Folders of silhouettes: the CASIA-B layout `<subject>/<condition>/<view>/`, and any other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_folder, list_folder, neighbour_hint

IMAGE_SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".zip")

DEPTH = 3
"""Folders between the data set's folder and a frame: subject, condition, view."""

LAYOUT = "<subject>/<condition>/<view>/<frames>, such as 075/nm-01/018"


@dataclass(frozen=True)
class Frames:
    """What is in the folder of a sequence.

    Args:
        names: The image files, sorted.
        passed_over: How many other entries there are, such as Thumbs.db.
    """

    names: list[str]
    passed_over: int


@dataclass(frozen=True)
class FrameSequence:
    """A sequence of silhouettes.

    Args:
        folder: Where its frames are.
        name: What messages and indices call it.
    """

    folder: Path
    name: str

    def frames(self) -> Frames:
        """List its frames; what many sequences hold together is never in memory.

        Raises:
            DataError: The folder cannot be read, or holds folders in place of frames.
        """
        entries = list_folder(self.folder, "sequence")
        names = [entry.name for entry in entries if _is_image(entry)]
        if not names and any(_is_folder(entry) for entry in entries):
            raise DataError(f"{self.folder} holds folders, no frames", f"expected {LAYOUT}")
        return Frames(names, len(entries) - len(names))


@dataclass(frozen=True)
class Walk(FrameSequence):
    """A walking sequence of a data set for evaluation.

    Args:
        folder: Where its frames are.
        name: `075/nm-01/018`.
        subject: Who walks: `075`.
        condition: How, and which repetition: `nm-01` normal, `bg-01` with a bag, `cl-01` in a coat.
        view: The camera's angle: `018`.
    """

    subject: str
    condition: str
    view: str


@dataclass(frozen=True)
class Tree:
    """A data set.

    Args:
        walks: Its sequences, sorted by subject, condition and view; some may hold no frame.
        passed_over: How many entries above the frames are no folders.
    """

    walks: list[Walk]
    passed_over: int


def list_walks(root: Path) -> Tree:
    """The walking sequences of a folder in the CASIA-B layout.

    Raises:
        DataError: The folder is missing, or is one level too high or too low in the tree.
    """
    walks, passed_over = [], 0
    level = [existing_folder(root, "data")]
    for _ in range(DEPTH):
        entries = [entry for folder in level for entry in list_folder(folder, "data")]
        level = [Path(entry.path) for entry in entries if _is_folder(entry)]
        passed_over += len(entries) - len(level)
    for folder in level:
        subject, condition, view = folder.parts[-DEPTH:]
        walks.append(Walk(folder, f"{subject}/{condition}/{view}", subject, condition, view))
    if not any(_holds_image(walk.folder) for walk in walks):
        raise _wrong_tree(root)
    return Tree(walks, passed_over)


def list_sequences(root: Path) -> list[FrameSequence]:
    """The sequences of any folder: every folder in it that directly holds images, and that folder itself.

    Returns:
        Them, each named by its path in `root`, which is `.` for `root` itself; where that is the only one, by the name
            of `root`.

    Raises:
        DataError: The folder is missing or holds no image.
    """
    existing_folder(root, "data")
    folders = sorted(folder for folder in _folders(root) if _holds_image(folder))
    if not folders:
        raise DataError(f"no images in {root}", neighbour_hint(root))
    if folders == [root]:
        return [FrameSequence(root, root.absolute().name)]
    return [FrameSequence(folder, folder.relative_to(root).as_posix()) for folder in folders]


def check_apart(source: Path, output: Path) -> None:
    """Check that neither folder is in the other: what is written would be taken for data.

    Raises:
        DataError: One is.
    """
    inner, outer = (Path(os.path.realpath(path)) for path in (source, output))
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise DataError(f"{source} and {output} must not be inside one another", "choose another output folder")


def _is_image(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(IMAGE_SUFFIXES) and not entry.name.startswith(".") and _can_be_read(entry)


def _can_be_read(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, not a folder or a pipe; a link to nothing counts as one, since a frame is missing there."""
    try:
        return entry.is_file() or not Path(entry.path).exists()
    except OSError:  # a link to itself
        return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() and not entry.name.startswith(".")
    except OSError:  # a link to itself
        return False


def _holds_image(folder: Path) -> bool:
    return any(_is_image(entry) for entry in list_folder(folder, "sequence"))


def _folders(root: Path) -> Iterator[Path]:
    """A folder and all below it, the innermost first; each once, whatever links lead there."""
    return _unseen_folders(root, set())


def _unseen_folders(root: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    status = root.stat()
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    for entry in list_folder(root, "data"):
        if _is_folder(entry):
            yield from _unseen_folders(Path(entry.path), seen)
    yield root


def _wrong_tree(root: Path) -> DataError:
    """Say what is wrong with a folder that has no frames where they should be."""
    folder = next((folder for folder in _folders(root) if _holds_image(folder)), None)
    if folder is None:
        archives = any(entry.name.lower().endswith(ARCHIVE_SUFFIXES) for entry in list_folder(root, "data"))
        return DataError(f"no silhouettes in {root}", "unpack its archives first" if archives else f"expected {LAYOUT}")
    below = folder.relative_to(root).parts
    meant = Path(*folder.absolute().parts[:-DEPTH])
    message = f"{root} is not a folder of {LAYOUT}: its frames are {len(below)} folders down, not {DEPTH}"
    return DataError(message, f"did you mean {meant}?")
