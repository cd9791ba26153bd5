"""The index of a gallery: a file of features that is kept between searches and brought up to date by each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.files import existing_folder
from modelzoo.common.text import printable
from modelzoo.reid.features.file import FeatureFile, read_features, write_features
from modelzoo.reid.features.fingerprint import Fingerprint
from modelzoo.reid.pictures import Pictures, find_pictures
from modelzoo.reid.search.gallery import GalleryDraft

LONGEST_PATH = 300
"""Characters that messages show of a folder that stands in an index."""


@dataclass(frozen=True)
class Index:
    """An index and the model that it has to be of.

    Args:
        path: The file.
        known: What is in it; None where there is no such file yet.
        model: The model of this search.
    """

    path: Path
    known: FeatureFile | None
    model: Fingerprint


def read_index(path: Path | None) -> FeatureFile | None:
    """What is in an index, or None where there is none yet.

    Raises:
        DataError: The file is no index, or is damaged.
    """
    return read_features(path) if path and path.exists() else None


def find_gallery(folder: Path | None, index: Path | None, known: FeatureFile | None) -> Pictures:
    """The pictures of a gallery.

    Args:
        folder: The gallery; None for the folder that the index remembers.
        index: The index.
        known: What is in it.

    Raises:
        UsageError: Nothing says where the gallery is.
        DataError: The folder cannot be used.
    """
    if folder:
        return find_pictures(existing_folder(folder, "gallery"), "gallery")
    if known and not _is_there(known.folder):
        raise DataError(
            f"{index} is the index of {_folder_of(known)}, which is not there", "give --gallery DIR as well"
        )
    if known:
        return find_pictures(known.folder, "gallery")
    if index:
        raise DataError(f"no such index: {index}", "the first search needs --gallery DIR as well; it makes the index")
    raise UsageError("there is nothing to search", "give --gallery DIR, or --index FILE of an earlier search")


@contextmanager
def kept(index: Index, draft: GalleryDraft) -> Iterator[None]:
    """Write the index when the block ends, if it changes; after an error or Ctrl-C with what is computed by then.

    Args:
        index: The index.
        draft: The gallery that is computed in the block.

    Raises:
        WriteError: The index cannot be written.
    """
    try:
        yield
    except BaseException:
        if draft.computed:
            _write(index, draft)
        raise
    known, gallery = index.known, draft.gallery
    if known is None or gallery.computed or gallery.dropped or known.folder != draft.found.folder:
        _write(index, draft)


def _write(index: Index, draft: GalleryDraft) -> None:
    write_features(index.path, draft.gallery.to_file(index.model, draft.found.folder))


def start_gallery(index: Index, found: Pictures) -> GalleryDraft:
    """Begin with what an index knows.

    Args:
        index: The index.
        found: The pictures.

    Raises:
        DataError: The index is of another model or of other pictures.
    """
    if index.known:
        _check_model(index.known, index)
        _check_pictures(index.known, index, found)
    return GalleryDraft(found, index.known)


def _check_model(known: FeatureFile, index: Index) -> None:
    if known.model != index.model:
        raise DataError(
            f"{index.path} was made with {known.model.describe()}, not with {index.model.describe()}",
            "give --model that model, or --index a new name",
        )
    have, want = known.features.shape[1], index.model.length
    if want is not None and have != want:
        raise DataError(
            f"the features in {index.path} have {have} numbers, those of the model {want}", "give --index a new name"
        )


def _check_pictures(known: FeatureFile, index: Index, found: Pictures) -> None:
    """A gallery may change and may be moved, but what is known of one is not given away for another one."""
    shared = len({picture.name for picture in found.pictures} & set(known.names))
    there = _is_there(known.folder)
    elsewhere = there and not known.folder.samefile(found.folder)
    if shared and not (elsewhere and 2 * shared <= len(known.names)):
        return
    if there and not elsewhere:
        what = f"none of its {len(known.names)} pictures is there any more"
    else:
        what = f"{shared} of its {len(known.names)} pictures are in {found.folder}"
    raise DataError(
        f"{index.path} is the index of {_folder_of(known)}, and {what}",
        "give --index a new name for another gallery",
    )


def _folder_of(known: FeatureFile) -> str:
    return printable(str(known.folder), LONGEST_PATH)


def _is_there(folder: Path) -> bool:
    """Whether there is such a folder; what cannot even be the name of one is none."""
    try:
        return folder.is_dir()
    except OSError:
        return False
