"""What the report shows of a ranking: the curve, and the best and the worst queries with marked answers."""

import base64
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.errors import DataError
from modelzoo.common.testing.plugin import Finished
from modelzoo.common.work import SampleInfo
from modelzoo.reid.dataset import Crop, to_crops
from modelzoo.reid.evaluate import RankedQuery, RetrievalEvaluator
from modelzoo.reid.layouts.names import MARKET1501
from modelzoo.reid.metrics import Labels, evaluate_ranking, top_ranked
from modelzoo.reid.ranking.distances import QUERY_BLOCK, distance_blocks
from modelzoo.reid.sections import best_and_worst, cmc_chart, ranking_sections

# Person, camera and the one number of the feature.
QUERIES = [(1, 1, 0.0), (2, 1, 20.0), (3, 1, 5.0), (4, 2, 100.0)]
GALLERY = [(1, 1, 0.5), (1, 2, 1.0), (0, 3, 2.0), (1, 3, 3.0), (2, 2, 1.5), (4, 1, 99.0)]
COLOURS = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (240, 240, 20), (20, 240, 240), (128, 128, 128)]


class Pictures(HTMLParser):
    """Marks, texts and decoded pictures of every item."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.items: list[dict[str, Any]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "li":
            self.items.append({"mark": attributes["data-mark"]})
        if tag == "img":
            kind, data = str(attributes["src"]).split(",")
            assert kind == "data:image/jpeg;base64"
            self.items[-1] |= {"alt": attributes["alt"], "image": Image.open(io.BytesIO(base64.b64decode(data)))}


def crops_of(folder: Path, split: str, rows: Sequence[tuple[int, int, float]]) -> list[Crop]:
    (folder / split).mkdir()
    paths = [folder / split / f"{person:04d}_c{camera}s1_{i:06d}_00.png" for i, (person, camera, _) in enumerate(rows)]
    for path, colour in zip(paths, COLOURS, strict=False):
        Image.new("RGB", (30, 60), colour).save(path)
    return to_crops([MARKET1501.read(path, split) for path in paths])


@pytest.fixture
def crops(tmp_path: Path) -> list[Crop]:
    return crops_of(tmp_path, "query", QUERIES) + crops_of(tmp_path, "gallery", GALLERY)


@pytest.fixture
def evaluator(crops: list[Crop]) -> RetrievalEvaluator:
    """All of the above, ranked by plain distance."""
    made = RetrievalEvaluator(crops, normalise=False, max_rank=50)
    for crop, (*_, value) in zip(crops, QUERIES + GALLERY, strict=True):
        fields = {"split": crop.split, "person": crop.person, "camera": crop.camera}
        made.update(SampleInfo(crop.stem, crop.path.name, fields), (np.array([[value]], np.float32),))
    made.result()
    return made


def test_every_counted_query_has_its_average_precision(evaluator: RetrievalEvaluator) -> None:
    ranking = evaluator.ranking
    assert ranking is not None
    assert ranking.counted.tolist() == [0, 1, 3]
    # Query 1 at 0 sees 1 (match), 1.5, 2, 3 (match), 99; its own camera took 0.5.
    # Query 2 at 20 sees 3, 2, 1.5 (match), 1, 0.5, 99. Query 3 has no match. Query 4 sees its match first.
    assert ranking.precisions == pytest.approx([(1 + 2 / 4) / 2, 1 / 3, 1])
    assert ranking.precisions.mean() == pytest.approx(ranking.mean_ap, abs=1e-12)


def test_heads_of_the_rankings(evaluator: RetrievalEvaluator) -> None:
    names = [f"{person:04d}_c{camera}s1_{i:06d}_00.png" for i, (person, camera, _) in enumerate(GALLERY)]
    assert evaluator.ranked([0, 3], 3) == [
        RankedQuery("0001_c1s1_000000_00.png", [names[1], names[4], names[2]], [True, False, False]),
        RankedQuery("0004_c2s1_000003_00.png", [names[5], names[3], names[2]], [True, False, False]),
    ]
    assert len(evaluator.ranked([0], 50)[0].answers) == 5  # without the crop by its own camera


@pytest.mark.parametrize("normalise", [True, False])
def test_heads_agree_with_the_scores(normalise: bool) -> None:
    """The average precision, computed from the whole head, is that of the evaluation; also with ties."""
    rng = np.random.default_rng(0)
    query, gallery = (rng.integers(1, 4, (n, 2)).astype(np.float32) for n in (QUERY_BLOCK + 9, 60))
    labels = [Labels(rng.integers(0, 6, n), rng.integers(0, 3, n)) for n in (len(query), len(gallery))]
    ranking = evaluate_ranking(distance_blocks(query, gallery, normalise), *labels)
    numbers = ranking.counted.tolist()
    # The same blocks as in the evaluation, so that rounding makes the same ties.
    heads = top_ranked(distance_blocks(query, gallery, normalise), *labels, range(len(query)), len(gallery))
    assert len(heads) == len(query)
    for number, precision in zip(numbers, ranking.precisions, strict=True):
        right = labels[1].persons[heads[number]] == labels[0].persons[number]
        ranks = np.flatnonzero(right) + 1
        assert np.mean(np.arange(1, len(ranks) + 1) / ranks) == pytest.approx(precision, abs=1e-12)
    rows = np.concatenate([block.copy() for _, block in distance_blocks(query, gallery, normalise)])
    for row, head in zip(rows, heads, strict=True):
        assert (np.diff(row[head]) >= 0).all()


def test_heads_of_chosen_queries_only() -> None:
    query, gallery = np.array([[0], [10], [20]], np.float32), np.array([[1], [9], [21]], np.float32)
    labels = Labels(np.array([1, 2, 3]), np.array([1, 1, 1])), Labels(np.array([7, 8, 9]), np.array([2, 2, 2]))
    heads = top_ranked(distance_blocks(query[[2, 0]], gallery, normalise=False), *labels, [2, 0], 2)
    assert [head.tolist() for head in heads] == [[2, 1], [0, 1]]


def test_best_and_worst(evaluator: RetrievalEvaluator) -> None:
    ranking = evaluator.ranking
    assert ranking is not None
    assert best_and_worst(ranking, 1) == ([2], [1])
    assert best_and_worst(ranking, 2) == ([2, 0], [1])  # none is in both
    assert best_and_worst(ranking, 3) == ([2, 0, 1], [])
    more = replace(ranking, precisions=np.array([0.5, 0.1, 0.9, 0.3, 0.9, 0.2]))
    assert best_and_worst(more, 2) == ([2, 4], [1, 5])  # the extremes first, and equal ones in their order


def test_curve_and_published_ranks(evaluator: RetrievalEvaluator) -> None:
    ranking = evaluator.ranking
    assert ranking is not None
    assert ranking.cmc.tolist() == pytest.approx([2 / 3, 2 / 3, 1, 1, 1, 1])
    rows = [tuple(row) for row in cmc_chart(ranking, {"mAP": 0.8, "rank1": 0.945}).rows]
    shares = ["66.7%", "66.7%", "100.0%", "100.0%", "100.0%", "100.0%"]
    curve = [("this run", str(rank), share) for rank, share in enumerate(shares, start=1)]
    assert rows == [*curve, ("published", "1", "94.5%")]
    assert [tuple(row) for row in cmc_chart(ranking, {}).rows] == curve


def test_pictures_of_queries_and_answers(
    evaluator: RetrievalEvaluator, crops: list[Crop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelzoo.reid.sections.EXAMPLES", 1)
    ranking, examples, scores = ranking_sections(evaluator, crops, {"rank1": 0.9})
    assert scores.note.startswith("4 pairs of one person by two cameras, 19 of different people. ")
    assert "--metric euclidean" in scores.note
    assert [figure.title for figure in ranking.figures] == ["CMC curve", "Queries by average precision"]
    assert ("p50", "75") in ranking.figures[1].rows  # per cent
    best, worst = examples.figures
    assert (best.title, worst.title) == ("Best queries", "Worst queries")
    assert best.rows[0][0] == "0004_c2s1_000003_00.png: AP 100.0%"
    assert worst.rows == [
        ("0002_c1s1_000001_00.png: AP 33.3%", "0002 c1 · ✗ 0001 c3 · ✗ 0000 c3 · ✓ 0002 c2 · ✗ 0001 c2 · ✗ 0001 c1")
    ]
    items = Pictures(worst.drawing).items
    assert [item["mark"] for item in items] == ["", "✗", "✗", "✓", "✗", "✗"]
    assert items[0]["alt"] == "query: 0002_c1s1_000001_00.png"
    assert items[3]["alt"] == "rank 3, the same person: 0002_c2s1_000004_00.png"
    shown = [COLOURS[1], COLOURS[3], COLOURS[2], COLOURS[4], COLOURS[1], COLOURS[0]]
    for item, colour in zip(items, shown, strict=True):
        assert item["image"].size == (64, 128)
        assert item["image"].getpixel((32, 64)) == pytest.approx(colour, abs=6)


def test_no_sections_before_the_result(crops: list[Crop]) -> None:
    assert ranking_sections(RetrievalEvaluator(crops, True, 50), crops, {}) == []


def test_an_image_that_went_away_is_named(evaluator: RetrievalEvaluator, crops: list[Crop]) -> None:
    crops[0].path.unlink()
    with pytest.raises(DataError, match=re.escape(str(crops[0].path))):
        ranking_sections(evaluator, crops, {})


def test_the_pages_of_a_run(
    market: Path,
    tmp_path: Path,
    pooled: Path,
    reid: Callable[..., Finished],
    report_of: Callable[[Path], dict[str, Any]],
) -> None:
    bad = market / "query" / "0003_c1s1_999999_00.jpg"
    bad.write_bytes(b"no image")
    words = ("--model", pooled, "--output", tmp_path / "report", "--on-error", "skip")
    assert reid("run", "--data", market, *words).code == 1
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.json", "report.html", "report.md"}
    metrics = report_of(tmp_path / "report")["metrics"]
    markdown = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert f"| mAP | {metrics['mAP']:.1%} | 85.9% | 85.9% |" in markdown
    assert f"| Rank-1 | {metrics['rank1']:.1%} | 94.5% | 94.5% |" in markdown
    assert f"| this run | 1 | {metrics['cmc'][0]:.1%} |" in markdown
    assert "0003\\_c1s1\\_999999\\_00.jpg" in markdown
    assert "seeded" not in markdown
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count('<li data-mark="">') == 6
    assert page.count("<img ") == 6 * 6
    assert "Best queries" in page
    assert "Worst queries" in page


def test_report_of_noisy_pictures_stays_small(market: Path, tmp_path: Path, pooled: Path, reid: Any) -> None:
    """Noise is what JPEG can compress least."""
    rng = np.random.default_rng(0)
    for path in (*(market / "query").iterdir(), *(market / "bounding_box_test").iterdir()):
        Image.fromarray(rng.integers(0, 256, (256, 128, 3), dtype=np.uint8)).save(path, format="JPEG", quality=95)
    assert reid("run", "--data", market, "--model", pooled, "--output", tmp_path / "report").code == 0
    assert 36 * 1000 < (tmp_path / "report" / "report.html").stat().st_size < 400_000
    assert json.loads((tmp_path / "report" / "report.json").read_text())["samples"] == 9 + 20
