"""ReID search in a large gallery, beside the distance GEMM alone; and the pairs of the report's threshold table.

python tools/benchmarks/reid_search.py [--gallery 100000] [--queries 256] [--rounds 3]
"""

from __future__ import annotations

import argparse

import numpy as np
from measure import interleaved, line, median_ratio, peak_above

from modelzoo.reid.metrics import Labels
from modelzoo.reid.ranking.nearest import nearest
from modelzoo.reid.ranking.pairs import METRICS, Metric
from modelzoo.reid.ranking.scores import pair_distances

LENGTH, TOP = 2048, 10
PERSONS, CAMERAS = 751, 6
MARKET = 3368, 15913
"""Queries and gallery crops of Market-1501."""


def search(metric: Metric, queries: int, gallery: int, rounds: int) -> None:
    """Time a search, and measure its memory."""
    rng = np.random.default_rng(0)
    sides = [rng.standard_normal((count, LENGTH), dtype=np.float32) for count in (queries, gallery)]
    _, above = peak_above(lambda: nearest(*sides, TOP, metric))
    seconds = interleaved(rounds, gemm=lambda: sides[0] @ sides[1].T, search=lambda: nearest(*sides, TOP, metric))
    print(f"{metric}: {queries} x {gallery} x {LENGTH}, the nearest {TOP}")
    print(line("  distance GEMM (floor)", seconds["gemm"]))
    print(line("  search", seconds["search"]))
    ratio = median_ratio(seconds, "search", "gemm")
    print(f"  ratio {ratio:.2f}, peak memory {above:.0f} MB above the features")


def pairs(rounds: int) -> None:
    """Time what the threshold table of a report needs, at the size of Market-1501."""
    rng = np.random.default_rng(0)
    sides = [rng.standard_normal((count, LENGTH), dtype=np.float32) for count in MARKET]
    labels = [Labels(rng.integers(1, PERSONS, n), rng.integers(1, CAMERAS + 1, n)) for n in MARKET]
    seconds = interleaved(
        rounds,
        gemm=lambda: sides[0] @ sides[1].T,
        pairs=lambda: pair_distances(*sides, *labels, "cosine"),
    )
    found = pair_distances(*sides, *labels, "cosine")
    print(f"pairs: {len(found.same)} of one person, {len(found.different)} of different people, length {LENGTH}")
    print(line("  distance GEMM (floor)", seconds["gemm"]))
    print(line("  distances of pairs", seconds["pairs"]))
    print(f"  ratio {median_ratio(seconds, 'pairs', 'gemm'):.2f}")


def main() -> None:
    """Print times, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gallery", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for metric in METRICS:
        search(metric, arguments.queries, arguments.gallery, arguments.rounds)
    pairs(arguments.rounds)


if __name__ == "__main__":
    main()
