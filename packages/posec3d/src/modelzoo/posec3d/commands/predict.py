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
    from modelzoo.posec3d.predict import Duration, Prediction
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
    from modelzoo.common.errors import UsageError
    from modelzoo.common.files import existing_folder
    from modelzoo.posec3d.predictions import check_output, write_predictions
    from modelzoo.posec3d.recognizer import ActionRecognizer
    from modelzoo.posec3d.sources import choose, list_recordings

    if arguments.stride and not arguments.window:
        raise UsageError("--stride is for --window, which makes a timeline")
    if arguments.json:
        existing_folder(arguments.json.absolute().parent, "--json")
    check_output(arguments.output, arguments.overwrite)
    sources = choose(list_recordings(arguments.keypoints, arguments.image_size, arguments.track), arguments.name)
    recognizer = ActionRecognizer(
        arguments.model,
        arguments.labels,
        batchsize=arguments.batchsize,
        workers=arguments.workers,
        device=arguments.device,
    )
    predictions, skipped = _predict(sources, recognizer, arguments)
    content = write_predictions(arguments.output, predictions, recognizer, arguments.top)
    write_metrics(content, arguments.json)
    print(f"all of it: {arguments.output}")
    return print_skipped(skipped)


def _predict(
    sources: list[Source], recognizer: ActionRecognizer, arguments: argparse.Namespace
) -> tuple[list[Prediction], list[Skipped]]:
    """The answers, printed as they come."""
    from modelzoo.common.errors import DataError
    from modelzoo.common.work import Skipped
    from modelzoo.posec3d.predict import Options, predict

    options = Options(arguments.window, arguments.stride, arguments.persons, arguments.fps)
    predictions, skipped = [], []
    for source in sources:
        try:
            found = predict(source.load(), recognizer, options)
        except DataError as error:
            named = error if source.name in str(error) else DataError(f"{source.name}: {error}", error.hint)
            if arguments.on_error == "fail":
                raise named from error
            skipped.append(Skipped(source.name, str(named)))
        else:
            predictions.append(found)
            _print(found, recognizer, arguments.top)
    if not predictions:
        raise DataError(f"no recording of {arguments.keypoints} can be used, the first: {skipped[0].reason}")
    return predictions, skipped


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
