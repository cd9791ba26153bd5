"""Letterboxed pictures against recordings of the original, and pictures of odd shapes."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from modelzoo.alphapose.detector.letterbox import letterbox, planes, scaled_size
from modelzoo.alphapose.images import read_bgr


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def test_a_photo_is_letterboxed_bit_for_bit(golden: Path, photo: Path) -> None:
    want = json.loads((golden / "letterbox.json").read_text())[photo.name]
    image = read_bgr(photo)
    assert sha256(image) == want["decoded_bgr_sha256"]
    canvas = letterbox(image)
    assert sha256(canvas) == want["letterbox"]["canvas_bgr_uint8_sha256"]
    tensor = np.empty((3, 608, 608), np.float32)
    planes(canvas, tensor)
    assert sha256(tensor) == want["letterbox"]["tensor_rgb_float32_sha256"]


def test_sizes_are_those_of_the_original(golden: Path) -> None:
    recorded = json.loads((golden / "letterbox.json").read_text()).values()
    assert len(recorded) == 4
    for want in recorded:
        box = want["letterbox"]
        assert scaled_size(want["width"], want["height"]) == (box["new_w"], box["new_h"])


@pytest.mark.parametrize(
    ("width", "height", "want"),
    [
        (608, 608, (608, 608)),
        (1, 1, (608, 608)),
        (425, 640, (403, 608)),
        (2000, 3, (608, 1)),  # 0.9 pixels high, which the original cannot do
        (1, 5000, (1, 608)),
        (1216, 607, (608, 303)),
    ],
)
def test_every_shape_has_its_place(width: int, height: int, want: tuple[int, int]) -> None:
    assert scaled_size(width, height) == want
    canvas = letterbox(np.full((height, width, 3), (1, 2, 3), np.uint8))
    assert canvas.shape == (608, 608, 3)
    rows, columns = np.nonzero((canvas == (1, 2, 3)).all(2))
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == want
    assert len(rows) == want[0] * want[1]
    assert (columns[0], rows[0]) == ((608 - want[0]) // 2, (608 - want[1]) // 2)
    assert ((canvas == 128).all(2).sum()) == 608 * 608 - len(rows)


def test_planes_are_red_green_and_blue_from_0_to_1() -> None:
    canvas = np.zeros((608, 608, 3), np.uint8)
    canvas[2, 3] = (0, 51, 255)
    tensor = np.empty((3, 608, 608), np.float32)
    planes(canvas, tensor)
    assert tensor[:, 2, 3].tolist() == [1.0, np.float32(0.2), 0.0]
    assert tensor.sum() == pytest.approx(1.2)
