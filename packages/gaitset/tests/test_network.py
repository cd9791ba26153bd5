"""The network against recordings of the original: keys, features, layers, padding."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modelzoo.common.session import open_session
from modelzoo.gaitset.network import CasiaB, Oumvlp
from modelzoo.gaitset.spec import SPEC, spec_of
from modelzoo.gaitset.weights import load_network

Golden = Callable[[str], dict[str, Any]]
Features = Callable[..., np.ndarray]

DATASETS = ("casia-b", "oumvlp")


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def difference(have: np.ndarray, want: np.ndarray) -> float:
    assert have.shape == want.shape
    return float(np.abs(have - want).max())


def with_zeros(sequences: np.ndarray) -> np.ndarray:
    """The sequences with zero frames in front, 100 in all."""
    return np.pad(sequences, ((0, 0), (100 - sequences.shape[1], 0), (0, 0), (0, 0)))


@pytest.fixture(scope="module")
def casia_b(network_golden: Golden) -> dict[str, Any]:
    """The recorded network of CASIA-B."""
    return network_golden("casia-b")


@pytest.fixture(scope="module")
def network(checkpoint_of: Callable[[str], Path]) -> Callable[..., torch.nn.Module]:
    """A golden network in one of its forms, each loaded once."""
    return cache(lambda dataset, **form: load_network(checkpoint_of(dataset), dataset, **form))


@pytest.fixture(scope="module")
def features(network: Callable[..., torch.nn.Module]) -> Features:
    """Features of sequences by a golden network in one of its forms; by default of any number of frames."""

    def compute(sequences: np.ndarray, dataset: str = "casia-b", **form: Any) -> np.ndarray:
        with torch.inference_mode():
            return network(dataset, **{"frames": "dynamic", **form})(torch.from_numpy(sequences)).numpy()

    return compute


@pytest.mark.parametrize(("dataset", "network"), [("casia-b", CasiaB), ("oumvlp", Oumvlp)])
def test_keys_and_shapes_are_those_of_the_published_checkpoint(
    dataset: str, network: type[CasiaB | Oumvlp], network_golden: Golden
) -> None:
    with torch.device("meta"):
        state = network().state_dict()
    have = {f"module.{key}": (list(value.shape), str(value.dtype)) for key, value in state.items()}
    rows = network_golden(dataset)["keys_in_state_dict_order"]
    assert len(rows) == {"casia-b": 11, "oumvlp": 12}[dataset]
    assert have == {row["key"]: (row["shape"], f"torch.{row['dtype']}") for row in rows}


@pytest.mark.parametrize("dataset", DATASETS)
def test_weights_are_filled_as_recorded(
    dataset: str, network_golden: Golden, filled_weights: Callable[[str], dict[str, np.ndarray]]
) -> None:
    rows = network_golden(dataset)["keys_in_state_dict_order"]
    want = {row["key"]: row["sha256_of_golden_fill"] for row in rows}
    assert {key: sha256(array) for key, array in filled_weights(dataset).items()} == want


def test_sequences_are_scaled_as_recorded(casia_b: dict[str, Any]) -> None:
    have = {f"in{frames}": sha256(casia_b[f"input_{frames}"]) for frames in (100, 30, 40)}
    assert have == casia_b["input_f32_sha256"]


@pytest.mark.parametrize("frames", [30, 40])
def test_features_of_casia_b(frames: int, features: Features, casia_b: dict[str, Any]) -> None:
    assert difference(features(casia_b[f"input_{frames}"]), casia_b[f"out_{frames}"]) <= 1e-4


@pytest.mark.parametrize("frames", [30, 40])
def test_features_of_oumvlp(frames: int, features: Features, network_golden: Golden) -> None:
    recorded = network_golden("oumvlp")
    have = features(recorded[f"input_{frames}"][:1], "oumvlp")
    assert difference(have, recorded[f"out_{frames}"]) <= 1e-4


def test_features_of_100_frames_and_every_layer_on_the_way(
    network: Callable[..., torch.nn.Module], features: Features, casia_b: dict[str, Any]
) -> None:
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        layer.register_forward_hook(lambda _module, _inputs, output, name=name: seen.update({name: output}))
        for name, layer in network("casia-b", frames="dynamic").named_children()
        if "layer" in name
    ]
    assert difference(features(casia_b["input_100"]), casia_b["out_100"]) <= 1e-4
    assert len(seen) == 10
    for name in ("set_layer2", "set_layer4"):  # recorded behind the pooling
        seen[name] = torch.nn.functional.max_pool2d(seen[name], 2)
    for name, layer in seen.items():
        have, recorded = layer.numpy(), casia_b["stage_statistics_of_in100"][name]
        assert have.shape == (300 if name.startswith("set") else 3, *recorded["shape"][-3:]), name
        assert list(have[0].ravel()[:8]) == pytest.approx(recorded["first8_of_sample0"], abs=2e-5, rel=1e-5), name
        assert have.mean(dtype=float) == pytest.approx(recorded["mean"], abs=1e-5), name
        assert have.std(dtype=float) == pytest.approx(recorded["std"], abs=1e-5), name
        assert (have.min(), have.max()) == pytest.approx((recorded["min"], recorded["max"]), abs=1e-4), name
    for hook in hooks:
        hook.remove()


def test_a_checkpoint_is_a_session_of_100_frames(checkpoint: Path, casia_b: dict[str, Any]) -> None:
    session = open_session(checkpoint, SPEC)
    assert session.backend == "torch"
    assert difference(session.run(casia_b["input_100"][:1])[0], casia_b["out_100"][:1]) <= 1e-4


def test_a_checkpoint_is_a_session_of_any_number_of_frames(checkpoint: Path, casia_b: dict[str, Any]) -> None:
    session = open_session(checkpoint, spec_of("dynamic"), {"frames": "dynamic"})
    for frames in (30, 40):
        assert difference(session.run(casia_b[f"input_{frames}"][:1])[0], casia_b[f"out_{frames}"][:1]) <= 1e-4


def test_sequences_of_several_lengths_one_after_the_other(features: Features, casia_b: dict[str, Any]) -> None:
    """The original keeps the lengths of its last batch, and answers the next one wrongly; nothing is kept here."""
    sequences = [casia_b["input_30"][:1], casia_b["input_40"], casia_b["input_100"][:1, :25]]
    for order in ([0, 1, 2], [2, 1, 0]):
        have = np.concatenate([features(sequences[i]) for i in order])
        assert difference(have, casia_b["out_var_30_40_25"][order]) <= 1e-4


def test_a_batch_gives_what_its_sequences_give(features: Features, casia_b: dict[str, Any]) -> None:
    alone = np.concatenate([features(sequence[None]) for sequence in casia_b["input_30"]])
    assert difference(features(casia_b["input_30"]), alone) <= 1e-5


def test_the_order_of_the_frames_and_their_repetition_change_nothing(
    features: Features, casia_b: dict[str, Any]
) -> None:
    frames = casia_b["input_40"]
    shuffled = frames[:, np.random.default_rng(0).permutation(40)]
    for same in (shuffled, np.concatenate([frames, frames], axis=1)):
        assert np.array_equal(features(same), features(frames))


@pytest.mark.parametrize(
    "form", [{"frames": 100}, {"padding": "none"}, {"padding": "zeros"}], ids=lambda form: str(*form.values())
)
def test_zero_frames_in_the_input_act_as_in_the_guide(
    form: dict[str, Any], features: Features, casia_b: dict[str, Any]
) -> None:
    want = casia_b["out_40_zero_padded_front_to_100"]
    assert difference(want, casia_b["out_40"]) > 0.01
    assert difference(features(with_zeros(casia_b["input_40"]), **form), want) <= 1e-4


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_zero_padded_answer_from_the_real_frames_alone(
    dataset: str, features: Features, network_golden: Golden
) -> None:
    recorded = network_golden(dataset)
    have = features(recorded["input_40"], dataset, padding="zeros")
    assert difference(have, recorded["out_40_zero_padded_front_to_100"]) <= 1e-4


@pytest.mark.parametrize(("frames", "allowed"), [(40, 0.0), (1, 1e-5)])
def test_it_is_that_of_the_padded_sequence_to_the_bit(
    frames: int, allowed: float, features: Features, casia_b: dict[str, Any]
) -> None:
    """For a single frame torch takes another kernel, which rounds otherwise."""
    sequence = np.ascontiguousarray(casia_b["input_40"][:, :frames])
    assert difference(features(sequence, padding="zeros"), features(with_zeros(sequence), frames=100)) <= allowed


@pytest.mark.parametrize(("frames", "clamped"), [(99, True), (100, False), (101, False)])
def test_nothing_is_clamped_from_100_frames_on(
    frames: int, clamped: bool, features: Features, casia_b: dict[str, Any]
) -> None:
    sequence = np.repeat(casia_b["input_40"][:, :1], frames, axis=1)
    assert np.array_equal(features(sequence, padding="zeros"), features(sequence)) is not clamped


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_frames_behind_the_first_100_change_nothing_in_the_guide_s_answer(
    dtype: str, features: Features, casia_b: dict[str, Any]
) -> None:
    kind = {"float32": "input", "uint8": "input_u8"}[dtype]
    sequence = np.concatenate([casia_b[f"{kind}_100"][:1], casia_b[f"{kind}_40"][:1]], axis=1)
    assert difference(features(sequence, padding="zeros", dtype=dtype), casia_b["out_100"][:1]) <= 1e-4
    assert difference(features(sequence, dtype=dtype), casia_b["out_100"][:1]) > 1e-3


def test_pixels_give_the_same_to_the_bit(features: Features, casia_b: dict[str, Any]) -> None:
    for count, frames in ((100, 100), (40, "dynamic")):
        pixels, scaled = casia_b[f"input_u8_{count}"][:1], casia_b[f"input_{count}"][:1]
        assert np.array_equal(features(pixels, frames=frames, dtype="uint8"), features(scaled, frames=frames))
