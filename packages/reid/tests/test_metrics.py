"""mAP and CMC: recordings of the original metric, cases by hand, and a second implementation."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import DataError
from modelzoo.reid.metrics import Labels, RankingMetrics, evaluate_ranking
from modelzoo.reid.ranking.distances import QUERY_BLOCK, distance_blocks

Side = tuple[np.ndarray, np.ndarray, np.ndarray]


def evaluate(query: Side, gallery: Side, normalise: bool = False, max_rank: int = 50) -> RankingMetrics:
    blocks = distance_blocks(query[0], gallery[0], normalise)
    return evaluate_ranking(blocks, Labels(*query[1:]), Labels(*gallery[1:]), max_rank)


def naive(query: Side, gallery: Side, normalise: bool = False) -> tuple[float, list[float], int]:
    """mAP, CMC at every rank, queries without a match: loops in double precision, straight from the definition."""

    def unit(rows: np.ndarray) -> np.ndarray:
        rows = rows.astype(np.float64)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True) if normalise else rows

    precisions, firsts, longest = [], [], 0
    for feature, person, camera in zip(unit(query[0]), *query[1:], strict=True):
        ranking = []
        for other, other_person, other_camera in zip(unit(gallery[0]), *gallery[1:], strict=True):
            if other_person == person and other_camera == camera:
                continue
            # False sorts before True: at one distance the crops of other persons come first.
            ranking.append((float(((feature - other) ** 2).sum()), other_person == person))
        hits = [rank for rank, (_, match) in enumerate(sorted(ranking), start=1) if match]
        if not hits:
            continue
        longest = max(longest, len(ranking))
        precisions.append(sum(count / rank for count, rank in enumerate(hits, start=1)) / len(hits))
        firsts.append(hits[0])
    cmc = [sum(first <= rank for first in firsts) / len(firsts) for rank in range(1, longest + 1)]
    return sum(precisions) / len(precisions), cmc, len(query[1]) - len(firsts)


def side(features: Sequence[Sequence[float]], persons: Sequence[int], cameras: Sequence[int]) -> Side:
    return np.array(features, np.float32), np.array(persons), np.array(cameras)


def whole_numbers(rng: np.random.Generator, count: int, persons: int, width: int = 3) -> Side:
    """Few different whole numbers: every distance is exact in float32, and many are equal."""
    features = rng.integers(-2, 3, (count, width)).astype(np.float32)
    return features, rng.integers(0, persons, count), rng.integers(0, 3, count)


@pytest.mark.parametrize("feat_norm", ["yes", "no"])
def test_recorded_metrics(feat_norm: str, golden: Path) -> None:
    data = np.load(golden / "metrics.npz")
    recorded = json.loads((golden / "metrics.json").read_text())["results"][f"R1_mAP feat_norm={feat_norm}"]
    used = data["gallery_pid_raw"] != -1
    query = data["query_feat"], data["query_pid"], data["query_cam"]
    gallery = data["gallery_feat"][used], data["gallery_pid_raw"][used], data["gallery_cam"][used]
    metrics = evaluate(query, gallery, feat_norm == "yes")
    assert metrics.mean_ap == pytest.approx(recorded["mAP"], abs=1e-9, rel=0)
    assert metrics.cmc == pytest.approx(recorded["cmc"], abs=1e-7, rel=0)
    assert (metrics.queries, metrics.gallery) == (200, 855)
    assert metrics.unmatched == 13


def test_three_queries_by_hand() -> None:
    query = side([[0], [10], [5]], [1, 2, 3], [1, 1, 1])
    # The first gallery crop is the nearest to query 1, but the same camera took it.
    gallery = side([[0.5], [1], [2], [4], [9], [12]], [1, 2, 1, 1, 7, 2], [1, 2, 2, 3, 2, 2])
    metrics = evaluate(query, gallery)
    # Query 1 sees 1 (2), 2 (1), 4 (1), 9 (7), 12 (2): matches at the ranks 2 and 3, AP = (1/2 + 2/3) / 2.
    # Query 2 sees 9 (7), 12 (2), 4, 2, 1 (2), 0.5: matches at the ranks 2 and 5, AP = (1/2 + 2/5) / 2.
    # Query 3 has no match and does not count.
    assert metrics.mean_ap == pytest.approx((7 / 12 + 9 / 20) / 2, abs=1e-12)
    assert metrics.cmc.tolist() == [0, 1, 1, 1, 1, 1]
    assert (metrics.queries, metrics.unmatched, metrics.gallery) == (3, 1, 6)


def test_normalisation_ranks_by_angle() -> None:
    query = side([[1, 0]], [1], [1])
    gallery = side([[100, 1], [1, 0.5]], [1, 2], [2, 2])
    assert evaluate(query, gallery, normalise=True).mean_ap == 1
    assert evaluate(query, gallery, normalise=False).mean_ap == 0.5


@pytest.mark.parametrize("far", [0, 500])
@pytest.mark.parametrize("matches", [1, 24, 25, 60, 61, 200])
def test_at_one_distance_other_persons_rank_first(matches: int, far: int) -> None:
    others = 5
    query = side([[3, 4]], [1], [1])
    features = [*[[1, 1]] * (matches + others), *[[-9, -9]] * far]
    gallery = side(features, [1] * matches + [2] * (others + far), [2] * len(features))
    metrics = evaluate(query, gallery)
    want = sum(count / (others + count) for count in range(1, matches + 1)) / matches
    assert metrics.mean_ap == pytest.approx(want, abs=1e-12)
    assert metrics.cmc[:6].tolist() == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_second_implementation_with_many_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    query, gallery = whole_numbers(rng, 12, 6), whole_numbers(rng, 40, 5)
    mean_ap, cmc, unmatched = naive(query, gallery)
    metrics = evaluate(query, gallery)
    assert metrics.mean_ap == pytest.approx(mean_ap, abs=1e-12)
    assert metrics.cmc == pytest.approx(cmc, abs=1e-12)
    assert metrics.unmatched == unmatched


@pytest.mark.parametrize("seed", range(5))
def test_second_implementation_with_ties_of_unit_vectors(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sides = []
    for count in (10, 40):
        signs = rng.choice([-1.0, 1.0], (count, 4)).astype(np.float32)  # of length 2, so exact after the division
        sides.append((signs, rng.integers(0, 4, count), rng.integers(0, 3, count)))
    mean_ap, cmc, unmatched = naive(*sides, normalise=True)
    metrics = evaluate(*sides, normalise=True)
    assert metrics.mean_ap == pytest.approx(mean_ap, abs=1e-12)
    assert metrics.cmc == pytest.approx(cmc, abs=1e-12)
    assert metrics.unmatched == unmatched


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("closeness", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("persons", [2, 3, 30])
def test_second_implementation_on_real_numbers(persons: int, closeness: float, normalise: bool) -> None:
    rng = np.random.default_rng(persons)
    centres = closeness * rng.standard_normal((persons, 16))
    sides = []
    for count in (20, 300):
        who = rng.integers(0, persons, count)
        features = (centres[who] + rng.standard_normal((count, 16))).astype(np.float32)
        sides.append((features, who, rng.integers(0, 4, count)))
    query, gallery = sides
    mean_ap, cmc, unmatched = naive(query, gallery, normalise)
    metrics = evaluate(query, gallery, normalise, max_rank=1000)
    assert metrics.mean_ap == pytest.approx(mean_ap, abs=1e-12)
    assert metrics.cmc == pytest.approx(cmc, abs=1e-12)
    assert metrics.unmatched == unmatched


def test_more_queries_than_a_block() -> None:
    rng = np.random.default_rng(0)
    query, gallery = whole_numbers(rng, 2 * QUERY_BLOCK + 3, 8), whole_numbers(rng, 25, 8)
    mean_ap, cmc, unmatched = naive(query, gallery)
    metrics = evaluate(query, gallery)
    assert metrics.mean_ap == pytest.approx(mean_ap, abs=1e-12)
    assert metrics.cmc == pytest.approx(cmc, abs=1e-12)
    assert metrics.unmatched == unmatched


def test_persons_of_any_number() -> None:
    rng = np.random.default_rng(1)
    query, gallery = whole_numbers(rng, 10, 4), whole_numbers(rng, 30, 4)
    numbers = np.array([0, 7, 1501, 2**40])
    renamed = [(features, numbers[persons], cameras) for features, persons, cameras in (query, gallery)]
    assert evaluate(*renamed).mean_ap == evaluate(query, gallery).mean_ap == pytest.approx(naive(query, gallery)[0])


def test_one_gallery_crop() -> None:
    metrics = evaluate(side([[0, 0]], [5], [1]), side([[1, 1]], [5], [2]))
    assert (metrics.mean_ap, metrics.cmc.tolist()) == (1, [1])
    assert [metrics.at_rank(rank) for rank in (1, 5, 10)] == [1, 1, 1]


def test_a_small_gallery_gives_a_short_curve_that_keeps_its_last_value() -> None:
    query = side([[0]], [1], [1])
    gallery = side([[1], [2], [3]], [2, 3, 1], [2, 2, 2])
    metrics = evaluate(query, gallery)
    assert metrics.cmc.tolist() == [0, 0, 1]
    assert [metrics.at_rank(rank) for rank in (1, 3, 5, 10)] == [0, 1, 1, 1]


@pytest.mark.parametrize("max_rank", [1, 3, 7, 50])
def test_max_rank_cuts_the_curve_and_nothing_else(max_rank: int) -> None:
    rng = np.random.default_rng(3)
    query, gallery = whole_numbers(rng, 15, 12), whole_numbers(rng, 30, 12)
    mean_ap, cmc, _ = naive(query, gallery)
    metrics = evaluate(query, gallery, max_rank=max_rank)
    assert metrics.cmc == pytest.approx(cmc[:max_rank], abs=1e-12)
    assert metrics.mean_ap == pytest.approx(mean_ap, abs=1e-12)


@pytest.mark.parametrize(
    ("persons", "cameras"),
    [pytest.param([2, 3], [2, 2], id="nobody is there"), pytest.param([1, 1], [1, 1], id="only the same camera")],
)
def test_no_match_at_all(persons: list[int], cameras: list[int]) -> None:
    query, gallery = side([[0]], [1], [1]), side([[1], [2]], persons, cameras)
    with pytest.raises(DataError, match=r"none of the 1 queries has a match") as caught:
        evaluate(query, gallery)
    assert "belong together" in str(caught.value.hint)


def test_empty_gallery() -> None:
    with pytest.raises(DataError, match=r"the gallery is empty"):
        evaluate(side([[0]], [1], [1]), (np.empty((0, 1), np.float32), np.empty(0, int), np.empty(0, int)))


def test_a_feature_of_zeros_is_ranked_and_not_divided_by_zero() -> None:
    query = side([[0, 0]], [1], [1])
    gallery = side([[0, 0], [1, 0]], [2, 1], [2, 2])
    with np.errstate(all="raise"):
        metrics = evaluate(query, gallery, normalise=True)
    # Every distance to zero is the same, up to the constant of the query: the other person goes first.
    assert metrics.mean_ap == 0.5


def test_the_features_are_not_changed() -> None:
    rng = np.random.default_rng(0)
    query, gallery = whole_numbers(rng, 5, 2), whole_numbers(rng, 9, 2)
    copies: list[Any] = [array.copy() for array in (*query, *gallery)]
    evaluate(query, gallery, normalise=False)
    evaluate((query[0] + 1, *query[1:]), (gallery[0] + 1, *gallery[1:]), normalise=True)
    assert all(np.array_equal(a, b) for a, b in zip(copies, (*query, *gallery), strict=True))


def test_the_curve_never_falls() -> None:
    rng = np.random.default_rng(0)
    metrics = evaluate(whole_numbers(rng, 30, 10), whole_numbers(rng, 60, 10))
    assert all(low <= high for low, high in pairwise(metrics.cmc))
    assert metrics.cmc[-1] == 1 or len(metrics.cmc) == 50
