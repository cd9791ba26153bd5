"""What a graph does around the network: flip test, keypoints and normalisation, in torch and in ONNX Runtime."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modelzoo.alphapose import heatmaps
from modelzoo.alphapose.forms import FlipTest, KeypointOutput, PixelInput
from modelzoo.alphapose.joints import PAIRS, mirrored_order
from modelzoo.alphapose.keypoint_check import misplaced
from modelzoo.alphapose.spec import SPEC, spec_of
from modelzoo.alphapose.spec import Form as GraphForm
from modelzoo.common.errors import UsageError
from modelzoo.common.export import export_onnx
from modelzoo.common.session import open_session
from modelzoo.common.spec import BATCH, Identity, TensorSpec

LEFT_AND_RIGHT = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)]


@pytest.fixture(scope="module")
def decoded(golden: Path) -> dict[str, np.ndarray]:
    """Heat maps of 8 people, and what the original makes of them."""
    recorded = dict(np.load(golden / "heatmap_decode.npz"))
    for name in ("heatmap", "heatmap_of_mirrored_crop"):
        recorded[name] = recorded[f"{name}_int16_div1024"].astype(np.float32) / 1024
    return recorded


def flip_tested(straight: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """The mean of both heat maps, pixel by pixel as the README of the goldens says it."""
    back = mirrored[..., ::-1].copy()
    for left, right in LEFT_AND_RIGHT:
        back[:, [left, right]] = back[:, [right, left]]
    shifted = back.copy()
    for column in range(1, back.shape[-1]):
        shifted[..., column] = back[..., column - 1]
    return (straight + shifted) / 2


def in_photo(keypoints: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Heat-map pixels in the pixels of the photo."""
    corner, width = boxes[:, None, :2], (boxes[:, 2] - boxes[:, 0])[:, None, None]
    middle = corner + (boxes[:, None, 2:] - corner) / 2
    return middle + (keypoints[..., :2] - (24, 32)) * width / 48


class TwoPasses(torch.nn.Module):
    """Stands for a network: gives stored heat maps for an image and its mirror image in one batch."""

    def __init__(self, straight: np.ndarray, mirrored: np.ndarray) -> None:
        super().__init__()
        self.heatmaps = torch.from_numpy(np.concatenate((straight, mirrored)))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        half = len(image) // 2
        assert torch.equal(image[half:], image[:half].flip(3))
        return self.heatmaps


def keypoints_of(heatmap: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return KeypointOutput(torch.nn.Identity(), heatmap.shape[1])(torch.from_numpy(heatmap)).numpy()


def keypoint_graph(path: Path) -> Path:
    """A graph of nothing but the decoding."""
    heatmap = TensorSpec("heatmap", "float32", (BATCH, 17, 64, 48))
    identity = Identity("alphapose", "0", (heatmap,), spec_of(GraphForm(decode=True)).outputs)
    return export_onnx(KeypointOutput(torch.nn.Identity(), 17).eval(), identity, path, 0.0)


@pytest.mark.parametrize("variant", ["none", "intended"])
def test_keypoints_are_those_of_the_original(variant: str, decoded: dict[str, np.ndarray], tmp_path: Path) -> None:
    heatmap = decoded["heatmap"]
    if variant == "intended":
        heatmap = flip_tested(heatmap, decoded["heatmap_of_mirrored_crop"])
    in_torch = keypoints_of(heatmap)
    (in_graph,) = open_session(keypoint_graph(tmp_path / "decode.onnx")).run(heatmap)
    for have in (in_torch, in_graph):
        assert have.shape == (8, 17, 3)
        assert np.array_equal(have[..., 2], decoded[f"{variant}/scores"])
        coordinates = in_photo(have, decoded["crop_boxes_xyxy"])
        assert np.abs(coordinates - decoded[f"{variant}/coords"]).max() <= 1e-4
        assert np.abs(have[..., :2] - decoded[f"{variant}/argmax_xy_masked"]).max() == 0.25


def test_torch_and_numpy_give_the_same_keypoints(decoded: dict[str, np.ndarray]) -> None:
    straight, mirrored = decoded["heatmap"], decoded["heatmap_of_mirrored_crop"]
    for heatmap in (straight, mirrored, heatmaps.merge_flipped(straight, mirrored)):
        assert np.array_equal(keypoints_of(heatmap), heatmaps.decode(heatmap))


def test_every_rule_of_a_keypoint_by_hand() -> None:
    maps = np.zeros((1, 10, 64, 48), np.float32)
    maps[0, 0] = -1
    maps[0, 2] = 0.5
    maps[0, 3, 40, 30] = maps[0, 3, 41, 2] = 1
    maps[0, 4, 40, 30], maps[0, 4, 40, 31], maps[0, 4, 39, 30] = 1, 0.5, 0.5
    maps[0, 5, 40, 30], maps[0, 5, 40, 29], maps[0, 5, 41, 30] = 1, 0.5, 0.5
    for joint, (x, y) in {6: (1, 30), 7: (2, 2), 8: (46, 62), 9: (47, 63)}.items():
        maps[0, joint, y, x] = 1
        maps[0, joint, y, x - 1] = maps[0, joint, y - 1, x] = 0.5
    want = [
        (0, 0, -1),  # nothing above 0
        (0, 0, 0),  # 0 is not above 0
        (0, 0, 0.5),  # a plain: its first pixel
        (30, 40, 1),  # the first of two; no neighbour is higher
        (30.25, 39.75, 1),
        (29.75, 40.25, 1),
        (1, 30, 1),  # beside the border
        (1.75, 1.75, 1),  # the first that is moved
        (45.75, 61.75, 1),  # the last
        (47, 63, 1),
    ]
    assert keypoints_of(maps)[0].tolist() == [list(map(float, row)) for row in want]


def test_the_flip_test_is_the_mean_of_two_passes(decoded: dict[str, np.ndarray]) -> None:
    straight, mirrored = decoded["heatmap"], decoded["heatmap_of_mirrored_crop"]
    image = torch.from_numpy(np.random.default_rng(0).standard_normal((8, 3, 256, 192)).astype(np.float32))
    with torch.inference_mode():
        have = FlipTest(TwoPasses(straight, mirrored), 17)(image).numpy()
    assert np.array_equal(have, flip_tested(straight, mirrored))
    assert np.abs(keypoints_of(have)[..., 2] - decoded["intended/scores"]).max() == 0


def test_the_graph_of_the_flip_test_gives_what_two_passes_give(
    exported: Callable[[str], Path], seeded: Any, golden: Path
) -> None:
    images = seeded("input/fastpose").uniform(-0.48, 0.594, (2, 3, 256, 192)).astype(np.float32)
    plain, flip = open_session(exported("plain"), SPEC), open_session(exported("flip"), SPEC)
    (straight,), (mirrored,) = plain.run(images), plain.run(np.ascontiguousarray(images[..., ::-1]))
    (have,) = flip.run(images)
    assert np.array_equal(have, flip_tested(straight, mirrored))
    recorded = np.load(golden / "fastpose_network.npz")["heatmap_of_flip_test"]
    assert np.abs(have[:, :, 1::4, 2::4] - recorded).max() <= 1e-4


def test_pairs_of_joints_are_those_of_the_original(golden: Path) -> None:
    structures = json.loads((golden / "structures.json").read_text()).values()
    known = {entry["joints"]: entry for entry in structures if "joint_pairs" in entry}
    assert set(PAIRS) == set(known) == {17, 26, 136}
    for joints, entry in known.items():
        pairs = sorted(map(sorted, PAIRS[joints]))
        assert len(pairs) == entry["joint_pairs"]
        assert hashlib.sha256(json.dumps(pairs).encode()).hexdigest() == entry["sha256_of_sorted_joint_pairs"]
        order = mirrored_order(joints)
        assert sorted(order) == list(range(joints))
        assert [order[i] for i in order] == list(range(joints))


def test_nobody_knows_left_and_right_of_another_number_of_joints() -> None:
    with pytest.raises(UsageError, match=r"known are sets of 17, 26, 136, not of 33$") as caught:
        mirrored_order(33)
    assert caught.value.hint == "leave out the flip test"


def crops() -> np.ndarray:
    """Noise, and the crops that are not divided by 255: `(5, 256, 192, 3) uint8`."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (256, 192, 3))
    dim = rng.integers(0, 2, (256, 192, 3))
    bright = dim.copy()
    bright[200, 100, 2] = 2
    corner = np.zeros((256, 192, 3))
    corner[0, 0, 0] = 1
    return np.stack((noise, np.zeros_like(noise), dim, bright, corner)).astype(np.uint8)


def normalised(pixels: np.ndarray) -> np.ndarray:
    """Crop by crop and channel by channel, as the README of the goldens says it."""
    planes = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).astype(np.float32)
    for i in range(len(planes)):
        if planes[i].max() > 1:
            planes[i] /= np.float32(255)
        for channel, mean in enumerate((0.406, 0.457, 0.480)):
            planes[i, channel] += np.float32(-mean)
    return planes


def test_pixels_are_normalised_as_published(tmp_path: Path) -> None:
    network = PixelInput(torch.nn.Identity()).eval()
    image, planes = spec_of(GraphForm(dtype="uint8")).inputs[0], TensorSpec("planes", "float32", (BATCH, 3, 256, 192))
    path = export_onnx(network, Identity("alphapose", "0", (image,), (planes,)), tmp_path / "pixels.onnx", 0.0)
    (in_graph,) = open_session(path).run(crops())
    with torch.inference_mode():
        in_torch = network(torch.from_numpy(crops())).numpy()
    assert np.array_equal(in_torch, normalised(crops()))
    assert np.array_equal(in_graph, normalised(crops()))


def test_a_graph_that_does_it_all(shallow_checkpoint: Path, alphapose: Any, tmp_path: Path) -> None:
    words = ["--flip-test", "--decode", "--dtype", "uint8"]
    for name, flags in {"plain": [], "all": words}.items():
        done = alphapose("export", "--weights", shallow_checkpoint, "--output", tmp_path / f"{name}.onnx", *flags)
        assert done.code == 0, done.err
    plain, everything = (open_session(tmp_path / f"{name}.onnx", SPEC) for name in ("plain", "all"))
    planes = normalised(crops()[:3])
    (straight,), (mirrored,) = plain.run(planes), plain.run(np.ascontiguousarray(planes[..., ::-1]))
    (have,) = everything.run(crops()[:3])
    assert np.array_equal(have, keypoints_of(flip_tested(straight, mirrored)))


def test_the_check_of_an_export_knows_wrong_keypoints(decoded: dict[str, np.ndarray]) -> None:
    heatmap = decoded["heatmap"]
    right = keypoints_of(heatmap)
    assert misplaced(heatmap, right, 0.0) == 0
    assert misplaced(heatmap + np.float32(1e-5), right, 1e-4) == 0
    for column, change in ((0, 1), (1, -1), (0, 0.25), (1, 0.5), (2, 0.001), (0, np.nan), (1, np.inf)):
        wrong = right.copy()
        wrong[3, 5, column] += change
        assert misplaced(heatmap, wrong, 1e-4) == 1, (column, change)
    turned = right.copy()
    turned[..., :2] = 2 * np.floor(right[..., :2] + 0.5) - right[..., :2]
    assert misplaced(heatmap, turned, 1e-4) > 100
    assert misplaced(heatmap, right[:, ::-1], 1e-4) > 100


def test_the_check_of_an_export_knows_the_border_and_the_corner() -> None:
    heatmap = np.zeros((1, 3, 64, 48), np.float32)
    heatmap[0, 0, 30, 1] = heatmap[0, 1, 63, 20] = heatmap[0, 2, 30, 20] = 1
    assert misplaced(heatmap, np.array([[[1, 30, 1], [20, 63, 1], [20, 30, 1]]], np.float32), 1e-4) == 0
    assert misplaced(heatmap, np.array([[[1.25, 30, 1], [20, 62.75, 1], [0, 0, 1]]], np.float32), 1e-4) == 3


def test_the_check_of_an_export_leaves_ties_alone() -> None:
    heatmap = np.zeros((1, 4, 64, 48), np.float32)
    heatmap[0, :2, 20, 10], heatmap[0, :2, 30, 40], heatmap[0, 2:] = 1, 1 - 1e-6, 1e-6
    heatmap[0, 1, 20, 11] = 1e-6
    either = np.array([[[40, 30, 1], [9.75, 20, 1], [0, 0, 0], [33.25, 7.75, 0]]], np.float32)
    assert misplaced(heatmap, either, 1e-4) == 0
    assert misplaced(heatmap, either, 0.0) == 4
