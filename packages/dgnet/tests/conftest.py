"""What the tests share: goldens, a checkpoint, exported graphs, and ways to run a command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx.helper import make_node
from PIL import Image

from modelzoo.common.testing.golden import golden_tensor
from modelzoo.common.testing.toys import onnx_model, save_model
from modelzoo.dgnet.checkpoints import Checkpoint
from modelzoo.dgnet.cli import main
from modelzoo.dgnet.halves import half_path
from modelzoo.dgnet.spec import identity_of

if TYPE_CHECKING:
    from modelzoo.common.testing.plugin import CommandRunner, Finished
    from modelzoo.dgnet.networks.dgnet import DGNet

pytest_plugins = ["modelzoo.common.testing.plugin", "modelzoo.common.testing.cann"]

DATA = Path(__file__).with_name("data")

GAINS = {".bn3.weight": 0.25}


@pytest.fixture
def dgnet(command: CommandRunner) -> Callable[..., Finished]:
    """Run `dgnet WORDS` in this process."""
    return lambda *words: command(main, "dgnet", *words)


@pytest.fixture(scope="session")
def dgnet_once(command_once: CommandRunner) -> Callable[..., Finished]:
    """Run `dgnet WORDS` in this process, for what is made once and used by many tests."""
    return lambda *words: command_once(main, "dgnet", *words)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The recorded values."""
    return DATA / "golden"


@pytest.fixture(scope="session")
def network_golden(golden: Path) -> dict[str, np.ndarray]:
    """The recorded inputs and outputs of the network and its encoders."""
    images = {
        f"image{i}": np.random.default_rng(1000 + i).standard_normal((2, channels, 256, 128)).astype(np.float32)
        for i, channels in ((1, 1), (2, 3))
    }
    return {**images, **np.load(golden / "network.npz")}


@pytest.fixture(scope="session")
def published_keys(golden: Path) -> dict[str, dict[str, tuple[tuple[int, ...], str, str]]]:
    """Shape, dtype and hash of the filled values by key, of the files `gen` and `id` of the published checkpoint."""
    recorded = json.loads((golden / "checkpoint.json").read_text())
    return {
        kind: {key: (tuple(shape), dtype, sha256) for key, shape, dtype, sha256 in rows}
        for kind, rows in recorded.items()
    }


@pytest.fixture(scope="session")
def filled_weights(
    published_keys: dict[str, dict[str, tuple[tuple[int, ...], str, str]]],
) -> Callable[[str], dict[str, np.ndarray]]:
    """The weights of the goldens, of the file `gen` or `id`."""
    return cache(
        lambda kind: {key: golden_tensor(key, shape, GAINS) for key, (shape, *_) in published_keys[kind].items()}
    )


@pytest.fixture(scope="session")
def checkpoint(
    filled_weights: Callable[[str], dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    """The weights of the goldens as the upstream saves them; only to read."""
    import torch

    folder = tmp_path_factory.mktemp("checkpoints")
    for kind in ("gen", "id"):
        tensors = {key: torch.from_numpy(array) for key, array in filled_weights(kind).items()}
        torch.save({"a": tensors}, folder / f"{kind}_00100000.pt")
    return Checkpoint(folder / "gen_00100000.pt", folder / "id_00100000.pt")


@pytest.fixture(scope="session")
def network(checkpoint: Checkpoint) -> DGNet:
    """The network of the goldens; only to read."""
    from modelzoo.dgnet.weights import load_dgnet

    return load_dgnet(checkpoint.gen)


@pytest.fixture(scope="session")
def exported(
    dgnet_once: Callable[..., Finished], checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The network of the goldens, each form exported once: `whole`, `gather`, `uint8`, `halves` or `halves-uint8`.

    Those of halves are paths for `half_path`. The comparison with torch that an export makes is left out: it is the
    same for all packages, and what is exported here is compared with the goldens.
    """
    folder = tmp_path_factory.mktemp("exported")

    @cache
    def export(form: str) -> Path:
        words = [*(["--halves"] if "halves" in form else []), *(["--dtype", "uint8"] if "uint8" in form else [])]
        words += ["--pad", "gather"] if form == "gather" else []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("modelzoo.common.export.compare_with_torch", lambda *_: None)
            done = dgnet_once("export", "--gen", checkpoint.gen, *words, "--output", folder / f"{form}.onnx")
        assert done.code == 0, done.err
        return folder / f"{form}.onnx"

    return export


@pytest.fixture
def market(golden: Path, tmp_path: Path) -> Path:
    """A copy of the small Market-1501."""
    return Path(shutil.copytree(golden / "market_synth", tmp_path / "Market"))


@pytest.fixture
def train_all(market: Path, dgnet: Callable[..., Finished]) -> Path:
    """Its training set: 3 identities, 6 photos."""
    assert dgnet("prepare-market", "--data", market).code == 0
    return market / "pytorch" / "train_all"


@pytest.fixture
def draw(tmp_path: Path) -> Callable[..., Path]:
    """Write a picture of noise, or of one colour, below `tmp_path`: `draw("tree/0001/a.jpg", seed=3)`."""

    def write(name: str, mode: str = "RGB", size: tuple[int, int] = (64, 128), **how: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if "colour" in how:
            image = Image.new(mode, size, how["colour"])
        else:
            pixels = np.random.default_rng(how.get("seed", 0)).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
            image = Image.fromarray(pixels).convert(mode)
        image.save(path)
        return path

    return write


TOY_NODES = {
    "structure": [
        make_node("AveragePool", ["image1"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]),
        make_node("Expand", ["pooled", "channels"], ["structure"]),
    ],
    "appearance": [
        make_node("GlobalAveragePool", ["image2"], ["mean"]),
        make_node("Flatten", ["mean"], ["colours"]),
        make_node("Pad", ["colours", "pads"], ["appearance"]),
    ],
    "decoder": [
        make_node("Slice", ["structure", "zero", "three", "one"], ["steps"]),
        make_node("ConvTranspose", ["steps", "ones"], ["large"], kernel_shape=[4, 4], strides=[4, 4], group=3),
        make_node("Slice", ["appearance", "zero", "three", "one"], ["colour"]),
        make_node("Unsqueeze", ["colour"], ["colour_planes"], axes=[2, 3]),
        make_node("Add", ["large", "colour_planes"], ["output"]),
    ],
}
TOY_NODES["whole"] = [node for nodes in TOY_NODES.values() for node in nodes]
TOY_CONSTANTS = {
    "channels": np.array([1, 128, 1, 1]),
    "pads": np.array([0, 0, 0, 8189]),
    "ones": np.ones((3, 1, 4, 4), np.float32),
    **{name: np.array([value]) for name, value in {"zero": 0, "one": 1, "three": 3}.items()},
}


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole graph that costs nothing, and its halves beside it.

    The structure code is the grey picture in steps of 4 pixels, the appearance code begins with the mean of each
    colour, and the picture is their sum.
    """
    path = tmp_path_factory.mktemp("toy") / "toy.onnx"
    for part, nodes in TOY_NODES.items():
        known, used = identity_of(part), {name for node in nodes for name in node.input}
        constants = {name: array for name, array in TOY_CONSTANTS.items() if name in used}
        file = path if part == "whole" else half_path(path, part)
        save_model(file, onnx_model(nodes, known.inputs, known.outputs, constants, known))
    return path


@pytest.fixture
def whole_toy(toy: Path, tmp_path: Path) -> Path:
    """The whole graph of `toy` without its halves."""
    return Path(shutil.copy(toy, tmp_path / "whole.onnx"))
