"""Skeletons in pictures: colours, sizes, and what is left out."""

import numpy as np
import pytest

from modelzoo.alphapose.drawing import LEFT, MIDDLE, RIGHT, draw_people

GREY = np.full((400, 300, 3), 120, np.uint8)


def standing(height: float = 300, x: float = 150, y: float = 40) -> np.ndarray:
    """Somebody who faces the camera: `(17, 3)`; the person's left is on the right."""
    left = {5: (0.12, 0.2), 7: (0.15, 0.36), 9: (0.16, 0.5), 11: (0.08, 0.52), 13: (0.08, 0.76), 15: (0.08, 1.0)}
    left |= {1: (0.02, 0.04), 3: (0.05, 0.05)}
    places = {0: (0.0, 0.07), **left, **{i + 1: (-a, b) for i, (a, b) in left.items()}}
    return np.array([(x + height * places[i][0], y + height * places[i][1], 0.9) for i in range(17)], np.float32)


def pixel(image: np.ndarray, x: float, y: float) -> tuple[int, ...]:
    return tuple(image[round(float(y)), round(float(x))].tolist())


def between(person: np.ndarray, a: int, b: int) -> tuple[float, float]:
    return tuple((person[a, :2] + person[b, :2]) / 2)


def test_the_sides_have_their_colours() -> None:
    person = standing()
    drawn = draw_people(GREY, person[None])
    for a, b, colour in (
        (7, 9, LEFT),
        (13, 15, LEFT),
        (8, 10, RIGHT),
        (12, 14, RIGHT),
        (5, 6, MIDDLE),
        (11, 12, MIDDLE),
    ):
        assert pixel(drawn, *between(person, a, b)) == colour, (a, b)
    assert pixel(drawn, *person[15, :2]) == LEFT
    assert pixel(drawn, *person[10, :2]) == RIGHT


def test_the_photo_itself_is_not_changed() -> None:
    image = GREY.copy()
    drawn = draw_people(image, standing()[None])
    assert (image == GREY).all()
    assert (drawn != GREY).any()
    assert (drawn.shape, drawn.dtype) == (GREY.shape, np.uint8)


@pytest.mark.parametrize("people", [np.zeros((0, 17, 3), np.float32), np.zeros((2, 17, 3), np.float32), np.array([])])
def test_nobody_to_be_seen(people: np.ndarray) -> None:
    assert (draw_people(GREY, people) == GREY).all()


def test_unsure_joints_and_their_limbs_are_left_out() -> None:
    person = standing()
    person[9, 2] = 0.3
    place, limb = person[9, :2], between(person, 7, 9)
    for threshold, there in ((0.2, True), (0.4, False)):
        drawn = draw_people(GREY, person[None], threshold)
        assert [pixel(drawn, *place) == LEFT, pixel(drawn, *limb) == LEFT] == [there, there]
        assert pixel(drawn, *between(person, 5, 7)) == LEFT


def test_limbs_are_thicker_on_larger_people() -> None:
    image = np.full((2000, 1600, 3), 120, np.uint8)
    widths = []
    for height in (60, 500, 1500):
        person = standing(height, 800, 200)
        row = draw_people(image, person[None])[round(float(between(person, 14, 16)[1])), :800]
        widths.append(int((row != 120).any(1).sum()))
    assert widths == [
        pytest.approx(wanted, abs=4) for wanted in (1 + 2, 7 + 6, 20 + 20)
    ]  # with outlines and soft edges


def test_numbers_are_written_where_there_are_any() -> None:
    people = np.stack((standing(150, 80, 100), standing(150, 220, 100)))
    plain = draw_people(GREY, people)
    assert (draw_people(GREY, people, ids=[None, None]) == plain).all()
    changed = (draw_people(GREY, people, ids=[None, 7]) != plain).any(2)
    assert not changed[:, :150].any()
    assert changed[:120, 200:260].any()
    assert not changed[125:].any()


def test_people_that_reach_out_of_the_picture() -> None:
    person = standing(900, -100, -300)
    drawn = draw_people(GREY, person[None], ids=[3])
    assert drawn.shape == GREY.shape
    assert (drawn != GREY).any()
