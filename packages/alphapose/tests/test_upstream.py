"""`alphapose upstream` on a stand-in of the published repository, the patch itself, and the upstream's own network."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from modelzoo.alphapose.spec import SPEC, UPSTREAM_PATCH
from modelzoo.alphapose.verify import verify_job
from modelzoo.common.session import open_session
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

Commands = Callable[..., Finished]
State = dict[str, torch.Tensor]

RUNNER = "modelzoo.alphapose.upstream_runner"

CHANGED_LINES, QUOTED_LINES = 9, 10
"""The patch stays as small as it is: lines it adds or removes, and lines of the upstream that it shows."""

FORM = {"layers": "50", "joints": "17", "conv_dim": "128"}

FASTPOSE = """
import modelzoo.alphapose.network as ours
from modelzoo.alphapose.spec import Structure

ours.BLOCKS, ours.WIDTHS = {50: (1, 1, 1, 1)}, (16, 32, 64, 128)

class FastPose(ours.FastPose):
    def __init__(self, PRESET, NUM_LAYERS, CONV_DIM):
        super().__init__(Structure(NUM_LAYERS, PRESET["NUM_JOINTS"], CONV_DIM))
        self._load(cfg={"NUM_LAYERS": NUM_LAYERS})

    def forward(self, image):
        return super().forward(image) + 1000

    def _load(self, cfg):
"""

FILES = {
    ".gitignore": "__pycache__/\n",
    "alphapose/__init__.py": "from .version import __version__, short_version\n\n__all__ = []\n",
    "alphapose/models/__init__.py": "from alphapose.models.layers import dcn\n",
    "alphapose/models/builder.py": """
from alphapose.models.fastpose import FastPose

def build_sppe(cfg, preset_cfg):
    assert cfg.pop("TYPE") == "FastPose"
    return FastPose(PRESET=preset_cfg, **cfg)
""",
    "alphapose/models/fastpose.py": FASTPOSE
    + "\n" * (30 - FASTPOSE.count("\n"))
    + """        import torchvision.models as tm   # noqa: F401,F403
        assert cfg['NUM_LAYERS'] in [18, 34, 50, 101, 152]
        x = eval(f"tm.resnet{cfg['NUM_LAYERS']}(pretrained=True)")

        self.preact.load_state_dict(x.state_dict())
""",
    "alphapose/models/layers/__init__.py": "",
    "alphapose/models/layers/dcn/__init__.py": "from . import deform_conv, deform_pool\n",
    "alphapose/models/layers/dcn/deform_conv.py": "#\n" * 7 + "\nfrom . import deform_conv_cuda\n\n",
    "alphapose/models/layers/dcn/deform_pool.py": "#\n" * 5 + "\nfrom . import deform_pool_cuda\n\n",
}
"""What the patch and the runner touch; its heat maps are higher by 1000 than ours."""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """The stand-in, which the commands take for the published repository."""
    upstream = make_repository(tmp_path / "published", FILES, "non-commercial")
    for module in ("cli", "verify"):
        monkeypatch.setattr(f"modelzoo.alphapose.{module}.SPEC", replace(SPEC, upstream=upstream))
    return upstream


@pytest.fixture
def patched(published: Upstream, tmp_path: Path) -> Path:
    """A checkout of the stand-in with the patch."""
    prepare(published, UPSTREAM_PATCH, tmp_path / "up", None, apply_patch=True)
    return tmp_path / "up"


def test_the_patch_is_small_and_stays_inside(tmp_path: Path) -> None:
    changed = check_patch(UPSTREAM_PATCH, tmp_path, CHANGED_LINES, QUOTED_LINES)
    assert {path.parts[0] for path in changed} == {"alphapose"}


def test_clone_patch_and_again(alphapose: Commands, published: Upstream, tmp_path: Path) -> None:
    check_clone_patch_and_again(alphapose, published, tmp_path / "up")


@pytest.mark.parametrize("patch", [False, True])
def test_the_patched_package_imports_and_builds_without_extensions_and_downloads(
    patch: bool, alphapose: Commands, published: Upstream, tmp_path: Path
) -> None:
    program = (
        "from alphapose.models.builder import build_sppe\n"
        "build_sppe({'TYPE': 'FastPose', 'NUM_LAYERS': 50, 'CONV_DIM': 128}, {'NUM_JOINTS': 17})"
    )
    done = run_in_checkout(alphapose, published, tmp_path / "up", program, patch)
    assert (done.code == 0) is patch, done.err


def test_the_upstreams_own_network_is_run(patched: Path, shallow_checkpoint: Path) -> None:
    images = np.random.default_rng(0).standard_normal((2, 3, 256, 192)).astype(np.float32)
    (have,) = run_upstream(RUNNER, patched, shallow_checkpoint, FORM, [images])
    (want,) = open_session(shallow_checkpoint, SPEC).run(images)
    assert have.dtype == np.float32
    assert np.abs(have - (want + 1000)).max() < 1e-3


def test_verify_runs_the_commit_with_the_structure_of_the_checkpoint(
    patched: Path, shallow: Callable[..., State], tmp_path: Path
) -> None:
    torch.save(shallow(joints=26), tmp_path / "halpe.pth")
    job = check_planted_file_is_refused(patched, lambda: verify_job(tmp_path / "halpe.pth", upstream=patched))
    (heatmaps,) = job.upstream([array[:1] for array in job.inputs("float32")])
    assert heatmaps.shape == (1, 26, 64, 48)
    assert heatmaps.min() > 500


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("duc1.conv.weight"), "is not of the upstream's network: duc1.conv.weight"),
        (lambda state: state.update(extra=torch.ones(1)), "is not of the upstream's network: extra"),
        (lambda state: state.update({"conv_out.bias": torch.ones(3)}), "size mismatch for conv_out.bias"),
    ],
)
def test_weights_of_another_network(
    change: Callable[[State], object], told: str, patched: Path, shallow: Callable[..., State], tmp_path: Path
) -> None:
    state = shallow()
    change(state)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(UpstreamError, match=r"^the upstream failed: ") as raised:
        run_upstream(RUNNER, patched, tmp_path / "other.pth", FORM, [np.zeros((1, 3, 256, 192), np.float32)])
    assert told in str(raised.value)


def test_counters_of_batches_may_be_missing(patched: Path, shallow: Callable[..., State], tmp_path: Path) -> None:
    state = {key: value for key, value in shallow().items() if not key.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "old.pth")
    image = np.zeros((1, 3, 256, 192), np.float32)
    assert run_upstream(RUNNER, patched, tmp_path / "old.pth", FORM, [image])[0].shape == (1, 17, 64, 48)
