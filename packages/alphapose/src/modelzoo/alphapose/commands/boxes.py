"""Where boxes of people come from: a file, the detector, or the file that the guide keeps."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from modelzoo.alphapose.detections import GUIDE_DETECTIONS, read_detections
from modelzoo.common import cli
from modelzoo.common.errors import DataError

if TYPE_CHECKING:
    from modelzoo.alphapose.coco import CocoPeople
    from modelzoo.alphapose.detections import Detection
    from modelzoo.common.session import Session
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


def plan_boxes(arguments: argparse.Namespace, data: CocoPeople, place: Path) -> Callable[[], Boxes]:
    """Find out where the boxes come from, by the flags of `add_box_flags`; what is quick to check is checked.

    Args:
        arguments: The flags, `workers` and `on_error`; and `overwrite`, where the place is the guide's.
        data: The data set.
        place: Where to write what the detector finds.

    Returns:
        Gives the boxes: those of a file, which has been read, or those that the detector finds then.

    Raises:
        DataError: There are none, or they are those of another data set.
        ModelError: The detector is none.
    """
    if arguments.detections:
        boxes = Boxes(read_detections(arguments.detections, data))
        print_coverage(str(arguments.detections), boxes.detections, data)
        return lambda: boxes
    model, missing = arguments.detector_weights, ""
    if not model:
        kept, missing = _kept_boxes(data)
        if kept:
            print_coverage(f"./{GUIDE_DETECTIONS}", kept, data)
            return lambda: Boxes(kept)
    return partial(_detect, _opener(model or _guide_weights(missing)), data, place, arguments)


def print_coverage(name: str, detections: Sequence[Detection], data: CocoPeople) -> None:
    """Say on stderr which file of boxes is used, and how many of the photos it covers."""
    covered = {detection.photo.number for detection in detections}
    print(f"detections: {name}, boxes in {len(covered)} of {len(data.photos)} photos", file=sys.stderr)
    labelled = data.labelled_photos()
    bare = [photo for photo in labelled if photo.number not in covered]
    if bare:
        text = f"{len(bare)} of {len(labelled)} photos with labelled people have no box, the first is {bare[0].name}"
        print(f"note: {text}", file=sys.stderr)


def _kept_boxes(data: CocoPeople) -> tuple[list[Detection], str]:
    """What is in the guide's place, if it is of this data set; else why not."""
    if not GUIDE_DETECTIONS.exists():
        return [], f"there is no ./{GUIDE_DETECTIONS}"
    try:
        return read_detections(GUIDE_DETECTIONS, data), ""
    except DataError as error:
        print(f"note: ./{GUIDE_DETECTIONS} is not used: {error}", file=sys.stderr)
        return [], f"./{GUIDE_DETECTIONS} does not fit"


def _guide_weights(missing: str) -> Path:
    if not GUIDE_WEIGHTS.is_file():
        hint = "give --detections JSON, or --detector-weights yolov3-spp.weights"
        raise DataError(f"there are no boxes of people: {missing}, and there is no ./{GUIDE_WEIGHTS}", hint)
    return GUIDE_WEIGHTS


def _opener(model: Path) -> Callable[[], Session]:
    """Gives the detector: a graph is opened at once, `.weights`, whose export takes long, only when it is called."""
    from modelzoo.alphapose.detector.opening import WEIGHTS_SUFFIX, open_detector
    from modelzoo.common.files import existing_file

    if model.suffix.lower() == WEIGHTS_SUFFIX:
        return partial(open_detector, existing_file(model, "detector"))
    session = open_detector(model)
    return lambda: session


def _detect(opener: Callable[[], Session], data: CocoPeople, place: Path, arguments: argparse.Namespace) -> Boxes:
    """Run the detector on all photos."""
    from modelzoo.alphapose.detector.detect import detect_photos
    from modelzoo.common.progress import progress
    from modelzoo.common.work import Threads

    print(f"detecting people with {arguments.detector_weights or GUIDE_WEIGHTS} ...")
    session = opener()
    photos = progress(data.photos.values(), len(data.photos), "detecting", "photos")
    with TemporaryDirectory(prefix="modelzoo-boxes-") as folder:
        file = Path(folder, place.name)
        people, stats = detect_photos(photos, session, file, 1, Threads(arguments.workers), arguments.on_error)
        if not people:
            first = f"; the first that was skipped: {stats.skipped[0].reason}" if stats.skipped else ""
            raise DataError(f"the detector finds nobody in {stats.samples} photos{first}")
        print(f"{people} people in {stats.samples} photos")
        _keep(file.read_bytes(), place, len(stats.skipped), arguments)
        return Boxes(read_detections(file, data), stats.skipped)


def _keep(found: bytes, place: Path, skipped: int, arguments: argparse.Namespace) -> None:
    """Write what the detector found; in the guide's place, where it is read later unasked, only what is whole."""
    from modelzoo.common.files import make_folder, write_bytes

    if place == GUIDE_DETECTIONS and skipped:
        print(f"note: ./{place} is not written, because {skipped} photos were skipped", file=sys.stderr)
        return
    if place == GUIDE_DETECTIONS and place.exists() and not arguments.overwrite and place.read_bytes() != found:
        print(f"note: ./{place} held something else, which is now ./{_set_aside(place)}", file=sys.stderr)
    make_folder(place.absolute().parent)
    write_bytes(place, found)
    print(f"detections: {place}")


def _set_aside(path: Path) -> Path:
    """Give a file the first name that is free: `x.1.json`, `x.2.json` ..."""
    names = (path.with_suffix(f".{number}{path.suffix}") for number in count(1))
    return path.rename(next(name for name in names if not name.exists()))
