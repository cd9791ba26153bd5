"""`detect`: the photos of a COCO folder into boxes of people."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from modelzoo.common import cli

SUMMARY = "photos of a COCO folder into boxes of people"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--dataroot", type=cli.path, required=True, metavar="DIR", help="folder with val2017 and annotations")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=cli.path, metavar="FILE", help="yolov3-spp.weights; exported first")
    source.add_argument("--model", type=cli.path, metavar="FILE", help="the exported or converted detector")
    place = "the boxes, in COCO's result format (default: %(default)s)"
    add("--output", type=cli.path, default=Path("detections.json"), metavar="FILE", help=place)
    add("--batchsize", type=cli.positive, metavar="N", help="default: 1, or what the model is fixed to")
    add("--device", type=cli.natural, default=0, metavar="N", help="number of the accelerator (default: 0)")
    cli.add_preprocess_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Detect the people."""
    from modelzoo.alphapose.detector.detect import detect_photos
    from modelzoo.alphapose.detector.opening import open_detector, open_weights
    from modelzoo.alphapose.detector.photos import list_photos
    from modelzoo.common.files import check_writable, existing_folder
    from modelzoo.common.progress import progress
    from modelzoo.common.work import Threads

    photos = list_photos(arguments.dataroot)
    check_writable(existing_folder(arguments.output.absolute().parent, "--output"))
    if arguments.weights:
        print(f"exporting {arguments.weights} ...")
        session = open_weights(arguments.weights)
    else:
        session = open_detector(arguments.model, arguments.device)
    people, stats = detect_photos(
        progress(photos, len(photos), "detecting", "photos"),
        session,
        arguments.output,
        arguments.batchsize or 1,
        Threads(arguments.workers),
        arguments.on_error,
    )
    speed = stats.samples / stats.wall_s if stats.wall_s else 0.0
    print(f"{people} people in {stats.samples} photos to {arguments.output}, {speed:.2f} photos/s ({session.backend})")
    for source in stats.skipped:
        print(f"skipped: {source.reason}", file=sys.stderr)
    return 1 if stats.skipped else 0
