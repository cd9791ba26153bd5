"""Mean and covariance in constant memory against those of all features at once."""

import numpy as np
import pytest

from modelzoo.common.errors import DataError
from modelzoo.dgnet.fid.statistics import BLOCK, RunningStatistics, Statistics


def running(features: np.ndarray, sizes: list[int]) -> Statistics:
    """The statistics of features that come in parts of these sizes."""
    statistics = RunningStatistics()
    for part in np.split(features, np.cumsum(sizes)):
        statistics.update(part)
    return statistics.result()


@pytest.mark.parametrize(
    "sizes",
    [[], [1] * 50, [BLOCK], [BLOCK - 1, 2], [3 * BLOCK + 5], [7, 0, BLOCK, 90]],
    ids=["all at once", "one by one", "a block", "across a block", "many blocks", "odd parts"],
)
def test_parts_of_any_size_give_what_numpy_gives_of_all(sizes: list[int]) -> None:
    features = np.random.default_rng(0).gamma(2, 3, (3 * BLOCK + 100, 6)).astype(np.float32)
    got = running(features, sizes)
    wanted = features.astype(np.float64)
    assert got.count == len(features)
    np.testing.assert_allclose(got.mean, wanted.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(got.covariance, np.cov(wanted, rowvar=False), rtol=0, atol=1e-12)
    assert np.array_equal(got.covariance, got.covariance.T)


def test_a_large_mean_does_not_drown_the_spread() -> None:
    """Sums of squares would lose all of it: 1e9 squared has no place for 0.1 beside it."""
    spread = np.random.default_rng(1).integers(-8, 9, (2 * BLOCK + 10, 4)) / 8
    got = running(spread + 1e9, [100])
    np.testing.assert_allclose(got.covariance, np.cov(spread, rowvar=False), rtol=1e-9, atol=1e-9)


def test_by_hand() -> None:
    got = running(np.array([[1.0, 2.0], [3.0, 2.0], [5.0, 8.0]]), [1, 1])
    assert got.mean.tolist() == [3.0, 4.0]
    assert got.covariance.tolist() == [[4.0, 6.0], [6.0, 12.0]]


def test_it_goes_on_after_a_result() -> None:
    features = np.random.default_rng(2).standard_normal((40, 3))
    statistics = RunningStatistics()
    statistics.update(features[:15])
    early = statistics.result()
    kept = early.mean.copy(), early.covariance.copy()
    statistics.update(features[15:])
    np.testing.assert_allclose(statistics.result().covariance, np.cov(features, rowvar=False), rtol=1e-12)
    assert np.array_equal(early.mean, kept[0])
    assert np.array_equal(early.covariance, kept[1])
    assert (early.count, statistics.count) == (15, 40)


def test_it_keeps_none_of_what_it_is_given() -> None:
    features = np.random.default_rng(3).standard_normal((5, 3))
    wanted = np.cov(features, rowvar=False)
    statistics = RunningStatistics()
    statistics.update(features)
    features[:] = 0
    np.testing.assert_allclose(statistics.result().covariance, wanted, rtol=1e-12)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_have_no_covariance(count: int) -> None:
    statistics = RunningStatistics()
    statistics.update(np.ones((count, 3)))
    with pytest.raises(DataError, match=f"at least 2 pictures, got {count}"):
        statistics.result()


def test_a_feature_of_another_length_is_refused() -> None:
    statistics = RunningStatistics()
    statistics.update(np.ones((2, 3)))
    with pytest.raises(DataError, match="4 numbers after some of 3"):
        statistics.update(np.ones((2, 4)))
