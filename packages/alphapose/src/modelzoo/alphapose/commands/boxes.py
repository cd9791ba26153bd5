"""Where boxes of people come from: a file, the detector, or the file that the guide keeps."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import DataError

if TYPE_CHECKING:
    from modelzoo.alphapose.coco import CocoPeople
    from modelzoo.alphapose.detections import Detection
    from modelzoo.common.work import Skipped

GUIDE_WEIGHTS = Path("AlphaPose", "detector", "yolo", "data", "yolov3-spp.weights")
"""Where the guide puts the detector's weights, below the working directory."""


def add_box_flags(parser: argparse.ArgumentParser) -> None:
    """Where the boxes come from."""
    source = parser.add_mutually_exclusive_group()
    file = "boxes of people in COCO's result format (default: ./exp/json/test_det_yolo.json, if it is of these photos)"
    source.add_argument("--detections", type=cli.path, metavar="JSON", help=file)
    model = f"the person detector, .weights or .onnx, which finds them first (default: ./{GUIDE_WEIGHTS})"
    source.add_argument("--detector-weights", "--detector", type=cli.path, metavar="FILE", help=model)


@dataclass(frozen=True)
class Boxes:
    """Boxes of people.

    Args:
        detections: The boxes.
        skipped: The photos that the detector could not use.
    """

    detections: Sequence[Detection]
    skipped: Sequence[Skipped] = ()


def find_boxes(arguments: argparse.Namespace, data: CocoPeople, place: Path) -> Boxes:
    """The boxes that the flags of `add_box_flags` name.

    Args:
        arguments: The flags, and `workers` and `on_error`.
        data: The data set.
        place: Where to write what the detector finds.

    Raises:
        DataError: There are none, or they are those of another data set.
    """
    from modelzoo.alphapose.detections import read_detections

    if arguments.detections:
        return Boxes(read_detections(arguments.detections, data))
    if arguments.detector_weights:
        return _detect(arguments.detector_weights, data, place, arguments)
    kept, why_not = _kept_boxes(data)
    if kept:
        return Boxes(kept)
    if not GUIDE_WEIGHTS.is_file():
        hint = "give --detections JSON, or --detector-weights yolov3-spp.weights"
        raise DataError(f"there are no boxes of people: {why_not}, and there is no ./{GUIDE_WEIGHTS}", hint)
    return _detect(GUIDE_WEIGHTS, data, place, arguments)


def _kept_boxes(data: CocoPeople) -> tuple[list[Detection], str]:
    """What is in the guide's place, if it is of this data set; else why not."""
    from modelzoo.alphapose.detections import GUIDE_DETECTIONS, read_detections

    if not GUIDE_DETECTIONS.exists():
        return [], f"there is no ./{GUIDE_DETECTIONS}"
    try:
        detections = read_detections(GUIDE_DETECTIONS, data)
    except DataError as error:
        print(f"note: ./{GUIDE_DETECTIONS} is not used: {error}", file=sys.stderr)
        return [], f"./{GUIDE_DETECTIONS} does not fit"
    print(f"detections: ./{GUIDE_DETECTIONS}", file=sys.stderr)
    return detections, ""


def _detect(model: Path, data: CocoPeople, place: Path, arguments: argparse.Namespace) -> Boxes:
    """Run the detector on all photos."""
    from modelzoo.alphapose.detections import read_detections
    from modelzoo.alphapose.detector.detect import detect_photos
    from modelzoo.alphapose.detector.opening import open_detector
    from modelzoo.common.files import make_folder
    from modelzoo.common.progress import progress
    from modelzoo.common.work import Threads

    print(f"detecting people with {model} ...")
    session = open_detector(model)
    make_folder(place.absolute().parent)
    photos = progress(data.photos.values(), len(data.photos), "detecting", "photos")
    people, stats = detect_photos(photos, session, place, 1, Threads(arguments.workers), arguments.on_error)
    print(f"{people} people in {stats.samples} photos to {place}")
    return Boxes(read_detections(place, data), stats.skipped)
