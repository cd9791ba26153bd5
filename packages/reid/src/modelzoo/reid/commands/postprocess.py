"""`postprocess`: result files into mAP and CMC."""

from __future__ import annotations

import argparse
import sys

from modelzoo.common import cli
from modelzoo.reid.commands import flags

SUMMARY = "results into mAP and CMC"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--query_dir", type=cli.path, required=True, metavar="DIR", help="folder of query images")
    add("--gallery_dir", type=cli.path, required=True, metavar="DIR", help="folder of gallery images")
    add("--pred_dir", type=cli.path, required=True, metavar="DIR", help="folder of <stem>_0.bin results")
    index = "what preprocess wrote beside its folders"
    add("--index", type=cli.path, nargs="+", action="extend", default=[], metavar="FILE", help=index)
    flags.add_metric_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Score a result folder."""
    from modelzoo.reid.commands.output import print_metrics, write_metrics
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
    print_metrics(metrics)
    write_metrics(metrics, arguments.json)
    return 0
