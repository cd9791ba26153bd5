"""`dgnet grid` and `dgnet interpolate`: every structure with every appearance, each encoded once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.session import Session, open_session
from modelzoo.common.testing.plugin import Finished
from modelzoo.dgnet.generator import HalvesGenerator, WholeGenerator
from modelzoo.dgnet.grid import choose_photos, interpolate, make_grid
from modelzoo.dgnet.halves import HALVES, Halves, half_path
from modelzoo.dgnet.images import read_pixels
from modelzoo.dgnet.sheets import draw_grid, sheet_size, side_by_side, strip_size

Commands = Callable[..., Finished]
Draw = Callable[..., Path]

STEP = (140, 268)
"""From picture to picture on a sheet."""

FIRST = (188, 316)
"""Where the first generated picture stands: left, top."""


class Counting:
    """A session that counts the samples it runs, by name."""

    def __init__(self, name: str, session: Session, samples: Counter[str]) -> None:
        self.name, self.session, self.samples = name, session, samples
        self.inputs, self.outputs = session.inputs, session.outputs

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        self.samples[self.name] += len(inputs[0])
        self.samples["largest batch"] = max(self.samples["largest batch"], len(inputs[0]))
        return self.session.run(*inputs)


@pytest.fixture
def samples() -> Counter[str]:
    """How many samples each half of `halves` has run, and the largest batch."""
    return Counter()


@pytest.fixture
def halves(toy: Path, samples: Counter[str]) -> HalvesGenerator:
    """The halves of the toy, counted."""
    sessions = [Counting(part, open_session(half_path(toy, part)), samples) for part in HALVES]
    return HalvesGenerator(Halves(*sessions), batchsize=4)  # type: ignore[arg-type]


@pytest.fixture
def photos(draw: Draw) -> list[Path]:
    """Five photos of noise, each of another lightness."""
    paths = [draw(f"photos/{i}.png", seed=i) for i in range(5)]
    for i, path in enumerate(paths):
        Image.eval(Image.open(path), lambda value, i=i: value // 5 + 70 + 20 * i).save(path)
    return paths


def toy_picture(structure: np.ndarray, appearance: np.ndarray) -> np.ndarray:
    """What the toy makes of two photos, `(256, 128, 3)`, not yet cut off to whole levels."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    grey = ((structure / 255 - mean) / std).mean(2).reshape(64, 4, 32, 4).mean((1, 3)).repeat(4, 0).repeat(4, 1)
    colour = ((appearance / 255 - mean) / std).mean((0, 1))
    return (((grey[..., None] + colour) * std + mean) * 255).clip(0, 255)


def test_halves_encode_every_photo_once(halves: HalvesGenerator, samples: Counter[str], photos: list[Path]) -> None:
    pixels = [read_pixels(path) for path in photos]
    rows = make_grid(pixels[:2], pixels, halves)
    assert samples == {"structure": 2, "appearance": 5, "decoder": 10, "largest batch": 4}
    assert [len(row) for row in rows] == [5, 5]
    for structure, row in zip(pixels[:2], rows, strict=True):
        for appearance, picture in zip(pixels, row, strict=True):
            assert (picture.shape, picture.dtype) == ((256, 128, 3), np.uint8)
            assert np.abs(picture - toy_picture(structure, appearance)).max() <= 1.001


def test_a_whole_graph_gives_the_same(halves: HalvesGenerator, toy: Path, photos: list[Path]) -> None:
    pixels = [read_pixels(path) for path in photos[:3]]
    whole = make_grid(pixels, pixels[:2], WholeGenerator(open_session(toy), batchsize=4))
    for one, two in zip(whole, make_grid(pixels, pixels[:2], halves), strict=True):
        assert np.abs(np.array(one, int) - np.array(two, int)).max() <= 1


def test_interpolation_goes_in_equal_steps_and_ends_exactly(
    halves: HalvesGenerator, samples: Counter[str], photos: list[Path]
) -> None:
    pixels = [read_pixels(path) for path in photos]
    rows = interpolate(pixels[:2], pixels[3], pixels[4], 5, halves)
    assert samples == {"structure": 2, "appearance": 2, "decoder": 10, "largest batch": 4}
    ends = make_grid(pixels[:2], pixels[3:], halves)
    for structure, row, end in zip(pixels[:2], rows, ends, strict=True):
        assert np.array_equal(row[0], end[0])
        assert np.array_equal(row[-1], end[1])
        first, last = (toy_picture(structure, appearance) for appearance in pixels[3:])
        for number, picture in enumerate(row):
            assert np.abs(picture - (first + (last - first) * number / 4)).max() <= 1.001


def test_the_sheet(toy: Path, photos: list[Path], tmp_path: Path, dgnet: Commands) -> None:
    words = ("--appearance", *photos[:3], "--structure", *photos[3:], "--output", tmp_path / "sheet.png")
    done = dgnet("grid", "--model", toy, *words)
    assert done.code == 0, done.err
    assert done.out == f"2 structures with 3 appearances: {tmp_path / 'sheet.png'}\n"
    assert done.err == f"halves: {half_path(toy, '*')}\n"
    sheet = np.asarray(Image.open(tmp_path / "sheet.png")).astype(int)
    pixels = [read_pixels(path) for path in photos]
    for row in range(2):
        top = FIRST[1] + row * STEP[1]
        assert np.array_equal(sheet[top : top + 256, 32:160], pixels[3 + row])
        for column in range(3):
            left = FIRST[0] + column * STEP[0]
            assert np.array_equal(sheet[32:288, left : left + 128], pixels[column])
            picture = sheet[top : top + 256, left : left + 128]
            assert np.abs(picture - toy_picture(pixels[3 + row], pixels[column])).max() <= 1.001
    assert sheet.shape == (FIRST[1] + 2 * STEP[1] - 12 + 32, FIRST[0] + 3 * STEP[0] - 12 + 32, 3)


def test_one_graph_without_halves(
    whole_toy: Path, toy: Path, photos: list[Path], tmp_path: Path, dgnet: Commands
) -> None:
    for model, name in ((whole_toy, "whole.png"), (toy, "halves.png")):
        done = dgnet("grid", "--model", model, "--appearance", *photos, "--output", tmp_path / name)
        assert done.code == 0, done.err
    one, two = (np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("whole.png", "halves.png"))
    assert np.abs(one - two).max() <= 1


def test_a_strip(toy: Path, photos: list[Path], tmp_path: Path, dgnet: Commands) -> None:
    words = ("--start", photos[0], "--end", photos[1], "--structure", *photos[2:], "--steps", 4)
    done = dgnet("interpolate", "--model", toy, *words, "--output", tmp_path / "strip.png")
    assert done.code == 0, done.err
    assert "4 steps of 3 structures" in done.out
    strip = np.asarray(Image.open(tmp_path / "strip.png"))
    assert strip.shape == (FIRST[1] + 3 * STEP[1] - 12 + 32, FIRST[0] + 4 * STEP[0] - 12 + 32, 3)
    above = strip[32:288]
    pixels = [read_pixels(path) for path in photos]
    assert np.array_equal(above[:, FIRST[0] : FIRST[0] + 128], pixels[0])
    assert np.array_equal(above[:, FIRST[0] + 3 * STEP[0] :][:, :128], pixels[1])
    assert (above[:, FIRST[0] + STEP[0] :][:, :128] == 255).all()


def test_a_moving_picture_goes_there_and_back(toy: Path, photos: list[Path], tmp_path: Path, dgnet: Commands) -> None:
    words = ("--start", photos[0], "--end", photos[4], "--structure", *photos[1:3], "--steps", 4)
    done = dgnet("interpolate", "--model", toy, *words, "--output", tmp_path / "way.gif")
    assert done.code == 0, done.err
    with Image.open(tmp_path / "way.gif") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (6, (268, 256), 0)
        lightness = []
        for frame in range(6):
            image.seek(frame)
            lightness.append(np.asarray(image.convert("L")).mean())
    assert lightness[0] < lightness[1] < lightness[2] < lightness[3]
    assert lightness[4:] == pytest.approx([lightness[2], lightness[1]], abs=0.5)


def test_a_whole_graph_has_nothing_to_go_between(
    whole_toy: Path, photos: list[Path], tmp_path: Path, dgnet: Commands
) -> None:
    words = ("--start", photos[0], "--end", photos[1], "--structure", photos[2], "--output", tmp_path / "a.png")
    done = dgnet("interpolate", "--model", whole_toy, *words)
    assert (done.code, done.error) == (2, "a whole graph has no appearance codes to go between")
    assert "--halves" in done.hint
    assert not (tmp_path / "a.png").exists()


def test_places_of_photos(draw: Draw, tmp_path: Path) -> None:
    names = ["flat/b.jpg", "flat/a.png", "tree/0002/x.jpg", "tree/0002/a.jpg", "tree/0001/z.jpg", "one.bmp"]
    for name in names:
        draw(name)
    (tmp_path / "flat" / "notes.txt").touch()
    places = [tmp_path / "one.bmp", tmp_path / "tree", tmp_path / "flat"]
    want = ["one.bmp", "tree/0001/z.jpg", "tree/0002/a.jpg", "flat/a.png", "flat/b.jpg"]
    assert [path.relative_to(tmp_path).as_posix() for path in choose_photos(places, 9)] == want
    assert [path.relative_to(tmp_path).as_posix() for path in choose_photos(places, 2)] == want[:2]


def test_bad_words(toy: Path, photos: list[Path], tmp_path: Path, dgnet: Commands) -> None:
    (tmp_path / "there.png").write_text("mine")
    for output, code, error in (
        (tmp_path / "sheet.gif", 2, "has none of the suffixes .png, .jpg"),
        (tmp_path / "there.png", 1, "is there already"),
        (tmp_path / "no" / "sheet.png", 1, "no such --output folder"),
    ):
        done = dgnet("grid", "--model", toy, "--appearance", *photos, "--output", output)
        assert (done.code, error in done.error) == (code, True), done.err
    assert (tmp_path / "there.png").read_text() == "mine"
    done = dgnet("grid", "--model", toy, "--appearance", tmp_path / "nowhere", "--output", tmp_path / "sheet.png")
    assert done.error == f"no such picture folder: {tmp_path / 'nowhere'}"
    done = dgnet("interpolate", "--model", toy, "--start", "a", "--end", "b", "--structure", "c", "--steps", 1)
    assert done.code == 2


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where a model is opened."""

    def fail(_: object) -> None:
        pytest.fail("the size is checked before a model is opened")

    monkeypatch.setattr("modelzoo.dgnet.commands.opening.open_generator", fail)


@pytest.mark.usefixtures("no_model")
def test_a_sheet_that_jpeg_cannot_hold(photos: list[Path], toy: Path, tmp_path: Path, dgnet: Commands) -> None:
    words = ("--model", toy, "--structure", photos[0], "--output", tmp_path / "a.JPG", "--count", 500)
    done = dgnet("grid", *words, "--appearance", *photos[:1] * 467)
    assert (done.code, done.hint) == (2, "fewer pictures, or .png")
    assert done.error == f"--output {tmp_path / 'a.JPG'} would have 65588 x 604 pixels; .JPG holds 65500 a side"
    with pytest.raises(pytest.fail.Exception):
        dgnet("grid", *words, "--appearance", *photos[:1] * 466)


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("name", "words", "largest"),
    [("a.jpg", "--steps {} --count 1", 466), ("a.gif", "--steps 2 --count {}", 468), ("a.png", "--steps {}", 0)],
)
def test_a_way_that_its_format_cannot_hold(
    name: str, words: str, largest: int, photos: list[Path], tmp_path: Path, dgnet: Commands
) -> None:
    flags = ("--start", photos[0], "--end", photos[1], "--structure", *photos[:1] * 600, "--output", tmp_path / name)
    if largest:
        done = dgnet("interpolate", *flags, *words.format(largest + 1).split())
        assert (done.code, "a side" in done.error) == (2, True)
    with pytest.raises(pytest.fail.Exception):
        dgnet("interpolate", *flags, *words.format(largest or 900).split())


def test_sizes_are_those_of_what_is_drawn() -> None:
    picture = np.zeros((256, 128, 3), np.uint8)
    assert draw_grid([picture] * 2, [picture] * 3, [[picture] * 3] * 2).size == sheet_size(2, 3) == (628, 872)
    assert side_by_side([picture] * 3).size == strip_size(3) == (408, 256)


def test_a_half_of_another_kind_is_an_error(toy: Path, photos: list[Path], tmp_path: Path, dgnet: Commands) -> None:
    for part in HALVES:
        shutil.copy(half_path(toy, "appearance"), half_path(tmp_path / "x.onnx", part))
    done = dgnet("grid", "--model", tmp_path / "x.onnx", "--appearance", *photos, "--output", tmp_path / "a.png")
    assert done.code == 1
    assert str(half_path(tmp_path / "x.onnx", "structure")) in done.error


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".png"])
def test_formats(suffix: str, toy: Path, photos: list[Path], tmp_path: Path, dgnet: Commands) -> None:
    file = tmp_path / f"sheet{suffix}"
    assert dgnet("grid", "--model", toy, "--appearance", photos[0], "--output", file).code == 0
    with Image.open(file) as image:
        assert image.format == {"jpg": "JPEG", "png": "PNG"}[suffix[1:].lower()]
    assert dgnet("grid", "--model", toy, "--appearance", photos[0], "--output", file, "--overwrite").code == 0
