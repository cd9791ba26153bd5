"""The picture files below a folder, and the work of bringing them to a feature network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_folder, neighbour_hint, reason
from modelzoo.common.work import Sample, SampleInfo, WorkUnit
from modelzoo.dgnet.fid.extractor import Extractor
from modelzoo.dgnet.images import is_image, read_pixels


@dataclass(frozen=True)
class Pictures:
    """A set of picture files.

    Args:
        folder: What they are below.
        paths: The pictures; where they are all of the folder's, sorted by their path below it.
        passed_over: How many other files were found there.
    """

    folder: Path
    paths: Sequence[Path]
    passed_over: int = 0

    def digest(self) -> str:
        """The sha256 of the contents, by which pictures are known again."""
        total = hashlib.sha256()
        for path in self.paths:
            try:
                with path.open("rb") as file:
                    total.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise DataError(f"cannot read {path}: {reason(error)}") from error
        return total.hexdigest()


def find_pictures(folder: Path) -> Pictures:
    """All pictures below a folder, at any depth; hidden files and folders are none.

    Links to folders are followed; a folder to which several lead counts once.

    The published script takes `*/*.jpg` and `*/*.png`, in no order, leaves out the rest of the last batch of 50, and of
    more than 12936 a part.

    Raises:
        DataError: There is no such folder, it cannot be read, or holds no picture.
    """
    files = sorted(_files_below(existing_folder(folder, "picture")), key=lambda path: path.relative_to(folder).parts)
    paths = [path for path in files if is_image(path.name)]
    if not paths:
        raise DataError(f"no pictures in {folder}", neighbour_hint(folder))
    return Pictures(folder, paths, len(files) - len(paths))


def units(pictures: Pictures, extractor: Extractor) -> list[WorkUnit]:
    """One work unit per picture: decoded, resized to 128 x 256 with the bicubic filter, as the network takes it."""
    return [WorkUnit(str(path), partial(_load, path, extractor), path=path) for path in pictures.paths]


def _load(path: Path, extractor: Extractor) -> list[Sample]:
    return [Sample(SampleInfo(path.stem, str(path)), (extractor.planes(read_pixels(path)),))]


def _files_below(folder: Path) -> Iterator[Path]:
    """The files; each folder is entered once, so that links in a circle come to an end."""
    entered = {os.path.realpath(folder)}
    for parent, folders, files in os.walk(folder, onerror=_unreadable, followlinks=True):
        there = {name: os.path.realpath(Path(parent, name)) for name in sorted(folders) if not name.startswith(".")}
        folders[:] = []
        for name, real in there.items():
            if real not in entered:
                entered.add(real)
                folders.append(name)
        yield from (Path(parent, name) for name in files)


def _unreadable(error: OSError) -> None:
    raise DataError(f"cannot read the folder {error.filename}: {reason(error)}") from error
