"""Pictures and their features; what is known of unchanged pictures is not computed again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from modelzoo.common.errors import DataError
from modelzoo.common.session import Session
from modelzoo.common.stream import StreamStats
from modelzoo.common.work import Skipped
from modelzoo.reid.decode import read_image
from modelzoo.reid.features.extract import ExtractOptions, extract_each
from modelzoo.reid.features.file import FeatureFile
from modelzoo.reid.features.fingerprint import Fingerprint
from modelzoo.reid.features.rows import PlacedRows
from modelzoo.reid.pictures import Picture, Pictures

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.reid.features.extract import Keep

    Compute: TypeAlias = Callable[[Sequence[Picture], Keep], StreamStats]
    """Computes the features of pictures and gives each away with its picture's number."""


def picture_features(session: Session, options: ExtractOptions, pictures: Sequence[Picture], keep: Keep) -> StreamStats:
    """Compute the features of pictures; see `features.extract.extract_each`."""
    return extract_each([(str(one.path), partial(read_image, one.path)) for one in pictures], session, options, keep)


@dataclass(frozen=True, eq=False)
class Gallery:
    """Pictures and their features.

    Args:
        pictures: Those that could be read, sorted by name.
        features: `(n, d) float32`, one row per picture.
        computed: How many of the features are new.
        dropped: How many were known of pictures that are there no more.
    """

    pictures: Sequence[Picture]
    features: np.ndarray
    computed: int
    dropped: int

    def to_file(self, model: Fingerprint, folder: Path) -> FeatureFile:
        """What is kept of it.

        Args:
            model: What computed it.
            folder: The folder of the pictures.
        """
        import numpy as np

        sizes, mtimes = np.array([(one.size, one.mtime) for one in self.pictures], np.int64).T
        return FeatureFile(model, folder, [one.name for one in self.pictures], self.features, sizes, mtimes)


class GalleryDraft:
    """A gallery that is being computed.

    Args:
        found: The pictures.
        known: Features of an earlier day; those of unchanged pictures are taken over.

    Attributes:
        found: The pictures.
        computed: How many features are new so far.
        skipped: Pictures that cannot be read.
    """

    def __init__(self, found: Pictures, known: FeatureFile | None = None) -> None:
        self.found = found
        self.computed = 0
        self.skipped: list[Skipped] = []
        self._known = known
        self._kept = _unchanged(found.pictures, known) if known else {}
        self._new = PlacedRows(len(found.pictures))
        pictures = enumerate(found.pictures)
        self._todo = [number for number, picture in pictures if picture.name not in self._kept]

    def compute(self, compute: Compute, inodes: Collection[tuple[int, int]] | None = None) -> None:
        """Compute what is not known yet.

        Args:
            compute: Computes features.
            inodes: Of these files only; None for all.

        Raises:
            DataError: A picture cannot be read, or the known features are of another length.
        """
        pictures = self.found.pictures
        now = [number for number in self._todo if inodes is None or pictures[number].inode in inodes]
        taken = set(now)
        self._todo = [number for number in self._todo if number not in taken]
        stats = compute(
            [pictures[number] for number in now], lambda i, source, feature: self._put(now[i], source, feature)
        )
        self.skipped += stats.skipped

    def _put(self, number: int, source: str, feature: np.ndarray) -> None:
        have, want = len(feature), self._known.features.shape[1] if self._known else len(feature)
        if have != want:
            raise DataError(f"the features in the index have {want} numbers, those of the model {have}")
        self._new.put(number, source, feature)
        self.computed += 1

    def inodes(self) -> set[tuple[int, int]]:
        """The files whose features are there so far."""
        return {picture.inode for _, picture in self._there()}

    @cached_property
    def gallery(self) -> Gallery:
        """What is there; nothing can be computed after that.

        Raises:
            DataError: None of the pictures can be read.
        """
        there = self._there()
        if not there:
            first, place = self.skipped[0].reason, self.found.folder
            raise DataError(
                f"none of the {len(self.found.pictures)} pictures in {place} can be read, the first: {first}"
            )
        pictures = [picture for _, picture in there]
        names = [picture.name for picture in pictures]
        dropped = len(set(self._known.names).difference(names)) if self._known else 0
        return Gallery(pictures, self._features(names), self.computed, dropped)

    def _there(self) -> list[tuple[int, Picture]]:
        new = set(self._new.numbers)
        pictures = enumerate(self.found.pictures)
        return [(number, picture) for number, picture in pictures if number in new or picture.name in self._kept]

    def _features(self, names: Sequence[str]) -> np.ndarray:
        """Known and computed features in the order of the names, `(n, d) float32`."""
        if self._known and not self.computed and list(names) == list(self._known.names):
            return self._known.features
        if self._known:
            kept = [(number, self._kept[one.name]) for number, one in self._there() if one.name in self._kept]
            self._new.copy([number for number, _ in kept], self._known.features, [row for _, row in kept])
        return self._new.close_up()


def compute_gallery(found: Pictures, compute: Compute) -> tuple[Gallery, Sequence[Skipped]]:
    """The features of all pictures, and the pictures that cannot be read.

    Args:
        found: The pictures.
        compute: Computes features.

    Raises:
        DataError: None of the pictures can be read.
    """
    draft = GalleryDraft(found)
    draft.compute(compute)
    return draft.gallery, draft.skipped


def _unchanged(pictures: Sequence[Picture], known: FeatureFile) -> dict[str, int]:
    """By name, the rows of the pictures that are as they were."""
    states = zip(known.names, known.sizes.tolist(), known.mtimes.tolist(), strict=True)
    rows = {state: row for row, state in enumerate(states)}
    now = [(one.name, one.size, one.mtime) for one in pictures]
    return {state[0]: rows[state] for state in now if state in rows}
