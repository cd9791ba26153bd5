"""The detector's network against recordings of the original, in torch and in ONNX Runtime."""

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from modelzoo.alphapose.detector.boxes import candidates
from modelzoo.alphapose.detector.letterbox import planes
from modelzoo.alphapose.detector.network import Decode, SpatialPyramid, YoloV3Spp
from modelzoo.alphapose.detector.nms import suppress_crowd
from modelzoo.alphapose.detector.opening import open_detector
from modelzoo.alphapose.detector.weights import load_network

LEVELS = ("ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL")


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Mapping[str, np.ndarray]:
    return dict(np.load(golden / "yolov3spp_raw.npz"))


@pytest.fixture(scope="module")
def image(seeded: Any) -> np.ndarray:
    """The golden picture as the network takes it."""
    pixels = seeded("input/yolov3-spp").integers(0, 256, (608, 608, 3), dtype=np.uint8)
    tensor = np.empty((1, 3, 608, 608), np.float32)
    planes(pixels, tensor[0])
    return tensor


def check_rows(rows: np.ndarray, recorded: Mapping[str, np.ndarray]) -> None:
    """Compare with the recorded rows, with the statistics of all rows, and with the recorded people."""
    want = recorded["raw_rows"]
    assert rows.shape == (1, 22743, 85)
    assert (np.abs(rows[0, recorded["rows"]] - want) / (1 + np.abs(want))).max() <= 1e-4
    for name in ("mean", "std", "min", "max"):
        have = getattr(rows[0].astype(float), name)(0)
        np.testing.assert_allclose(have, recorded[f"col_{name}"], rtol=1e-4, atol=1e-4, err_msg=name)
    people = suppress_crowd(candidates(rows[0], 0.1))
    np.testing.assert_allclose(people, recorded["dets_conf0p1_nms0p6"][:, 1:6], rtol=1e-4, atol=1e-4)


def test_the_convolutions_are_those_of_the_configuration_in_its_order(detector_layout: dict[str, Any]) -> None:
    with torch.device("meta"):
        network = YoloV3Spp(608)
    have = [
        (conv.in_channels, conv.out_channels, *conv.kernel_size, *conv.stride, *conv.padding, conv.bias is None)
        for conv in network.modules()
        if isinstance(conv, torch.nn.Conv2d)
    ]
    assert len(have) == 76
    assert have == [
        (row["in"], row["out"], *[row["k"]] * 2, *[row["stride"]] * 2, *[row["k"] // 2] * 2, row["batch_normalize"])
        for row in detector_layout["convolutional_layers"]
    ]


def test_the_filled_file_is_the_recorded_one(detector_weights: Path, detector_layout: dict[str, Any]) -> None:
    with detector_weights.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == detector_layout["sha256"]


def test_rows_in_torch(detector_weights: Path, image: np.ndarray, recorded: Mapping[str, np.ndarray]) -> None:
    with torch.inference_mode():
        check_rows(load_network(detector_weights)(torch.from_numpy(image)).numpy(), recorded)


def test_rows_in_onnx_runtime(detector_onnx: Path, image: np.ndarray, recorded: Mapping[str, np.ndarray]) -> None:
    session = open_detector(detector_onnx)
    assert session.backend == "onnxruntime"
    check_rows(*session.run(image), recorded)


def test_pictures_do_not_depend_on_those_beside_them(narrow_onnx: Path) -> None:
    session = open_detector(narrow_onnx)
    images = np.random.default_rng(0).random((3, 3, 608, 608), np.float32)
    (together,) = session.run(images)
    alone = np.concatenate([session.run(images[i : i + 1])[0] for i in range(3)])
    assert together.shape == (3, 22743, 85)
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5)


def pooled_with_zeros(x: np.ndarray, window: int) -> np.ndarray:
    """Maxima over windows of a picture with zeros around it."""
    reach = window // 2
    padded = np.pad(x, ((0, 0), (0, 0), (reach, reach), (reach, reach)))
    return np.lib.stride_tricks.sliding_window_view(padded, (window, window), (2, 3)).max((4, 5))


@pytest.fixture(scope="module", params=[19, 4])
def pyramid(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """The pyramid alone as a graph, and its size."""
    path = tmp_path_factory.mktemp("pyramid") / "pyramid.onnx"
    example = torch.zeros(1, 2, request.param, request.param)
    names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "N"}, "y": {0: "N"}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the exporter that writes opset 11
        torch.onnx.export(SpatialPyramid(request.param), (example,), str(path), opset_version=11, dynamo=False, **names)
    return request.param, path


@pytest.mark.parametrize("values", ["normal", "all below zero"])
@pytest.mark.parametrize("level", LEVELS)
def test_the_pyramid_is_padded_with_zeros_at_every_level_of_optimisation(
    pyramid: tuple[int, Path], values: str, level: str
) -> None:
    size, path = pyramid
    x = np.random.default_rng(size).standard_normal((3, 2, size, size), np.float32)
    x = x if values == "normal" else -np.abs(x) - 1
    want = np.concatenate([*(pooled_with_zeros(x, window) for window in (13, 9, 5)), x], 1)
    assert want[:, :6, 0].min() >= 0 or values == "normal"
    np.testing.assert_array_equal(SpatialPyramid(size)(torch.from_numpy(x)).numpy(), want)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], want)


@pytest.mark.parametrize(
    ("stride", "anchors"),
    [
        (32, [(116, 90), (156, 198), (373, 326)]),
        (16, [(30, 61), (62, 45), (59, 119)]),
        (8, [(10, 13), (16, 30), (33, 23)]),
    ],
)
def test_cells_and_anchors_become_boxes_in_pixels(stride: int, anchors: list[tuple[int, int]]) -> None:
    x = np.random.default_rng(0).standard_normal((2, 255, 2, 2), np.float32)
    have = Decode(stride, 2 * stride)(torch.from_numpy(x)).numpy()
    sigmoid = 1 / (1 + np.exp(-x))
    want = [
        [
            (sigmoid[n, 85 * a, row, column] + column) * stride,
            (sigmoid[n, 85 * a + 1, row, column] + row) * stride,
            np.exp(x[n, 85 * a + 2, row, column]) * anchors[a][0],
            np.exp(x[n, 85 * a + 3, row, column]) * anchors[a][1],
            *sigmoid[n, 85 * a + 4 : 85 * a + 85, row, column],
        ]
        for n in range(2)
        for row in range(2)
        for column in range(2)
        for a in range(3)
    ]
    np.testing.assert_allclose(have.reshape(-1, 85), want, rtol=1e-5)
