"""The network against recordings of the original: keys, scores, stages, and what typical mistakes look like."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modelzoo.common.session import open_session
from modelzoo.posec3d.annotations import Annotation
from modelzoo.posec3d.clips import cut_clips
from modelzoo.posec3d.network import PoseC3D
from modelzoo.posec3d.spec import SPEC, Structure
from modelzoo.posec3d.verify import as_batch

Keys = list[tuple[str, list[int], str]]
Recorded = dict[str, Any]

MARK = 1e-5
"""What separates noise (8e-7 in torch, 2e-6 in ONNX Runtime) from the difference of two clips (2e-3)."""


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Recorded:
    """What the original gave for two clips."""
    return dict(np.load(golden / "network.npz"))


@pytest.fixture(scope="module")
def structures(golden: Path) -> Recorded:
    """What the original gave for one clip with other structures."""
    return json.loads((golden / "structures.json").read_text())


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    """The golden clips, `(1, 2, 17, 48, 56, 56)`."""
    rng = np.random.default_rng(2001)
    places = rng.random((1, 2, 17, 48, 56, 56), dtype=np.float32)
    heights = rng.random((1, 2, 17, 48, 1, 1), dtype=np.float32)
    made = np.where(places > 0.97, places * heights, 0).astype(np.float32)
    assert hashlib.sha256(made).hexdigest() == "b34f1cc153774493e8ebf2d4e116def8088df9d43ef6f159b5b5741ef37e20e4"
    return made


def sparse_clip(joints: int) -> torch.Tensor:
    """The clip of the recorded structures."""
    values = np.random.default_rng(7).random((1, joints, 48, 56, 56), dtype=np.float32)
    return torch.from_numpy(np.maximum(values * 32 - 31, 0))


def difference(have: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(have - want).max())


def test_keys_and_shapes_are_those_of_the_published_checkpoint(published_keys: Keys) -> None:
    with torch.device("meta"):
        state = PoseC3D().state_dict()
    have = [(key, list(value.shape), str(value.dtype).removeprefix("torch.")) for key, value in state.items()]
    assert len(have) == 260
    assert have == published_keys


def test_weights_are_filled_as_recorded(golden: Path, filled_weights: dict[str, np.ndarray]) -> None:
    rows = json.loads((golden / "weight_fingerprints.json").read_text())
    assert set(rows) == set(filled_weights)
    for key, (digest, _) in rows.items():
        assert hashlib.sha256(filled_weights[key]).hexdigest().startswith(digest), key


def test_scores_and_stages_in_torch(
    filled_weights: dict[str, np.ndarray], clips: np.ndarray, recorded: Recorded
) -> None:
    with torch.device("meta"):
        network = PoseC3D().eval()
    network.load_state_dict({key: torch.from_numpy(array) for key, array in filled_weights.items()}, assign=True)
    means: dict[str, np.ndarray] = {}
    taps = {"conv1": "maxpool", "layer1": "layer1", "layer2": "layer2", "layer3": "layer3"}
    for name, module in taps.items():

        def keep(_module: Any, given: Any, made: torch.Tensor, name: str = name) -> None:
            means[name] = (given[0] if name == "conv1" else made).mean((2, 3, 4)).numpy()

        network.backbone.get_submodule(module).register_forward_hook(keep)
    with torch.inference_mode():
        scores = network(torch.from_numpy(clips[0])).numpy()
    assert difference(scores, recorded["logits"]) <= MARK
    for name, key in (
        ("conv1", "conv1_mean"),
        ("layer1", "layer1_mean"),
        ("layer2", "layer2_mean"),
        ("layer3", "pooled_feat"),
    ):
        assert difference(means[name], recorded[key]) <= MARK, name


def test_scores_of_the_exported_volumes(exported: Callable[..., Path], clips: np.ndarray, recorded: Recorded) -> None:
    sample = np.zeros((1, 20, *clips.shape[2:]), np.float32)
    sample[:, 4], sample[:, 17] = clips[:, 0], clips[:, 1]
    (scores,) = open_session(exported("volumes", narrow=False), SPEC).run(sample)
    assert scores.shape == (20, 51)
    assert difference(scores[[4, 17]], recorded["logits"]) <= MARK


def test_scores_of_the_exported_frames_of_an_annotation(
    exported: Callable[..., Path], annotated: dict[str, Annotation], golden: Path
) -> None:
    arrays = as_batch(cut_clips(annotated["s00_t100_m2"].skeletons), "frames")
    (scores,) = open_session(exported("frames", narrow=False), SPEC).run(*arrays)
    assert difference(scores, np.load(golden / "end_to_end.npz")["s00_t100_m2|logits"]) <= MARK


def test_every_structure_is_that_of_the_original(
    structures: Recorded, state_of: Callable[..., dict[str, torch.Tensor]]
) -> None:
    for row in structures.values():
        structure = Structure(row["joints"], row["width"], tuple(row["blocks"]), row["classes"])
        network = PoseC3D(structure).eval()
        lines = "\n".join(f"{key} {tuple(value.shape)}" for key, value in network.state_dict().items())
        assert hashlib.sha256(lines.encode()).hexdigest() == row["sha256_of_key_space_shape_lines"]
        network.load_state_dict(state_of(*vars(structure).values()))
        with torch.inference_mode():
            scores = network(sparse_clip(structure.joints)).numpy()
        assert difference(scores, np.array([row["logits"]])) <= MARK


def stride_in_the_first_convolution(network: PoseC3D) -> None:
    block = network.backbone.layer3[0]
    block.conv1.conv.stride, block.conv2.conv.stride = (2, 2, 2), (1, 1, 1)


def repeated_frames_at_the_ends(network: PoseC3D) -> None:
    network.backbone.layer2[0].conv1.conv.padding_mode = "replicate"
    network.backbone.layer2[0].conv1.conv._reversed_padding_repeated_twice = [0, 0, 0, 0, 1, 1]


def without_a_shortcut(network: PoseC3D) -> None:
    network.backbone.layer1[1].downsample.register_forward_hook(lambda _module, _inputs, output: output * 0)


def mean_pooling_in_the_stem(network: PoseC3D) -> None:
    network.backbone.maxpool = torch.nn.AvgPool3d((1, 3, 3), stride=1, padding=(0, 1, 1))


def maximum_in_the_head(network: PoseC3D) -> None:
    network.cls_head.register_forward_pre_hook(lambda _module, inputs: (inputs[0].amax((2, 3, 4), keepdim=True),))


def training_mode(network: PoseC3D) -> None:
    network.train()


@pytest.mark.parametrize(
    "mistake",
    [
        stride_in_the_first_convolution,
        repeated_frames_at_the_ends,
        without_a_shortcut,
        mean_pooling_in_the_stem,
        maximum_in_the_head,
        training_mode,
    ],
)
def test_a_mistake_is_seen(
    mistake: Callable[[PoseC3D], None], structures: Recorded, state_of: Callable[..., dict[str, torch.Tensor]]
) -> None:
    row = structures["5-4-213-7"]
    network = PoseC3D(Structure(5, 4, (2, 1, 3), 7)).eval()
    network.load_state_dict(state_of(5, 4, (2, 1, 3), 7))
    mistake(network)
    with torch.inference_mode():
        scores = network(sparse_clip(5)).numpy()
    assert difference(scores, np.array([row["logits"]])) > 100 * MARK
