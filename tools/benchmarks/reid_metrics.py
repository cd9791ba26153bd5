"""ReID evaluation at the size of Market-1501, beside the distance GEMM alone.

Two sets of features: `realistic`, people with a heavy tail of hard crops, and `noise`, where every match is far down
the ranking (the worst case of a ranking that only looks above the last match).

    python tools/benchmarks/reid_metrics.py [--rounds 5]
"""

from __future__ import annotations

import argparse

import numpy as np
from measure import interleaved, line, median_ratio, peak_above

from modelzoo.reid.metrics import Labels, RankingMetrics, evaluate_ranking
from modelzoo.reid.ranking.distances import distance_blocks

QUERIES, GALLERY, LENGTH = 3368, 15913, 2048
PERSONS, CAMERAS = 751, 6


def features(rng: np.random.Generator, persons: np.ndarray, noise: bool) -> np.ndarray:
    """`(n, 2048) float32`: pure noise, or a centre per person plus noise of Pareto-distributed strength."""
    values = rng.standard_normal((len(persons), LENGTH), dtype=np.float32)
    if noise:
        return values
    centres = np.random.default_rng(1).standard_normal((PERSONS, LENGTH), dtype=np.float32)
    values *= (1.0 + 1.5 * rng.pareto(2, len(persons))).astype(np.float32)[:, None]
    values += centres[persons]
    return values


def market(noise: bool) -> tuple[np.ndarray, np.ndarray, Labels, Labels]:
    """Features of queries and gallery, and the labels of both."""
    rng = np.random.default_rng(0)
    query_labels = Labels(rng.integers(1, PERSONS, QUERIES), rng.integers(1, CAMERAS + 1, QUERIES))
    gallery_labels = Labels(rng.integers(0, PERSONS, GALLERY), rng.integers(1, CAMERAS + 1, GALLERY))
    query, gallery = (features(rng, labels.persons, noise) for labels in (query_labels, gallery_labels))
    return query, gallery, query_labels, gallery_labels


def evaluation(query: np.ndarray, gallery: np.ndarray, query_labels: Labels, gallery_labels: Labels) -> RankingMetrics:
    """Features to mAP and CMC."""
    return evaluate_ranking(distance_blocks(query, gallery, normalise=True), query_labels, gallery_labels)


def main() -> None:
    """Print times, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for kind in ("realistic", "noise"):
        data = market(kind == "noise")
        metrics, above = peak_above(lambda data=data: evaluation(*data))
        seconds = interleaved(
            rounds, gemm=lambda data=data: data[0] @ data[1].T, evaluation=lambda data=data: evaluation(*data)
        )
        print(f"{kind}: {QUERIES} x {GALLERY} x {LENGTH}, mAP {metrics.mean_ap:.4f}")
        print(line("  distance GEMM (floor)", seconds["gemm"]))
        print(line("  features to mAP and CMC", seconds["evaluation"]))
        print(
            f"  ratio {median_ratio(seconds, 'evaluation', 'gemm'):.2f}, peak memory {above:.0f} MB above the features"
        )


if __name__ == "__main__":
    main()
