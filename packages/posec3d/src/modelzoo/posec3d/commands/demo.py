"""`demo`: the whole way on drawn actions."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.posec3d.spec import SPEC

SUMMARY = "the whole way on drawn actions with a small network"

NOTE = (
    "The people are drawn. The network is a small one of seeded random numbers that have learnt nothing, but for the "
    "last layer, which was fitted to {training} other drawn recordings: these numbers mean only that the pipeline "
    "works. (Guessing one of {classes} actions is right {chance:.1%} of the time.)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    place = "data and report (default: %(default)s)"
    parser.add_argument("--output", type=cli.path, default=Path("posec3d-demo"), metavar="DIR", help=place)


def handle(arguments: argparse.Namespace) -> int:
    """Draw, export, run and report."""
    from dataclasses import replace

    from modelzoo.common.commands.output import print_report
    from modelzoo.common.export import import_exporters
    from modelzoo.common.files import make_folder
    from modelzoo.common.work import Threads, available_cores
    from modelzoo.posec3d.annotations import read_annotations, select_annotations
    from modelzoo.posec3d.demo import make_annotations, make_labels, make_weights, picture_section
    from modelzoo.posec3d.evaluate import metric_lines
    from modelzoo.posec3d.export import export
    from modelzoo.posec3d.recognizer import ActionRecognizer
    from modelzoo.posec3d.run import RunOptions, run
    from modelzoo.posec3d.synthetic.actions import ACTIONS

    import_exporters(SPEC.name)
    make_folder(arguments.output)
    print("drawing actions ...")
    data, labels = make_annotations(arguments.output / "actions.pkl"), make_labels(arguments.output / "labels.txt")
    file = read_annotations(data)
    training, test = (select_annotations(file, split, len(ACTIONS)) for split in ("train1", "test1"))
    weights = make_weights(arguments.output / "seeded_weights.pth", training.used)
    model = arguments.output / "posec3d.onnx"
    print(f"exporting {weights} ...")
    export(weights, model, form="frames")
    recognizer = ActionRecognizer(model, labels)
    report = run(test, recognizer.names, recognizer.session, RunOptions(1, Threads(available_cores())))
    print("\n".join(metric_lines(report.metrics)))
    note = NOTE.format(training=len(training.used), classes=len(recognizer.names), chance=1 / len(recognizer.names))
    print(note)
    sections = [*report.sections, picture_section(recognizer, test.used)]
    print_report(replace(report, note=note, sections=sections), arguments.output, "recordings")
    return 0
