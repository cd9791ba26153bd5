"""ReID re-ranking at the size of Market-1501, beside what finds the nearest neighbours without using symmetry.

The floor computes the distances of all crops to all crops a block of rows at a time, and picks the k1 + 1 nearest of
every row. Re-ranking needs these and the farthest, then the sets, their averages, the final distances, and the metric.

    python tools/benchmarks/reid_rerank.py [--rounds 3]
"""

from __future__ import annotations

import argparse

import numpy as np
from measure import interleaved, line, median_ratio, peak_above
from reid_metrics import GALLERY, LENGTH, QUERIES, market

from modelzoo.reid.metrics import Labels, RankingMetrics, evaluate_ranking
from modelzoo.reid.ranking.distances import distance_blocks
from modelzoo.reid.rerank import Parameters, Reranking


def gemm(crops: np.ndarray) -> None:
    """Every distance, and nothing done with it."""
    for _ in distance_blocks(crops, crops, normalise=True):
        pass


def floor(crops: np.ndarray) -> np.ndarray:
    """`(n, k1 + 1) int64`: the nearest neighbours of every crop, in no order."""
    wanted = Parameters().k1 + 1
    blocks = distance_blocks(crops, crops, normalise=True)
    return np.concatenate([np.argpartition(block, wanted - 1, axis=1)[:, :wanted] for _, block in blocks])


def reranking(query: np.ndarray, gallery: np.ndarray, query_labels: Labels, gallery_labels: Labels) -> RankingMetrics:
    """Features to mAP and CMC."""
    return evaluate_ranking(Reranking(query, gallery, normalise=True).blocks(), query_labels, gallery_labels)


def main() -> None:
    """Print times, ratios and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    for kind in ("realistic", "noise"):
        data = market(kind == "noise")
        metrics, above = peak_above(lambda data=data: reranking(*data))
        crops = np.concatenate(data[:2])
        seconds = interleaved(
            rounds,
            gemm=lambda crops=crops: gemm(crops),
            floor=lambda crops=crops: floor(crops),
            reranking=lambda data=data: reranking(*data),
        )
        print(f"{kind}: {QUERIES} queries, {GALLERY} gallery, {LENGTH} numbers; mAP {metrics.mean_ap:.4f}")
        print(line("  all distances (GEMM)", seconds["gemm"]))
        print(line("  and their k1 + 1 nearest (floor)", seconds["floor"]))
        print(line("  features to re-ranked mAP", seconds["reranking"]))
        ratios = (median_ratio(seconds, "reranking", name) for name in ("floor", "gemm"))
        print("  {:.2f} of the floor, {:.2f} of the GEMM".format(*ratios))
        print(f"  peak memory {above:.0f} MB above the features, which take {crops.nbytes / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
