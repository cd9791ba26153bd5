"""The two trees of generated pictures, as the guide has them: by structure and by appearance, the same pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.files import check_writable, list_folder, make_folder, write_bytes
from modelzoo.dgnet.links import link_or_copy

BY_STRUCTURE, BY_APPEARANCE = "off-gan_id", "off-gan_bg"
"""What the guide calls the folders."""

STEM = re.compile(r"(?P<structure>[0-9]{3,})_(?P<appearance>[0-9]{3,})_(?P<rest>gan.+)")
"""Labels of structure and appearance, and the name of the appearance."""

FOLDER = re.compile(r"[0-9]{3,}")
DRAWN = re.compile(r"[0-9]{3,}_[0-9]{3,}_gangan.+\.jpg")


def picture_name(stem: str) -> tuple[str, str, str]:
    """Where the picture of a pair lies.

    >>> picture_name("002_000_gan0002_c1s1_000451_03")
    ('002', '000', '000_002_gangan0002_c1s1_000451_03.jpg')

    Args:
        stem: The pair's, as preprocess writes it.

    Returns:
        Its folder in the tree by structure, that in the tree by appearance, and its name in both, whose doubled `gan`
        is the published script's.

    Raises:
        DataError: It is not the stem of a pair.
    """
    match = STEM.fullmatch(stem)
    if not match:
        raise DataError(
            f"{stem} is not the name of a pair", "001_000_gan<picture> has structure 001 and appearance 000"
        )
    structure, appearance = match["structure"], match["appearance"]
    return structure, appearance, f"{appearance}_{structure}_gan{match['rest']}.jpg"


def check_apart(one: Path, two: Path) -> None:
    """Check that two output folders do not share files.

    Raises:
        UsageError: They are one, or one is in the other.
    """
    first, second = one.resolve(), two.resolve()
    if first == second or first in second.parents or second in first.parents:
        raise UsageError(f"{one} and {two} are one folder, or one is in the other")


@dataclass(frozen=True)
class PictureTrees:
    """Where pictures go.

    Args:
        by_structure: Holds a folder for every identity that lends a structure.
        by_appearance: Holds the same pictures in a folder for every identity that lends an appearance.
    """

    by_structure: Path
    by_appearance: Path

    @classmethod
    def below(cls, folder: Path) -> PictureTrees:
        """Both in one folder, with the guide's names."""
        return cls(folder / BY_STRUCTURE, folder / BY_APPEARANCE)

    def check(self, overwrite: bool) -> None:
        """Find out whether pictures can go there; nothing is changed yet.

        Raises:
            DataError: A folder holds something that may not be overwritten.
            UsageError: The folders are one, or one is in the other.
            WriteError: A folder cannot be made or written into.
        """
        check_apart(*self._folders)
        for folder in self._folders:
            check_writable(folder)
            if folder.exists() and list_folder(folder, "output") and not overwrite:
                raise DataError(
                    f"the output folder {folder} is not empty",
                    "choose another one, or --overwrite to replace its generated pictures",
                )

    def prepare(self, stems: Sequence[str]) -> list[str]:
        """Make the folders that the pictures need, and remove generated pictures of an older run.

        Args:
            stems: The pairs.

        Returns:
            The other files that are there, which are left.
        """
        for folder in self._folders:
            make_folder(folder)
        for path in self._drawn():
            path.unlink()
        for place in sorted({place.parent for stem in stems for place in self.places(stem)}):
            make_folder(place)
        return [str(path) for folder in self._folders for path in sorted(folder.rglob("*")) if path.is_file()]

    def places(self, stem: str) -> tuple[Path, Path]:
        """The two paths of a picture."""
        structure, appearance, name = picture_name(stem)
        return self.by_structure / structure / name, self.by_appearance / appearance / name

    def write(self, stem: str, jpeg: bytes) -> None:
        """Write a picture once, and give it its second name.

        Raises:
            WriteError: It cannot be written.
        """
        first, second = self.places(stem)
        write_bytes(first, jpeg)
        link_or_copy(first, second)

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self.by_structure, self.by_appearance

    def _drawn(self) -> Iterator[Path]:
        """The generated pictures that are there, by their names."""
        for folder in self._folders:
            for inner in list_folder(folder, "output"):
                if FOLDER.fullmatch(inner.name) and inner.is_dir(follow_symlinks=False):
                    names = list_folder(Path(inner.path), "output")
                    yield from (
                        Path(entry.path) for entry in names if DRAWN.fullmatch(entry.name) and not entry.is_dir()
                    )
