"""Images, videos and webcams into poses: a JSON file, pictures and videos of skeletons, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from modelzoo.alphapose.estimator import PoseEstimator
from modelzoo.alphapose.formats import RESULTS, open_results
from modelzoo.alphapose.given_boxes import GivenBoxes
from modelzoo.alphapose.images import write_bgr
from modelzoo.alphapose.people import Person
from modelzoo.alphapose.sources import Frame, OpenSource, Photos, Recording, Source
from modelzoo.alphapose.tracking import Tracker
from modelzoo.alphapose.video import CODEC_SUFFIX, write_video
from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.files import check_writable, make_folder
from modelzoo.common.progress import progress
from modelzoo.common.work import Skipped, Threads, bounded_map

if TYPE_CHECKING:
    import numpy as np

PICTURES = "vis"
"""The folder of the skeleton pictures, as in the published demo."""

VIDEO = "AlphaPose_{}" + CODEC_SUFFIX
"""What it calls a skeleton video."""

Drawing: TypeAlias = "Callable[[str, np.ndarray], None]"
"""Takes the name of a frame, and the frame with its people drawn in."""


Loaded: TypeAlias = "tuple[str, np.ndarray]"
"""The name of a frame, and `(H, W, 3) uint8`, BGR, 0..255."""


@dataclass(frozen=True)
class Wanted:
    """What is to be written.

    Args:
        folder: Where.
        form: Format of the JSON file, one of `formats.FORMATS`.
        pictures: Whether every frame is drawn into an image file.
        videos: Whether those of a video are drawn into a video.
        track: Whether people keep a number from frame to frame.
    """

    folder: Path
    form: str = "coco"
    pictures: bool = False
    videos: bool = False
    track: bool = False


@dataclass
class Summary:
    """What came of it.

    Args:
        frames: How many pictures were looked at.
        people: How many people are in them.
        empty: In how many pictures nobody is.
        wall_s: Seconds.
        skipped: Images that could not be read, or were too large.
        remarks: What was odd about videos.
    """

    frames: int = 0
    people: int = 0
    empty: int = 0
    wall_s: float = 0.0
    skipped: list[Skipped] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def count(self, people: Sequence[Person]) -> None:
        """Take one picture.

        Args:
            people: Those in it.
        """
        self.frames += 1
        self.people += len(people)
        self.empty += not people


def check_wanted(sources: Sequence[Source], wanted: Wanted, overwrite: bool) -> None:
    """Find out before long work whether everything can be written.

    Raises:
        DataError: The folder is not empty and `overwrite` is not set.
        UsageError: A video is wanted of images, two videos would have one name, or images lie where pictures belong.
        WriteError: The folder cannot be written.
    """
    check_writable(wanted.folder)
    if not overwrite and wanted.folder.is_dir() and (there := next(wanted.folder.iterdir(), None)):
        raise DataError(
            f"{wanted.folder} is not empty, it holds {there.name}", "choose another --output, or --overwrite"
        )
    recordings = [source for source in sources if isinstance(source, Recording)]
    if wanted.videos and not recordings:
        raise UsageError("--save-video needs a video; these are images", "--save-image draws them")
    names = [recording.stem for recording in recordings]
    twice = next((name for name in names if names.count(name) > 1), None)
    if wanted.videos and twice is not None:
        raise UsageError(f"two videos are called {twice}, and so would those of the skeletons", "give them in two runs")
    pictures = (wanted.folder / PICTURES).resolve()
    photos = [path for source in sources if isinstance(source, Photos) for path in source.paths]
    inside = next((path for path in photos if path.resolve().parent == pictures), None)
    if inside is not None:
        raise UsageError(f"{inside} lies where the skeleton pictures are written", "choose another --output")


@dataclass(frozen=True)
class Finder:
    """What finds the people in a frame.

    Args:
        estimator: Finds their poses.
        boxes: In place of its detector.
    """

    estimator: PoseEstimator
    boxes: GivenBoxes | None = None

    def find(self, name: str, image: np.ndarray) -> list[Person]:
        """The people in one frame.

        Args:
            name: Its file name.
            image: `(H, W, 3) uint8`, BGR, 0..255.

        Raises:
            DataError: It is too large, or its boxes may be those of another one.
        """
        boxes = None if self.boxes is None else [(*box, score) for box, score in self.boxes.of(name)]
        try:
            return self.estimator(image, boxes)
        except DataError as error:
            raise DataError(f"{name}: {error}", error.hint) from error


def predict(
    sources: Sequence[Source], finder: Finder, wanted: Wanted, threads: Threads, on_error: str = "fail"
) -> Summary:
    """Estimate the poses in all frames of the sources, and write them as they come.

    Args:
        sources: See `sources.find_sources`.
        finder: What finds people.
        wanted: What is written.
        threads: What decodes images.
        on_error: `fail` or `skip` for images that cannot be read.

    Raises:
        DataError: A source cannot be read, or the boxes are those of other pictures.
        WriteError: Something cannot be written.
    """
    make_folder(wanted.folder)
    summary, start = Summary(), time.perf_counter()
    with open_results(wanted.folder / RESULTS, wanted.form) as results:
        for source in sources:
            with source.opened() as opened, _drawings(source, opened, wanted) as drawings:
                loaded = bounded_map(partial(_load, on_error=on_error), opened.frames, threads)
                tracker = Tracker() if wanted.track else None
                frames = progress(loaded, opened.total, source.name, "frames")
                for found in _found(frames, finder, on_error):
                    if isinstance(found, Skipped):
                        summary.skipped.append(found)
                        continue
                    frame, people = found
                    people = tracker.update(people) if tracker else people
                    results.write(frame[0], people)
                    summary.count(people)
                    _draw(frame, people, finder.estimator, drawings)
                summary.remarks.extend(opened.remarks())
        if finder.boxes:
            finder.boxes.check_fit()
            summary.remarks.extend(finder.boxes.remarks())
    summary.wall_s = time.perf_counter() - start
    return summary


def _load(frame: Frame, on_error: str) -> Loaded | Skipped:
    try:
        return frame.name, frame.load()
    except DataError as error:
        if on_error == "skip":
            return Skipped(frame.name, str(error))
        raise


def _found(
    frames: Iterable[Loaded | Skipped], finder: Finder, on_error: str
) -> Iterator[tuple[Loaded, list[Person]] | Skipped]:
    """The frames with the people in them."""
    for frame in frames:
        if isinstance(frame, Skipped):
            yield frame
            continue
        try:
            people = finder.find(*frame)
        except DataError as error:
            if on_error != "skip":
                raise
            yield Skipped(frame[0], str(error))
        else:
            yield frame, people


@contextmanager
def _drawings(source: Source, opened: OpenSource, wanted: Wanted) -> Iterator[list[Drawing]]:
    """What takes the drawn frames of a source: a folder of pictures, a video, both or nothing."""
    with ExitStack() as stack:
        drawings: list[Drawing] = []
        if wanted.pictures:
            drawings.append(partial(_write_picture, wanted.folder / PICTURES))
        if wanted.videos and isinstance(source, Recording) and opened.fps:
            path = wanted.folder / VIDEO.format(source.stem)
            record = stack.enter_context(write_video(path, opened.fps))
            drawings.append(lambda _, image: record(image))
        yield drawings


def _draw(frame: Loaded, people: Sequence[Person], estimator: PoseEstimator, drawings: Sequence[Drawing]) -> None:
    if drawings:
        name, image = frame
        drawn = estimator.draw(image, people)
        for take in drawings:
            take(name, drawn)


def _write_picture(folder: Path, name: str, image: np.ndarray) -> None:
    path = folder / name
    make_folder(path.parent)
    write_bgr(path, image)
