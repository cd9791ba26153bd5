"""What the report of a run shows of the ranking: CMC curve, average precisions, best and worst queries."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from modelzoo.common.report.charts import histogram, histograms, line_chart
from modelzoo.common.report.figures import Figure, Picture, Section, picture_rows
from modelzoo.reid.dataset import Crop
from modelzoo.reid.decode import read_image
from modelzoo.reid.evaluate import RANKS, RetrievalEvaluator
from modelzoo.reid.metrics import RankingMetrics
from modelzoo.reid.ranking.scores import FALSE_ACCEPTS, PairDistances, Threshold, equal_error, threshold_at
from modelzoo.reid.rerank import Parameters

EXAMPLES = 3
"""How many of the best queries are shown, and of the worst."""

ANSWERS = 5
"""How many gallery crops are shown behind a query."""

PICTURE_SIZE = (64, 128)
PICTURE_QUALITY = 80

NOTE = (
    "A query, then the gallery crops nearest to it, without those of its person by its own camera. Below each stand "
    "person (0000 in Market-1501: a distractor) and camera; ✓ is the same person, ✗ another one. AP: average precision."
)

USED = Parameters()
RERANKED = f"The ranking is that of k-reciprocal re-ranking: k1 {USED.k1}, k2 {USED.k2}, lambda {USED.share}."

ADVICE = (
    "A distance of this table goes into reid search --metric {} --threshold. It holds for this model, and for pictures "
    "like these; 0.1% still is one wrong answer among a thousand pictures of others."
)

SAMPLE = " (a seeded sample)"

LABELS = {
    "mAP": ("mAP", ".1%"),
    **{f"rank{rank}": (f"Rank-{rank}", ".1%") for rank in RANKS},
    "queries": ("Queries", ","),
    "queries_without_match": ("Queries without a match", ","),
    "gallery": ("Gallery crops", ","),
}
"""Names and formats of the metrics."""


def ranking_sections(
    evaluator: RetrievalEvaluator, crops: Sequence[Crop], published: Mapping[str, float]
) -> list[Section]:
    """Curve and pictures of a finished evaluation; few crops are read again.

    Args:
        evaluator: Its `result` has been called.
        crops: What it was given, and perhaps others.
        published: Published metrics, by their JSON keys.

    Raises:
        DataError: An image cannot be read any more.
    """
    ranking = evaluator.ranking
    if ranking is None:
        return []
    by_source = {(crop.split, crop.source): crop for crop in crops}
    best, worst = best_and_worst(ranking, EXAMPLES)
    examples = [
        _examples(title, evaluator, ranking, chosen, by_source)
        for title, chosen in (("Best queries", best), ("Worst queries", worst))
        if chosen
    ]
    precisions = (100 * ranking.precisions).tolist()
    spread = histogram("Queries by average precision", "average precision, %", precisions, (10, 50, 90))
    return [
        Section("Ranking", [cmc_chart(ranking, published), spread], RERANKED if evaluator.rerank else ""),
        Section("Examples", examples, NOTE),
        *score_sections(evaluator.pair_distances()),
    ]


def best_and_worst(ranking: RankingMetrics, count: int) -> tuple[list[int], list[int]]:
    """The places in `ranking.counted` of the best and of the worst queries, the extremes first; none is in both.

    Args:
        ranking: The scored queries.
        count: How many of each, at most.
    """
    import numpy as np

    order = np.argsort(-ranking.precisions, kind="stable").tolist()
    return order[:count], order[count:][-count:][::-1]


def cmc_chart(ranking: RankingMetrics, published: Mapping[str, float]) -> Figure:
    """The CMC curve, and the published ranks as dots or a line.

    Args:
        ranking: What was measured.
        published: Published metrics, by their JSON keys.
    """
    curve = list(enumerate(ranking.cmc.tolist(), start=1))
    known = [(rank, published[f"rank{rank}"]) for rank in RANKS if f"rank{rank}" in published]
    series = {"this run": curve, **({"published": known} if known else {})}
    return line_chart("CMC curve", "rank", "queries with a match up to this rank", series, ".1%")


def score_sections(pairs: PairDistances) -> list[Section]:
    """How far apart pairs of one person and of different people are, and what thresholds accept.

    Args:
        pairs: Their distances; there is no section without both kinds.
    """
    if not len(pairs.same) or not len(pairs.different):
        return []
    name = {"cosine": "cosine distance", "euclidean": "Euclidean distance"}[pairs.metric]
    series = {"same person": pairs.same.tolist(), "different people": pairs.different.tolist()}
    chosen = [(f"{100 * share:g}%", threshold_at(pairs, share)) for share in FALSE_ACCEPTS]
    rows = [_threshold_row(*row) for row in [*chosen, ("equal error", equal_error(pairs))]]
    header = ("false accepts", name, "same person accepted", "others accepted")
    counts = [
        f"{len(pairs.same):,} pairs of one person by two cameras{SAMPLE * pairs.same_sampled}",
        f"{len(pairs.different):,} of different people{SAMPLE * pairs.different_sampled}",
    ]
    note = f"{', '.join(counts)}. {ADVICE.format(pairs.metric)}"
    figures = [histograms("Distances of pairs", name, series), Figure("Thresholds", header, rows)]
    return [Section("Same person or another", figures, note)]


def _threshold_row(name: str, threshold: Threshold | None) -> tuple[str, str, str, str]:
    if threshold is None:
        return name, "too few pairs", "–", "–"
    return name, f"{threshold.distance:g}", f"{threshold.same:.1%}", f"{threshold.different:.2%}"


def _examples(
    title: str,
    evaluator: RetrievalEvaluator,
    ranking: RankingMetrics,
    chosen: Sequence[int],
    crops: Mapping[tuple[str, str], Crop],
) -> Figure:
    rows = []
    queries = evaluator.ranked(ranking.counted[list(chosen)].tolist(), ANSWERS)
    for precision, query in zip(ranking.precisions[list(chosen)], queries, strict=True):
        pictures = [_picture(crops["query", query.source], "query", "")]
        for rank, (source, right) in enumerate(zip(query.answers, query.right, strict=True), start=1):
            said = f"rank {rank}, {'the same person' if right else 'another person'}"
            pictures.append(_picture(crops["gallery", source], said, "✓" if right else "✗"))
        rows.append((f"{query.source}: AP {precision:.1%}", pictures))
    return picture_rows(title, rows)


def _picture(crop: Crop, said: str, mark: str) -> Picture:
    """A crop as a small JPEG."""
    from PIL import Image

    file = io.BytesIO()
    image = read_image(crop.path).resize(PICTURE_SIZE, Image.Resampling.LANCZOS)
    image.save(file, format="JPEG", quality=PICTURE_QUALITY)
    return Picture(file.getvalue(), f"{said}: {crop.source}", crop.label, mark)
