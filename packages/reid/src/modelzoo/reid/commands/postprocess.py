"""`postprocess`: result files into mAP and CMC."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from modelzoo.reid.commands import flags

SUMMARY = "results into mAP and CMC"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--query_dir", type=Path, required=True, metavar="DIR", help="folder of query images")
    add("--gallery_dir", type=Path, required=True, metavar="DIR", help="folder of gallery images")
    add("--pred_dir", type=Path, required=True, metavar="DIR", help="folder of <stem>_0.bin results")
    add("--index", type=Path, nargs="+", default=[], metavar="FILE", help="what preprocess wrote beside its folders")
    flags.add_metric_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Score a result folder."""
    from modelzoo.reid.commands.output import print_metrics
    from modelzoo.reid.dataset import list_crops
    from modelzoo.reid.postprocess import evaluate_results, find_indices, without_skipped

    crops = list_crops(arguments.query_dir, arguments.gallery_dir)
    indices = find_indices(arguments.pred_dir, arguments.index)
    for path in indices:
        print(f"index: {path}", file=sys.stderr)
    used = without_skipped(crops, indices)
    if len(used) < len(crops):
        print(f"note: {len(crops) - len(used)} images were skipped by preprocess", file=sys.stderr)
    metrics = evaluate_results(used, arguments.pred_dir, arguments.feat_norm == "yes", arguments.max_rank)
    print_metrics(metrics, arguments.json)
    return 0
