"""Pairs of people and what thresholds accept, by loops over all pairs and by hand."""

import math
import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from modelzoo.reid.metrics import Labels
from modelzoo.reid.ranking import scores
from modelzoo.reid.ranking.scores import PairDistances, Threshold, equal_error, pair_distances, threshold_at
from modelzoo.reid.sections import score_sections


def labels(rng: np.random.Generator, count: int) -> Labels:
    return Labels(rng.integers(0, 5, count), rng.integers(0, 3, count))


def by_loops(query: Any, gallery: Any, q: Labels, g: Labels, metric: str) -> tuple[list[float], list[float]]:
    same, different = [], []
    for i, a in enumerate(query.tolist()):
        for j, b in enumerate(gallery.tolist()):
            dot, aa, bb = (math.fsum(x * y for x, y in zip(*two, strict=True)) for two in ((a, b), (a, a), (b, b)))
            distance = 1 - dot / math.sqrt(aa * bb) if metric == "cosine" else math.dist(a, b)
            if q.persons[i] != g.persons[j]:
                different.append(distance)
            elif q.cameras[i] != g.cameras[j]:
                same.append(distance)
    return sorted(same), sorted(different)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_all_pairs_of_a_small_set(metric: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "PAIRS", 7)
    rng = np.random.default_rng(0)
    query, gallery = (rng.standard_normal((n, 6)).astype(np.float32) for n in (9, 25))
    q, g = labels(rng, 9), labels(rng, 25)
    pairs = pair_distances(query, gallery, q, g, metric)
    same, different = by_loops(query, gallery, q, g, metric)
    assert len(same) > 20
    assert pairs.same == pytest.approx(same, abs=1e-12)
    assert pairs.different == pytest.approx(different, abs=1e-12)
    assert (pairs.same_sampled, pairs.different_sampled, pairs.metric) == (False, False, metric)


def test_a_large_set_is_sampled_alike_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The features tell which pair a distance is of: 100 * query + gallery."""
    monkeypatch.setattr(scores, "MOST_PAIRS", 500)
    query, gallery = (np.arange(40, dtype=np.float32)[:, None] * f for f in (-100, 1))
    q, g = (Labels(np.arange(40) % 4, np.full(40, camera)) for camera in (1, 2))
    pairs = pair_distances(query, gallery, q, g, "euclidean")
    assert (pairs.same_sampled, pairs.different_sampled) == (False, True)
    assert len(pairs.same) == 40 * 10
    assert 300 < len(pairs.different) < 450  # a quarter of what was drawn is the same person
    first, second = np.divmod(pairs.different.astype(int), 100)
    assert (first % 4 != second % 4).all()
    assert len(set(first.tolist())) == len(set(second.tolist())) == 40
    again = pair_distances(query, gallery, q, g, "euclidean")
    assert again.different.tolist() == pairs.different.tolist()


def test_pairs_of_one_person_are_sampled_among_those_by_two_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    """A distance is 1000 * query + gallery; the camera of the query has nine of ten crops of its person."""
    monkeypatch.setattr(scores, "MOST_PAIRS", 2000)
    query, gallery = (np.arange(n, dtype=np.float32)[:, None] * f for n, f in ((30, -1000), (900, 1)))
    rng = np.random.default_rng(1)
    q = Labels(np.arange(30) % 3 - 1, np.full(30, 2))
    g = Labels(np.arange(900) % 3 - 1, rng.choice([-1, 2, 7], 900, p=[0.05, 0.9, 0.05]))
    allowed = {
        1000 * i + j
        for i in range(30)
        for j in range(900)
        if q.persons[i] == g.persons[j] and q.cameras[i] != g.cameras[j]
    }
    assert len(allowed) < 2000
    assert set(pair_distances(query, gallery, q, g, "euclidean").same.astype(int).tolist()) == allowed
    monkeypatch.setattr(scores, "MOST_PAIRS", 500)
    pairs = pair_distances(query, gallery, q, g, "euclidean")
    found = pairs.same.astype(int).tolist()
    assert (len(found), pairs.same_sampled) == (500, True)
    assert set(found) <= allowed
    assert len(set(found)) > 300
    assert {distance // 1000 for distance in found} == set(range(30))
    again = pair_distances(query, gallery, q, g, "euclidean")
    assert again.same.tolist() == pairs.same.tolist()


def test_pairs_that_are_too_many_to_be_held() -> None:
    """One person, 20,000 times on either side: 400 million pairs."""
    sides = [np.ones((20_000, 1), np.float32) for _ in range(2)]
    marks = [Labels(np.ones(20_000, int), np.full(20_000, camera)) for camera in (1, 2)]
    tracemalloc.start()
    pairs = pair_distances(*sides, *marks, "euclidean")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(pairs.same), len(pairs.different)) == (200_000, 0)
    assert peak < 40_000_000


def test_nobody_is_alike() -> None:
    one, two = np.ones((1, 2), np.float32), np.ones((2, 2), np.float32)
    alone = Labels(np.array([1]), np.array([1])), Labels(np.array([1, 1]), np.array([2, 3]))
    pairs = pair_distances(one, two, *alone, "cosine")
    assert (len(pairs.same), len(pairs.different)) == (2, 0)
    assert score_sections(pairs) == []


def pairs_of(same: list[float], different: list[float]) -> PairDistances:
    return PairDistances("cosine", np.array(same), np.array(different), same_sampled=False, different_sampled=False)


def test_thresholds_by_hand() -> None:
    pairs = pairs_of([0.1, 0.2, 0.2, 0.6], [0.2, 0.3, 0.4, 0.5, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1])
    assert threshold_at(pairs, 0.1) == Threshold(0.2, 0.75, 0.1)
    assert threshold_at(pairs, 0.3) == Threshold(0.4, 0.75, 0.3)
    assert threshold_at(pairs, 0.4) == Threshold(0.4, 0.75, 0.3)  # at 0.5 it would be half of them
    assert threshold_at(pairs, 0.5) == Threshold(0.5, 0.75, 0.5)
    assert threshold_at(pairs, 1) == Threshold(1.1, 1, 1)
    assert threshold_at(pairs, 0.09) is None
    assert threshold_at(pairs_of([0.1], [0.3] * 50), 0.1) is None
    # At 0.3 a quarter is missed and a fifth is accepted wrongly; nothing is nearer to equal.
    assert equal_error(pairs) == Threshold(0.3, 0.75, 0.2)


@pytest.mark.parametrize("share", scores.FALSE_ACCEPTS)
def test_thresholds_against_trying_all(share: float) -> None:
    rng = np.random.default_rng(0)
    same, different = np.sort(rng.normal(0.5, 0.2, 300).round(3)), np.sort(rng.normal(1, 0.2, 5000).round(3))
    pairs = pairs_of(same.tolist(), different.tolist())
    best = max(t for t in different if np.mean(different <= t) <= share)
    found = threshold_at(pairs, share)
    assert found is not None
    assert (found.distance, found.same, found.different) == pytest.approx(
        (best, np.mean(same <= best), np.mean(different <= best)), abs=1e-12
    )
    gaps = {t: abs(np.mean(different <= t) - np.mean(same > t)) for t in np.concatenate([same, different])}
    chosen = equal_error(pairs).distance
    assert gaps[chosen] == pytest.approx(min(gaps.values()), abs=1e-12)


def test_a_threshold_is_told_with_what_it_accepts_when_typed() -> None:
    pairs = pairs_of([0.12345674], [0.12345674, 0.12345676, 2, 2])
    assert threshold_at(pairs, 0.5) == Threshold(0.123457, 1, 0.5)
    assert threshold_at(pairs, 0.25) == Threshold(0.123457, 1, 0.5)


def test_the_section_says_what_is_a_sample() -> None:
    pairs = pairs_of([0.1], [0.2, 0.3])
    for changes, counts in (
        ({"same_sampled": True}, "1 pairs of one person by two cameras (a seeded sample), 2 of different people. "),
        (
            {"different_sampled": True},
            "1 pairs of one person by two cameras, 2 of different people (a seeded sample). ",
        ),
    ):
        assert score_sections(replace(pairs, **changes))[0].note.startswith(counts)


def test_the_section_of_the_report() -> None:
    (section,) = score_sections(pairs_of([0.1, 0.2, 0.2, 0.6], [0.2, *np.linspace(0.5, 1.1, 99)]))
    assert section.title == "Same person or another"
    assert section.note.startswith("4 pairs of one person by two cameras, 100 of different people. ")
    assert "reid search --metric cosine --threshold" in section.note
    histogram, table = section.figures
    assert [row[0] for row in histogram.rows] == ["same person", "different people"]
    assert table.header == ("false accepts", "cosine distance", "same person accepted", "others accepted")
    assert table.rows[1:3] == [("1%", "0.2", "75.0%", "1.00%"), ("0.1%", "too few pairs", "–", "–")]
    assert [row[0] for row in table.rows] == ["10%", "1%", "0.1%", "equal error"]
