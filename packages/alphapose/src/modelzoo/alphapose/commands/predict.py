"""`predict`: images, folders, videos and webcams into poses, pictures and videos of skeletons."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.alphapose.formats import FORMATS
from modelzoo.common import cli

if TYPE_CHECKING:
    from modelzoo.alphapose.estimator import PoseEstimator
    from modelzoo.alphapose.given_boxes import GivenBoxes
    from modelzoo.alphapose.predict import Summary
    from modelzoo.alphapose.sources import Source

SUMMARY = "images, folders, videos and webcams into poses, pictures and videos of skeletons"

OUTPUT = Path("alphapose-poses")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    kinds = "an image, a folder of images, a video, or the number of a webcam, which Ctrl-C ends"
    add("sources", nargs="+", type=cli.named, metavar="SOURCE", help=kinds)
    add("--pose", type=cli.path, required=True, metavar="FILE", help="the pose network: .onnx, .om, or a checkpoint")
    people = parser.add_mutually_exclusive_group(required=True)
    detector = "the person detector: .onnx, .om, or yolov3-spp.weights"
    people.add_argument("--detector", type=cli.path, metavar="FILE", help=detector)
    own = "your own boxes: COCO results, or lists of x, y, width and height by image name; like the detector's, they "
    own += "lose poses that belong to one person or convince nobody"
    people.add_argument("--boxes", type=cli.path, metavar="JSON", help=own)
    place = "an empty folder for alphapose-results.json, pictures and videos (default: %(default)s)"
    add("--output", type=cli.path, default=OUTPUT, metavar="DIR", help=place)
    add("--save-image", action="store_true", help="draw the people of every frame into a picture, in DIR/vis")
    add("--save-video", action="store_true", help="draw the people of every video into an .mp4 file")
    add("--format", choices=FORMATS, default="coco", help="of alphapose-results.json (default: %(default)s)")
    add("--track", action="store_true", help="number people through a video or a folder by overlapping boxes")
    add("--flip-test", action="store_true", help="compute mirrored people as well: better, and twice the work")
    limit = "people of a frame that are computed together, at most (default: 64, or what the model is fixed to)"
    add("--batchsize", type=cli.positive, metavar="N", help=limit)
    add("--device", type=cli.natural, default=0, metavar="N", help="number of the accelerator (default: 0)")
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "the results in DIR, and remove the pictures of the last ones from DIR/vis")


def handle(arguments: argparse.Namespace) -> int:
    """Estimate poses."""
    from modelzoo.alphapose.old_pictures import find_old_pictures, remove_unchanged
    from modelzoo.alphapose.predict import Finder, Wanted, check_wanted, predict
    from modelzoo.alphapose.sources import find_sources
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.common.work import Threads

    sources = find_sources(arguments.sources)
    wanted = Wanted(arguments.output, arguments.format, arguments.save_image, arguments.save_video, arguments.track)
    check_wanted(sources, wanted, arguments.overwrite)
    boxes = _boxes(arguments.boxes, sources)
    finder = Finder(_estimator(arguments), boxes)
    old = find_old_pictures(arguments.output) if arguments.overwrite else {}
    summary = predict(sources, finder, wanted, Threads(arguments.workers), arguments.on_error)
    remove_unchanged(old)
    _print_summary(summary, sources, arguments)
    return print_skipped(summary.skipped)


def _boxes(path: Path | None, sources: list[Source]) -> GivenBoxes | None:
    """Own boxes; where the names of all pictures are known beforehand, they have to fit one of them."""
    from modelzoo.alphapose.given_boxes import read_boxes
    from modelzoo.alphapose.sources import Photos

    if path is None:
        return None
    boxes = read_boxes(path)
    photos = [source for source in sources if isinstance(source, Photos)]
    for source in photos:
        for photo in source.paths:
            boxes.of(photo.name)
    if len(photos) == len(sources):
        boxes.check_fit()
    return boxes


def _estimator(arguments: argparse.Namespace) -> PoseEstimator:
    from modelzoo.alphapose.detector.opening import WEIGHTS_SUFFIX
    from modelzoo.alphapose.estimator import BATCHSIZE, PoseEstimator
    from modelzoo.alphapose.tracking import CONFIDENCE
    from modelzoo.common.files import existing_file
    from modelzoo.common.session import CHECKPOINT_SUFFIXES

    for file in (arguments.detector, arguments.pose):
        if file and existing_file(file, "model").suffix.lower() in (WEIGHTS_SUFFIX, *CHECKPOINT_SUFFIXES):
            print(f"exporting {file} ...")
    return PoseEstimator(
        pose=arguments.pose,
        detector=arguments.detector,
        batchsize=arguments.batchsize or BATCHSIZE,
        flip_test=arguments.flip_test,
        confidence=CONFIDENCE if arguments.track else None,
        device=arguments.device,
    )


def _print_summary(summary: Summary, sources: list[Source], arguments: argparse.Namespace) -> None:
    from modelzoo.alphapose.formats import RESULTS
    from modelzoo.alphapose.sources import Photos

    speed = summary.frames / summary.wall_s if summary.wall_s else 0.0
    nobody = f", nobody in {summary.empty} of them" if summary.empty else ""
    print(f"{summary.people} people in {summary.frames} frames{nobody}; {summary.wall_s:.1f} s, {speed:.2f} frames/s")
    if arguments.track and arguments.format != "coco":
        print(f"note: the format {arguments.format} has no place for the numbers of people", file=sys.stderr)
    for remark in summary.remarks:
        print(f"note: {remark}", file=sys.stderr)
    for source in sources:
        if isinstance(source, Photos) and source.passed_over:
            print(f"{source.name}: {source.passed_over} other files passed over")
        if isinstance(source, Photos) and source.folders:
            print(f"{source.name}: {source.folders} sub-folders are not looked into")
    print(f"poses: {arguments.output / RESULTS}")
