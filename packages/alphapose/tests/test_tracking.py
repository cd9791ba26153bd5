"""Who is who from frame to frame, by hand."""

import numpy as np
import pytest

from modelzoo.alphapose.people import Box, Person
from modelzoo.alphapose.tracking import Tracker, intersection_over_union, match

POSE = np.zeros((17, 3), np.float32)


def frame(*boxes: Box) -> list[Person]:
    return [Person(box, POSE, 1.0) for box in boxes]


def ids(people: list[Person]) -> list[int | None]:
    return [person.id for person in people]


def test_intersection_over_union_by_hand() -> None:
    boxes = np.array([(0, 0, 10, 10), (100, 100, 4, 5)])
    others = np.array([(5, 0, 10, 10), (0, 0, 10, 10), (0, 0, 20, 5), (50, 50, 1, 1)])
    wanted = [[50 / 150, 1, 50 / 150, 0], [0, 0, 0, 0]]
    assert intersection_over_union(boxes, others) == pytest.approx(np.array(wanted))


def test_two_people_pass_each_other_in_another_order() -> None:
    tracker = Tracker()
    assert ids(tracker.update(frame((0, 0, 50, 100), (200, 0, 50, 100)))) == [1, 2]
    for step in range(1, 10):
        moved = tracker.update(frame((200 - 10 * step, 0, 50, 100), (10 * step, 20, 50, 100)))
        assert ids(moved) == [2, 1], step
        assert moved[0].box == (200 - 10 * step, 0, 50, 100)


def test_somebody_new_gets_a_new_number_and_somebody_back_the_old_one() -> None:
    tracker = Tracker()
    tracker.update(frame((0, 0, 50, 100)))
    assert ids(tracker.update(frame((300, 0, 50, 100)))) == [2]
    assert ids(tracker.update([])) == []
    assert ids(tracker.update(frame((300, 0, 50, 100), (3, 0, 50, 100)))) == [2, 1]


def test_nobody_is_remembered_for_ever() -> None:
    for unseen, number in ((30, 1), (31, 2)):
        tracker = Tracker()
        tracker.update(frame((0, 0, 50, 100)))
        for _ in range(unseen):
            tracker.update([])
        assert ids(tracker.update(frame((0, 0, 50, 100)))) == [number], unseen


def test_the_nearest_pair_comes_first() -> None:
    before: list[Box] = [(0, 0, 100, 100), (30, 0, 100, 100)]
    assert match(before, [(28, 0, 100, 100)]) == {0: 1}
    assert match(before, [(28, 0, 100, 100), (31, 0, 100, 100)]) == {1: 1, 0: 0}


def test_a_box_that_overlaps_too_little_is_somebody_else() -> None:
    assert match([(0, 0, 100, 100)], [(53, 0, 100, 100)]) == {0: 0}  # 47 / 153 = 0.307
    assert match([(0, 0, 100, 100)], [(54, 0, 100, 100)]) == {}  # 46 / 154 = 0.299
    assert match([], [(0, 0, 1, 1)]) == match([(0, 0, 1, 1)], []) == {}
