"""Sequences of anybody's silhouettes, of any names, into rankings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.progress import progress
from modelzoo.common.session import Session
from modelzoo.common.stream import stream
from modelzoo.common.work import Skipped, Threads
from modelzoo.gaitset.dataset import FrameSequence
from modelzoo.gaitset.features import FeatureCollector
from modelzoo.gaitset.preprocess import sequence_units
from modelzoo.gaitset.ranking import Metric, nearest
from modelzoo.gaitset.run import clip_of, padding_of

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class SearchOptions:
    """What is asked for, and how.

    Args:
        top: Answers per probe, at most.
        metric: `euclidean`, as in the published evaluation, or `cosine`.
        batchsize: Sequences per batch, where the model leaves it free; only such of the same length share one.
        threads: What reads and aligns frames.
        on_error: `fail` or `skip` for sequences that cannot be read, or show nobody.
    """

    top: int
    metric: Metric
    batchsize: int
    threads: Threads
    on_error: str = "fail"


@dataclass(frozen=True)
class Answer:
    """A sequence of the gallery.

    Args:
        sequence: The sequence.
        distance: From the probe.
    """

    sequence: FrameSequence
    distance: float


@dataclass(frozen=True)
class RankedProbe:
    """A probe and its answers, nearest first."""

    probe: FrameSequence
    answers: Sequence[Answer]


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Args:
        ranked: One per probe that could be used, in their order.
        gallery: The sequences of the gallery that could be used.
        skipped: What could not.
        own: How many probes are sequences of the gallery; they are left out of their own answers.
    """

    ranked: Sequence[RankedProbe]
    gallery: Sequence[FrameSequence]
    skipped: Sequence[Skipped]
    own: int


def search(
    probes: Sequence[FrameSequence], gallery: Sequence[FrameSequence], session: Session, options: SearchOptions
) -> SearchResult:
    """Rank the gallery for every probe.

    A folder that is both probe and gallery is computed once, and is no answer to itself.

    Args:
        probes: Who is looked for.
        gallery: Where.
        session: The model; see `run.padding_of` for what shorter sequences mean to it.
        options: What is asked for, and how.

    Raises:
        DataError: A sequence cannot be read or shows nobody and `options.on_error` is `fail`, or none is left; or two
            have one name.
        ModelError: The model does not take silhouettes.
    """
    for side in (gallery, probes):
        _check_names(side)
    features = _compute({_key(one): one for one in [*gallery, *probes]}.values(), session, options)
    found, wanted = (_usable(kind, side, features) for kind, side in (("gallery", gallery), ("probe", probes)))
    ranked = _rank(wanted, found, features, options)
    own = {_key(one) for one in found} & {_key(one) for one in wanted}
    return SearchResult(ranked, found, features.skipped, len(own))


def _check_names(sequences: Sequence[FrameSequence]) -> None:
    known: dict[str, Path] = {}
    for one in sequences:
        other = known.setdefault(one.name, one.folder)
        if other != one.folder:
            raise DataError(f"two sequences are called {one.name}: {other} and {one.folder}", "rename one of them")


@dataclass(frozen=True, eq=False)
class _Features:
    rows: np.ndarray
    places: dict[Path, int]
    skipped: list[Skipped]


def _compute(sequences: Collection[FrameSequence], session: Session, options: SearchOptions) -> _Features:
    """Compute the feature of every sequence; messages call it by its folder."""
    frames, fill = clip_of(session, padding_of(session, None))
    named = {str(one.folder): FrameSequence(one.folder, str(one.folder)) for one in sequences}
    units = sequence_units([*named.values()], frames, fill, session.inputs[0].dtype)
    collector = FeatureCollector(len(units))
    batchsize = session.inputs[0].batch or options.batchsize
    seen = progress(units, len(units), "features", "sequence")
    stats = stream(seen, session, collector, batchsize, options.threads, options.on_error)
    places = {_key(named[info.source]): row for row, info in enumerate(collector.infos)}
    return _Features(collector.features, places, stats.skipped)


def _usable(kind: str, sequences: Sequence[FrameSequence], features: _Features) -> list[FrameSequence]:
    usable = [one for one in sequences if _key(one) in features.places]
    if not usable:
        given = {_key(one) for one in sequences}
        first = next(one.reason for one in features.skipped if Path(one.source).resolve() in given)
        raise DataError(f"none of the {len(sequences)} {kind} sequences can be used, the first: {first}")
    return usable


def _rank(
    probes: Sequence[FrameSequence], gallery: Sequence[FrameSequence], features: _Features, options: SearchOptions
) -> list[RankedProbe]:
    numbers = {_key(one): number for number, one in enumerate(gallery)}
    rows = features.rows[[features.places[_key(one)] for one in gallery]]
    ranked = []
    for probe in progress(probes, len(probes), "ranking", "probe"):
        row, own = features.rows[features.places[_key(probe)]], numbers.get(_key(probe))
        near = nearest(row, rows, options.top, options.metric, own)
        ranked.append(RankedProbe(probe, [Answer(gallery[one.number], one.distance) for one in near]))
    return ranked


def _key(sequence: FrameSequence) -> Path:
    """The same for every path that leads to a folder."""
    return sequence.folder.resolve()
