"""`run`: the whole way in one process."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.gaitset.commands import bins, flags
from modelzoo.gaitset.spec import DYNAMIC, PADDINGS, SEQUENCES

if TYPE_CHECKING:
    from modelzoo.common.session import Session

SUMMARY = "the whole way in one process: raw silhouettes and weights into cross-view rank-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--data", type=cli.path, required=True, metavar="RAW", help="<subject>/<condition>/<view>/<frames>")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=cli.path, metavar="FILE", help="checkpoint; exported first")
    source.add_argument("--model", type=cli.path, metavar="FILE", help="exported or converted model")
    default = "default: what the model does; none with --weights"
    add("--padding", choices=PADDINGS, help=f"{flags.PADDING_MEANS} ({default})")
    add("--batchsize", type=cli.positive, metavar="N", help="default: 8, or what the model is fixed to")
    add("--dtype", choices=list(SEQUENCES), help="what the exported graph takes: 0..1 or 0..255 (default: float32)")
    flags.add_dataset_flag(parser)
    bins.add_split_flags(parser)
    cli.add_preprocess_flags(parser)
    report = "the report (default: %(default)s)"
    add("--output", type=cli.path, default=Path("gaitset-report"), metavar="DIR", help=report)
    add("--json", type=cli.path, metavar="FILE", help="write the metrics there as well")


def handle(arguments: argparse.Namespace) -> int:
    """Evaluate a model on raw silhouettes, and write the report."""
    from modelzoo.common.commands.output import print_report, print_skipped, write_metrics
    from modelzoo.common.files import check_writable, existing_folder
    from modelzoo.common.work import Threads
    from modelzoo.gaitset.commands.output import print_metrics, print_passed_over
    from modelzoo.gaitset.run import RunOptions, run

    check_writable(arguments.output)
    if arguments.json:
        existing_folder(arguments.json.absolute().parent, "--json")
    threads = Threads(arguments.workers)
    selection = bins.select(arguments, arguments.data, threads, aligned=False)
    session = _open(arguments)
    options = RunOptions(
        arguments.batchsize or 8, threads, arguments.on_error, arguments.padding, flags.dataset_of(arguments)
    )
    report = run(selection.walks, session, options)
    print_metrics(report.metrics)
    print_report(report, arguments.output, "walks")
    write_metrics(report.metrics, arguments.json)
    print_passed_over(selection.passed_over)
    return print_skipped(report.stats.skipped)


def _open(arguments: argparse.Namespace) -> Session:
    from modelzoo.gaitset.commands.export import export_weights
    from modelzoo.gaitset.commands.opening import open_model

    dtype = arguments.dtype or "float32"
    model = arguments.model or export_weights(
        arguments.weights,
        arguments.output / "gaitset_submit.onnx",
        flags.dataset_of(arguments),
        DYNAMIC,
        arguments.padding or "none",
        dtype,
    )
    session = open_model(model, arguments, dtype)
    sequence = session.inputs[0]
    if arguments.dtype not in (None, sequence.dtype):
        raise UsageError(f"--dtype {arguments.dtype} does not fit the model, which takes {sequence.describe()}")
    return session
