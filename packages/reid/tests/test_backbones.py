"""Every backbone against recordings of the original, what typical mistakes look like, and what their graphs hold."""

import hashlib
import json
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from modelzoo.common.ascend.preflight import preflight
from modelzoo.common.errors import UsageError
from modelzoo.common.session import open_session
from modelzoo.common.testing.golden import golden_tensor
from modelzoo.reid.backbones import BACKBONES, DEPTHS
from modelzoo.reid.config import read_config
from modelzoo.reid.export import export
from modelzoo.reid.network import StrongBaseline
from modelzoo.reid.spec import FEATURE_SIZES, SPEC

GAINS = {".bn3.weight": 0.2, ".downsample.1.weight": 0.5}
"""They keep the activations of the filled networks between 0.1 and 1000."""

TOLERANCE = 3e-6
"""Of the largest value of a feature; float32 is off by less than 1e-6."""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """The images are too small for more, which would mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def recorded(golden: Path) -> dict[str, Any]:
    """Keys and hashes of every backbone of the original."""
    return json.loads((golden / "backbones.json").read_text())


@pytest.fixture(scope="module")
def features(golden: Path) -> dict[str, np.ndarray]:
    """Features of every backbone of the original, every eighth channel."""
    return dict(np.load(golden / "backbones.npz"))


def empty(backbone: str) -> StrongBaseline:
    """A network without memory for its weights."""
    with torch.device("meta"):
        return StrongBaseline(backbone).eval()


def by_the_rule(network: StrongBaseline) -> dict[str, torch.Tensor]:
    """Weights by the rule of the goldens."""
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    return {key: torch.from_numpy(golden_tensor(key, shape, GAINS)) for key, shape in shapes.items()}


@lru_cache(maxsize=1)
def weights(backbone: str) -> dict[str, torch.Tensor]:
    """The weights of a backbone, which tests share and do not change."""
    return by_the_rule(empty(backbone))


def filled(backbone: str) -> StrongBaseline:
    """A backbone with these weights, to be changed at will except for them."""
    network = empty(backbone)
    network.load_state_dict(weights(backbone), assign=True)
    return network


def difference(network: StrongBaseline, neck_feat: str, want: np.ndarray) -> float:
    """How far the features of two small images are from the recorded ones, in units of the largest of these."""
    images = np.random.default_rng(0).standard_normal((2, 3, 64, 32)).astype(np.float32)
    network.neck_feat = neck_feat
    with torch.inference_mode():
        have = network(torch.from_numpy(images)).numpy()
    return float(np.abs(have[:, ::8] - want).max() / np.abs(want).max())


def test_the_backbones_are_those_of_the_original(recorded: dict[str, Any]) -> None:
    assert list(FEATURE_SIZES) == list(BACKBONES) == list(recorded)
    assert list(FEATURE_SIZES.values()) == [entry["feat_dim"] for entry in recorded.values()]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_keys_shapes_and_sizes_are_those_of_the_original(backbone: str, recorded: dict[str, Any]) -> None:
    network = empty(backbone)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    names = "\n".join(sorted(shapes))
    lines = "\n".join(f"{key} {shapes[key]}" for key in sorted(shapes))
    want = recorded[backbone]
    assert len(shapes) == want["n_keys"]
    assert hashlib.sha256(names.encode()).hexdigest() == want["sha256_sorted_keys_joined_by_newline"]
    assert hashlib.sha256(lines.encode()).hexdigest() == want["sha256_sorted_key_space_shape_lines"]
    assert sum(parameter.numel() for parameter in network.parameters()) == want["n_params"]
    assert network.base.channels == want["feat_dim"]


@pytest.mark.parametrize("backbone", BACKBONES)
def test_features_are_those_of_the_original(backbone: str, features: dict[str, np.ndarray]) -> None:
    network = filled(backbone)
    for neck_feat in ("after", "before"):
        assert difference(network, neck_feat, features[f"{backbone}_{neck_feat}"]) <= TOLERANCE, neck_feat


def more_stem_relu(network: StrongBaseline) -> None:
    network.base.bn1.register_forward_hook(lambda _module, _inputs, output: torch.relu(output))


def less_stem_relu(network: StrongBaseline) -> None:
    stem = network.base.layer0 if hasattr(network.base, "layer0") else network.base
    setattr(stem, "relu1" if hasattr(stem, "relu1") else "relu", torch.nn.Identity())


def padded_pool(network: StrongBaseline) -> None:
    network.base.layer0.pool = torch.nn.MaxPool2d(3, 2, padding=1)


def floor_pool(network: StrongBaseline) -> None:
    network.base.layer0.pool.ceil_mode = False


def stride_of_the_second_convolution(network: StrongBaseline) -> None:
    for stage in (network.base.layer2, network.base.layer3):
        stage[0].conv1.stride, stage[0].conv2.stride = (1, 1), (2, 2)


def stride_of_the_first_convolution(network: StrongBaseline) -> None:
    for stage in (network.base.layer2, network.base.layer3):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)


def last_stride_two(network: StrongBaseline) -> None:
    block = network.base.layer4[0]
    for convolution in (block.conv1 if block.conv1.out_channels == 512 else block.conv2, block.downsample[0]):
        convolution.stride = (2, 2)


def no_excitation(network: StrongBaseline) -> None:
    network.base.layer3[2].se_module = torch.nn.Identity()


def excitation_after_the_shortcut(network: StrongBaseline) -> None:
    block = network.base.layer3[2]
    block.register_forward_hook(lambda block, _inputs, output: block.gate(output))
    block.gate, block.se_module = block.se_module, torch.nn.Identity()


def swapped_halves(network: StrongBaseline) -> None:
    mixed = network.base.layer2[0].bn1
    mixed.register_forward_pre_hook(lambda _module, inputs: (inputs[0].roll(inputs[0].shape[1] // 2, 1),))


@pytest.mark.parametrize(
    ("backbone", "mistake"),
    [
        ("resnet18", more_stem_relu),
        ("se_resnet50", less_stem_relu),
        ("se_resnet50", padded_pool),
        ("se_resnet50", floor_pool),
        ("se_resnet50", stride_of_the_second_convolution),
        ("se_resnet50", last_stride_two),
        ("se_resnet50", no_excitation),
        ("se_resnet50", excitation_after_the_shortcut),
        ("se_resnext50", less_stem_relu),
        ("se_resnext50", stride_of_the_first_convolution),
        ("senet154", less_stem_relu),
        ("senet154", last_stride_two),
        ("resnet50_ibn_a", less_stem_relu),
        ("resnet50_ibn_a", swapped_halves),
    ],
)
def test_a_mistake_is_seen(
    backbone: str, mistake: Callable[[StrongBaseline], None], features: dict[str, np.ndarray]
) -> None:
    network = filled(backbone)
    mistake(network)
    assert difference(network, "after", features[f"{backbone}_after"]) > 100 * TOLERANCE


KINDS = {
    "se_resnet50": {"Sigmoid", "Mul"},
    "se_resnext50": {"Sigmoid", "Mul"},
    "senet154": {"Sigmoid", "Mul"},
    "resnet50_ibn_a": {"Slice", "InstanceNormalization", "Concat"},
}
"""The smallest backbone of each kind, and the operators it adds to those of a ResNet."""

RESNET = {"Conv", "Relu", "Add", "MaxPool", "GlobalAveragePool", "Flatten", "BatchNormalization"}


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], StrongBaseline]:
    """Make a backbone with one block a stage: all that is particular to its kind, quickly exported."""

    def make(backbone: str) -> StrongBaseline:
        build = BACKBONES[backbone]
        arguments = ((1, 1, 1, 1) if argument in DEPTHS.values() else argument for argument in build.args)
        monkeypatch.setitem(BACKBONES, backbone, partial(build.func, *arguments))
        network = empty(backbone)
        network.load_state_dict(by_the_rule(network), assign=True)
        return network

    return make


@pytest.mark.parametrize("backbone", KINDS)
def test_the_graph_of_each_kind_is_what_atc_takes_and_gives_what_torch_gives(
    backbone: str, shallow: Callable[[str], StrongBaseline], tmp_path: Path
) -> None:
    network = shallow(backbone)
    torch.save(network.state_dict(), tmp_path / "filled.pth")
    path = export(tmp_path / "filled.pth", tmp_path / "filled.onnx", backbone)
    assert preflight(path, given=False) == []
    assert {node.op_type for node in onnx.load(path).graph.node} == RESNET | KINDS[backbone]
    images = np.random.default_rng(0).standard_normal((2, 3, 256, 128)).astype(np.float32)
    (have,) = open_session(path, SPEC).run(images)
    with torch.inference_mode():
        want = network(torch.from_numpy(images)).numpy()
    assert np.abs(have - want).max() <= TOLERANCE * np.abs(want).max()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_configuration_names_the_backbone(backbone: str, config: Path) -> None:
    words = ("MODEL.NAME", f"('{backbone}')", "TEST.WEIGHT", "('market.pth')")
    assert read_config(config, words).backbone == backbone


@pytest.mark.parametrize("name", ["resnet101_ibn_a", "se_resnext50_32x4d", "SENet154"])
def test_the_configuration_takes_only_names_of_the_original(name: str, config: Path) -> None:
    with pytest.raises(UsageError, match=rf"^MODEL.NAME is '{name}'; supported are .*senet154, resnet50_ibn_a$"):
        read_config(config, ("MODEL.NAME", f"('{name}')", "TEST.WEIGHT", "('market.pth')"))


@pytest.mark.parametrize("backbone", ["se_resnext50", "senet154", "resnet50_ibn_a"])
def test_the_configuration_refuses_another_last_stride_of_any_backbone(backbone: str, config: Path) -> None:
    words = ("MODEL.NAME", f"('{backbone}')", "MODEL.LAST_STRIDE", "2", "TEST.WEIGHT", "('market.pth')")
    with pytest.raises(UsageError, match=r"^MODEL.LAST_STRIDE is 2; supported is 1$"):
        read_config(config, words)
