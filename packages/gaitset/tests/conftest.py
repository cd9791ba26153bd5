"""What the tests share: goldens, a small CASIA-B, models that cost nothing, and ways to run a command."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from modelzoo.common import identity
from modelzoo.gaitset.cli import main
from modelzoo.gaitset.spec import identity_of

if TYPE_CHECKING:
    from modelzoo.common.testing.plugin import CommandRunner, Finished

pytest_plugins = ["modelzoo.common.testing.plugin", "modelzoo.common.testing.cann"]

DATA = Path(__file__).with_name("data")


@pytest.fixture
def gaitset(command: CommandRunner) -> Callable[..., Finished]:
    """Run `gaitset WORDS` in this process."""
    return lambda *words: command(main, "gaitset", *words)


@pytest.fixture(scope="session")
def gaitset_once(command_once: CommandRunner) -> Callable[..., Finished]:
    """Run `gaitset WORDS` in this process, for what is made once and used by many tests."""
    return lambda *words: command_once(main, "gaitset", *words)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The recorded values."""
    return DATA / "golden"


@pytest.fixture(scope="session")
def network_golden(golden: Path) -> Callable[[str], dict[str, Any]]:
    """The recorded network of a data set: its .json and .npz as one, sequences as the network takes them."""

    @cache
    def read(dataset: str) -> dict[str, Any]:
        name = {"casia-b": "network", "oumvlp": "oumvlp"}[dataset]
        described = json.loads((golden / f"{name}.json").read_text())
        pixels = {key: array for key, array in np.load(golden / "network.npz").items() if key.startswith("input_u8")}
        scaled = {key.replace("_u8", ""): array.astype(np.float32) / np.float32(255) for key, array in pixels.items()}
        return {**described, **pixels, **scaled, **np.load(golden / f"{name}.npz")}

    return read


def filled(key: str, shape: Sequence[int]) -> np.ndarray:
    """Weights by the recorded rule: normal numbers, seeded by the key, scaled so that every layer keeps the range."""
    variance = 1 / shape[1] if "fc_bin" in key else 2 / math.prod(shape[1:])
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    return rng.standard_normal(shape).astype(np.float32) * np.float32(math.sqrt(variance))


@pytest.fixture(scope="session")
def filled_weights(network_golden: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, np.ndarray]]:
    """The weights of the goldens of a data set, by their published keys."""
    return cache(
        lambda dataset: {
            row["key"]: filled(row["key"], row["shape"]) for row in network_golden(dataset)["keys_in_state_dict_order"]
        }
    )


@pytest.fixture(scope="session")
def checkpoint_of(
    filled_weights: Callable[[str], dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The weights of the goldens of a data set as the upstream saves them."""
    folder = tmp_path_factory.mktemp("weights")

    @cache
    def save(dataset: str) -> Path:
        import torch

        path = folder / f"{dataset}-encoder.ptm"
        torch.save({key: torch.from_numpy(array) for key, array in filled_weights(dataset).items()}, path)
        return path

    return save


@pytest.fixture(scope="session")
def checkpoint(checkpoint_of: Callable[[str], Path]) -> Path:
    """The weights of the goldens of CASIA-B."""
    return checkpoint_of("casia-b")


@pytest.fixture(scope="session")
def exported(
    gaitset_once: Callable[..., Finished],
    checkpoint_of: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Path]:
    """The golden network in one of its forms, each exported once; `fixed` by the guide's command line."""
    folder = tmp_path_factory.mktemp("exported")
    words = {
        "fixed": ["--input_path", checkpoint_of("casia-b")],
        "uint8": ["--weights", checkpoint_of("casia-b"), "--dtype", "uint8"],
        "dynamic": ["--weights", checkpoint_of("casia-b"), "--frames", "dynamic"],
        "zeros": ["--weights", checkpoint_of("casia-b"), "--frames", "dynamic", "--padding", "zeros"],
        "oumvlp": ["--weights", checkpoint_of("oumvlp"), "--dataset", "oumvlp", "--frames", "dynamic"],
    }

    @cache
    def export(form: str) -> Path:
        done = gaitset_once("export", *words[form], "--output", folder / f"{form}.onnx")
        assert done.code == 0, done.err
        return folder / f"{form}.onnx"

    return export


@pytest.fixture(scope="session")
def casia_b(golden: Path) -> Path:
    """The small CASIA-B; only to read."""
    return golden / "casia_b_tiny"


@pytest.fixture(scope="session")
def pooling_matrix() -> np.ndarray:
    """What makes features of silhouettes in the models of `make_model`, `(44, 256) float32`."""
    return np.random.default_rng(0).standard_normal((44, 256)).astype(np.float32)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory, pooling_matrix: np.ndarray) -> Callable[..., Path]:
    """Models that cost nothing: the mean (or `reduce`) of the frames, 62 rows of it, times `pooling_matrix`.

    `padding` is what the file says of itself; None for a file that was exported elsewhere.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    folder = tmp_path_factory.mktemp("models")

    @cache
    def make(
        frames: int | str = 100,
        padding: str | None = None,
        dtype: str = "float32",
        batch: int | str = "N",
        reduce: str = "ReduceMean",
    ) -> Path:
        def node(kind: str, words: str, **attributes: Any) -> onnx.NodeProto:
            *inputs, output = words.split()
            return helper.make_node(kind, inputs, [output], **attributes)

        scaled = [node("Cast", "image_seq float", to=TensorProto.FLOAT), node("Div", "float white seq")]
        nodes = [
            *(scaled if dtype == "uint8" else [node("Identity", "image_seq seq")]),
            node(reduce, "seq whole", axes=[1], keepdims=0),
            node("Slice", "whole start stop axis rows"),
            node("MatMul", "rows matrix feature"),
        ]
        constants = {"white": np.float32(255), "matrix": pooling_matrix}
        constants |= {name: np.array([value]) for name, value in (("start", 0), ("stop", 62), ("axis", 1))}
        kind = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}[dtype]
        count: int | str = 100 if frames == 100 else "frames"
        graph = helper.make_graph(
            nodes,
            "pooled",
            [helper.make_tensor_value_info("image_seq", kind, [batch, count, 64, 44])],
            [helper.make_tensor_value_info("feature", TensorProto.FLOAT, [batch, 62, 256])],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
        model.ir_version = 6
        if padding is not None:
            said = identity_of("casia-b", frames, padding, dtype)
            helper.set_model_props(model, {identity.METADATA_KEY: identity.to_json(said)})
        path = folder / f"pooled_{frames}_{padding}_{dtype}_{batch}_{reduce}.onnx"
        onnx.save(model, path)
        return path

    return make


@pytest.fixture
def report_of() -> Callable[[Path], dict[str, Any]]:
    """Read the report.json of a folder."""
    return lambda folder: json.loads((folder / "report.json").read_text())


def drawn(seed: int, size: tuple[int, int] = (240, 320)) -> np.ndarray:
    """A frame with a figure of its own: `(height, width) uint8`."""
    rng = np.random.default_rng(seed)
    frame = np.zeros(size, np.uint8)
    top, left = (int(rng.integers(1, side // 4)) for side in size)
    frame[top : top + size[0] // 2, left : left + size[1] // 5] = 255
    frame[top : top + size[0] // 8, left + size[1] // 15 : left + size[1] // 3] = rng.integers(1, 256)
    return frame


@pytest.fixture
def write_frames() -> Callable[..., Path]:
    """Write `count` frames with a figure into `root/name`; `size` is theirs, `seed` the first one's number."""
    from PIL import Image

    def write(
        root: Path, name: str, count: int = 3, size: tuple[int, int] = (240, 320), seed: int = 0, suffix: str = ".png"
    ) -> Path:
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(seed, seed + count):
            Image.fromarray(drawn(number, size)).save(folder / f"{number:03d}{suffix}")
        return folder

    return write
