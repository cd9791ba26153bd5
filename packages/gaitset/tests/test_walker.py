"""Drawn walkers: places by hand, and what one body has to look like from every side and in every clothing."""

from dataclasses import replace
from itertools import product
from math import radians
from typing import Any, cast

import numpy as np
import pytest

from modelzoo.common.synthetic.gait import Gait
from modelzoo.common.synthetic.skeleton import Proportions
from modelzoo.gaitset.demo import FRAMES, FRAMES_PER_SECOND, TEST_SUBJECTS, VIEWS
from modelzoo.gaitset.synthetic.body import BAGS, Bag
from modelzoo.gaitset.synthetic.drawing import draw_silhouette
from modelzoo.gaitset.synthetic.walker import Walker, Wear

STRIKE, MIDSTANCE = 0.0, 0.25
PHASES = [i / 20 for i in range(20)]
SUBJECTS = range(8)


def average(**changes: Any) -> Walker:
    """Somebody of 1.70 m without anything special."""
    plain = Walker(
        height=1.7,
        girth=1.0,
        hair=0.0,
        proportions=Proportions(),
        gait=Gait(lean=0.0),
        cadence=0.9,
        bag="backpack",
        hem=0.5,
    )
    return replace(plain, **changes)


def seen(walker: Walker, phase: float, view: float, wear: str = "nm", ahead: float = 0.0) -> np.ndarray:
    """The pixels of a silhouette, as truth values."""
    frame = draw_silhouette(walker.parts(phase, cast(Wear, wear)), view, ahead)
    return frame == 255


def size(silhouette: np.ndarray) -> tuple[int, int]:
    """Height and width of what is in a picture."""
    rows, columns = silhouette.nonzero()
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def ball(x: float, y: float, z: float, view: float, ahead: float = 0.0) -> tuple[float, float, float]:
    """Column, row and radius of a ball of 30 cm."""
    rows, columns = (draw_silhouette([[((x, y, z), 0.3)]], view, ahead) == 255).nonzero()
    return columns.mean(), rows.mean(), np.sqrt(len(rows) / np.pi)


@pytest.mark.parametrize(
    ("place", "view", "ahead", "column", "row", "distance"),
    [
        ((0, 1.0, 0), 0, 0.0, 160, 120, 6.0),
        ((0, 1.6, 0), 0, 0.0, 160, 120 - 44, 6.0),
        ((0, 1.0, 0.6), 90, 0.0, 160 + 44, 120, 6.0),
        ((0, 1.0, 0), 90, 0.6, 160 + 44, 120, 6.0),
        ((0.6, 1.0, 0), 0, 0.0, 160 + 44, 120, 6.0),
        ((0.6, 1.0, 0), 180, 0.0, 160 - 44, 120, 6.0),
        ((0, 1.0, 0), 0, 1.0, 160, 120, 5.0),
        ((0, 1.0, 0), 180, 1.0, 160, 120, 7.0),
        ((0.6, 1.0, 0), 90, 0.0, 160, 120, 6.6),
    ],
)
def test_a_ball_by_hand(
    place: tuple[float, float, float], view: float, ahead: float, column: float, row: float, distance: float
) -> None:
    assert ball(*place, view, ahead) == pytest.approx((column, row, 440 * 0.3 / distance), abs=0.7)


def test_a_part_is_the_hull_of_its_balls() -> None:
    ends = [((-0.5, 1.0, 0.0), 0.1), ((0.5, 1.0, 0.0), 0.1)]
    bar, alone = (draw_silhouette(parts, 0, 0.0) == 255 for parts in ([ends], [[ends[0]], [ends[1]]]))
    assert bar[120, 125:196].all()
    assert not alone[120, 140:180].any()
    assert (bar | alone).sum() == bar.sum()
    assert size(bar) == pytest.approx((2 * 440 * 0.1 / 6, 2 * 440 * 0.6 / 6), abs=2)


@pytest.mark.parametrize(("height", "pixels"), [(1.5, 110), (1.7, 124.7), (1.9, 139.3)])
def test_a_body_is_as_high_as_its_height_and_stands_on_the_ground(height: float, pixels: float) -> None:
    for view in (0, 90):
        silhouette = seen(average(height=height), MIDSTANCE, view)
        assert size(silhouette)[0] == pytest.approx(pixels, abs=4)
        assert silhouette.nonzero()[0].max() == pytest.approx(120 + 440 / 6, abs=3)


def test_frames_hold_black_and_white_in_one_piece() -> None:
    import cv2

    for number, wear in product(SUBJECTS, ("nm", "bg", "cl")):
        for view in VIEWS:
            frame = draw_silhouette(Walker.sample(number).parts(0.1 * number, cast(Wear, wear)), view, 0.0)
            assert (frame.shape, frame.dtype, np.unique(frame).tolist()) == ((240, 320), np.uint8, [0, 255])
            assert cv2.connectedComponents(frame)[0] == 2, (number, wear, view)


def test_a_step_is_wide_from_the_side_and_narrow_from_the_front() -> None:
    walker = average()
    width = {(phase, view): size(seen(walker, phase, view))[1] for phase, view in product((STRIKE, MIDSTANCE), (0, 90))}
    assert width[STRIKE, 90] > 1.5 * width[MIDSTANCE, 90]
    assert width[STRIKE, 90] > 1.3 * width[STRIKE, 0]
    assert width[STRIKE, 0] == pytest.approx(width[MIDSTANCE, 0], abs=6)


def test_half_a_cycle_later_the_front_is_mirrored() -> None:
    for phase in PHASES:
        now, later = seen(average(), phase, 0), seen(average(), phase + 0.5, 0)
        mirrored = np.zeros_like(now)
        mirrored[:, 1:] = later[:, :0:-1]  # column 160 is the middle
        assert (now & mirrored).sum() > 0.98 * (now | mirrored).sum()


def test_a_cycle_has_two_equal_steps_from_the_side() -> None:
    widths = [size(seen(average(), phase, 90))[1] for phase in PHASES]
    assert widths[:10] == pytest.approx(widths[10:], abs=6)
    assert {widths.index(max(widths)) % 10} <= {8, 9, 0, 1}


def test_who_comes_gets_larger_and_who_goes_smaller() -> None:
    heights = {
        view: [size(seen(average(), MIDSTANCE, view, ahead=ahead))[0] for ahead in (-0.7, 0, 0.7)] for view in (0, 180)
    }
    assert heights[0] == sorted(set(heights[0]))
    assert heights[180] == sorted(set(heights[180]), reverse=True)
    columns = [seen(average(), MIDSTANCE, 90, ahead=ahead).nonzero()[1].mean() for ahead in (-0.7, 0.7)]
    assert columns[1] - columns[0] == pytest.approx(1.4 * 440 / 6, abs=2)


@pytest.mark.parametrize("wear", ["bg", "cl"])
def test_bag_and_coat_add_to_the_silhouette_and_take_nothing_away(wear: str) -> None:
    for number in SUBJECTS:
        more = []
        for view in VIEWS:
            bare, dressed = (seen(Walker.sample(number), 0.3, view, one) for one in ("nm", wear))
            assert not (bare & ~dressed).any()
            more.append(dressed.sum() / bare.sum())
        assert max(more) > 1.05, (number, more)
        assert max(more) < 1.9


@pytest.mark.parametrize(("bag", "view", "side"), [("handbag", 0, -1), ("shoulder bag", 180, 1), ("backpack", 90, -1)])
def test_bags_are_where_they_belong(bag: Bag, view: float, side: int) -> None:
    """On the person's right, which is the left of a picture from the front; on the back, behind who walks right."""
    walker = average(bag=bag)
    added = seen(walker, MIDSTANCE, view, "bg") & ~seen(walker, MIDSTANCE, view)
    assert added.sum() > 20
    assert side * (added.nonzero()[1].mean() - 160) > 8


def test_a_longer_coat_hides_more_of_the_legs() -> None:
    areas = [seen(average(hem=hem), STRIKE, 90, "cl").sum() for hem in (0.3, 0.6, 0.9)]
    assert areas == sorted(set(areas))


@pytest.mark.parametrize(
    ("changes", "view"),
    [
        ({"girth": 1.25}, 0),
        ({"girth": 1.25}, 90),
        ({"proportions": Proportions(shoulders=0.122)}, 0),
        ({"proportions": Proportions(hips=0.06)}, 0),
        ({"hair": 0.012}, 90),
    ],
)
def test_shapes_differ(changes: dict[str, Any], view: float) -> None:
    usual, own = (seen(walker, MIDSTANCE, view) for walker in (average(), average(**changes)))
    assert own.sum() > usual.sum() + 10


def test_gaits_differ() -> None:
    wide, narrow = (size(seen(average(gait=Gait(stride=stride)), STRIKE, 90))[1] for stride in (1.15, 0.8))
    assert wide > narrow + 8
    heads = [seen(average(gait=Gait(lean=lean)), MIDSTANCE, 90)[:85].nonzero()[1].mean() for lean in (0, radians(7))]
    assert heads[1] > heads[0] + 3


def test_speed_by_hand() -> None:
    assert average().speed == pytest.approx(0.82 * 1.7 * 0.9)
    assert average(gait=Gait(stride=0.5)).speed == pytest.approx(0.5 * 0.82 * 1.7 * 0.9)


def test_a_number_names_one_person() -> None:
    people = [Walker.sample(number) for number in range(50)]
    assert len(set(people)) == 50
    assert people == [Walker.sample(number) for number in range(50)]
    assert Walker.sample(3, seed=1) != Walker.sample(3)
    assert {walker.bag for walker in people} == set(BAGS)
    for walker in people:
        own = walker.proportions
        assert own.hip + own.trunk == pytest.approx(Proportions().hip + Proportions().trunk)


def test_nobody_walks_twice_alike_but_everybody_keeps_their_shape() -> None:
    walker = Walker.sample(5)
    days = [walker.another_day(np.random.default_rng(day)) for day in (0, 0, 1)]
    assert days[0] == days[1] != days[2]
    assert all(replace(day, gait=walker.gait, cadence=walker.cadence) == walker for day in days)
    assert all(0 < abs(day.gait.stride - walker.gait.stride) <= 0.03 for day in days)


def test_all_of_the_demo_fits_into_its_frames() -> None:
    for number, wear, view in product(TEST_SUBJECTS, ("nm", "bg", "cl"), VIEWS):
        walker = Walker.sample(number)
        for end in (-1, 1):
            way = end * FRAMES / 2 / FRAMES_PER_SECOND * walker.speed
            frame = seen(walker, 0.02, view, wear, way)
            assert 60 < size(frame)[0] < 190
            frame[1:-1, 20:-20] = False
            assert not frame.any()
