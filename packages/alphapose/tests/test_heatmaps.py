"""Heat maps to keypoints in NumPy: recorded ones, and a second implementation pixel by pixel."""

from pathlib import Path

import numpy as np
import pytest

from modelzoo.alphapose.heatmaps import decode, merge_flipped, to_photo

PAIRS = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)]


@pytest.fixture(scope="module")
def recorded(golden: Path) -> dict[str, np.ndarray]:
    """Heat maps of 8 people, and what the original makes of them."""
    arrays = dict(np.load(golden / "heatmap_decode.npz"))
    for name in ("heatmap", "heatmap_of_mirrored_crop"):
        arrays[name] = arrays[f"{name}_int16_div1024"].astype(np.float32) / np.float32(1024)
    return arrays


def merged_slowly(straight: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """The flip test, value by value, of one person."""
    partner = {**{joint: joint for joint in range(17)}, **dict(PAIRS), **{b: a for a, b in PAIRS}}
    joints, height, width = straight.shape
    merged = np.zeros_like(straight)
    for joint in range(joints):
        for y in range(height):
            for x in range(width):
                source = max(x - 1, 0)
                other = mirrored[partner[joint], y, width - 1 - source]
                merged[joint, y, x] = (straight[joint, y, x] + other) / np.float32(2)
    return merged


def decoded_slowly(heatmap: np.ndarray) -> tuple[float, float, float]:
    """The keypoint of one heat map, by comparing pixel after pixel."""
    height, width = heatmap.shape
    best, at = -np.inf, (0, 0)
    for y in range(height):
        for x in range(width):
            if heatmap[y, x] > best:
                best, at = heatmap[y, x], (x, y)
    x, y = at
    if best <= 0:
        return 0.0, 0.0, float(best)
    across = down = 0.0
    if 1 < x < width - 1 and 1 < y < height - 1:
        across = float(np.sign(heatmap[y, x + 1] - heatmap[y, x - 1]))
        down = float(np.sign(heatmap[y + 1, x] - heatmap[y - 1, x]))
    return x + across / 4, y + down / 4, float(best)


@pytest.mark.parametrize("variant", ["none", "intended"])
def test_recorded_keypoints(recorded: dict[str, np.ndarray], variant: str) -> None:
    heatmaps = recorded["heatmap"]
    if variant == "intended":
        heatmaps = merge_flipped(heatmaps, recorded["heatmap_of_mirrored_crop"])
    keypoints = decode(heatmaps)
    placed = np.stack([to_photo(*row) for row in zip(keypoints, recorded["crop_boxes_xyxy"], strict=True)])
    assert np.abs(placed[..., :2] - recorded[f"{variant}/coords"]).max() <= 1e-4
    assert np.array_equal(placed[..., 2], recorded[f"{variant}/scores"])


def test_the_merge_is_that_of_a_second_implementation() -> None:
    straight, mirrored = np.random.default_rng(2).standard_normal((2, 2, 17, 64, 48)).astype(np.float32)
    merged = merge_flipped(straight, mirrored)
    for person in range(2):
        assert np.array_equal(merged[person], merged_slowly(straight[person], mirrored[person]))


def test_the_merge_leaves_what_it_is_given() -> None:
    straight, mirrored = np.ones((2, 1, 17, 64, 48), np.float32)
    merge_flipped(straight, mirrored)
    assert (straight == 1).all()
    assert (mirrored == 1).all()


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_keypoints_are_those_of_a_second_implementation(levels: int) -> None:
    """Few levels make many ties: among the highest pixels, and between neighbours."""
    heatmaps = np.random.default_rng(levels).integers(-levels, levels, (3, 17, 9, 7)).astype(np.float32)
    heatmaps[0, 0] = -1
    wanted = [[decoded_slowly(heatmap) for heatmap in person] for person in heatmaps]
    assert decode(heatmaps).tolist() == np.array(wanted, np.float32).tolist()


@pytest.mark.parametrize("place", [(0, 0), (1, 5), (5, 1), (2, 2), (46, 30), (47, 63), (45, 62), (46, 62), (30, 0)])
def test_only_pixels_inside_are_moved(place: tuple[int, int]) -> None:
    x, y = place
    heatmap = np.add.outer(np.arange(64), np.arange(48)).astype(np.float32) / 1000
    heatmap[y, x] = 9
    moved = 0.25 if 1 < x < 47 and 1 < y < 63 else 0
    assert decode(heatmap[None, None]).tolist() == [[[x + moved, y + moved, 9]]]


def test_both_axes_have_the_scale_of_the_width() -> None:
    keypoints = np.array([[24, 32, 1], [0, 0, 1], [48, 64, 1]], np.float32)
    crop = (100.0, 200.0, 196.0, 400.0)  # 96 x 200: two pixels of the photo to one of the heat map
    assert to_photo(keypoints, crop).tolist() == [[148, 300, 1], [100, 236, 1], [196, 364, 1]]
