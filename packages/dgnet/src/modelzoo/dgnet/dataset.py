"""An ImageFolder tree: one folder of pictures per identity, numbered in the order of the folders' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.bins import check_stems, stem_of
from modelzoo.common.errors import DataError
from modelzoo.common.files import list_folder
from modelzoo.dgnet.images import is_image
from modelzoo.dgnet.market import TRAIN

ADVICE = "a tree has one folder per identity, such as the pytorch/train_all that 'dgnet prepare-market' makes"


@dataclass(frozen=True)
class Photo:
    """A picture of the data set.

    Args:
        path: The file.
        identity: The name of its folder.
        label: The number of that folder, from 0.
    """

    path: Path
    identity: str
    label: int

    @property
    def source(self) -> str:
        """What the data set calls it: folder and file."""
        return f"{self.identity}/{self.path.name}"

    @property
    def stem(self) -> str:
        """Its name in the names of files that are made of it."""
        return stem_of(self.path.name)


@dataclass(frozen=True)
class PhotoTree:
    """What is in a tree.

    Args:
        photos: The pictures, sorted by folder and name.
        passed_over: How many other entries there are: files that are no images, and folders in an identity's folder.
    """

    photos: Sequence[Photo]
    passed_over: int


def read_tree(root: Path) -> PhotoTree:
    """List the pictures of a tree; labels are those of torchvision's ImageFolder.

    Args:
        root: The folder of the identities' folders; hidden ones are none.

    Raises:
        DataError: The folder is missing, holds no pictures in folders, or is the raw Market-1501; or two pictures of an
            identity would write the same files.
    """
    entries = list_folder(root, "image")
    folders = [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    if any(folder.name == TRAIN for folder in folders):
        raise DataError(f"{root} is a raw Market-1501", "run 'dgnet prepare-market', and give its pytorch/train_all")
    photos, passed_over = [], len(entries) - len(folders)
    for label, folder in enumerate(folders):
        inside = list_folder(folder, "image")
        names = [entry.name for entry in inside if is_image(entry.name) and not entry.is_dir()]
        check_stems(names)
        photos += [Photo(folder / name, folder.name, label) for name in names]
        passed_over += len(inside) - len(names)
    if not photos:
        raise DataError(f"no images in the folders of {root}", ADVICE)
    return PhotoTree(photos, passed_over)
