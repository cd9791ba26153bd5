"""`postprocess`: result files into cross-view rank-1."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import DataError, UsageError
from modelzoo.gaitset.commands import bins
from modelzoo.gaitset.spec import SPEC

if TYPE_CHECKING:
    from modelzoo.common.index import Index
    from modelzoo.common.work import SampleInfo

SUMMARY = "results into cross-view rank-1"

GUIDE_DATA = Path("predata")
"""Where the guide has the aligned silhouettes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; `--output_path` is the guide's."""
    add = parser.add_argument
    add("--output_path", type=cli.path, required=True, metavar="RESULT", help="folder of <number>_0.bin results")
    walks = parser.add_mutually_exclusive_group()
    index = "what preprocess wrote beside its folder (default: the one that the results' summary leads to)"
    walks.add_argument("--index", type=cli.path, metavar="FILE", help=index)
    data = f"aligned silhouettes, whose listing numbers the walks (default: ./{GUIDE_DATA} where there is no index)"
    walks.add_argument("--data_path", type=cli.path, metavar="PRE", help=data)
    bins.add_split_flags(parser)
    add("--json", type=cli.path, metavar="FILE", help="write the metrics there as well")


def handle(arguments: argparse.Namespace) -> int:
    """Score a result folder."""
    from modelzoo.common.commands.output import write_metrics
    from modelzoo.gaitset.commands.output import print_metrics
    from modelzoo.gaitset.postprocess import evaluate_results

    metrics = evaluate_results(_samples(arguments), arguments.output_path)
    print_metrics(metrics)
    write_metrics(metrics, arguments.json)
    return 0


def _samples(arguments: argparse.Namespace) -> Sequence[SampleInfo]:
    """The walks of the results: by an index, else by the listing of a folder."""
    from modelzoo.common.files import existing_folder
    from modelzoo.common.provenance import find_indices
    from modelzoo.gaitset.postprocess import samples_of_indices

    existing_folder(arguments.output_path, "result")
    if arguments.data_path:
        return _listed(arguments, arguments.data_path)
    indices = find_indices(SPEC.name, arguments.output_path, [arguments.index] if arguments.index else [])
    if indices:
        _check_no_split(arguments)
        _print_indices(indices)
        return samples_of_indices(indices)
    if not GUIDE_DATA.is_dir():
        raise DataError(
            f"nothing says which walks the results are of: no index, and no folder ./{GUIDE_DATA}",
            "give --index BINS_index.json, or --data_path PRE with the aligned silhouettes",
        )
    return _listed(arguments, GUIDE_DATA)


def _check_no_split(arguments: argparse.Namespace) -> None:
    """Refuse flags that would have no effect."""
    for flag, value in (("--pid_num", arguments.pid_num), ("--partition", arguments.partition)):
        if value is not None:
            raise UsageError(
                f"{flag} belongs to --data_path: the index names the test subjects",
                f"leave it out, or give {flag} to preprocess",
            )


def _print_indices(indices: Mapping[Path, Index]) -> None:
    for path in indices:
        print(f"index: {path}", file=sys.stderr)
    skipped = [source for index in indices.values() for source in index.skipped]
    if skipped:
        first = f"the first: {skipped[0].reason}"
        print(f"note: {len(skipped)} walks were skipped by preprocess, {first}", file=sys.stderr)


def _listed(arguments: argparse.Namespace, data: Path) -> Sequence[SampleInfo]:
    from modelzoo.common.work import Threads, available_cores
    from modelzoo.gaitset.postprocess import samples_of_walks

    selection = bins.select(arguments, data, Threads(available_cores()), aligned=True)
    print(f"walks: as they are listed in {data}", file=sys.stderr)
    return samples_of_walks(selection.walks)
