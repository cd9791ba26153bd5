"""Top-k search against a full sort in double precision, and what it does with ties, copies and bad input."""

from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import DataError, UsageError
from modelzoo.reid.ranking import nearest as module
from modelzoo.reid.ranking.nearest import Ranking, nearest
from modelzoo.reid.ranking.pairs import METRICS, paired_distances


def brute_force(query: np.ndarray, gallery: np.ndarray, metric: str) -> np.ndarray:
    """All distances, by the text-book formulas in double precision."""
    query, gallery = query.astype(np.float64), gallery.astype(np.float64)
    if metric == "euclidean":
        return np.sqrt(((query[:, None] - gallery[None]) ** 2).sum(-1))
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (query, gallery)]
    return 1 - unit[0] @ unit[1].T


def features(count: int, length: int = 32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, length)).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("top", [1, 7, 300, 1000])
def test_a_full_sort_gives_the_same(metric: Any, top: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_NUMBERS", 11 * 300)  # blocks of 11 queries
    query, gallery = features(30), features(300, seed=1) * np.linspace(0.1, 9, 300, dtype=np.float32)[:, None]
    ranking = nearest(query, gallery, top, metric)
    distances = brute_force(query, gallery, metric)
    order = np.argsort(distances, axis=1, kind="stable")[:, :top]
    assert ranking.indices.tolist() == order.tolist()
    assert ranking.distances == pytest.approx(np.take_along_axis(distances, order, axis=1), abs=1e-6, rel=1e-6)
    assert (ranking.indices.dtype, ranking.distances.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize("metric", METRICS)
def test_no_more_distances_than_a_block_are_held(metric: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_NUMBERS", 1000)
    blocks = []
    real = module.distance_blocks

    def seen(*arguments: Any) -> Any:
        for start, block in real(*arguments):
            blocks.append(block.shape)
            yield start, block

    monkeypatch.setattr(module, "distance_blocks", seen)
    nearest(features(25), features(400), 3, metric)
    assert set(blocks) == {(2, 400), (1, 400)}
    blocks.clear()
    nearest(features(25), features(4000), 3, metric)  # one query at least
    assert set(blocks) == {(1, 4000)}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("length", [8, 33, 384])
def test_copies_stand_in_the_order_of_the_gallery(metric: Any, length: int) -> None:
    """Also where there are more copies than places, and wherever they lie in memory."""
    gallery = features(501, length)
    copies = np.random.default_rng(2).permutation(501)[:60]
    gallery[copies] = gallery[copies[0]]
    query = gallery[copies[:1]] + 0.01 * features(1, length, seed=3)
    ranking = nearest(query, gallery, 20, metric)
    assert ranking.indices.tolist() == [sorted(copies.tolist())[:20]]
    assert len(set(ranking.distances[0].tolist())) == 1


def test_distances_are_exact_where_single_precision_is_not() -> None:
    """Far from the origin, squared lengths are so large that differences of 0.001 drown in their rounding."""
    gallery = np.full((40, 64), 100, np.float32)
    gallery[:, 0] += np.random.default_rng(0).permutation(40) / np.float32(1000)
    ranking = nearest(gallery[:1], gallery, 5, "euclidean")
    assert ranking.indices.tolist() == [np.argsort(np.abs(gallery[:, 0] - gallery[0, 0]), kind="stable")[:5].tolist()]
    assert ranking.distances[0, 0] == 0


@pytest.mark.parametrize("scale", [1, 1e-21, 1e15])
def test_distances_whose_squares_cancel(scale: float) -> None:
    """At -2qg + |g|^2 near 0, rounding is that of |g|^2 and 2|q||g|, whatever the sum is."""
    rng = np.random.default_rng(0)
    query = rng.standard_normal((1, 2048)).astype(np.float32)
    noise = rng.standard_normal((2, 1500, 2048)).astype(np.float32)
    gallery = np.concatenate([2 * query + np.float32(1e-4) * noise[0], np.float32(3e-5) * noise[1]])
    gallery, query = gallery[rng.permutation(3000)] * np.float32(scale), query * np.float32(scale)
    distances = np.sqrt(((gallery.astype(np.float64) - query.astype(np.float64)) ** 2).sum(-1))
    ranking = nearest(query, gallery, 50, "euclidean")
    assert ranking.indices.tolist() == [np.argsort(distances, kind="stable")[:50].tolist()]


@pytest.mark.parametrize("metric", METRICS)
def test_mixed_lengths(metric: Any) -> None:
    """Short features beside long ones, which must neither blur the others nor be ranked by their rounding."""
    rng = np.random.default_rng(0)
    query = features(4, 256) * np.array([[1], [1e-3], [1e3], [1e-14]], np.float32)
    sizes = (10 ** rng.uniform(-15, 6, 3000)).astype(np.float32)[:, None]
    gallery = np.concatenate(
        [features(3000, 256, seed=1) * sizes, query[:1] * (1 + np.float32(1e-4) * features(200, 256, seed=2))]
    )
    order = np.argsort(brute_force(query, gallery, metric), axis=1, kind="stable")[:, :250]
    assert nearest(query, gallery, 250, metric).indices.tolist() == order.tolist()


def test_only_what_rounding_may_hide_is_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One long feature does not make candidates of all others."""
    seen: list[int] = []
    real = module.paired_distances
    monkeypatch.setattr(module, "paired_distances", lambda *pair: (seen.append(len(pair[1])), real(*pair))[1])
    gallery = features(5000, 256, seed=1)
    gallery[7] *= 1e6
    nearest(features(1, 256), gallery, 10, "euclidean")
    assert 10 <= sum(seen) < 30


def test_what_is_equal_in_single_precision_is_ranked_in_double() -> None:
    gallery = np.array([[1, 3e-4], [1, 2e-4], [1, 1e-4], [1, 2e-4]], np.float32)
    ranking = nearest(np.zeros((1, 2), np.float32), gallery, 4, "euclidean")
    assert len(set(ranking.distances[0].tolist())) == 1
    assert ranking.indices.tolist() == [[2, 1, 3, 0]]


def test_the_query_itself_is_left_out() -> None:
    gallery = features(5)
    ranking = nearest(gallery[[3, 1]], gallery, 5, own=[[3], []])
    assert sorted(ranking.indices[0, :4].tolist()) == [0, 1, 2, 4]
    assert (ranking.indices[0, 4], ranking.distances[0, 4]) == (-1, np.inf)
    assert ranking.indices[1, 0] == 1
    alone = nearest(gallery[:1], gallery[:1], 5, own=[[0]])
    assert (alone.indices.tolist(), alone.distances.tolist()) == ([[-1]], [[np.inf]])


def test_a_threshold_keeps_what_is_as_near_or_nearer() -> None:
    gallery = np.array([[3, 0], [0, 4], [1, 0], [0, 2]], np.float32)
    ranking = nearest(np.zeros((1, 2), np.float32), gallery, 4, "euclidean", threshold=3)
    assert ranking.indices.tolist() == [[2, 3, 0, -1]]
    assert ranking.distances.tolist() == [[1, 2, 3, np.inf]]
    assert nearest(gallery[:1], gallery[1:2], threshold=0.5).indices.tolist() == [[-1]]


def test_cosine_distances_by_hand() -> None:
    gallery = np.array([[0, 5], [-2, 0], [0, 0], [7, 0], [1, 1]], np.float32)
    ranking = nearest(np.array([[3, 0]], np.float32), gallery, 5)
    assert ranking.indices.tolist() == [[3, 4, 0, 2, 1]]  # a feature of zeros is as far as a right angle
    assert ranking.distances[0] == pytest.approx([0, 1 - 0.5**0.5, 1, 1, 2], abs=1e-7)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"top": 0}, "top is 0"),
        ({"metric": "cos"}, "no metric 'cos'; known are cosine, euclidean"),
        ({"threshold": -0.1}, "threshold is -0.1"),
        ({"threshold": float("nan")}, "threshold is nan"),
    ],
)
def test_values_that_do_not_exist(options: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        nearest(features(2), features(3), **options)


def test_what_cannot_be_ranked() -> None:
    with pytest.raises(DataError, match="the gallery is empty"):
        nearest(features(2), features(0))
    with pytest.raises(DataError, match="query have 32 numbers, those of the gallery 16"):
        nearest(features(2), features(3, 16))
    nobody = nearest(np.empty((0, 0), np.float32), features(3), 2)
    assert isinstance(nobody, Ranking)
    assert nobody.indices.shape == (0, 2)


@pytest.mark.parametrize("metric", METRICS)
def test_paired_distances(metric: Any) -> None:
    a, b = features(50), features(50, seed=1)
    want = np.diag(brute_force(a, b, metric))
    assert paired_distances(a, b, metric) == pytest.approx(want, abs=1e-14)
    assert paired_distances(a[0], b, metric) == pytest.approx(brute_force(a, b, metric)[0], abs=1e-14)
    assert paired_distances(a, a, metric) == pytest.approx(0, abs=1e-15)
