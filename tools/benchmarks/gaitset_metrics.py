"""GaitSet evaluation at the size of CASIA-B's test subjects, beside the distance GEMM alone.

50 subjects x 10 sequences x 11 views; the floor is one matrix product of all probes (nm-05, nm-06, bg, cl) with the
gallery (nm-01 to nm-04), which lie ready in memory.

    python tools/benchmarks/gaitset_metrics.py [--rounds 5]
"""

from __future__ import annotations

import argparse

import numpy as np
from measure import interleaved, line, median_ratio, peak_above

from modelzoo.gaitset.metrics import CONDITIONS, GALLERY, VIEWS, Labels, cross_view

SUBJECTS, LENGTH = 50, 62 * 256
NOISE = 8.0
"""Strength of the noise beside subject and view, so that rank-1 is neither 0 nor 100 %."""


def walks(rng: np.random.Generator) -> tuple[np.ndarray, Labels]:
    """Features and labels of every sequence: a centre per subject, one per view, and noise; in any order."""
    sequences = [*GALLERY, *(sequence for pair in CONDITIONS.values() for sequence in pair)]
    rows = [(f"{75 + s:03d}", sequence, view) for s in range(SUBJECTS) for sequence in sequences for view in VIEWS]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    labels = Labels(*(list(column) for column in zip(*rows, strict=True)))
    features = NOISE * rng.standard_normal((len(rows), LENGTH), dtype=np.float32)
    for centres, column in ((SUBJECTS, labels.subjects), (len(VIEWS), labels.views)):
        features += rng.standard_normal((centres, LENGTH), dtype=np.float32)[np.unique(column, return_inverse=True)[1]]
    return features, labels


def main() -> None:
    """Print times, ratio and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    features, labels = walks(np.random.default_rng(0))
    in_gallery = np.isin(labels.conditions, GALLERY)
    probes, gallery = features[~in_gallery], features[in_gallery]
    result, above = peak_above(lambda: cross_view(features, labels))
    seconds = interleaved(rounds, gemm=lambda: probes @ gallery.T, evaluation=lambda: cross_view(features, labels))
    print(f"{len(probes)} x {len(gallery)} x {LENGTH}, rank-1 {result.included()[0, 0]:.2f} %")
    print(line("distance GEMM (floor)", seconds["gemm"]))
    print(line("features to cells and means", seconds["evaluation"]))
    print(f"ratio {median_ratio(seconds, 'evaluation', 'gemm'):.2f}, peak memory {above:.0f} MB above the features")


if __name__ == "__main__":
    main()
