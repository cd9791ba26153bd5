"""Videos in and out: every frame, wrong headers, broken ones, and files that are none."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from modelzoo.alphapose.video import Video, open_video, write_video
from modelzoo.common.errors import DataError, WriteError

Numbered = list[tuple[int, np.ndarray]]


def grey(level: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    return np.full((size[1], size[0], 3), level, np.uint8)


@pytest.fixture
def avi(tmp_path: Path) -> Path:
    """Twenty frames, each a JPEG image; frame k has the grey level 10 k."""
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 12.5, (64, 48))
    for k in range(20):
        writer.write(grey(10 * k))
    writer.release()
    return tmp_path / "clip.avi"


@pytest.fixture
def mended(avi: Path) -> Callable[[Callable[[bytearray], None]], Path]:
    """The clip after a change of its bytes."""

    def change(edit: Callable[[bytearray], None]) -> Path:
        data = bytearray(avi.read_bytes())
        edit(data)
        avi.write_bytes(data)
        return avi

    return change


def starts(data: bytes | bytearray) -> list[int]:
    """Where the frames of the clip begin."""
    return [match.start() for match in re.finditer(b"00dc", data) if data.find(b"movi") < match.start()]


def read(path: Path) -> tuple[Video, Numbered]:
    with open_video(path) as video:
        return video, list(video.frames())


def levels(frames: Numbered) -> list[int]:
    return [round(float(image.mean()) / 10) for _, image in frames]


def test_all_frames_in_order(avi: Path) -> None:
    video, frames = read(avi)
    assert [number for number, _ in frames] == levels(frames) == list(range(20))
    assert (video.fps, video.announced, video.read, video.broken, video.remarks()) == (12.5, 20, 20, [], [])
    assert {(image.shape, str(image.dtype)) for _, image in frames} == {((48, 64, 3), "uint8")}


def set_count(data: bytearray, count: int) -> None:
    """Write another number of frames into the headers of the file and of the stream."""
    for place in (data.find(b"avih") + 8 + 16, data.find(b"strh") + 8 + 32):
        data[place : place + 4] = count.to_bytes(4, "little")


@pytest.mark.parametrize("count", [7, 300])
def test_a_wrong_number_of_frames_in_the_header(count: int, mended: Callable[..., Path]) -> None:
    video, frames = read(mended(lambda data: set_count(data, count)))
    assert video.announced == count
    assert levels(frames) == list(range(20))
    assert len(video.remarks()) == (count > 20)
    assert all("ends after 20 frames; its header says 300" in remark for remark in video.remarks())


def test_a_video_that_is_cut_short(avi: Path) -> None:
    data = avi.read_bytes()
    avi.write_bytes(data[: starts(data)[8]])
    video, frames = read(avi)
    assert levels(frames) == list(range(8))
    assert video.remarks() == [f"{avi} ends after 8 frames; its header says 20"]


def test_broken_frames_are_left_out_and_the_others_keep_their_numbers(mended: Callable[..., Path]) -> None:
    def spoil(data: bytearray) -> None:
        places = starts(data)
        for k in (3, 4, 10):
            data[places[k] + 8 : places[k + 1]] = bytes(places[k + 1] - places[k] - 8)

    path = mended(spoil)
    video, frames = read(path)
    assert [number for number, _ in frames] == levels(frames) == [0, 1, 2, 5, 6, 7, 8, 9, *range(11, 20)]
    assert video.broken == [3, 4, 10]
    assert video.remarks() == [f"{path}: 3 frames cannot be decoded, the first is 3"]


def test_not_one_good_frame(mended: Callable[..., Path]) -> None:
    def spoil(data: bytearray) -> None:
        places = starts(data)
        for k in range(20):
            data[places[k] + 8 : places[k + 1]] = bytes(places[k + 1] - places[k] - 8)

    with pytest.raises(DataError, match=r"clip\.avi holds no frame that can be decoded"):
        read(mended(spoil))


@pytest.mark.parametrize("content", [b"", b"no video at all", b"RIFF\0\0\0\0AVI LIST"])
def test_files_that_are_no_videos(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.mp4 is not a video that OpenCV can read, or is damaged"):
        read(tmp_path / "x.mp4")


def test_a_webcam_that_is_not_there() -> None:
    with pytest.raises(DataError, match="webcam 97 cannot be opened") as raised, open_video(97):
        pass
    assert raised.value.hint
    assert "is it plugged in" in raised.value.hint


class Camera:
    """What cv2.VideoCapture is for a webcam that says nothing of itself and gives three frames."""

    def __init__(self, place: object) -> None:
        assert place == 2
        self.left = 3

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def get(self, _property: int) -> float:
        return -1.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        assert self.left >= -1, "asked again after the end"
        return (True, grey(5)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.left = -9


def test_a_webcam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    with open_video(2) as video:
        assert (video.name, video.fps, video.announced) == ("webcam 2", 25.0, 0)
        assert [number for number, _ in video.frames()] == [0, 1, 2]
    assert video.capture.left == -9


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    with write_video(tmp_path / "out.mp4", 10.0) as record:
        for k in range(20):
            record(grey(10 * k, (65, 48)))
        assert not (tmp_path / "out.mp4").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    video, frames = read(tmp_path / "out.mp4")
    assert (video.fps, levels(frames)) == (10.0, list(range(20)))


def test_a_frame_of_another_size_is_scaled(tmp_path: Path) -> None:
    with write_video(tmp_path / "out.mp4", 10.0) as record:
        for size in ((64, 48), (128, 96), (64, 48)):
            record(grey(100, size))
    _, frames = read(tmp_path / "out.mp4")
    assert [image.shape for _, image in frames] == [(48, 64, 3)] * 3


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"of another run")

    def run() -> None:
        with write_video(tmp_path / "out.mp4", 10.0) as record:
            record(grey(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == b"of another run"


def test_a_video_that_cannot_be_written(tmp_path: Path) -> None:
    message = r"OpenCV cannot write .*, a video of 64 x 48 pixels"
    with pytest.raises(WriteError, match=message), write_video(tmp_path / "nowhere" / "out.mp4", 10.0) as record:
        record(grey(1))
    assert list(tmp_path.iterdir()) == []
