"""Pictures of skeletons, of actions and of timelines."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from modelzoo.posec3d import card, drawing, ink, lanes
from modelzoo.posec3d.card import Card, draw_card
from modelzoo.posec3d.drawing import draw_frames, evenly_spaced, frames_with_people
from modelzoo.posec3d.lanes import Timeline, draw_timeline
from modelzoo.posec3d.pictures import picture_name
from modelzoo.posec3d.skeletons import Skeletons, check_skeletons
from modelzoo.posec3d.windows import Window

STANDING = np.array(
    [
        *((0, 0), (1, -1), (-1, -1), (2, 0), (-2, 0)),
        *((4, 6), (-4, 6), (5, 13), (-5, 13), (5, 19), (-5, 19)),
        *((2, 20), (-2, 20), (2, 30), (-2, 30), (2, 40), (-2, 40)),
    ]
)
"""Somebody who looks at us: their left is on the right of the picture."""


def standing(*places: tuple[float, float], scores: float = 1.0) -> Skeletons:
    """One person, at one place in each frame."""
    keypoints = np.array([STANDING * 5 + place for place in places], np.float32)[None]
    return check_skeletons((1000, 1000), keypoints, np.full(keypoints.shape[:3], scores, np.float32))


def where(picture: Image.Image, colour: str) -> np.ndarray:
    """Places of the pixels that have nearly a colour: `(n, 2)`, x and y."""
    far = np.abs(np.asarray(picture).astype(int) - ImageColor.getrgb(colour)).max(axis=2)
    return np.argwhere(far < 40)[:, ::-1]


def test_left_and_right_have_their_colours_and_places() -> None:
    (picture,) = draw_frames(standing((300, 300)), [0], 200)
    left, right = where(picture, drawing.LEFT), where(picture, drawing.RIGHT)
    assert len(left) > 200
    assert left[:, 0].min() > 100 > right[:, 0].max()
    assert len(left) == pytest.approx(len(right), rel=0.15)
    both = np.concatenate([left, right])
    assert 12 < both[:, 1].min() < 45
    assert 170 < both[:, 1].max() < 190


def test_the_picture_does_not_depend_on_where_and_how_large_somebody_is() -> None:
    near = standing((300, 300))
    far = check_skeletons((1000, 1000), near.keypoints / 4 + 700, near.scores)
    a, b = (np.asarray(draw_frames(one, [0], 100)[0]).astype(int) for one in (near, far))
    assert np.abs(a - b).max() < 30


def test_all_frames_have_one_place() -> None:
    """Who goes to the right is seen on the right."""
    first, last = draw_frames(standing((100, 300), (400, 300)), [0, 1], 100)
    assert where(first, drawing.LEFT)[:, 0].max() < 50 < where(last, drawing.RIGHT)[:, 0].min()


@pytest.mark.parametrize("change", ["scores", "zeros", "nan"])
def test_what_is_not_seen_is_not_drawn(change: str) -> None:
    people = standing((300, 300))
    if change == "scores":
        people.scores[0, 0, 1::2] = drawing.SEEN - 0.01
    else:
        people.keypoints[0, 0, 1::2] = 0 if change == "zeros" else np.nan
    (picture,) = draw_frames(people, [0], 100)
    assert len(where(picture, drawing.LEFT)) == 0
    assert len(where(picture, drawing.RIGHT)) > 100


def test_nobody_is_an_empty_picture() -> None:
    people = check_skeletons((10, 10), np.zeros((0, 3, 17, 2)), np.zeros((0, 3, 17)))
    for picture in draw_frames(people, [0, 2], 50):
        assert picture.getcolors() == [(2500, ImageColor.getrgb(ink.STAGE))]
    assert frames_with_people(people) == [0, 1, 2]


def test_frames_with_people_by_hand() -> None:
    people = standing((1, 1), (2, 2), (3, 3))
    people.scores[0, 1] = 0.1
    assert frames_with_people(people) == [0, 2]


def test_frames_at_equal_distances() -> None:
    assert evenly_spaced(range(100, 106), 2) == [101, 104]
    assert evenly_spaced([3, 9], 6) == [3, 9]


def test_a_bar_is_as_long_as_its_action_is_probable() -> None:
    frame = Image.new("RGB", (card.SIDE, card.SIDE))
    bars = [("wave", 0.75), ("walk", 0.25), ("sit", 0.0)]
    picture = draw_card(Card("wave", "mine", [frame] * 3, ["0", "1", "2"], bars))
    blue = where(picture, ink.MAIN)
    top = card.MARGIN + card.HEAD + card.SIDE + card.CAPTION
    lengths = []
    for i in range(3):
        row = blue[(blue[:, 1] >= top + i * card.ROW) & (blue[:, 1] < top + (i + 1) * card.ROW), 0]
        lengths.append(np.ptp(row) if len(row) else 0)
    room = 3 * card.SIDE + 2 * card.GAP - card.NAME - card.SHARE
    np.testing.assert_allclose(lengths, [0.75 * room, 0.25 * room, 0], atol=2)


def test_long_words_stay_on_the_card() -> None:
    frame = Image.new("RGB", (card.SIDE, card.SIDE))
    picture = draw_card(Card("w" * 500, "m" * 500, [frame], ["c" * 500], [("n" * 500, 0.5)]))
    margin = np.asarray(picture)[:, -card.MARGIN + 2 :]
    assert (margin == 255).all()


def test_words_that_fit_are_left_alone() -> None:
    assert ink.fitting("wave", 16, 200) == "wave"
    cut = ink.fitting("wave" * 50, 16, 200)
    assert cut.endswith("…")
    assert 180 < ink.font(16).getlength(cut) <= 200


def windows(*shares: float | None) -> list[Window]:
    """Windows of 20 frames that say how probable the second of two actions is, or that nobody is seen."""
    return [
        Window(range(20 * i, 20 * i + 20), None if share is None else np.array([1 - share, share]))
        for i, share in enumerate(shares)
    ]


def test_the_strip_of_a_timeline_is_what_is_done_when() -> None:
    picture = draw_timeline(Timeline("mine", windows(0.1, 0.2, 0.9, None), ["sit", "run"], str))
    row = np.asarray(picture)[lanes.MARGIN + lanes.HEAD + 2, lanes.MARGIN + lanes.NAME :]
    quarter = lanes.WIDTH // 4
    for i, hue in enumerate([ink.HUES[0], ink.HUES[0], ink.HUES[1], ink.TRACK]):
        assert tuple(row[i * quarter + quarter // 2]) == ImageColor.getrgb(hue)


def test_the_lanes_of_a_timeline_are_as_high_as_the_action_is_probable() -> None:
    picture = draw_timeline(Timeline("mine", windows(0.25, 0.25, 0.75, 0.75), ["sit", "run"], str))
    top = lanes.MARGIN + lanes.HEAD + lanes.STRIP + lanes.GAP
    left, right = lanes.MARGIN + lanes.NAME + 30, lanes.MARGIN + lanes.NAME + lanes.WIDTH - 30
    for i, (hue, shares) in enumerate(zip(ink.HUES, [(0.75, 0.25), (0.25, 0.75)], strict=False)):
        lane = np.asarray(picture)[top + i * (lanes.LANE + lanes.GAP) :][: lanes.LANE]
        heights = [(lane[:, x] == ImageColor.getrgb(hue)).all(axis=1).sum() for x in (left, right)]
        np.testing.assert_allclose(heights, [share * lanes.LANE for share in shares], atol=2)


def test_many_actions_have_as_many_lanes_as_there_are_colours() -> None:
    names = [f"action {i}" for i in range(30)]
    said = [Window(range(10 * i, 10 * i + 10), np.eye(30)[i]) for i in range(30)]
    picture = draw_timeline(Timeline("mine", said, names, str))
    rows = lanes.HEAD + lanes.STRIP + len(ink.HUES) * (lanes.LANE + lanes.GAP) + lanes.AXIS
    assert picture.height == 2 * lanes.MARGIN + rows


def test_a_timeline_of_nobody() -> None:
    assert draw_timeline(Timeline("mine", windows(None), ["sit", "run"], str)).width > lanes.WIDTH


def test_names_of_pictures() -> None:
    given = ["a", "a", "a_2", ".hidden", "a/b\\c", "\0", "é" * 150, "\ud800\udcff", "\x1b[2J\x7f"]
    names: list[str] = []
    for name in given:
        names.append(picture_name(name, names))
    wanted = ["a.png", "a_2.png", "a_2_2.png", "_hidden.png", "a_b_c.png", "_.png", f"{'é' * 60}.png"]
    assert names == [*wanted, "__.png", "_[2J_.png"]
