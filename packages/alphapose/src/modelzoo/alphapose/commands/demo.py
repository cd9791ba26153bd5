"""`demo`: the whole way on drawn people and one real photo, with seeded weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.alphapose.spec import SPEC, Form
from modelzoo.common import cli

SUMMARY = "the whole way on drawn people and one real photo, with seeded weights"

NOTE = (
    "The people are drawn, the boxes are taken from the drawing, and the weights are seeded random numbers that have "
    "learnt nothing: these numbers mean only that the pipeline works."
)

LABELLED, GUESSED = "photo-as-labelled.jpg", "photo-with-seeded-weights.jpg"
"""The real photo, drawn with the joints that people have labelled, and with those that this network guesses."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    place = "data, report and pictures (default: %(default)s)"
    parser.add_argument("--output", type=cli.path, default=Path("alphapose-demo"), metavar="DIR", help=place)


def handle(arguments: argparse.Namespace) -> int:
    """Draw, export, run and report."""
    from dataclasses import replace

    from modelzoo.alphapose.coco import read_coco
    from modelzoo.alphapose.commands.export import OUTPUT
    from modelzoo.alphapose.commands.output import write_outcome
    from modelzoo.alphapose.commands.run import DETECTIONS
    from modelzoo.alphapose.demo import make_coco, make_detections, make_weights
    from modelzoo.alphapose.detections import read_detections
    from modelzoo.alphapose.export import export
    from modelzoo.alphapose.run import RunOptions, run
    from modelzoo.common.commands.output import print_report
    from modelzoo.common.export import import_exporters
    from modelzoo.common.session import open_session
    from modelzoo.common.work import Threads, available_cores

    import_exporters(SPEC.name)
    folder: Path = arguments.output
    print("drawing a small COCO ...")
    coco = make_coco(folder / "coco")
    data = read_coco(coco)
    detections = read_detections(make_detections(folder / DETECTIONS, coco), data)
    print("exporting seeded weights ...")
    model = folder / OUTPUT
    export(make_weights(folder / "seeded_weights.pth"), model, Form(flip_test=True, decode=True, dtype="uint8"))
    report, evaluator = run(data, detections, open_session(model, SPEC), RunOptions(8, Threads(available_cores())))
    write_outcome(report.metrics, evaluator, None, None)
    print(NOTE)
    print_report(replace(report, note=NOTE), folder, "crops")
    _draw_photo(model, folder)
    return 0


def _draw_photo(model: Path, folder: Path) -> None:
    """The real photo with both skeletons."""
    from modelzoo.alphapose.demo import PHOTO, read_photo
    from modelzoo.alphapose.estimator import PoseEstimator
    from modelzoo.alphapose.images import write_bgr
    from modelzoo.alphapose.people import Person

    box, keypoints = read_photo()
    pose = PoseEstimator(pose=model)
    for name, people in ((LABELLED, [Person(box, keypoints, 1.0)]), (GUESSED, pose(PHOTO, [box]))):
        write_bgr(folder / name, pose.draw(PHOTO, people))
        print(f"a real photo: {folder / name}")
