"""`demo`: the whole way on drawn people with seeded weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.reid.spec import SPEC

SUMMARY = "the whole way on drawn people with seeded weights"

NOTE = (
    "The people are drawn and the weights are seeded random numbers that have learnt nothing: these numbers mean only "
    "that the pipeline works. (A random ranking has an mAP of about 9% here.)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    place = "data and report (default: %(default)s)"
    parser.add_argument("--output", type=cli.path, default=Path("reid-demo"), metavar="DIR", help=place)


def handle(arguments: argparse.Namespace) -> int:
    """Draw, export, run and report."""
    from dataclasses import replace

    from modelzoo.common.commands.output import print_report
    from modelzoo.common.export import import_exporters
    from modelzoo.common.session import open_session
    from modelzoo.common.work import Threads, available_cores
    from modelzoo.reid.commands.export import export_weights
    from modelzoo.reid.commands.output import print_metrics
    from modelzoo.reid.demo import make_market1501, make_weights
    from modelzoo.reid.layouts import read_data_set
    from modelzoo.reid.preprocess import CHUNK
    from modelzoo.reid.run import RunOptions, run

    import_exporters(SPEC.name)
    print("drawing a small Market-1501 ...")
    data = make_market1501(arguments.output / "market1501")
    weights = make_weights(arguments.output / "seeded_weights.pth", data)
    form = {"backbone": "resnet50", "neck_feat": "after"}
    model = export_weights(weights, arguments.output / "ReID.onnx", form, "float32")
    report = run(read_data_set(data), open_session(model, SPEC), RunOptions(8, Threads(available_cores(), CHUNK)))
    print_metrics(report.metrics)
    print(NOTE)
    print_report(replace(report, note=NOTE), arguments.output, "images")
    return 0
