"""`dgnet upstream` on a stand-in of the published repository, the patch itself, and the upstream's own network."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from modelzoo.common.spec import Upstream
from modelzoo.common.testing.plugin import Finished
from modelzoo.common.testing.upstream import (
    check_clone_patch_and_again,
    check_patch,
    check_planted_file_is_refused,
    make_repository,
    run_in_checkout,
)
from modelzoo.common.upstream import UpstreamError, prepare, run_upstream
from modelzoo.dgnet.checkpoints import Checkpoint
from modelzoo.dgnet.networks.appearance import AppearanceEncoder
from modelzoo.dgnet.spec import SPEC, UPSTREAM_PATCH
from modelzoo.dgnet.verify import verify_job

Commands = Callable[..., Finished]
Keys = dict[str, dict[str, tuple[tuple[int, ...], str, str]]]

RUNNER = "modelzoo.dgnet.upstream_runner"

CHANGED_LINES, QUOTED_LINES = 42, 5
"""The patch stays as small as it is: lines it adds or removes, and lines of the upstream that it shows."""

HOLDER = """
class Holder(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def state_dict(self):
        return {}

    def load_state_dict(self, weights):
        self.total = sum(float(value.double().abs().mean()) for value in weights.values())
"""
"""Keeps one number of the weights that it is given."""

NETWORKS = f"""#
#
#
#
#
import torch
#
#
from torchvision import models
from utils import weights_init

{HOLDER}

class AdaINGen(Holder):
    def __init__(self, input_dim, params, fp16):
        super().__init__("gen")
        assert (input_dim, fp16, params["dim"], params["dropout"], params["init"]) == (1, False, 16, 0, "kaiming")
        self.apply(weights_init(params["init"]))

    def encode(self, images):
        return images + 1

    def decode(self, content, ID):
        return content.expand(-1, 3, -1, -1) + ID[:, :1, None, None] + self.total
"""

REID = f"""#
#
#
#
#
import torch
#
#
from torchvision import models

{HOLDER}

class ft_netAB(Holder):
    def __init__(self, class_num, norm=False, stride=2, droprate=0.5, pool="avg"):
        super().__init__("id")
        assert (class_num, stride, pool) == (751, 1, "max")
        self.model = models.resnet50(pretrained=True)
        self.model.layer4[0].downsample[0].stride = (1, 1)
        self.model.layer4[0].conv2.stride = (1, 1)

    def forward(self, x):
        return x.mean((1, 2, 3))[:, None] + self.total, None
"""

FILES = {".gitignore": "__pycache__/\n", "networks.py": NETWORKS, "reIDmodel.py": REID}
"""What the patch and the runner touch; the pictures are a sum of means of inputs and weights."""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """The stand-in, which the commands take for the published repository."""
    upstream = make_repository(tmp_path / "published", FILES, "non-commercial")
    for module in ("cli", "verify"):
        monkeypatch.setattr(f"modelzoo.dgnet.{module}.SPEC", replace(SPEC, upstream=upstream))
    return upstream


@pytest.fixture
def patched(published: Upstream, tmp_path: Path) -> Path:
    """A patched checkout of the stand-in."""
    prepare(published, UPSTREAM_PATCH, tmp_path / "up", None, apply_patch=True)
    return tmp_path / "up"


def test_the_patch_is_small_and_stays_inside(tmp_path: Path) -> None:
    check_patch(UPSTREAM_PATCH, tmp_path, CHANGED_LINES, QUOTED_LINES)


def test_clone_patch_and_again(dgnet: Commands, published: Upstream, tmp_path: Path) -> None:
    check_clone_patch_and_again(dgnet, published, tmp_path / "up")


@pytest.mark.parametrize("is_patched", [False, True])
def test_the_patched_networks_are_imported_without_torchvision(
    is_patched: bool, dgnet: Commands, published: Upstream, tmp_path: Path
) -> None:
    for module in ("networks", "reIDmodel"):
        program = f"import sys; sys.modules['torchvision'] = None; import {module}"
        done = run_in_checkout(dgnet, published, tmp_path / "up", program, is_patched)
        assert (done.code == 0) is is_patched, done.err


def test_the_resnet_of_the_patch_is_the_published_one(
    patched: Path, published_keys: Keys, filled_weights: Callable[[str], dict[str, np.ndarray]], tmp_path: Path
) -> None:
    """Its keys are those of the checkpoint, and layer by layer it gives what our encoder gives."""
    weights = {
        key.removeprefix("model."): torch.from_numpy(array)
        for key, array in filled_weights("id").items()
        if key.startswith("model.")
    }
    image = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 3, 64, 32)).astype(np.float32))
    torch.save({"weights": weights, "image": image}, tmp_path / "given.pt")
    program = (
        "import torch; from resnet import resnet50; given = torch.load('../given.pt')\n"
        "network = resnet50(pretrained=True).eval(); network.load_state_dict(given['weights'])\n"
        "network.layer4[0].downsample[0].stride = network.layer4[0].conv2.stride = (1, 1); x = given['image']\n"
        "for name in ('conv1', 'bn1', 'relu', 'maxpool', 'layer1', 'layer2', 'layer3', 'layer4'):\n"
        "    x = getattr(network, name)(x)\n"
        "torch.save(x.amax(3).detach(), '../made.pt')"
    )
    subprocess.run([sys.executable, "-B", "-c", program], cwd=patched, check=True)
    ours = AppearanceEncoder().eval()
    ours.load_state_dict({key: value for key, value in weights.items() if not key.startswith("fc.")})
    with torch.inference_mode():
        want = ours(image).reshape(1, 2048, 4)
    assert torch.allclose(torch.load(tmp_path / "made.pt"), want, atol=1e-4)


def test_the_upstreams_own_network_is_run(
    patched: Path, checkpoint: Checkpoint, filled_weights: Callable[[str], dict[str, np.ndarray]]
) -> None:
    rng = np.random.default_rng(0)
    image1, image2 = (rng.random((2, channels, 4, 2), dtype=np.float32) for channels in (1, 3))
    (have,) = run_upstream(RUNNER, patched, checkpoint.gen, {"id_path": str(checkpoint.id)}, [image1, image2])
    totals = [sum(np.abs(a.astype(float)).mean() for a in filled_weights(kind).values()) for kind in ("gen", "id")]
    want = image1.repeat(3, 1) + 1 + image2.mean((1, 2, 3), keepdims=True) + sum(totals)
    assert (have.shape, have.dtype) == ((2, 3, 4, 2), np.float32)
    assert np.abs(have - want).max() < 1e-4


def test_verify_runs_the_commit_and_nothing_else_in_the_folder(patched: Path, checkpoint: Checkpoint) -> None:
    job = check_planted_file_is_refused(patched, lambda: verify_job(checkpoint, upstream=patched))
    (pictures,) = job.upstream(job.inputs("float32"))
    assert pictures.shape == (2, 3, 256, 128)
    assert pictures.min() > 50


def test_weights_of_another_network(patched: Path, checkpoint: Checkpoint, tmp_path: Path) -> None:
    torch.save({"other": torch.ones(1)}, tmp_path / "other.pt")
    with pytest.raises(UpstreamError, match=r"^the upstream failed: "):
        run_upstream(RUNNER, patched, checkpoint.gen, {"id_path": str(tmp_path / "other.pt")}, [np.zeros((1, 1, 2, 2))])
