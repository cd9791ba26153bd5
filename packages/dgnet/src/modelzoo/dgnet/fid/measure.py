"""Two sets of pictures into their Frechet distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError, MissingDependencyError
from modelzoo.common.progress import progress
from modelzoo.common.stream import stream
from modelzoo.common.work import Skipped, Threads, available_cores
from modelzoo.dgnet.fid.extractor import Extractor, FeatureStatistics
from modelzoo.dgnet.fid.frechet import frechet_distance
from modelzoo.dgnet.fid.inception.weights import PUBLISHED
from modelzoo.dgnet.fid.pictures import Pictures, find_pictures, units
from modelzoo.dgnet.fid.statistics import Statistics
from modelzoo.dgnet.fid.stored import Stored, agree, is_statistics, read_statistics, same_network, write_statistics

ENOUGH = 2048
"""Pictures below which FID is known to come out clearly too high, whatever the length of the features."""


@dataclass(frozen=True)
class FidOptions:
    """How to compute features.

    Args:
        batchsize: Pictures per batch, where the network leaves it free.
        threads: What decodes.
        on_error: `fail` or `skip` for pictures that cannot be read.
        shown: Whether a terminal shows how far it is.
    """

    batchsize: int = 8
    threads: Threads = field(default_factory=lambda: Threads(available_cores(), chunk=8))
    on_error: str = "fail"
    shown: bool = False


@dataclass(frozen=True, eq=False)
class PictureSet:
    """One of the two sets.

    Args:
        place: The folder or file that it comes from.
        stored: Its statistics, and what they are of.
        skipped: The pictures that could not be used.
        passed_over: How many other files the folder holds.
    """

    place: Path
    stored: Stored
    skipped: Sequence[Skipped] = ()
    passed_over: int = 0

    @property
    def statistics(self) -> Statistics:
        """Mean, covariance and count."""
        return self.stored.statistics


@dataclass(frozen=True, eq=False)
class Fid:
    """A measured distance.

    Args:
        value: The Frechet distance, from 0.
        real: The real pictures.
        fake: The generated ones.
    """

    value: float
    real: PictureSet
    fake: PictureSet

    def metrics(self) -> dict[str, Any]:
        """Distance, numbers of pictures (None where a file does not say it), length of a feature: JSON values."""
        real, fake = self.real.statistics, self.fake.statistics
        return {"fid": self.value, "real": real.count, "fake": fake.count, "features": len(real.mean)}

    def warnings(self) -> list[str]:
        """Why the number may mislead: sets that are small."""
        return [text for pictures in (self.real, self.fake) if (text := _small(pictures))]


def fid_of(real: PictureSet, fake: PictureSet) -> Fid:
    """The distance of two sets.

    Raises:
        DataError: Their features are of different networks.
    """
    if not agree(real.stored, fake.stored):
        raise DataError(f"{real.place} and {fake.place} are of different feature networks")
    return Fid(frechet_distance(real.statistics, fake.statistics), real, fake)


def picture_set(place: Path, extractor: Extractor | None, options: FidOptions | None = None) -> PictureSet:
    """The statistics of a folder of pictures, computed by the protocol of TTUR from every picture, or of an .npz, read.

    Args:
        place: A folder of pictures, or an .npz of statistics.
        extractor: The feature network; None for an .npz.
        options: How to.

    Raises:
        DataError: The place holds no two pictures, one of them cannot be used, or the .npz is of another network.
        MissingDependencyError: A feature network is needed, and there is none.
    """
    if is_statistics(place):
        stored = read_statistics(place)
        _check_network(place, stored, extractor)
        return PictureSet(place, stored)
    return computed_set(find_pictures(place), _needed(extractor), options)


def kept_set(folder: Path, file: Path, extractor: Extractor | None, options: FidOptions | None = None) -> PictureSet:
    """The statistics of a folder out of a file; where there is no such file, they are computed, and kept in it.

    Statistics from which pictures were skipped are not kept.

    Args:
        folder: The pictures.
        file: An .npz.
        extractor: The feature network; None where the file is there and of these pictures.
        options: How to compute.

    Raises:
        DataError: The file is of other pictures or of another network; and see `picture_set`.
        MissingDependencyError: There is no feature network, and no such file, or it is of other pictures.
    """
    pictures = find_pictures(folder)
    if not file.exists():
        extractor = _needed(extractor)
        done = computed_set(pictures, extractor, options)
        if not done.skipped:
            write_statistics(file, Stored(done.statistics, extractor.probe, pictures.digest()))
        return done
    stored = read_statistics(file)
    _check_network(file, stored, extractor)
    if stored.pictures != pictures.digest():
        text = f"{file} does not hold the statistics of the pictures in {folder}"
        if extractor is None:
            raise MissingDependencyError(f"{text}, and to compute them --features is needed", PUBLISHED)
        raise DataError(text, "remove it, to compute them")
    return PictureSet(folder, stored, passed_over=pictures.passed_over)


def computed_set(pictures: Pictures, extractor: Extractor, options: FidOptions | None = None) -> PictureSet:
    """The statistics of pictures; see `picture_set`."""
    options = options or FidOptions()
    work = units(pictures, extractor)
    shown = progress(work, len(work), pictures.folder.name, "picture") if options.shown else work
    evaluator = FeatureStatistics()
    size = extractor.session.inputs[0].batch or options.batchsize
    stats = stream(shown, extractor.session, evaluator, size, options.threads, options.on_error)
    try:
        stored = Stored(evaluator.statistics())
    except DataError as error:
        raise DataError(f"{pictures.folder}: {error}", error.hint) from error
    return PictureSet(pictures.folder, stored, stats.skipped, pictures.passed_over)


def _needed(extractor: Extractor | None) -> Extractor:
    if extractor is None:
        raise MissingDependencyError("FID of pictures needs a feature network: --features FILE.onnx or .pth", PUBLISHED)
    return extractor


def _check_network(file: Path, stored: Stored, extractor: Extractor | None) -> None:
    """Check that statistics out of a file are of the network that is used beside them."""
    if extractor is None or stored.probe is None or same_network(stored.probe, extractor.probe):
        return
    raise DataError(
        f"{file} holds statistics of another feature network than {extractor.source}, or of another --features-range"
    )


def _small(pictures: PictureSet) -> str | None:
    count, length = pictures.statistics.count, len(pictures.statistics.mean)
    if count is None or count >= max(ENOUGH, length + 1):
        return None
    if count <= length:
        return (
            f"{pictures.place}: {count} pictures for features of {length} numbers: "
            "FID is too high, and can only be compared between sets of equal size"
        )
    return f"{pictures.place}: {count} pictures; with fewer than {ENOUGH}, FID is too high"
