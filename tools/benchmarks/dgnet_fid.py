"""FID beside what it cannot do without: mean and covariance at the size of a Market-1501 set, and the distance.

Features come in batches of 8, as the network gives them; the floor is one product of all of them, centred, at once.
The distances are the recorded ones of 2048 numbers. SciPy's matrix root, which TTUR takes, is timed where there is one.

    python tools/benchmarks/dgnet_fid.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import interleaved, line, median_ratio, peak_above

from modelzoo.dgnet.fid.frechet import frechet_distance
from modelzoo.dgnet.fid.statistics import RunningStatistics, Statistics

COUNT, LENGTH, BATCH = 12936, 2048, 8
RECORDED = Path(__file__).parents[2] / "packages" / "dgnet" / "tests" / "data" / "golden" / "fid" / "frechet.json"


def running(features: np.ndarray) -> Statistics:
    """Mean and covariance, a batch at a time."""
    statistics = RunningStatistics()
    for start in range(0, len(features), BATCH):
        statistics.update(features[start : start + BATCH])
    return statistics.result()


def statistics_benchmark(rounds: int) -> None:
    """Print times and memory of mean and covariance."""
    features = np.random.default_rng(0).gamma(1, 0.4, (COUNT, LENGTH)).astype(np.float32)
    statistics, above = peak_above(lambda: running(features))
    wide = features.astype(np.float64)
    difference = np.abs(statistics.covariance - np.cov(wide, rowvar=False)).max()
    wide -= wide.mean(axis=0)
    seconds = interleaved(
        rounds,
        floor=lambda: wide.T @ wide,
        numpy=lambda: np.cov(features, rowvar=False),
        running=lambda: running(features),
    )
    print(f"mean and covariance: {COUNT} x {LENGTH}, largest difference from numpy.cov {difference:.1e}")
    print(line("  one product (floor)", seconds["floor"]))
    print(line("  numpy.cov of all", seconds["numpy"]))
    print(line("  in batches of 8", seconds["running"], f"ratio {median_ratio(seconds, 'running', 'floor'):.2f}"))
    print(f"  peak memory {above:.0f} MB above the features, of which the covariance takes {8e-6 * LENGTH**2:.0f}")


def recorded_set(case: dict[str, Any], number: int) -> Statistics:
    """A set of the recorded distances, by the rule in their file."""
    shift, scale, length = (0.0, 0.05)[number - 1], (1.0, 1.1)[number - 1], case["d"]
    rng = np.random.default_rng(5000 + number)
    mixing, mean = rng.standard_normal((length, length)) / np.sqrt(length), rng.uniform(0, 0.5, length)
    features = rng.standard_normal((case[f"N{number}"], length)) @ mixing * scale + mean + shift
    return running(np.maximum(features, 0).astype(np.float32))


def matrix_root(a: Statistics, b: Statistics) -> float:
    """The distance as TTUR computes it."""
    from scipy import linalg

    shift, root = a.mean - b.mean, linalg.sqrtm(a.covariance @ b.covariance).real
    return float(shift @ shift + np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.trace(root))


def distance_benchmark(rounds: int) -> None:
    """Print times of the distance, and how far it is from the recorded one."""
    for case in json.loads(RECORDED.read_text())["cases"]:
        if case["d"] != LENGTH:
            continue
        a, b = recorded_set(case, 1), recorded_set(case, 2)
        calls: dict[str, Callable[[], object]] = {
            "floor": lambda a=a: np.linalg.eigh(a.covariance),
            "ours": lambda a=a, b=b: frechet_distance(a, b),
        }
        if importlib.util.find_spec("scipy"):
            calls["root"] = lambda a=a, b=b: matrix_root(a, b)
        seconds = interleaved(rounds, **calls)
        distance = frechet_distance(a, b)
        print(f"distance {case['case']}: {distance:.6f}, from the recorded {distance - case['eigh']:.1e}")
        print(line("  eigenvectors of one (floor)", seconds["floor"]))
        print(line("  distance", seconds["ours"], f"ratio {median_ratio(seconds, 'ours', 'floor'):.2f}"))
        if "root" in seconds:
            print(line("  as TTUR, sqrtm", seconds["root"], f"ratio {median_ratio(seconds, 'root', 'floor'):.2f}"))


def main() -> None:
    """Print times, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    statistics_benchmark(rounds)
    distance_benchmark(rounds)


if __name__ == "__main__":
    main()
