"""`run`: the whole way in one process."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.reid.commands import flags
from modelzoo.reid.commands.opening import open_model
from modelzoo.reid.spec import IMAGES

if TYPE_CHECKING:
    from modelzoo.common.session import Session

SUMMARY = "the whole way in one process: images and weights into mAP and CMC"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--data", type=cli.path, required=True, metavar="DIR_OR_CSV", help=flags.DATA)
    flags.add_names_flag(parser)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=cli.path, metavar="FILE", help="checkpoint; exported first")
    source.add_argument("--model", type=cli.path, metavar="FILE", help="exported or converted model")
    add("--batchsize", type=cli.positive, metavar="N", help="default: 8, or what the model is fixed to")
    add("--output", type=cli.path, default=Path("reid-report"), metavar="DIR", help="the report (default: %(default)s)")
    flags.add_network_flags(parser)
    cli.add_preprocess_flags(parser)
    flags.add_metric_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Evaluate a model on a data set, and write the report."""
    from modelzoo.common.commands.output import print_report, print_skipped, write_metrics
    from modelzoo.common.files import check_writable, existing_folder
    from modelzoo.common.work import Threads
    from modelzoo.reid.commands.output import print_metrics
    from modelzoo.reid.layouts import read_data_set
    from modelzoo.reid.preprocess import CHUNK
    from modelzoo.reid.run import RunOptions, run

    crops = read_data_set(arguments.data, arguments.names)
    check_writable(arguments.output)
    if arguments.json:
        existing_folder(arguments.json.absolute().parent, "--json")
    session = _open(arguments)
    options = RunOptions(
        arguments.batchsize or 8,
        Threads(arguments.workers, CHUNK),
        arguments.on_error,
        arguments.feat_norm == "yes",
        arguments.max_rank,
        arguments.rerank,
    )
    report = run(crops, session, options)
    print_metrics(report.metrics)
    print_report(report, arguments.output, "images")
    write_metrics(report.metrics, arguments.json)
    return print_skipped(report.stats.skipped)


def _open(arguments: argparse.Namespace) -> Session:
    from modelzoo.reid.commands.export import export_weights

    model = arguments.model or export_weights(
        arguments.weights, arguments.output / "ReID.onnx", flags.form_of(arguments), arguments.dtype or "float32"
    )
    session = open_model(model, arguments)
    image = session.inputs[0]
    if arguments.dtype not in (None, image.dtype) and image.dtype in IMAGES:
        raise UsageError(f"--dtype {arguments.dtype} does not fit the model, which takes {image.describe()}")
    return session
