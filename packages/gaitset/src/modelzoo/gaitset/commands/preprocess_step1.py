"""`preprocess-step1`: raw silhouettes into aligned ones, as PNGs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.commands.output import print_skipped

if TYPE_CHECKING:
    from modelzoo.gaitset.aligned import AlignedWalk

SUMMARY = "raw silhouettes into aligned ones of 64 x 64, as PNGs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    data = "raw silhouettes: <subject>/<condition>/<view>/<frames>"
    add("--input_path", type=cli.path, required=True, metavar="RAW", help=data)
    add("--output_path", type=cli.path, required=True, metavar="PRE", help="folder for the aligned silhouettes")
    log = "where frames without a figure are listed (default: %(default)s)"
    add("--log_file", type=cli.path, default=Path("pretreatment.log"), metavar="FILE", help=log)
    add("--log", type=boolean, default=False, metavar="BOOL", help="list every sequence there (default: False)")
    cli.add_preprocess_flags(parser)
    same = "the same as --workers"
    add("--worker_num", type=cli.positive, dest="workers", default=argparse.SUPPRESS, metavar="N", help=same)
    cli.add_overwrite_flag(parser, "the aligned silhouettes that an earlier run has written")


def boolean(text: str) -> bool:
    """An argparse type: true or false, in any case."""
    if text.lower() not in {"true", "false"}:
        raise argparse.ArgumentTypeError(f"must be True or False, got '{text}'")
    return text.lower() == "true"


def handle(arguments: argparse.Namespace) -> int:
    """Align a data set."""
    from modelzoo.common.files import existing_folder
    from modelzoo.common.work import Threads
    from modelzoo.gaitset.aligned import TreeJob, write_tree
    from modelzoo.gaitset.pretreatment_log import PretreatmentLog
    from modelzoo.gaitset.raw import list_raw_walks

    tree = list_raw_walks(arguments.input_path)
    existing_folder(arguments.log_file.absolute().parent, "--log_file")
    log = PretreatmentLog(arguments.log_file, arguments.log)
    job = TreeJob(
        source=arguments.input_path,
        walks=tree.walks,
        output=arguments.output_path,
        threads=Threads(arguments.workers),
        on_error=arguments.on_error,
        overwrite=arguments.overwrite,
    )
    index = write_tree(job, log.add)
    _print(log.walks, arguments, tree.passed_over)
    return print_skipped(index.skipped)


def _print(walks: Sequence[AlignedWalk], arguments: argparse.Namespace, passed_over: int) -> None:
    frames = sum(walk.frames for walk in walks)
    print(f"{frames} aligned silhouettes in {len(walks)} sequences to {arguments.output_path}")
    rejected = sum(len(walk.rejected) for walk in walks)
    if rejected:
        print(f"{rejected} frames without a figure were left out, see {arguments.log_file}")
    passed_over += sum(walk.passed_over for walk in walks)
    if passed_over:
        print(f"{passed_over} entries that are no images were passed over")
    for walk in walks:
        if not walk.frames:
            print(f"note: no frame of {walk.name} shows a figure", file=sys.stderr)
