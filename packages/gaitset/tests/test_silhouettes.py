"""Alignment, bit for bit: beside the recordings and beside a second, plain implementation."""

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from modelzoo.common.errors import DataError
from modelzoo.gaitset.silhouettes import align, read_silhouette, read_stack


def plain_align(frame: np.ndarray) -> np.ndarray | None:
    """The published steps, pixel by pixel where it can be."""
    pixels = frame.astype(np.int64)
    if pixels.sum() <= 10_000:
        return None
    filled = [row for row in range(len(pixels)) if any(pixels[row])]
    figure = frame[filled[0] : filled[-1] + 1]
    width = int(64 * (figure.shape[1] / figure.shape[0]))
    figure = cv2.resize(figure, (width, 64), interpolation=cv2.INTER_CUBIC)
    sums = [sum(int(value) for value in figure[:, column]) for column in range(width)]
    before, centre = 0, -1
    for column, value in enumerate(sums):
        before += value
        if before > sum(sums) / 2:
            centre = column
            break
    if centre < 0:
        return None
    left, right = centre - 32, centre + 32
    if left <= 0 or right >= width:
        figure = np.hstack([np.zeros((64, 32), np.uint8), figure, np.zeros((64, 32), np.uint8)])
        left, right = left + 32, right + 32
    return figure[:, left:right]


def aligned(frame: np.ndarray, columns: int = 64) -> np.ndarray | None:
    out = np.full((64, columns), 99, np.uint8)
    if align(frame, out):
        return out
    assert (out == 99).all()
    return None


def specks(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return ((rng.random(size) < 0.1 * rng.random()) * rng.integers(0, 256, size)).astype(np.uint8)


def box(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    frame = np.zeros(size, np.uint8)
    top, left = (int(rng.integers(side)) for side in size)
    frame[top : top + int(rng.integers(1, size[0] + 1)), left : left + int(rng.integers(1, 60))] = rng.integers(1, 256)
    return frame


def noise(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    return rng.integers(0, 256, size, dtype=np.uint8)


@pytest.mark.parametrize("draw", [specks, box, noise])
def test_alignment_is_that_of_a_second_implementation(draw: Callable[..., np.ndarray]) -> None:
    rng = np.random.default_rng(5)
    figures = 0
    for _ in range(150):
        frame = draw(rng, (int(rng.integers(20, 300)), int(rng.integers(20, 400))))
        want, have = plain_align(frame), aligned(frame)
        assert (have is None) == (want is None)
        if want is not None and have is not None:
            figures += 1
            assert np.array_equal(have, want)
            assert np.array_equal(aligned(frame, 44), want[:, 10:54])
    assert figures > 50


def test_alignment_of_the_recorded_frames(casia_b: Path, golden: Path) -> None:
    recorded = np.load(golden / "preprocess_frames.npz")
    assert len(recorded.files) == 10
    for key in recorded.files:
        _, subject, condition, view = key.split("_")
        folder = casia_b / subject / condition / view
        names = sorted(path.name for path in folder.iterdir())
        assert np.array_equal(read_stack(folder, names, columns=64).frames, recorded[key]), key
        assert np.array_equal(read_stack(folder, names).frames, recorded[key][:, :, 10:54]), key


def test_frames_without_a_figure_are_the_recorded_ones(casia_b: Path, golden: Path) -> None:
    rejected = 0
    for row in json.loads((golden / "preprocess.json").read_text())["sequences"]:
        folder = casia_b / row["subject"] / row["type"] / row["view"]
        names = sorted(path.name for path in folder.iterdir())
        kept = read_stack(folder, names).names
        assert kept == [name for name in names if name not in row["rejected"]]
        rejected += len(row["rejected"])
    assert rejected == 7


@pytest.mark.parametrize(("level", "count", "figure"), [(250, 40, False), (250, 41, True), (100, 100, False)])
def test_the_sum_has_to_be_larger_than_ten_thousand(level: int, count: int, figure: bool) -> None:
    frame = np.zeros((240, 320), np.uint8)
    frame[100:200, 50].flat[:count] = level
    assert (aligned(frame) is not None) == figure


def test_a_figure_by_hand() -> None:
    """64 rows high, so that nothing is scaled: its window is the pixels around its median column."""
    frame = np.zeros((240, 320), np.uint8)
    frame[50:114, 100:110] = 200
    want = np.zeros((64, 64), np.uint8)
    want[:, 32 - 5 : 32 + 5] = 200  # ten columns: five are no more than half, so the sixth is the middle
    have = aligned(frame[50:114])
    assert have is not None
    assert np.array_equal(have, want)
    assert np.array_equal(aligned(frame[40:150]), want)


def test_half_of_an_odd_sum_is_no_whole_number() -> None:
    frame = np.zeros((64, 320), np.uint8)
    frame[:, [100, 120]] = 200
    frame[0, 100] = 201  # one level more than half is on the left
    have = aligned(frame)
    assert have is not None
    assert np.flatnonzero(have.any(axis=0)).tolist() == [32, 52]


@pytest.mark.parametrize(("left", "first"), [(0, 27), (310, 27), (2, 27)])
def test_a_figure_at_the_border_is_in_the_middle_too(left: int, first: int) -> None:
    frame = np.zeros((64, 320), np.uint8)
    frame[:, left : left + 10] = 200
    have = aligned(frame)
    assert have is not None
    assert np.flatnonzero(have.any(axis=0)).tolist() == list(range(first, first + 10))


def test_scaling_is_bicubic() -> None:
    """Beside the formula of Keys with a = -0.75 in floating point: one level apart at most."""

    def weight(x: float) -> float:
        x = abs(x)
        return 1.25 * x**3 - 2.25 * x**2 + 1 if x <= 1 else -0.75 * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0

    def matrix(source: int, target: int) -> np.ndarray:
        rows = np.zeros((target, source))
        for place in range(target):
            at = (place + 0.5) * source / target - 0.5
            for tap in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3):
                rows[place, min(max(tap, 0), source - 1)] += weight(at - tap)
        return rows

    frame = np.random.default_rng(0).integers(0, 256, (150, 150), dtype=np.uint8)
    scaled = np.clip(matrix(150, 64) @ frame @ matrix(150, 64).T, 0, 255)
    have = aligned(frame)
    assert have is not None
    centre = next(c for c in range(28, 36) if np.abs(window(scaled, c) - have).max() <= 1)
    assert abs(centre - 32) < 4


def window(figure: np.ndarray, centre: int) -> np.ndarray:
    padded = np.pad(figure, ((0, 0), (32, 32)))
    return padded[:, centre : centre + 64]


def test_single_pixels_that_scaling_loses_are_no_figure() -> None:
    frame = np.zeros((3200, 3200), np.uint8)
    frame[::800, ::300] = 255
    assert frame.sum(dtype=np.int64) > 10_000
    assert plain_align(frame) is None
    assert aligned(frame) is None


def test_sums_beyond_thirty_two_bits() -> None:
    frame = np.full((3000, 3000), 255, np.uint8)
    assert 2**31 < frame.sum(dtype=np.int64) < 2**32
    assert np.array_equal(aligned(frame), np.full((64, 64), 255))


def test_a_figure_that_is_too_narrow(tmp_path: Path) -> None:
    Image.fromarray(np.full((200, 3), 255, np.uint8)).save(tmp_path / "thin.png")
    with pytest.raises(DataError, match=f"{tmp_path}/thin.png: a figure of 200 rows in a frame of 3 columns"):
        read_stack(tmp_path, ["thin.png"])


def sixteen_bits(colour: int, *channels: np.ndarray) -> bytes:
    """A PNG of 16 bits in a colour type that Pillow does not write."""
    pixels = np.dstack(channels)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


LEVELS = np.random.default_rng(3).integers(0, 256, (70, 60), dtype=np.uint8)
OTHER = 255 - LEVELS


def saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def palette() -> Image.Image:
    image = Image.fromarray(LEVELS)
    image.putpalette([value for level in range(256) for value in (255 - level, 7, level)])
    return image


SIXTEEN = LEVELS.astype(np.uint16) * 256 + OTHER
FILES = {
    "grey": lambda: saved(Image.fromarray(LEVELS)),
    "grey and alpha": lambda: saved(Image.fromarray(np.dstack([LEVELS, OTHER]), "LA")),
    "grey, one level transparent": lambda: saved(Image.fromarray(LEVELS), transparency=7),
    "colours": lambda: saved(Image.fromarray(np.dstack([OTHER, OTHER // 2, LEVELS]))),
    "colours and alpha": lambda: saved(Image.fromarray(np.dstack([OTHER, OTHER // 2, LEVELS, OTHER]))),
    "palette": lambda: saved(palette()),
    "palette, one colour transparent": lambda: saved(palette(), transparency=3),
    "16 bits": lambda: sixteen_bits(0, SIXTEEN),
    "16 bits and alpha": lambda: sixteen_bits(4, SIXTEEN, SIXTEEN[::-1]),
    "16 bits a colour": lambda: sixteen_bits(2, SIXTEEN[::-1], SIXTEEN[::-1], SIXTEEN),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_counts_of_a_file(kind: str, tmp_path: Path) -> None:
    """The blue channel, as the third of the colours; and of 16 bits the upper 8."""
    (tmp_path / "frame.png").write_bytes(FILES[kind]())
    assert np.array_equal(read_silhouette(str(tmp_path / "frame.png")), LEVELS)


def test_a_file_of_two_levels(tmp_path: Path) -> None:
    Image.fromarray(LEVELS > 99).save(tmp_path / "frame.png")
    assert np.array_equal(read_silhouette(str(tmp_path / "frame.png")), np.where(LEVELS > 99, 255, 0))


def test_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(LEVELS).save(tmp_path / "frame.png", exif=exif)
    with Image.open(tmp_path / "frame.png") as image:
        turned = np.asarray(ImageOps.exif_transpose(image))
    assert turned.shape == (60, 70)
    assert np.array_equal(read_silhouette(str(tmp_path / "frame.png")), turned)


def test_frames_of_unlike_sizes(tmp_path: Path) -> None:
    frames = [box(np.random.default_rng(seed), size) for seed, size in enumerate([(240, 320), (90, 70), (480, 640)])]
    for number, frame in enumerate(frames):
        frame[:40, :40] = 255
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    stack = read_stack(tmp_path, ["0.png", "1.png", "2.png"], columns=64)
    for have, frame in zip(stack.frames, frames, strict=True):
        want = plain_align(frame)
        assert want is not None
        assert np.array_equal(have, want)


def test_a_limit_takes_the_first_that_show_a_figure(casia_b: Path) -> None:
    folder = casia_b / "076" / "cl-02" / "180"
    names = sorted(path.name for path in folder.iterdir())
    assert read_stack(folder, names, limit=2).names == [f"076-cl-02-180-{number:03d}.png" for number in (1, 3)]
    assert read_stack(folder, names, limit=2).frames.shape == (2, 64, 44)


def test_aligned_frames_are_taken_as_they_are(tmp_path: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(frame).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "b.png")
    stack = read_stack(tmp_path, ["a.png", "b.png"], aligned=True)
    assert np.array_equal(stack.frames, [frame[:, 10:54], np.zeros((64, 44))])


@pytest.mark.parametrize("size", [(128, 32), (65, 64), (44, 64)])
def test_aligned_frames_of_another_size(size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("L", size).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=f"^{tmp_path}/a.png has {size[0]} x {size[1]} pixels"):
        read_stack(tmp_path, ["a.png"], aligned=True)


def test_a_picture_that_announces_too_many_pixels(tmp_path: Path) -> None:
    header = struct.pack("<2sIIIIiiHHIIiiII", b"BM", 64, 0, 54, 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0)
    (tmp_path / "huge.bmp").write_bytes(header + bytes(10))
    with pytest.raises(DataError, match=f"^{tmp_path}/huge.bmp is too large an image, or is damaged: "):
        read_stack(tmp_path, ["huge.bmp"])


def blank_png(path: Path, side: int) -> None:
    """A black picture, one bit per pixel: a file of a ten-thousandth of the memory it takes unpacked."""
    squeeze, row = zlib.compressobj(9), bytes(1 + (side + 7) // 8)
    pixels = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


@pytest.mark.parametrize(("side", "read"), [(8192, True), (8193, False)])
def test_a_small_file_of_too_many_pixels_is_not_unpacked(side: int, read: bool, tmp_path: Path) -> None:
    blank_png(tmp_path / "a.png", side)
    program = (
        "from modelzoo.gaitset.silhouettes import read_silhouette\n"
        f"print(read_silhouette({str(tmp_path / 'a.png')!r}).shape)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == read, done.stderr
    if read:
        assert done.stdout == f"({side}, {side})\n"
    else:
        assert f"DataError: {tmp_path / 'a.png'} is too large an image, or is damaged" in done.stderr
