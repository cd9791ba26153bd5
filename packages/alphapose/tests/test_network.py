"""The network against recordings of the original: keys, heat maps, stages, and what typical mistakes look like."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modelzoo.alphapose.network import FastPose
from modelzoo.alphapose.spec import SPEC, Structure
from modelzoo.common.session import Session, open_session

Fill = Callable[[str, Sequence[int]], np.ndarray]

SAMPLED = (..., slice(1, None, 4), slice(2, None, 4))
"""Which pixels of a heat map are recorded."""

STRUCTURES = ("50-17-128", "50-26-128", "50-136-256", "101-17-128", "152-17-128")


@pytest.fixture(scope="module")
def recorded(golden: Path) -> dict[str, Any]:
    """fastpose_network.json and .npz as one."""
    return {**json.loads((golden / "fastpose_network.json").read_text()), **np.load(golden / "fastpose_network.npz")}


@pytest.fixture(scope="module")
def images(seeded: Callable[[str], np.random.Generator], recorded: dict[str, Any]) -> np.ndarray:
    """The golden crops."""
    crops = seeded("input/fastpose").uniform(-0.48, 0.594, (2, 3, 256, 192)).astype(np.float32)
    assert hashlib.sha256(crops.tobytes()).hexdigest() == recorded["input_sha256"]
    return crops


@pytest.fixture(scope="module")
def torch_session(checkpoint: Path) -> Session:
    """The golden network in torch."""
    return open_session(checkpoint, SPEC)


def empty(structure: Structure) -> FastPose:
    """A network without memory for its weights."""
    with torch.device("meta"):
        return FastPose(structure).eval()


@pytest.fixture
def network(filled_weights: dict[str, np.ndarray]) -> FastPose:
    """The golden network, to be changed at will except for its weights, which all tests share."""
    network = empty(Structure())
    network.load_state_dict({key: torch.from_numpy(array) for key, array in filled_weights.items()}, assign=True)
    return network


def difference(have: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(have - want).max())


def test_keys_and_shapes_are_those_of_the_published_checkpoint(published_keys: list[dict[str, Any]]) -> None:
    state = empty(Structure()).state_dict()
    have = [(key, list(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in state.items()]
    assert len(have) == 348
    assert have == [(row["key"], row["shape"], row["dtype"]) for row in published_keys]


def test_weights_are_filled_as_recorded(
    published_keys: list[dict[str, Any]], filled_weights: dict[str, np.ndarray]
) -> None:
    for row in published_keys:
        have = filled_weights[row["key"]].astype(np.float64)
        assert have.sum() == pytest.approx(row["sum"], rel=1e-12, abs=1e-9), row["key"]
        assert np.abs(have).sum() == pytest.approx(row["abs_sum"], rel=1e-12), row["key"]


def test_heat_maps_in_torch(torch_session: Session, images: np.ndarray, recorded: dict[str, Any]) -> None:
    (have,) = torch_session.run(images)
    assert have.shape == (2, 17, 64, 48)
    assert difference(have[SAMPLED], recorded["heatmap"]) <= 1e-4
    assert have.astype(float).mean() == pytest.approx(recorded["out_mean"], abs=1e-5)


def test_heat_maps_in_onnx_runtime(
    exported: Callable[[str], Path], images: np.ndarray, recorded: dict[str, Any]
) -> None:
    session = open_session(exported("plain"), SPEC)
    assert session.backend == "onnxruntime"
    (together,) = session.run(images)
    one_by_one = np.concatenate([session.run(images[i : i + 1])[0] for i in range(len(images))])
    for have in (together, one_by_one):
        assert difference(have[SAMPLED], recorded["heatmap"]) <= 1e-4
    (mirrored,) = session.run(np.ascontiguousarray(images[..., ::-1]))
    assert difference(mirrored[SAMPLED], recorded["heatmap_of_flipped_input"]) <= 1e-4


def test_every_stage_gives_what_was_recorded(network: FastPose, images: np.ndarray, recorded: dict[str, Any]) -> None:
    seen: dict[str, np.ndarray] = {}
    modules = dict(network.named_modules())
    stages = [name for name in recorded["taps_batch2"] if name in modules]
    assert {"preact.maxpool", "preact.layer1.0.se.fc", "preact.layer4", "duc1", "duc2"} <= set(stages)
    for name in stages:
        modules[name].register_forward_hook(
            lambda _module, _in, out, name=name: seen.update({name: out.numpy().copy()})
        )
    with torch.inference_mode():
        network(torch.from_numpy(images))
    for name in stages:
        have, want = seen[name], recorded["taps_batch2"][name]
        assert list(have.shape) == want["shape"], name
        assert have.ravel()[:8] == pytest.approx(want["first8"], rel=1e-4, abs=1e-4), name
        assert have.astype(float).mean() == pytest.approx(want["mean"], rel=1e-4, abs=1e-5), name
        assert have.astype(float).std(ddof=1) == pytest.approx(want["std"], rel=1e-4), name


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_is_that_of_the_original(name: str, golden: Path, fill: Fill, seeded: Any) -> None:
    want = json.loads((golden / "structures.json").read_text())[name]
    network = empty(Structure(want["layers"], want["joints"], want["conv_dim"]))
    state = {key: torch.from_numpy(np.array(fill(key, value.shape))) for key, value in network.state_dict().items()}
    network.load_state_dict(state, assign=True)
    lines = "\n".join(f"{key} {tuple(value.shape)}" for key, value in network.state_dict().items())
    assert hashlib.sha256(lines.encode()).hexdigest() == want["sha256_of_key_space_shape_lines"]
    assert sum(parameter.numel() for parameter in network.parameters()) == want["parameters"]
    image = seeded("input/structures").uniform(-0.48, 0.594, (1, 3, 64, 32)).astype(np.float32)
    with torch.inference_mode():
        have = network(torch.from_numpy(image)).numpy()
    heatmap = np.load(golden / "structures.npz")[name]
    assert difference(have, heatmap) <= 1e-5 * np.abs(heatmap).max()


def without_excitation(network: FastPose) -> None:
    network.preact.layer2[0].se = torch.nn.Identity()


def excitation_after_the_shortcut(network: FastPose) -> None:
    block = network.preact.layer2[0]
    gate, block.se = block.se, torch.nn.Identity()
    block.register_forward_hook(lambda _block, _inputs, output: gate(output))


def stride_in_the_first_convolution(network: FastPose) -> None:
    block = network.preact.layer3[0]
    block.conv1.stride, block.conv2.stride = (2, 2), (1, 1)


def no_stem_relu(network: FastPose) -> None:
    network.preact.bn1.register_forward_hook(lambda _module, _inputs, output: output - 10)
    network.preact.maxpool.register_forward_hook(lambda _module, _inputs, output: output + 10)


def swapped_colours(network: FastPose) -> None:
    network.preact.conv1.register_forward_pre_hook(lambda _module, inputs: (inputs[0].flip(1),))


def training_mode(network: FastPose) -> None:
    for module in network.modules():
        module.track_running_stats = False  # keeps the weights as they are
    network.train()


@pytest.mark.parametrize(
    "mistake",
    [
        without_excitation,
        excitation_after_the_shortcut,
        stride_in_the_first_convolution,
        no_stem_relu,
        swapped_colours,
        training_mode,
    ],
)
def test_a_mistake_is_seen(mistake: Callable[[FastPose], None], network: FastPose, golden: Path, seeded: Any) -> None:
    mistake(network)
    image = seeded("input/structures").uniform(-0.48, 0.594, (1, 3, 64, 32)).astype(np.float32)
    with torch.inference_mode():
        have = network(torch.from_numpy(image)).numpy()
    assert difference(have, np.load(golden / "structures.npz")["50-17-128"]) > 1e-2
