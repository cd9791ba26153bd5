"""`demo`: the whole way on drawn walkers with seeded weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.gaitset.spec import SPEC

SUMMARY = "the whole way on drawn walkers with seeded weights"

NOTE = (
    "The walkers are drawn and the weights are seeded random numbers that have learnt nothing: these numbers mean only "
    "that the pipeline works. (Guessing one of {subjects} people is right {chance:.0f}% of the time. Random filters do "
    "better, because drawn people differ in shape, most of all where probe and gallery show the same view.)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    place = "data and report (default: %(default)s)"
    parser.add_argument("--output", type=cli.path, default=Path("gaitset-demo"), metavar="DIR", help=place)


def handle(arguments: argparse.Namespace) -> int:
    """Draw, export, run and report."""
    from dataclasses import replace

    from modelzoo.common.commands.output import print_report
    from modelzoo.common.export import import_exporters
    from modelzoo.common.session import open_session
    from modelzoo.common.work import Threads, available_cores
    from modelzoo.gaitset.commands.output import print_metrics
    from modelzoo.gaitset.demo import TEST_SUBJECTS, TRAINING_SUBJECTS, make_casia_b, make_weights, plan
    from modelzoo.gaitset.export import export
    from modelzoo.gaitset.run import RunOptions, run
    from modelzoo.gaitset.split import select_walks

    import_exporters(SPEC.name)
    threads = Threads(available_cores())
    print("drawing a small CASIA-B ...")
    data = make_casia_b(arguments.output / "casia-b", plan())
    weights = make_weights(arguments.output / "seeded_weights.ptm")
    model = export(weights, arguments.output / "gaitset.onnx", frames="dynamic", padding="none")
    walks = select_walks(data, threads, pid_num=len(TRAINING_SUBJECTS)).walks
    report = run(walks, open_session(model, SPEC), RunOptions(8, threads))
    print_metrics(report.metrics)
    note = NOTE.format(subjects=len(TEST_SUBJECTS), chance=100 / len(TEST_SUBJECTS))
    print(note)
    print_report(replace(report, note=note), arguments.output, "walks")
    return 0
