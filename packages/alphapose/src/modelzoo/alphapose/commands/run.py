"""`run`: the whole way in one process."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.alphapose.commands import boxes, flags
from modelzoo.alphapose.commands.export import OUTPUT
from modelzoo.alphapose.spec import IMAGES, SPEC, Form
from modelzoo.common import cli
from modelzoo.common.errors import UsageError

if TYPE_CHECKING:
    from modelzoo.common.session import Session

DETECTIONS = "detections.json"
"""What the detector finds, in the folder of the report."""

SUMMARY = "the whole way in one process: photos and weights into COCO keypoint AP"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--data", type=cli.path, required=True, metavar="COCO", help="folder with annotations and val2017")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=cli.path, metavar="FILE", help="checkpoint; exported first")
    source.add_argument("--model", type=cli.path, metavar="FILE", help="exported or converted model")
    boxes.add_box_flags(parser)
    add("--no-flip-test", action="store_true", help="leave out the mirrored crops; the published number has them")
    add("--batchsize", type=cli.positive, metavar="N", help="default: 8, or what the model is fixed to")
    kinds = "what the exported graph takes: normalised crops or pixels (default: float32)"
    add("--dtype", choices=list(IMAGES), help=kinds)
    cli.add_preprocess_flags(parser)
    report = "the report (default: %(default)s)"
    add("--output", type=cli.path, default=Path("alphapose-report"), metavar="DIR", help=report)
    flags.add_outcome_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Evaluate a model on a data set, and write the report."""
    from modelzoo.alphapose.coco import PHOTOS, read_coco
    from modelzoo.alphapose.commands.output import write_outcome
    from modelzoo.alphapose.run import RunOptions, run
    from modelzoo.common.commands.output import print_report, print_skipped
    from modelzoo.common.files import check_writable, existing_folder
    from modelzoo.common.work import Threads

    data = read_coco(arguments.data)
    existing_folder(arguments.data / PHOTOS, "photo")
    check_writable(arguments.output)
    flags.check_outcome_flags(arguments)
    find = boxes.plan_boxes(arguments, data, arguments.output / DETECTIONS)
    session = _open(arguments)
    found = find()
    threads = Threads(arguments.workers)
    options = RunOptions(arguments.batchsize or 8, threads, arguments.on_error, not arguments.no_flip_test)
    report, evaluator = run(data, found.detections, session, options)
    write_outcome(report.metrics, evaluator, arguments.json, arguments.results)
    print_report(report, arguments.output, "crops")
    return print_skipped([*found.skipped, *report.stats.skipped])


def _open(arguments: argparse.Namespace) -> Session:
    from modelzoo.alphapose.run import check_tensors, with_flip_test
    from modelzoo.common.session import open_session

    session = open_session(arguments.model or _export(arguments), SPEC)
    check_tensors(session)
    with_flip_test(session, not arguments.no_flip_test)
    image = session.inputs[0]
    if arguments.dtype not in (None, image.dtype):
        raise UsageError(f"--dtype {arguments.dtype} does not fit the model, which takes {image.describe()}")
    return session


def _export(arguments: argparse.Namespace) -> Path:
    """Export a checkpoint with the flip test and the keypoints in the graph."""
    from modelzoo.alphapose.export import export

    form = Form(not arguments.no_flip_test, decode=True, dtype=arguments.dtype or "float32")
    output: Path = arguments.output / OUTPUT
    print(f"exporting {arguments.weights} to {output} ...")
    export(arguments.weights, output, form)
    return output
