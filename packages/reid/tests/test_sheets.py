"""The drawn rankings: every picture in its place, in its own proportions, with borders that say what it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelzoo.reid.search import RankedPicture
from modelzoo.reid.search.drawn import sheet_names
from modelzoo.reid.search.sheets import Tile, draw_sheet, fitted
from modelzoo.reid.search.table import to_csv

COLOURS = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (240, 240, 20), (20, 240, 240)]
NEUTRAL, GREEN, INK, PAGE = (201, 201, 196), (27, 127, 59), (27, 29, 33), (255, 255, 255)


def tile(i: int, size: tuple[int, int] = (64, 128), name: str = "name.jpg") -> Tile:
    return Tile(fitted(Image.new("RGB", size, COLOURS[i % 5])), str(i), "0.123", name)


def box_of(sheet: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """The smallest box that holds all pixels of a colour."""
    rows, columns = np.nonzero((np.asarray(sheet) == colour).all(-1))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


@pytest.mark.parametrize(("accepted", "border"), [(True, GREEN), (False, NEUTRAL)])
def test_pictures_stand_in_a_row_at_equal_distances(accepted: bool, border: tuple[int, int, int]) -> None:
    sheet = draw_sheet(tile(0), [tile(i) for i in range(1, 5)], accepted, "nothing")
    boxes = [box_of(sheet, colour) for colour in COLOURS]
    assert {(right - left, low - high) for left, high, right, low in boxes} == {(128, 256)}
    assert len({high for _, high, _, _ in boxes}) == 1
    steps = np.diff([left for left, *_ in boxes]).tolist()
    assert steps[0] > steps[1] == steps[2] == steps[3] > 128
    assert boxes[0][0] == sheet.width - boxes[-1][2]  # even margins
    for i, (left, high, right, low) in enumerate(boxes):
        around = [(left - 1, high - 1), (right, high + 100), (left + 50, low), (right, low)]
        assert {sheet.getpixel(place) for place in around} == {border if i else INK}
    assert all(sheet.getpixel((x, y)) == PAGE for x in (0, sheet.width - 1) for y in (0, sheet.height - 1))


def test_other_proportions_are_kept() -> None:
    sheet = draw_sheet(tile(0, (300, 200)), [tile(1, (10, 100))], accepted=False, nothing="")
    left, high, right, low = box_of(sheet, COLOURS[0])
    assert (right - left, low - high) == (128, 85)
    left, high, right, low = box_of(sheet, COLOURS[1])
    assert (right - left, low - high) == (26, 256)


def test_many_answers_stand_in_rows_of_ten() -> None:
    one = draw_sheet(tile(0), [tile(1)] * 10, accepted=True, nothing="")
    three = draw_sheet(tile(0), [tile(1)] * 20 + [tile(2)], accepted=True, nothing="")
    assert three.width == one.width
    row = (three.height - one.height) // 2
    first, last = box_of(three, COLOURS[1]), box_of(three, COLOURS[2])
    assert (last[0], last[1]) == (first[0], first[1] + 2 * row)


def ink(sheet: Image.Image, box: tuple[int, int, int, int]) -> int:
    """How many pixels in a box are not of the page's colour."""
    return int((np.asarray(sheet.crop(box)) != PAGE).any(-1).sum())


@pytest.mark.parametrize("name", ["a.jpg", "x" * 200, "图片" * 30, "two\nlines.jpg", "\udcff.jpg", ""])
def test_words_stay_below_their_picture(name: str) -> None:
    sheet = draw_sheet(tile(0), [tile(1), tile(2, name=name), tile(3)], accepted=False, nothing="")
    left, _, right, low = box_of(sheet, COLOURS[2])
    below = low + 4
    assert ink(sheet, (left, below, right, sheet.height)) > 100
    gap = 26
    assert ink(sheet, (left - gap + 5, below, left - 1, sheet.height)) == 0
    assert ink(sheet, (right + 1, below, right + gap - 5, sheet.height)) == 0
    assert ink(sheet, (0, sheet.height - 30, sheet.width, sheet.height)) == 0


def test_a_query_without_answers_says_so() -> None:
    silent = draw_sheet(tile(0), [], accepted=True, nothing="")
    said = draw_sheet(tile(0), [], accepted=True, nothing="no answer within 0.2")
    assert silent.size == said.size
    changed = np.nonzero((np.asarray(silent) != np.asarray(said)).any(-1))
    assert changed[1].min() > box_of(said, COLOURS[0])[2] + 20
    assert changed[1].max() < said.width - 20


def test_names_of_sheets_are_all_different() -> None:
    assert sheet_names(["x.jpg", "d/x.png", "no suffix"]) == ["x.jpg.jpg", "d/x.png.jpg", "no suffix.jpg"]
    assert sheet_names(["a.png", "a.jpg/b.png"]) == ["a.png.jpg", "a.jpg/b.png.jpg"]
    assert sheet_names(["a", "a.jpg", "a.jpg/b"])[:2] == ["a.jpg.jpg", "a.jpg.jpg.jpg"]


def test_names_of_sheets_are_no_longer_than_a_system_allows(tmp_path: Path) -> None:
    names = sheet_names(["d/" + "图" * 84 + ".a", "d/" + "图" * 84 + ".b"])
    assert len(set(names)) == 2
    (tmp_path / "d").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(b"")


def test_a_picture_that_is_gone_leaves_its_place_empty() -> None:
    sheet = draw_sheet(tile(0), [Tile(None, "1", "0.1", "gone.jpg"), tile(2)], accepted=False, nothing="")
    left, high, right, low = box_of(sheet, (239, 239, 236))
    assert (right - left, low - high) == (128, 256)
    assert box_of(sheet, COLOURS[2])[0] == right + 26


def test_a_table_without_answers_has_its_header() -> None:
    ranked: list[RankedPicture] = []
    assert to_csv(ranked) == "query,rank,gallery,distance\n"


def test_the_picture_of_a_small_one_is_as_sharp_as_it_can_be(tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 2, 3), dtype=np.uint8))
    assert fitted(image).size == (128, 256)
