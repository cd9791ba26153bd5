"""What the report of a run shows of the ranking: CMC curve, average precisions, best and worst queries."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from modelzoo.common.report.charts import histogram, line_chart
from modelzoo.common.report.figures import Figure, Picture, Section, picture_rows
from modelzoo.reid.dataset import Crop
from modelzoo.reid.evaluate import RANKS, RetrievalEvaluator
from modelzoo.reid.metrics import RankingMetrics
from modelzoo.reid.preprocess import read_image

EXAMPLES = 3
"""How many of the best queries are shown, and of the worst."""

ANSWERS = 5
"""How many gallery crops are shown behind a query."""

PICTURE_SIZE = (64, 128)
PICTURE_QUALITY = 80

NOTE = (
    "A query, then the gallery crops nearest to it, without those of its person by its own camera. Below each stand "
    "person (0000: a distractor) and camera; ✓ is the same person, ✗ another one. AP: average precision."
)

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
    by_source = {(crop.split, crop.path.name): crop for crop in crops}
    best, worst = best_and_worst(ranking, EXAMPLES)
    examples = [
        _examples(title, evaluator, ranking, chosen, by_source)
        for title, chosen in (("Best queries", best), ("Worst queries", worst))
        if chosen
    ]
    precisions = (100 * ranking.precisions).tolist()
    spread = histogram("Queries by average precision", "average precision, %", precisions, (10, 50, 90))
    return [Section("Ranking", [cmc_chart(ranking, published), spread]), Section("Examples", examples, NOTE)]


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
    return Picture(file.getvalue(), f"{said}: {crop.path.name}", f"{crop.person:04d} c{crop.camera}", mark)
