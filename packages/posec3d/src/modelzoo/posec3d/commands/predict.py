"""`predict`: what people do, in annotations and in the keypoints of AlphaPose and COCO."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli

if TYPE_CHECKING:
    from modelzoo.common.work import Skipped
    from modelzoo.posec3d.geometry import Size
    from modelzoo.posec3d.predict import Duration, Options, Prediction
    from modelzoo.posec3d.prediction_folder import PredictionFolder
    from modelzoo.posec3d.recognizer import ActionRecognizer
    from modelzoo.posec3d.sources import Source

SUMMARY = "what people do: keypoints of AlphaPose, COCO or annotations into actions and pictures"

LONG = 300
"""Frames from which one answer to a whole recording says little."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--model", type=cli.path, required=True, metavar="FILE", help="the model: .onnx, .om, or a checkpoint")
    kinds = "AlphaPose's results or COCO keypoints of a video (.json), or annotations (.pkl)"
    add("--keypoints", type=cli.path, required=True, metavar="FILE", help=kinds)
    names = "names of the actions, one a line (default: those of HMDB51 where there are 51)"
    add("--labels", type=cli.path, metavar="FILE", help=names)
    splits = "which recordings of a file with splits (default: all)"
    add("--split", metavar="NAME", help=splits)
    add("--name", metavar="NAME", help="the one recording of the file that counts (default: all)")
    add(
        "--track",
        type=cli.natural,
        metavar="N",
        help="the one person that counts, by AlphaPose's idx (default: all)",
    )
    people = "people of a frame that count, at most: the most certain ones (default: all)"
    add("--persons", type=cli.positive, metavar="K", help=people)
    windows = "a timeline: length of its windows, in frames, or in seconds as 2.5s (default: one answer)"
    add("--window", type=duration, metavar="LENGTH", help=windows)
    add("--stride", type=duration, metavar="LENGTH", help="from window to window (default: half a window)")
    add("--fps", type=rate, metavar="RATE", help="frames a second, as they are numbered")
    add("--image-size", type=size, metavar="WxH", help="width and height of the frames, where the file does not say")
    add("--top", type=cli.positive, default=5, metavar="K", help="actions that are named (default: %(default)s)")
    place = "probabilities, timeline and pictures (default: %(default)s)"
    add("--output", type=cli.path, default=Path("posec3d-actions"), metavar="DIR", help=place)
    add("--json", type=cli.path, metavar="FILE", help="write the probabilities there as well")
    add("--batchsize", type=cli.positive, default=1, metavar="N", help="windows a batch (default: %(default)s)")
    add("--device", type=cli.natural, default=0, metavar="N", help="number of the accelerator (default: 0)")
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "results that are in the output folder")


def duration(text: str) -> Duration:
    """A number of frames, or of seconds where an s is behind it."""
    from modelzoo.posec3d.predict import Duration

    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(s?)", text)
    amount = float(found[1]) if found else 0.0
    if not found or amount <= 0 or not (found[2] or amount.is_integer()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of frames such as 64, or of seconds such as 2.5s")
    return Duration(amount, bool(found[2]))


def rate(text: str) -> float:
    """A number of frames a second."""
    value = float(text) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,9})?", text) else 0.0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of frames a second, such as 25")
    return value


def size(text: str) -> Size:
    """Width and height, as height and width."""
    found = re.fullmatch(r"([1-9][0-9]{0,6})x([1-9][0-9]{0,6})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not width and height in pixels, such as 640x480")
    return int(found[2]), int(found[1])


def handle(arguments: argparse.Namespace) -> int:
    """Tell what people do."""
    from modelzoo.common.commands.output import print_skipped, write_metrics
    from modelzoo.common.files import existing_folder
    from modelzoo.posec3d.predict import Options
    from modelzoo.posec3d.prediction_folder import check_output, opened
    from modelzoo.posec3d.recognizer import ActionRecognizer
    from modelzoo.posec3d.sources import choose, list_recordings

    options = Options(arguments.window, arguments.stride, arguments.persons, arguments.fps)
    if arguments.json:
        existing_folder(arguments.json.absolute().parent, "--json")
    check_output(arguments.output, arguments.overwrite)
    listed = list_recordings(arguments.keypoints, arguments.image_size, arguments.track, arguments.split)
    sources = choose(listed, arguments.name)
    recognizer = ActionRecognizer(
        arguments.model,
        arguments.labels,
        batchsize=arguments.batchsize,
        workers=arguments.workers,
        device=arguments.device,
    )
    with opened(arguments.output, recognizer, arguments.top) as output:
        skipped = _predict(sources, recognizer, options, arguments, output)
    write_metrics(output.content, arguments.json)
    print(f"all of it: {arguments.output}")
    return print_skipped(skipped)


def _predict(
    sources: list[Source],
    recognizer: ActionRecognizer,
    options: Options,
    arguments: argparse.Namespace,
    output: PredictionFolder,
) -> list[Skipped]:
    """The answers, printed and written as they come; what is skipped is returned."""
    from modelzoo.common.errors import DataError
    from modelzoo.common.work import Skipped
    from modelzoo.posec3d.predict import predict
    from modelzoo.posec3d.sources.recording import naming

    skipped = []
    for source in sources:
        try:
            recording = source.load()
            with naming(source.name):
                found = predict(recording, recognizer, options)
        except DataError as error:
            if arguments.on_error == "fail":
                raise
            skipped.append(Skipped(source.name, str(error)))
        else:
            _print(found, recognizer, arguments.top)
            output.add(found)
    if len(skipped) == len(sources):
        raise DataError(f"no recording of {arguments.keypoints} can be used, the first: {skipped[0].reason}")
    return skipped


def _print(found: Prediction, recognizer: ActionRecognizer, top: int) -> None:
    from modelzoo.common.text import printable
    from modelzoo.posec3d.predictions import lines

    people, frames = found.recording.skeletons.scores.shape[:2]
    name = printable(found.recording.name)
    print(f"{name}: {frames} frames, {'1 person' if people == 1 else f'up to {people} people'}")
    for remark in found.recording.remarks:
        print(f"note: {name}: {remark}", file=sys.stderr)
    if frames >= LONG and not found.windows:
        print(f"note: {name}: one answer for {frames} frames; --window gives a timeline", file=sys.stderr)
    print("\n".join(printable(line) for line in lines(found, recognizer, top)))
