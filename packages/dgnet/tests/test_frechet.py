"""The Frechet distance against recorded values, closed forms, and a second way to it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import DataError
from modelzoo.dgnet.fid.frechet import frechet_distance
from modelzoo.dgnet.fid.statistics import Statistics

CASES = json.loads((Path(__file__).with_name("data") / "golden" / "fid" / "frechet.json").read_text())["cases"]
FULL, DEFICIENT = (next(case for case in CASES if case["case"] == name) for name in ("64d", "64d_rankdef"))


def recorded_features(case: dict[str, Any]) -> list[np.ndarray]:
    """The two sets of features of a recorded distance, `(n, d) float64`, by the rule in the file."""
    sets = []
    for number, (shift, scale) in enumerate([(0.0, 1.0), (0.05, 1.1)], start=1):
        rng = np.random.default_rng(5000 + number)
        d = case["d"]
        mixing, mean = rng.standard_normal((d, d)) / np.sqrt(d), rng.uniform(0, 0.5, d)
        features = np.maximum(rng.standard_normal((case[f"N{number}"], d)) @ mixing * scale + mean + shift, 0)
        sets.append(features.astype(np.float32).astype(np.float64))
        assert sets[-1].sum() == pytest.approx(case[f"x{number}_sum"], rel=1e-12)
    return sets


def statistics_of(features: np.ndarray) -> Statistics:
    """Mean and covariance as NumPy computes them."""
    return Statistics(features.mean(axis=0), np.cov(features, rowvar=False), len(features))


def diagonal(*variances: float, mean: float = 0.0) -> Statistics:
    """Independent numbers."""
    return Statistics(np.full(len(variances), mean), np.diag(np.array(variances)), 100)


def test_it_is_the_recorded_distance_on_full_rank() -> None:
    distance = frechet_distance(*map(statistics_of, recorded_features(FULL)))
    assert distance == pytest.approx(FULL["ttur"], rel=1e-12)


def test_it_is_the_exact_distance_where_there_are_fewer_pictures_than_numbers() -> None:
    a, b = recorded_features(DEFICIENT)
    first, second = statistics_of(a), statistics_of(b)
    common = np.linalg.svdvals((a - a.mean(0)) @ (b - b.mean(0)).T / np.sqrt((len(a) - 1) * (len(b) - 1))).sum()
    traces = np.trace(first.covariance) + np.trace(second.covariance)
    exact = ((first.mean - second.mean) ** 2).sum() + traces - 2 * common
    assert frechet_distance(first, second) == pytest.approx(exact, rel=1e-12)
    assert frechet_distance(second, first) == pytest.approx(exact, rel=1e-12)
    assert frechet_distance(first, second) == pytest.approx(DEFICIENT["eigh"], abs=1e-6)
    assert frechet_distance(first, second) == pytest.approx(DEFICIENT["ttur"], abs=1e-6)


def test_one_number_is_compared_by_mean_and_deviation() -> None:
    assert frechet_distance(diagonal(9.0, mean=2.0), diagonal(4.0, mean=-1.0)) == pytest.approx(3**2 + (3 - 2) ** 2)


def test_independent_numbers_add_up() -> None:
    distance = frechet_distance(diagonal(1.0, 4.0, 0.0), diagonal(9.0, 4.0, 25.0))
    assert distance == pytest.approx((1 - 3) ** 2 + 0 + 5**2, rel=1e-12)


def test_no_spread_on_one_side_leaves_the_other_ones_spread() -> None:
    assert frechet_distance(diagonal(0.0, 0.0), diagonal(2.0, 3.0)) == pytest.approx(5.0)
    assert frechet_distance(diagonal(0.0, 0.0), diagonal(0.0, 0.0, mean=1.0)) == pytest.approx(2.0)


@pytest.mark.parametrize("case", [FULL, DEFICIENT], ids=["full rank", "fewer pictures than numbers"])
def test_equal_sets_have_no_distance_and_never_a_negative_one(case: dict[str, Any]) -> None:
    a, _ = map(statistics_of, recorded_features(case))
    assert 0 <= frechet_distance(a, a) < 1e-12


def test_small_variances_count_beside_large_ones() -> None:
    """Variances from 1e-8 to 1e2 along the same random axes: the closed form holds to the last of them."""
    axes = np.linalg.qr(np.random.default_rng(1).standard_normal((60, 60)))[0]
    ours, theirs = np.logspace(-8, 2, 60), np.logspace(-8, 2, 60)[::-1]
    a, b = (Statistics(np.zeros(60), axes * variances @ axes.T, 100) for variances in (ours, theirs))
    assert frechet_distance(a, b) == pytest.approx(((np.sqrt(ours) - np.sqrt(theirs)) ** 2).sum(), rel=1e-10)
    near = Statistics(np.zeros(60), axes * (4 * ours) @ axes.T, 100)
    assert frechet_distance(a, near) == pytest.approx(ours.sum(), rel=1e-10)


def test_features_of_unlike_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="features of 2 and of 3 numbers"):
        frechet_distance(diagonal(1.0, 1.0), diagonal(1.0, 1.0, 1.0))
