"""`run`: the whole way in one process."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.posec3d.commands import recordings
from modelzoo.posec3d.spec import INPUTS, SPEC

if TYPE_CHECKING:
    from modelzoo.common.session import Session

SUMMARY = "the whole way in one process: annotations and weights into top-1 and top-5"

AUTO = "auto"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--data", type=cli.path, required=True, metavar="PKL", help="the annotation file, such as hmdb51.pkl")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=cli.path, metavar="FILE", help="checkpoint; exported first")
    source.add_argument("--model", type=cli.path, metavar="FILE", help="exported or converted model")
    forms = f"what the graph takes; {AUTO}: what the model takes, and with --weights what is fastest"
    add("--input", choices=[AUTO, *INPUTS], default=AUTO, help=f"{forms} (default: %(default)s)")
    recordings.add_split_flag(parser)
    names = "names of the actions, one a line (default: those of HMDB51 where there are 51)"
    add("--labels", type=cli.path, metavar="FILE", help=names)
    add("--batchsize", type=cli.positive, metavar="N", help="default: 1, or what the model is fixed to")
    people = "people of a frame that count, at most: the most certain ones (default: all)"
    add("--persons", type=cli.positive, metavar="K", help=people)
    cli.add_preprocess_flags(parser)
    report = "the report (default: %(default)s)"
    add("--output", type=cli.path, default=Path("posec3d-report"), metavar="DIR", help=report)
    add("--json", type=cli.path, metavar="FILE", help="write the metrics there as well")


def handle(arguments: argparse.Namespace) -> int:
    """Evaluate a model on annotated recordings, and write the report."""
    from modelzoo.common.commands.output import print_report, print_skipped, write_metrics
    from modelzoo.common.files import check_writable, existing_file, existing_folder
    from modelzoo.common.work import Threads
    from modelzoo.posec3d.evaluate import metric_lines
    from modelzoo.posec3d.labels import action_names
    from modelzoo.posec3d.run import RunOptions, form_of, run

    existing_file(arguments.data, "annotation")
    check_writable(arguments.output)
    if arguments.json:
        existing_folder(arguments.json.absolute().parent, "--json")
    session = _open(arguments)
    classes = form_of(session).classes
    names = action_names(classes, arguments.labels)
    selection = recordings.select(arguments, arguments.data, classes, arguments.persons)
    options = RunOptions(arguments.batchsize or 1, Threads(arguments.workers), arguments.on_error)
    report = run(selection, names, session, options)
    print("\n".join(metric_lines(report.metrics)))
    print_report(report, arguments.output, "recordings")
    write_metrics(report.metrics, arguments.json)
    return print_skipped(report.stats.skipped)


def _open(arguments: argparse.Namespace) -> Session:
    from modelzoo.posec3d.models import open_model
    from modelzoo.posec3d.run import FASTEST, form_of

    wanted = arguments.input
    session = open_model(arguments.model or _export(arguments), FASTEST if wanted == AUTO else wanted)
    takes = form_of(session).input
    if wanted not in (AUTO, takes):
        raise UsageError(f"--input {wanted} does not fit the model, which takes {takes}")
    print(f"input: {takes}, {session.backend}")
    return session


def _export(arguments: argparse.Namespace) -> Path:
    """Export a checkpoint in the form that is asked for, or that is fastest."""
    from modelzoo.common.export import import_exporters
    from modelzoo.posec3d.commands.export import OUTPUT
    from modelzoo.posec3d.export import export
    from modelzoo.posec3d.run import FASTEST

    import_exporters(SPEC.name)
    form = FASTEST if arguments.input == AUTO else arguments.input
    why = ", the fastest for ONNX Runtime" if arguments.input == AUTO else ""
    output: Path = arguments.output / OUTPUT
    print(f"exporting {arguments.weights} to {output}, which takes {form}{why} ...")
    export(arguments.weights, output, form)
    return output
