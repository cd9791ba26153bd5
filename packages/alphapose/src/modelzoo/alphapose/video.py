"""Videos and webcams: frames in, frames out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.alphapose.quiet import silence_opencv
from modelzoo.common.errors import DataError, WriteError
from modelzoo.common.files import atomic_path

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ts", ".3gp")
"""What video files are called."""

CODEC, CODEC_SUFFIX = "mp4v", ".mp4"
"""MPEG-4 part 2, which every build of OpenCV can write."""

PATIENCE = 100
"""Behind so many frames in a row that cannot be decoded, no others are looked for in a file."""

FPS, HIGHEST_FPS = 25.0, 240.0
"""Frames per second where a video does not say, or says more than that."""


@dataclass
class Video:
    """An open video.

    Args:
        name: What messages call it.
        capture: The `cv2.VideoCapture`.
        fps: Frames per second.
        announced: How many frames its header says that it has; often wrong, and 0 where it says nothing.
        patience: How many frames in a row may be missing before the video counts as ended.
        read: How many frames there were.
        broken: The numbers of those that could not be decoded.
    """

    name: str
    capture: Any
    fps: float
    announced: int
    patience: int = 0
    read: int = 0
    broken: list[int] = field(default_factory=list)

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        """Decode the frames until there are no more; those that are broken are left out.

        Yields:
            Number from 0, and `(H, W, 3) uint8`, BGR, 0..255, turned as the video says.

        Raises:
            DataError: Not one frame can be decoded.
        """
        number = misses = 0
        while misses <= self.patience:
            good, image = self.capture.read()
            if good:
                self.broken.extend(range(number - misses, number))
                self.read = number + 1
                yield number, image
            misses = 0 if good else misses + 1
            number += 1
        if not self.read:
            raise DataError(f"{self.name} holds no frame that can be decoded")

    def remarks(self) -> list[str]:
        """What was odd, once all frames are read."""
        remarks = []
        if self.read < self.announced:
            remarks.append(f"{self.name} ends after {self.read} frames; its header says {self.announced}")
        if self.broken:
            remarks.append(f"{self.name}: {len(self.broken)} frames cannot be decoded, the first is {self.broken[0]}")
        return remarks


@contextmanager
def open_video(place: Path | int) -> Iterator[Video]:
    """Open a video.

    Args:
        place: A file, or the number of a webcam.

    Raises:
        DataError: There is none, or it cannot be opened.
    """
    import cv2

    silence_opencv()
    webcam = isinstance(place, int)
    name = f"webcam {place}" if webcam else str(place)
    capture = (
        cv2.VideoCapture(place) if isinstance(place, int) else cv2.VideoCapture(str(place.absolute()), cv2.CAP_FFMPEG)
    )
    try:
        if not capture.isOpened():
            raise _unopened(name, webcam)
        fps, announced = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        yield Video(
            name,
            capture,
            fps if 0 < fps <= HIGHEST_FPS else FPS,
            int(announced) if 0 < announced < float("inf") else 0,
            patience=0 if webcam else PATIENCE,
        )
    finally:
        capture.release()


@contextmanager
def write_video(path: Path, fps: float) -> Iterator[Callable[[np.ndarray], None]]:
    """Write frames into a video, which gets its name when all are there.

    Args:
        path: An .mp4 file.
        fps: Frames per second.

    Yields:
        Takes a frame, `(H, W, 3) uint8`, BGR, 0..255; the first gives the size, and others are scaled to it.

    Raises:
        WriteError: It cannot be written.
    """
    with atomic_path(path) as partial:
        work = partial.with_name(partial.name + CODEC_SUFFIX)  # the suffix names the kind of file
        recorder = Recorder(work, fps)
        try:
            with closing(recorder):
                yield recorder.write
            work.replace(partial)
        finally:
            work.unlink(missing_ok=True)


class Recorder:
    """A video that is being written.

    Args:
        path: An .mp4 file.
        fps: Frames per second.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps
        self._size = (0, 0)
        self._writer: Any = None

    def write(self, image: np.ndarray) -> None:
        """Add a frame.

        Args:
            image: `(H, W, 3) uint8`, BGR, 0..255.

        Raises:
            WriteError: OpenCV cannot write such a video.
        """
        import cv2

        if self._writer is None:
            silence_opencv()
            self._size = (image.shape[1], image.shape[0])
            self._writer = cv2.VideoWriter(
                str(self._path.absolute()), cv2.VideoWriter.fourcc(*CODEC), self._fps, self._size
            )
            if not self._writer.isOpened():
                width, height = self._size
                raise WriteError(f"OpenCV cannot write {self._path}, a video of {width} x {height} pixels")
        if image.shape[1::-1] != self._size:  # OpenCV would drop it without a word
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        self._writer.write(image)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.release()


def _unopened(name: str, webcam: bool) -> DataError:
    if webcam:
        return DataError(f"{name} cannot be opened", "0 is the first one; is it plugged in, and free?")
    return DataError(f"{name} is not a video that OpenCV can read, or is damaged")
