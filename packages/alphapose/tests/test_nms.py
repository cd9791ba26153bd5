"""Rows of the detector to people in the picture: recordings of the original, a slow second way, and edges by hand."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from modelzoo.alphapose.detector.boxes import candidates, in_picture, people
from modelzoo.alphapose.detector.nms import overlaps, suppress, suppress_crowd
from modelzoo.common.errors import ModelError

BOX = slice(1, 6)
"""Columns of a recorded detection that hold corners and objectness."""


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Mapping[str, np.ndarray]:
    return dict(np.load(golden / "detector_nms.npz"))


def rows(*boxes: tuple[float, ...], scores: Mapping[int, float] | None = None) -> np.ndarray:
    """Rows of cx, cy, w, h and objectness, each with these scores of classes (a person's is 0.9)."""
    table = np.zeros((len(boxes), 85), np.float32)
    table[:, :5] = boxes
    for number, score in (scores or {0: 0.9}).items():
        table[:, 5 + number] = score
    return table


def test_detections_of_a_batch_are_those_of_the_original(recorded: Mapping[str, np.ndarray]) -> None:
    for number, prediction in enumerate(recorded["prediction"]):
        want = recorded["dets"][recorded["dets"][:, 0] == number]
        have = suppress_crowd(candidates(prediction, 0.1))
        assert len(want) == (17, 0)[number]
        np.testing.assert_array_equal(have, want[:, BOX])


def test_a_crowd_is_chosen_from_again_as_the_original_does(recorded: Mapping[str, np.ndarray]) -> None:
    boxes = candidates(recorded["crowd_prediction"][0], 0.1)
    np.testing.assert_array_equal(boxes[suppress(boxes, 0.6)], recorded["crowd_dets_nms0p60"][:, BOX])
    np.testing.assert_array_equal(suppress_crowd(boxes), recorded["crowd_dets_dynamic"][:, BOX])
    assert len(suppress_crowd(boxes)) == 117


def test_boxes_in_the_picture_are_those_of_the_original(recorded: Mapping[str, np.ndarray]) -> None:
    have = people(recorded["prediction"][0], *recorded["mapped_image_wh"])
    assert have.dtype == np.float32
    np.testing.assert_array_equal(have, recorded["mapped_dets"][:, BOX])


@pytest.mark.parametrize("seed", range(4))
def test_people_are_those_of_a_slow_second_way(seed: int, slow_people: Callable[..., list[list[float]]]) -> None:
    rng = np.random.default_rng(seed)
    table = rng.random((600, 85), np.float32)
    table[:, :4] = rng.normal((300, 300, 90, 160), (90, 60, 30, 40), (600, 4))
    table[:300, 5] += 1
    have = people(table, 500, 333)
    want = np.array(slow_people(table, 500, 333))
    assert len(have) > 20
    assert have.shape == want.shape
    np.testing.assert_allclose(have, want, rtol=0, atol=1e-3)


@pytest.mark.parametrize(("alone", "want"), [(98, 100), (99, 100)])
def test_the_limit_falls_beyond_100(alone: int, want: int) -> None:
    """100 are left as they are; of 101, the last one overlaps another by more than the lower limit."""
    apart = [(500.0 * i, 0.0, 9.0, 9.0, 0.9) for i in range(alone)]
    near = [(-500.0, 0.0, 9.0, 9.0, 0.8), (-500.0, 2.6, 9.0, 9.0, 0.7)]
    assert len(suppress_crowd(candidates(rows(*apart, *near), 0.1))) == want


def test_overlap_counts_both_ends_of_a_box() -> None:
    boxes = np.array([[0, 0, 9, 9, 1], [5, 0, 14, 9, 1], [10, 0, 19, 9, 1], [9, 9, 18, 18, 1]], np.float32)
    have = overlaps(boxes[0], boxes, np.float32(100), np.full(4, 100, np.float32))
    np.testing.assert_allclose(have, [1, 50 / 150, 0, 1 / 199], rtol=1e-6)


def test_a_box_at_the_limit_is_taken_away() -> None:
    boxes = np.array([[0, 0, 9, 9, 0.9], [0, 0, 9, 5, 0.8], [0, 0, 9, 4, 0.7]], np.float32)  # 0.6 and 0.5 in common
    assert suppress(boxes, 0.6).tolist() == [0, 2]
    assert suppress(boxes, 0.61).tolist() == [0, 1]  # the third is 50 of 60 of the second
    assert suppress(boxes, 0.5).tolist() == [0]


def test_what_was_taken_away_takes_nothing_away() -> None:
    boxes = np.array([[0, 0, 9, 9, 0.9], [3, 0, 12, 9, 0.8], [6, 0, 15, 9, 0.7]], np.float32)
    assert suppress(boxes, 0.5).tolist() == [0, 2]


def test_only_people_surer_than_the_limit_count() -> None:
    limit = float(np.float32(0.1))
    table = np.concatenate(
        [
            rows(
                (100, 100, 10, 10, limit), (200, 100, 10, 10, np.nextafter(np.float32(0.1), 1)), (300, 100, 9, 9, 0.5)
            ),
            rows((400, 100, 10, 10, 0.9), scores={0: 0.4, 1: 0.5}),
            rows((500, 100, 10, 10, 0.3), scores={0: 0.5, 79: 0.5}),
            rows((550, 100, 10, 10, 0.9), scores={0: 0.0}),
            rows((560, 200, 10, 10, np.nan)),
        ]
    )
    found = candidates(table, 0.1)
    assert ((found[:, 0] + found[:, 2]) / 2).tolist() == [300, 500, 200]
    assert found[0].tolist() == [295.5, 95.5, 304.5, 104.5, 0.5]


def test_equally_sure_boxes_stay_in_the_order_of_the_rows() -> None:
    table = rows(*[(30.0 * i, 5.0, 9.0, 9.0, 0.5 + 0.25 * (i == 7)) for i in range(20)])
    order = (candidates(table, 0.1)[:, 0] + 4.5) / 30
    assert order.tolist() == [7, 0, 1, 2, 3, 4, 5, 6, *range(8, 20)]


def test_nobody_is_an_empty_table() -> None:
    for table in (rows((9, 9, 9, 9, 0.05)), np.zeros((0, 85), np.float32), rows((9, 9, 9, 9, 1), scores={5: 1})):
        have = people(table, 640, 425)
        assert (have.shape, have.dtype) == ((0, 5), np.float32)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_person_without_finite_size_is_an_error(value: float) -> None:
    with pytest.raises(ModelError, match="boxes without a finite size"):
        people(rows((100, 100, value, 10, 0.9)), 640, 425)
    assert len(people(rows((100, 100, value, 10, 0.01)), 640, 425)) == 0


def test_boxes_are_mapped_back_and_cut_at_the_border() -> None:
    letterboxed = np.array([[0, 152, 304, 456, 0.5], [-50, 0, 700, 608, 0.25]], np.float32)
    have = in_picture(letterboxed, 1216, 608)  # half the size, 152 pixels of grey above and below
    assert have.tolist() == [[0, 0, 608, 608, 0.5], [0, 0, 1216, 608, 0.25]]


def test_boxes_are_mapped_back_as_torch_computes_it() -> None:
    rng = np.random.default_rng(0)
    boxes = rng.uniform(-50, 650, (40, 5)).astype(np.float32)
    for width, height in rng.integers(1, 3000, (50, 2)).tolist():
        size = torch.tensor([width, height, width, height], dtype=torch.float32)
        scale = torch.min(608 / size)
        corners = torch.from_numpy(boxes[:, :4]) - (608 - scale * size) / 2
        want = torch.minimum((corners / scale).clamp(min=0), size).numpy()
        np.testing.assert_array_equal(in_picture(boxes, width, height)[:, :4], want)


def test_a_box_beside_the_picture_is_nobody() -> None:
    table = rows((300, 60, 40, 80, 0.9), (300, 60, 40, 190, 0.8))  # down to 100 and to 155, where the picture begins
    have = people(table, 1216, 608)
    assert have[:, 4].tolist() == [np.float32(0.8)]
