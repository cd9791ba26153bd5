"""`run`: the whole way in one process."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.reid.commands import flags
from modelzoo.reid.spec import IMAGES, SPEC, spec_of

if TYPE_CHECKING:
    from modelzoo.common.session import Session

SUMMARY = "the whole way in one process: images and weights into mAP and CMC"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--data", type=cli.path, required=True, metavar="DIR", help="Market-1501 folder")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=cli.path, metavar="FILE", help="checkpoint; exported first")
    source.add_argument("--model", type=cli.path, metavar="FILE", help="exported or converted model")
    add("--batchsize", type=cli.positive, metavar="N", help="default: 8, or what the model is fixed to")
    add("--output", type=cli.path, default=Path("reid-report"), metavar="DIR", help="the report (default: %(default)s)")
    flags.add_network_flags(parser)
    cli.add_preprocess_flags(parser)
    flags.add_metric_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Evaluate a model on a Market-1501 folder, and write the report."""
    from modelzoo.common.files import check_writable, existing_folder
    from modelzoo.common.work import Threads
    from modelzoo.reid.commands.output import print_metrics, print_report, print_skipped, write_metrics
    from modelzoo.reid.dataset import market1501
    from modelzoo.reid.preprocess import CHUNK
    from modelzoo.reid.run import RunOptions, run

    market1501(arguments.data)
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
    )
    report = run(arguments.data, session, options)
    print_metrics(report.metrics)
    print_report(report, arguments.output)
    write_metrics(report.metrics, arguments.json)
    return print_skipped(report.stats.skipped)


def _open(arguments: argparse.Namespace) -> Session:
    from modelzoo.common.session import open_session
    from modelzoo.reid.commands.export import export_weights

    form = flags.form_of(arguments)
    model = arguments.model or export_weights(
        arguments.weights, arguments.output / "ReID.onnx", form, arguments.dtype or "float32"
    )
    session = open_session(model, spec_of(form["backbone"]), form)
    _check_flags(arguments, session)
    fixed = session.inputs[0].batch
    if fixed and arguments.batchsize not in (None, fixed):
        print(f"note: the model is fixed to batch {fixed}; --batchsize is not used", file=sys.stderr)
    return session


def _check_flags(arguments: argparse.Namespace, session: Session) -> None:
    """What the flags ask for has to be what the model is, as far as it says."""
    image = session.inputs[0]
    if arguments.dtype not in (None, image.dtype) and image.dtype in IMAGES:
        raise UsageError(f"--dtype {arguments.dtype} does not fit the model, which takes {image.describe()}")
    known = session.identity.form if session.identity and session.identity.model == SPEC.name else {}
    for flag, wanted in (("backbone", arguments.backbone), ("neck_feat", arguments.neck_feat)):
        if wanted is not None and known.get(flag, wanted) != wanted:
            name = flag.replace("_", "-")
            raise UsageError(f"--{name} {wanted} does not fit the model, which was exported with {known[flag]}")
