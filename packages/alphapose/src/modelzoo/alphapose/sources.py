"""What poses are wanted of: image files, folders of them, videos and webcams, all as frames with a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.alphapose import images, video
from modelzoo.alphapose.interrupt import until_interrupt
from modelzoo.common.errors import DataError
from modelzoo.common.files import list_folder, neighbour_hint

if TYPE_CHECKING:
    import numpy as np

HINT = f"images are {', '.join(images.SUFFIXES)}, videos {', '.join(video.SUFFIXES)}"


@dataclass(frozen=True)
class Frame:
    """One picture.

    Args:
        name: The file name of an image; `k.jpg` for the frame k of a video, from 0, as published.
        load: Gives `(H, W, 3) uint8`, BGR, 0..255. Raises DataError for an image that cannot be read.
    """

    name: str
    load: Callable[[], np.ndarray]


@dataclass(frozen=True)
class OpenSource:
    """A source whose frames can be read, once.

    Args:
        frames: The frames in order.
        total: About how many there are, if known.
        fps: Frames per second; None for images, which are no video.
        remarks: Tells what was odd, once all frames are read.
    """

    frames: Iterator[Frame]
    total: int | None
    fps: float | None = None
    remarks: Callable[[], list[str]] = list


@dataclass(frozen=True)
class Photos:
    """Image files.

    Args:
        name: What messages call them.
        paths: The files, in order.
        passed_over: How many other files are in the folder.
        folders: How many folders are in it, in which nothing is looked for.
    """

    name: str
    paths: Sequence[Path]
    passed_over: int = 0
    folders: int = 0

    @contextmanager
    def opened(self) -> Iterator[OpenSource]:
        """Images are opened one by one."""
        frames = (Frame(path.name, partial(images.read_bgr, path)) for path in self.paths)
        yield OpenSource(frames, len(self.paths))


@dataclass(frozen=True)
class Recording:
    """A video file or a webcam.

    Args:
        place: The file, or the number of the webcam.
        folder: Put before the names of its frames, with a slash; empty where it is the only source.
    """

    place: Path | int
    folder: str = ""

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"webcam {self.place}" if isinstance(self.place, int) else str(self.place)

    @property
    def stem(self) -> str:
        """What a video of its skeletons is called."""
        return f"webcam{self.place}" if isinstance(self.place, int) else self.place.stem

    @contextmanager
    def opened(self) -> Iterator[OpenSource]:
        """Open it; Ctrl-C ends a webcam.

        Raises:
            DataError: It cannot be opened.
        """
        with video.open_video(self.place) as opened, ExitStack() as stack:
            pairs = opened.frames()
            if isinstance(self.place, int):
                pressed = stack.enter_context(until_interrupt())
                pairs = takewhile(lambda _: not pressed(), pairs)
            frames = (Frame(f"{self.folder}{number}.jpg", partial(_given, image)) for number, image in pairs)
            yield OpenSource(frames, opened.announced or None, opened.fps, opened.remarks)


Source = Photos | Recording


def find_sources(words: Sequence[str]) -> list[Source]:
    """Find what the words of a command line mean, and check that every video opens.

    Args:
        words: Image files, folders of images, video files, and numbers of webcams.

    Returns:
        One source a word, in their order.

    Raises:
        DataError: Something is missing or is no such thing, or two pictures would have one name.
    """
    alone = len(words) == 1
    sources = [_source(word, alone) for word in words]
    for source in sources:
        if isinstance(source, Recording):
            with source.opened():
                pass
    _check_names(sources)
    return sources


def _source(word: str, alone: bool) -> Source:
    path = Path(word)
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        if word.isascii() and word.isdigit():
            return Recording(int(word), "" if alone else f"webcam{word}/")
        raise DataError(f"no such image, folder or video: {word}", neighbour_hint(path))
    if _is_called(path.name, images.SUFFIXES):
        return Photos(word, [path])
    if _is_called(path.name, video.SUFFIXES):
        return Recording(path, "" if alone else f"{path.name}/")
    raise DataError(f"{word} is neither an image nor a video by its suffix", HINT)


def _folder(path: Path) -> Photos:
    """The images in a folder; in the order of the numbers in their names, which frames of a video have."""
    entries = list_folder(path, "image")
    files = [entry.name for entry in entries if not entry.is_dir()]
    folders = len(entries) - len(files)
    names = [name for name in files if _is_called(name, images.SUFFIXES) and not name.startswith(".")]
    if not names:
        beside = f"; its {folders} sub-folders are not looked into" if folders else ""
        raise DataError(f"no images in {path}{beside}", HINT)
    paths = [path / name for name in sorted(names, key=_by_numbers)]
    return Photos(str(path), paths, len(files) - len(names), folders)


def _is_called(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes)


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """A key that puts `frame10` behind `frame9`."""
    return [(int(part), "") if part.isascii() and part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _check_names(sources: Iterable[Source]) -> None:
    """Results are known by the name of their picture.

    Raises:
        DataError: Two pictures have one.
    """
    seen: dict[str, str] = {}
    for source in sources:
        named = (
            {path.name: str(path) for path in source.paths}
            if isinstance(source, Photos)
            else {source.folder: str(source.place)}
        )
        for name, place in named.items():
            if name in seen:
                raise DataError(f"{seen[name]} and {place} have one name", "give them in two runs")
            seen[name] = place


def _given(image: np.ndarray) -> np.ndarray:
    return image
