"""What the tests share: goldens, filled weights, exported models, and ways to run a command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from modelzoo.common.testing.golden import golden_tensor
from modelzoo.reid.cli import main

if TYPE_CHECKING:
    from modelzoo.common.testing.plugin import CommandRunner, Finished

pytest_plugins = ["modelzoo.common.testing.plugin", "modelzoo.common.testing.cann"]

DATA = Path(__file__).with_name("data")
GAINS = {".bn3.weight": 0.2, ".downsample.1.weight": 0.5}
PROGRAM = "import sys; from modelzoo.reid.cli import main; sys.argv[0] = 'reid'; sys.exit(main())"
CONFIG = """
MODEL:
  PRETRAIN_CHOICE: 'imagenet'
  PRETRAIN_PATH: '/home/user/.torch/models/resnet50-19c8e357.pth'
  METRIC_LOSS_TYPE: 'triplet_center'
  IF_LABELSMOOTH: 'on'
  IF_WITH_CENTER: 'yes'
INPUT:
  SIZE_TRAIN: [256, 128]
  SIZE_TEST: [256, 128]
  PROB: 0.5 # random horizontal flip
DATASETS:
  NAMES: ('market1501')
SOLVER:
  OPTIMIZER_NAME: 'Adam'
  BASE_LR: 0.00035
TEST:
  IMS_PER_BATCH: 128
  RE_RANKING: 'no'
  WEIGHT: "path"
  NECK_FEAT: 'after'
  FEAT_NORM: 'yes'
OUTPUT_DIR: "/home/user/log"
"""


@pytest.fixture
def reid(command: CommandRunner) -> Callable[..., Finished]:
    """Run `reid WORDS` in this process."""
    return lambda *words: command(main, "reid", *words)


@pytest.fixture(scope="session")
def reid_once(command_once: CommandRunner) -> Callable[..., Finished]:
    """Run `reid WORDS` in this process, for what is made once and used by many tests."""
    return lambda *words: command_once(main, "reid", *words)


@pytest.fixture(scope="session")
def reid_process() -> Callable[..., Finished]:
    """Run `reid WORDS` in a process of its own: `prefix` goes before it, `program` starts it instead."""
    from modelzoo.common.testing.plugin import Finished

    def run(*words: object, prefix: Sequence[str] = (), program: str = PROGRAM, **options: Any) -> Finished:
        line = [*prefix, sys.executable, "-c", program, *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=100, check=False, **options)
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start_reid() -> Any:
    """Start `reid WORDS`; what still runs when the test ends is killed."""
    running: list[subprocess.Popen[str]] = []

    def start(*words: object) -> subprocess.Popen[str]:
        line = [sys.executable, "-c", PROGRAM, *map(str, words)]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def golden() -> Path:
    """The recorded values."""
    return DATA / "golden"


@pytest.fixture
def market(golden: Path, tmp_path: Path) -> Path:
    """A copy of the small Market-1501: 9 queries, 23 gallery images of which 3 are junk."""
    return Path(shutil.copytree(golden / "market1501_tiny", tmp_path / "market"))


@pytest.fixture
def tiny_features(golden: Path) -> dict[str, np.ndarray]:
    """The golden feature of every image of the small Market-1501, by stem."""
    recorded = np.load(golden / "tiny_features.npz")
    stems = [Path(str(name)).name.split(".")[0] for name in recorded["names"]]
    return dict(zip(stems, recorded["feat_after"], strict=True))


@pytest.fixture(scope="session")
def network_golden(golden: Path) -> dict[str, Any]:
    """network_resnet50.json and .npz as one."""
    described = json.loads((golden / "network_resnet50.json").read_text())
    return {**described, **np.load(golden / "network_resnet50.npz")}


@pytest.fixture(scope="session")
def filled_weights(network_golden: dict[str, Any]) -> dict[str, np.ndarray]:
    """The weights of the ResNet-50 goldens."""
    return {
        row["key"]: golden_tensor(row["key"], row["shape"], GAINS) for row in network_golden["keys_in_state_dict_order"]
    }


@pytest.fixture(scope="session")
def checkpoint(filled_weights: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the ResNet-50 goldens as the upstream saves them."""
    import torch

    path = tmp_path_factory.mktemp("weights") / "filled.pth"
    torch.save({key: torch.from_numpy(array) for key, array in filled_weights.items()}, path)
    return path


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the upstream's softmax_triplet_with_center.yml says."""
    path = tmp_path_factory.mktemp("configs") / "softmax_triplet_with_center.yml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="session")
def exported(
    reid_once: Callable[..., Finished], checkpoint: Path, config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The golden network as `after`, `before` (by the guide's command line) or `uint8`, each exported once."""
    folder = tmp_path_factory.mktemp("exported")
    guide = ["--config_file", config, "MODEL.PRETRAIN_CHOICE", "('self')", "TEST.WEIGHT", f"('{checkpoint}')"]
    words = {
        "after": ["--weights", checkpoint],
        "before": [*guide, "TEST.NECK_FEAT", "('before')", "TEST.FEAT_NORM", "('no')"],
        "uint8": ["--weights", checkpoint, "--dtype", "uint8"],
    }

    @cache
    def export(form: str) -> Path:
        done = reid_once("export", *words[form], "--output", folder / f"{form}.onnx")
        assert done.code == 0, done.err
        return folder / f"{form}.onnx"

    return export


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Models that cost nothing, exported elsewhere: the feature is the mean of 16 x 16 pixels, (N, 384)."""
    import onnx
    from onnx import TensorProto, helper

    folder = tmp_path_factory.mktemp("models")

    @cache
    def make(
        name: str = "pooled",
        dtype: str = "float32",
        batch: int | str = "N",
        shape: tuple[int, ...] = (3, 256, 128),
        last: str = "Identity",
        metadata: str | None = None,
    ) -> Path:
        pool = helper.make_node("AveragePool", ["planes"], ["pooled"], kernel_shape=[16, 16], strides=[16, 16])
        nodes = [pool, helper.make_node("Flatten", ["pooled"], ["flat"]), helper.make_node(last, ["flat"], ["feature"])]
        if dtype == "uint8":
            cast = helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT)
            nodes = [cast, helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]), *nodes]
        else:
            nodes = [helper.make_node("Identity", ["image"], ["planes"]), *nodes]
        kind = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}[dtype]
        image = helper.make_tensor_value_info("image", kind, [batch, *shape])
        feature = helper.make_tensor_value_info("feature", TensorProto.FLOAT, [batch, "features"])
        model = helper.make_model(
            helper.make_graph(nodes, name, [image], [feature]), opset_imports=[helper.make_opsetid("", 11)]
        )
        model.ir_version = 6
        if metadata is not None:
            helper.set_model_props(model, {"modelzoo": metadata})
        onnx.save(model, folder / f"{name}.onnx")
        return folder / f"{name}.onnx"

    return make


@pytest.fixture(scope="session")
def pooled(make_model: Callable[..., Path]) -> Path:
    """The cheapest model of normalised images."""
    return make_model()


@pytest.fixture
def report_of() -> Callable[[Path], dict[str, Any]]:
    """Read the report.json of a folder."""
    return lambda folder: json.loads((folder / "report.json").read_text())
