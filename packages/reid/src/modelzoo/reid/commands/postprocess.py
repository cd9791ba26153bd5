"""`postprocess`: result files into mAP and CMC."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.reid.commands import flags

if TYPE_CHECKING:
    from modelzoo.reid.dataset import Crop

SUMMARY = "results into mAP and CMC"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--query_dir", type=cli.path, metavar="DIR", help="folder of query images")
    add("--gallery_dir", type=cli.path, metavar="DIR", help="folder of gallery images")
    add("--data", type=cli.path, metavar="DIR_OR_CSV", help=f"instead of both: {flags.DATA}")
    flags.add_names_flag(parser)
    add("--pred_dir", type=cli.path, required=True, metavar="DIR", help="folder of <stem>_0.bin results")
    index = "what preprocess wrote beside its folders"
    add("--index", type=cli.path, nargs="+", action="extend", default=[], metavar="FILE", help=index)
    flags.add_metric_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Score a result folder."""
    from modelzoo.common.commands.output import write_metrics
    from modelzoo.common.provenance import find_indices
    from modelzoo.reid.commands.output import print_metrics
    from modelzoo.reid.postprocess import evaluate_results, without_skipped
    from modelzoo.reid.spec import SPEC

    crops = _crops(arguments)
    indices = find_indices(SPEC.name, arguments.pred_dir, arguments.index)
    for path in indices:
        print(f"index: {path}", file=sys.stderr)
    used = without_skipped(crops, indices)
    if len(used) < len(crops):
        print(f"note: {len(crops) - len(used)} images were skipped by preprocess", file=sys.stderr)
    normalise = arguments.feat_norm == "yes"
    metrics = evaluate_results(used, arguments.pred_dir, normalise, arguments.max_rank, arguments.rerank)
    print_metrics(metrics)
    write_metrics(metrics, arguments.json)
    return 0


def _crops(arguments: argparse.Namespace) -> list[Crop]:
    from modelzoo.reid.layouts import read_data_set
    from modelzoo.reid.layouts.market1501 import list_crops
    from modelzoo.reid.layouts.names import MARKET1501

    query, gallery = arguments.query_dir, arguments.gallery_dir
    if arguments.data and (query or gallery):
        raise UsageError("give either --data, or --query_dir and --gallery_dir")
    if arguments.data:
        return read_data_set(arguments.data, arguments.names)
    missing = [flag for flag, value in (("--query_dir", query), ("--gallery_dir", gallery)) if not value]
    if missing:
        raise UsageError(f"missing: {' and '.join(missing)}", "or --data DIR_OR_CSV, which stands for both folders")
    return list_crops(query, gallery, arguments.names or MARKET1501)
