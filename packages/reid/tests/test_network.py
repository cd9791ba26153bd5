"""The network against recordings of the original: keys, features, stages, and what typical mistakes look like."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modelzoo.common.session import open_session
from modelzoo.reid.network import StrongBaseline
from modelzoo.reid.spec import SPEC

MEAN, STD = (np.array(rgb, np.float32) for rgb in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def difference(have: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(have - want).max())


@pytest.fixture(scope="module")
def images(network_golden: dict[str, Any]) -> np.ndarray:
    """The golden pictures as the network takes them, made by the recorded formula."""
    planes = (network_golden["input_u8"].astype(np.float32) / np.float32(255) - MEAN) / STD
    planes = np.ascontiguousarray(planes.transpose(0, 3, 1, 2))
    assert sha256(planes) == network_golden["input_f32_sha256"]
    return planes


@pytest.fixture
def network(filled_weights: dict[str, np.ndarray]) -> StrongBaseline:
    """The golden network, to be changed at will."""
    with torch.device("meta"):
        network = StrongBaseline()
    state = {key: torch.from_numpy(array.copy()) for key, array in filled_weights.items()}
    network.load_state_dict(state, assign=True)
    return network.eval()


def features(network: torch.nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(images)).numpy()


def test_keys_and_shapes_are_those_of_the_published_checkpoint(network_golden: dict[str, Any]) -> None:
    with torch.device("meta"):
        state = StrongBaseline().state_dict()
    have = {key: (list(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in state.items()}
    want = {row["key"]: (row["shape"], row["dtype"]) for row in network_golden["keys_in_state_dict_order"]}
    assert len(want) == 324
    assert have == want


def test_weights_are_filled_as_recorded(network_golden: dict[str, Any], filled_weights: dict[str, np.ndarray]) -> None:
    want = {row["key"]: row["sha256_of_golden_fill"] for row in network_golden["keys_in_state_dict_order"]}
    assert {key: sha256(array) for key, array in filled_weights.items()} == want


@pytest.mark.parametrize("neck_feat", ["after", "before"])
def test_features_in_torch(
    neck_feat: str, checkpoint: Path, images: np.ndarray, network_golden: dict[str, Any]
) -> None:
    (have,) = open_session(checkpoint, SPEC, {"neck_feat": neck_feat}).run(images)
    assert difference(have, network_golden[f"feat_{neck_feat}"]) <= 1e-5


@pytest.mark.parametrize("neck_feat", ["after", "before"])
def test_features_in_onnx_runtime(
    neck_feat: str, exported: Callable[[str], Path], images: np.ndarray, network_golden: dict[str, Any]
) -> None:
    session = open_session(exported(neck_feat), SPEC)
    assert session.backend == "onnxruntime"
    (together,) = session.run(images)
    one_by_one = np.concatenate([session.run(images[i : i + 1])[0] for i in range(len(images))])
    for have in (together, one_by_one):
        assert difference(have, network_golden[f"feat_{neck_feat}"]) <= 1e-5


def test_features_of_pixels(exported: Callable[[str], Path], network_golden: dict[str, Any]) -> None:
    (have,) = open_session(exported("uint8"), SPEC).run(network_golden["input_u8"])
    assert difference(have, network_golden["feat_after"]) <= 1e-4


def test_every_stage_gives_what_was_recorded(
    network: StrongBaseline, images: np.ndarray, network_golden: dict[str, Any]
) -> None:
    seen: dict[str, np.ndarray] = {}
    for name in network_golden["stage_statistics"]:
        stage = getattr(network.base, name)
        stage.register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.update({name: output.numpy().copy()})
        )
    features(network, images)
    for name, recorded in network_golden["stage_statistics"].items():
        have = seen[name]
        assert list(have.shape) == recorded["shape"], name
        ends = [*have[0].ravel()[:8], *have[3].ravel()[-8:]]
        want = [*recorded["first8_of_sample0"], *recorded["last8_of_sample3"]]
        assert ends == pytest.approx(want, abs=2e-5, rel=1e-5), name
        assert have.astype(float).mean() == pytest.approx(recorded["mean"], abs=1e-5), name
        assert have.astype(float).std() == pytest.approx(recorded["std"], abs=1e-5), name


def stride_two(network: StrongBaseline) -> None:
    network.base.layer4[0].conv2.stride = (2, 2)
    network.base.layer4[0].downsample[0].stride = (2, 2)


def stem_relu(network: StrongBaseline) -> None:
    network.base.bn1.register_forward_hook(lambda _module, _inputs, output: torch.relu(output))


def swapped_colours(network: StrongBaseline) -> None:
    network.base.conv1.register_forward_pre_hook(lambda _module, inputs: (inputs[0].flip(1),))


def other_epsilon(network: StrongBaseline) -> None:
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.eps = 1e-3


def before_the_neck(network: StrongBaseline) -> None:
    network.neck_feat = "before"


@pytest.mark.parametrize(
    ("mistake", "name"),
    [
        (stride_two, "last_stride_2"),
        (stem_relu, "relu_after_stem_bn"),
        (swapped_colours, "bgr"),
        (other_epsilon, "bn_eps_1e-3"),
        (before_the_neck, "before_instead_of_after"),
    ],
)
def test_mistakes_are_as_far_off_as_recorded(
    mistake: Callable[[StrongBaseline], None],
    name: str,
    network: StrongBaseline,
    images: np.ndarray,
    network_golden: dict[str, Any],
) -> None:
    mistake(network)
    recorded = network_golden["max_abs_diff_of_wrong_variants_vs_feat_after"][name]
    assert difference(features(network, images), network_golden["feat_after"]) == pytest.approx(recorded, abs=1e-4)
