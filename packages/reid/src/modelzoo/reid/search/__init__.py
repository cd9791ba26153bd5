"""A query and a gallery of people's own pictures into rankings."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.work import Skipped
from modelzoo.reid.features.rows import PlacedRows
from modelzoo.reid.pictures import Picture, Pictures
from modelzoo.reid.ranking.nearest import NOBODY, Ranking, nearest
from modelzoo.reid.ranking.pairs import Metric
from modelzoo.reid.search.gallery import Gallery, GalleryDraft
from modelzoo.reid.search.index import Index, kept, start_gallery

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.reid.search.gallery import Compute


@dataclass(frozen=True)
class SearchOptions:
    """What is asked for.

    Args:
        top: Answers per query, at most.
        metric: `cosine` or `euclidean`.
        threshold: Largest distance of an answer.
    """

    top: int
    metric: Metric
    threshold: float | None


@dataclass(frozen=True)
class Answer:
    """A picture of the gallery.

    Args:
        picture: The picture.
        distance: From the query.
    """

    picture: Picture
    distance: float


@dataclass(frozen=True)
class RankedPicture:
    """A query and its answers, nearest first."""

    query: Picture
    answers: Sequence[Answer]


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Args:
        ranked: One per query that could be read, sorted by name.
        gallery: The gallery.
        skipped: Pictures that could not be read.
        own: How many queries are pictures of the gallery; they are left out of their own answers.
    """

    ranked: Sequence[RankedPicture]
    gallery: Gallery
    skipped: Sequence[Skipped]
    own: int


def search(
    query: Pictures, found: Pictures, compute: Compute, options: SearchOptions, index: Index | None = None
) -> SearchResult:
    """Rank the gallery for every query; the queries are computed first.

    A query that is itself a file of the gallery is left out of its answers, under every name that it has there.

    Args:
        query: The queries.
        found: The pictures of the gallery.
        compute: Computes features.
        options: What is asked for.
        index: What is known of the gallery; brought up to date, and after an error or Ctrl-C with what is there then.

    Raises:
        DataError: A picture cannot be read, or the index is of another model or gallery.
        WriteError: The index cannot be written.
    """
    draft = start_gallery(index, found) if index else GalleryDraft(found)
    with kept(index, draft) if index else nullcontext():
        outside = _compute_queries(query, draft, compute)
        draft.compute(compute)
    gallery = draft.gallery
    queries = _with_features(query, outside, gallery)
    ranking = nearest(queries.features, gallery.features, options.top, options.metric, options.threshold, queries.own)
    ranked = [RankedPicture(one, _answers(ranking, row, gallery)) for row, one in enumerate(queries.pictures)]
    own = sum(bool(numbers) for numbers in queries.own)
    return SearchResult(ranked, gallery, [*draft.skipped, *outside.skipped], own)


@dataclass(frozen=True, eq=False)
class _Outside:
    """Features of the queries that are no files of the gallery, by their paths."""

    features: dict[Path, np.ndarray]
    skipped: Sequence[Skipped]


@dataclass(frozen=True, eq=False)
class _Queries:
    pictures: Sequence[Picture]
    features: np.ndarray
    own: Sequence[Sequence[int]]


def _compute_queries(query: Pictures, draft: GalleryDraft, compute: Compute) -> _Outside:
    """Compute the queries, those of the gallery in its draft; a bad one shows here, before the gallery is computed."""
    gallery = {picture.inode for picture in draft.found.pictures}
    todo = [picture for picture in query.pictures if picture.inode not in gallery]
    rows = PlacedRows(len(todo))
    skipped = compute(todo, rows.put).skipped
    paths = [todo[number].path for number in rows.numbers]
    features = dict(zip(paths, rows.close_up(), strict=True))
    draft.compute(compute, {picture.inode for picture in query.pictures})
    if not features and draft.inodes().isdisjoint(picture.inode for picture in query.pictures):
        first = [*skipped, *draft.skipped][0].reason
        raise DataError(f"none of the {len(query.pictures)} query pictures can be read, the first: {first}")
    return _Outside(features, skipped)


def _with_features(query: Pictures, outside: _Outside, gallery: Gallery) -> _Queries:
    """The queries that can be read; those of the gallery have their features, and their numbers in `own`, there."""
    import numpy as np

    places: dict[tuple[int, int], list[int]] = {}
    for number, picture in enumerate(gallery.pictures):
        places.setdefault(picture.inode, []).append(number)
    pictures = [one for one in query.pictures if one.inode in places or one.path in outside.features]
    own = [places.get(picture.inode, []) for picture in pictures]
    features = [
        gallery.features[numbers[0]] if numbers else outside.features[picture.path]
        for picture, numbers in zip(pictures, own, strict=True)
    ]
    return _Queries(pictures, np.stack(features), own)


def _answers(ranking: Ranking, row: int, gallery: Gallery) -> list[Answer]:
    pairs = zip(ranking.indices[row].tolist(), ranking.distances[row].tolist(), strict=True)
    return [Answer(gallery.pictures[number], distance) for number, distance in pairs if number != NOBODY]
