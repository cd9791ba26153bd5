"""The network against recordings of the original: keys, weights, codes and pictures."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
import torch

from modelzoo.common.session import open_session
from modelzoo.dgnet.checkpoints import Checkpoint
from modelzoo.dgnet.networks.blocks import LayerNorm
from modelzoo.dgnet.networks.dgnet import DGNet, FromPixels, part_of
from modelzoo.dgnet.spec import SPEC
from modelzoo.dgnet.weights import APPEARANCE, GENERATOR, File

Golden = dict[str, np.ndarray]
Keys = dict[str, dict[str, tuple[tuple[int, ...], str, str]]]


def difference(have: np.ndarray, want: np.ndarray) -> float:
    assert have.shape == want.shape
    return float(np.abs(have - want).max())


@pytest.fixture(scope="module")
def images(network_golden: Golden) -> tuple[torch.Tensor, torch.Tensor]:
    """The recorded inputs."""
    return torch.from_numpy(network_golden["image1"]), torch.from_numpy(network_golden["image2"])


@pytest.mark.parametrize(("kind", "file", "count"), [("gen", GENERATOR, 134), ("id", APPEARANCE, 338)])
def test_keys_and_shapes_are_those_of_the_published_files(
    kind: str, file: File, count: int, published_keys: Keys
) -> None:
    with torch.device("meta"):
        state = DGNet().state_dict()
    have = {name: (tuple(state[key].shape), str(state[key].dtype)) for key, name in file.keys(state).items()}
    assert len(have) + len(file.unused) == len(published_keys[kind]) == count
    want = {key: (shape, f"torch.{dtype}") for key, (shape, dtype, _) in published_keys[kind].items()}
    assert have == {key: row for key, row in want.items() if key not in file.unused}
    classes = {key: tuple(751 if size is None else size for size in shape) for key, shape in file.unused.items()}
    assert classes == {key: want[key][0] for key in file.unused}


def test_every_key_of_the_network_is_in_one_of_the_files() -> None:
    with torch.device("meta"):
        state = DGNet().state_dict()
    places = [set(file.keys(state)) for file in (GENERATOR, APPEARANCE)]
    assert places[0] | places[1] == set(state)
    assert not places[0] & places[1]


@pytest.mark.parametrize("kind", ["gen", "id"])
def test_weights_are_filled_as_recorded(
    kind: str, published_keys: Keys, filled_weights: Callable[[str], dict[str, np.ndarray]]
) -> None:
    have = {key: hashlib.sha256(array.tobytes()).hexdigest()[:16] for key, array in filled_weights(kind).items()}
    assert have == {key: sha256 for key, (_, _, sha256) in published_keys[kind].items()}


def test_codes_and_pictures(network: DGNet, images: tuple[torch.Tensor, torch.Tensor], network_golden: Golden) -> None:
    with torch.inference_mode():
        structure, appearance = network.structure(images[0]), network.appearance(images[1])
        output = network.decoder(structure, appearance).numpy()
    assert difference(structure[0, ::8, ::2, ::2].numpy(), network_golden["content"]) <= 2e-5
    assert difference(structure.mean((2, 3)).numpy(), network_golden["content_mean"]) <= 1e-6
    assert difference(appearance.numpy(), network_golden["f"]) <= 5e-4
    assert difference(output[:1, :, ::4, ::4], network_golden["output"]) <= 1e-4
    assert difference(output[:, :, ::8, ::8], network_golden["output_patched"]) <= 1e-4


def test_in_double_precision_it_is_the_published_network_and_not_the_guides_conversion(
    checkpoint: Checkpoint, images: tuple[torch.Tensor, torch.Tensor], network_golden: Golden
) -> None:
    from modelzoo.dgnet.weights import load_dgnet

    network = load_dgnet(checkpoint.gen).double()
    with torch.inference_mode():
        output = network(images[0][:1].double(), images[1][:1].double()).numpy()[:, :, ::8, ::8]
    assert difference(output, network_golden["output_fp64"][:1]) <= 1e-9
    assert difference(output, network_golden["output_fp64_patched"][:1]) > 1e-6


def test_a_layer_norm_divides_by_the_unbiased_deviation_with_epsilon_outside_of_the_root() -> None:
    x = torch.tensor([1e-5, 3e-5, 0, 0]).reshape(1, 2, 2, 1)
    deviation = float(np.std(x.numpy().astype(float), ddof=1))
    want = (x.numpy() - 1e-5) / (deviation + 1e-5)
    assert difference(LayerNorm(2)(x).detach().numpy(), want) < 1e-5


@pytest.mark.parametrize(
    ("part", "inputs"), [("whole", ("grey", "colour")), ("structure", ("grey",)), ("appearance", ("colour",))]
)
def test_pixels_are_normalised_and_the_structure_is_grey(part: str, inputs: tuple[str, ...], network: DGNet) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (len(inputs), 2, 6, 4, 3), dtype=np.uint8)
    planes = (pixels / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    want = [
        np.moveaxis(image, -1, 1) if what == "colour" else image.mean(-1)[:, None]
        for what, image in zip(inputs, planes, strict=True)
    ]
    seen: list[torch.Tensor] = []

    class Seen(torch.nn.Module):
        def forward(self, *images: torch.Tensor) -> None:
            seen.extend(images)

    module = part_of(network, part, "uint8")
    assert isinstance(module, FromPixels)
    FromPixels(Seen(), module.grey)(*map(torch.from_numpy, pixels))
    assert len(seen) == len(want)
    for have, plane in zip(seen, want, strict=True):
        assert have.dtype == torch.float32
        assert difference(have.numpy(), plane) < 2e-6


def test_a_decoder_takes_codes_whatever_the_dtype(network: DGNet) -> None:
    assert part_of(network, "decoder", "uint8") is part_of(network, "decoder", "float32") is network.decoder


def test_a_checkpoint_is_a_session(checkpoint: Checkpoint, network_golden: Golden) -> None:
    session = open_session(checkpoint.gen, SPEC)
    assert session.backend == "torch"
    (output,) = session.run(network_golden["image1"][:1], network_golden["image2"][:1])
    assert difference(output[:, :, ::4, ::4], network_golden["output"]) <= 1e-4
