"""`posec3d upstream` on a stand-in of the published repository, the patch itself, and the upstream's own network."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

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
from modelzoo.posec3d.spec import SPEC, UPSTREAM_PATCH
from modelzoo.posec3d.verify import verify_job

Commands = Callable[..., Finished]
State = dict[str, torch.Tensor]

RUNNER = "modelzoo.posec3d.upstream_runner"

CHANGED_LINES, QUOTED_LINES = 64, 1
"""The patch stays as small as it is: lines it adds or removes, and lines of the upstream that it shows."""

FORM = {"joints": "17", "width": "4", "blocks": "1-1-1", "classes": "51"}

MODELS = """
from modelzoo.posec3d.network import PoseC3D
from modelzoo.posec3d.spec import Structure
from mmcv.cnn import kaiming_init
from mmcv.runner import auto_fp16, load_checkpoint
from mmcv.utils import Registry

MODELS = Registry("models")


@MODELS.register_module()
class Recognizer3D(PoseC3D):
    def __init__(self, backbone, cls_head):
        assert backbone["type"] == "ResNet3dSlowOnly" and cls_head["type"] == "I3DHead"
        blocks, classes = backbone["stage_blocks"], cls_head["num_classes"]
        super().__init__(Structure(backbone["in_channels"], backbone["base_channels"], blocks, classes))

    @auto_fp16()
    def forward_dummy(self, imgs):
        return (self(imgs.reshape((-1,) + imgs.shape[2:])) + 1000,)


def build_model(cfg):
    return MODELS.build(cfg)
"""

MMCV = {
    "mmcv/__init__.py": "__version__ = '2.1.0'\ndef digit_version(text): return tuple(map(int, text.split('.')))\n",
    "mmcv/cnn/__init__.py": "",
    "mmcv/cnn/bricks/__init__.py": "",
    "mmcv/cnn/bricks/transformer.py": "",
    "mmcv/utils/__init__.py": "",
    "mmengine/__init__.py": "",
    "mmengine/registry.py": """
class Registry:
    def __init__(self, name):
        self.kinds = {}

    def import_from_location(self):
        raise RuntimeError("there is no such location")

    def register_module(self):
        return lambda kind: self.kinds.setdefault(kind.__name__, kind)

    def build(self, cfg):
        self.import_from_location()
        return self.kinds[cfg.pop("type")](**cfg)

MODELS = Registry("models")
""",
    "mmengine/model.py": "def kaiming_init(module):\n    pass\n",
    "mmengine/utils/__init__.py": "",
    "mmengine/utils/dl_utils/__init__.py": "",
    "mmengine/utils/dl_utils/parrots_wrapper.py": "",
    **{f"mmengine/{name}.py": "" for name in ("dist", "hooks", "logging", "runner", "fileio")},
}
"""As much of mmcv-lite 2 and mmengine as the stand-in needs; in the published repository they are installed."""

FILES = {
    ".gitignore": "__pycache__/\n",
    "mmaction/__init__.py": """# Copyright
import mmcv
from mmcv import digit_version

assert digit_version("1.3.6") <= digit_version(mmcv.__version__) <= digit_version("1.7.0")
""",
    "mmaction/models.py": MODELS,
    **MMCV,
}
"""What the patch and the runner touch; its scores are higher by 1000 than ours."""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """The stand-in, which the commands take for the published repository."""
    upstream = make_repository(tmp_path / "published", FILES, "Apache-2.0")
    for module in ("cli", "verify"):
        monkeypatch.setattr(f"modelzoo.posec3d.{module}.SPEC", replace(SPEC, upstream=upstream))
    return upstream


@pytest.fixture
def patched(published: Upstream, tmp_path: Path) -> Path:
    """A checkout of the stand-in with the patch."""
    prepare(published, UPSTREAM_PATCH, tmp_path / "up", None, apply_patch=True)
    return tmp_path / "up"


def test_the_patch_is_small_and_stays_inside(tmp_path: Path) -> None:
    changed = check_patch(UPSTREAM_PATCH, tmp_path, CHANGED_LINES, QUOTED_LINES)
    assert {path.parts[0] for path in changed} == {"mmaction"}


def test_clone_patch_and_again(posec3d: Commands, published: Upstream, tmp_path: Path) -> None:
    check_clone_patch_and_again(posec3d, published, tmp_path / "up")


@pytest.mark.parametrize("patch", [False, True])
def test_the_patched_package_finds_what_mmcv_1_had(
    patch: bool, posec3d: Commands, published: Upstream, tmp_path: Path
) -> None:
    program = (
        "import mmaction.models, numpy\n"
        "from mmcv.parallel import collate\n"
        "from mmcv.cnn import NORM_LAYERS, kaiming_init\n"
        "from mmcv.runner.hooks.lr_updater import LrUpdaterHook\n"
        "import mmengine.model, mmengine.registry\n"
        "assert NORM_LAYERS is mmengine.registry.MODELS and kaiming_init is mmengine.model.kaiming_init\n"
        "class Hook(LrUpdaterHook): pass\n"
        "assert numpy.array([1.5]).astype(numpy.int)[0] == 1 and numpy.Inf > 0"
    )
    done = run_in_checkout(posec3d, published, tmp_path / "up", program, patch)
    assert (done.code == 0) is patch, done.err


def test_the_upstreams_own_network_is_run(patched: Path, narrow_checkpoint: Path) -> None:
    clips = np.random.default_rng(0).random((1, 2, 17, 48, 56, 56), dtype=np.float32)
    (have,) = run_upstream(RUNNER, patched, narrow_checkpoint, FORM, [clips])
    padded = np.concatenate([clips, np.zeros((1, 18, *clips.shape[2:]), np.float32)], 1)
    (want,) = open_session(narrow_checkpoint, SPEC).run(padded)
    assert have.dtype == np.float32
    assert np.abs(have - (want[:2] + 1000)).max() < 1e-3


def test_verify_runs_the_commit_with_the_structure_of_the_checkpoint(
    patched: Path, state_of: Callable[..., State], tmp_path: Path
) -> None:
    torch.save(state_of(17, 4, (2, 1, 1), 60), tmp_path / "ntu.pth")
    job = check_planted_file_is_refused(patched, lambda: verify_job(tmp_path / "ntu.pth", upstream=patched))
    (scores,) = job.upstream([np.zeros((1, 2, 17, 48, 56, 56), np.float32)])
    assert scores.shape == (2, 60)
    assert scores.min() > 500


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("cls_head.fc_cls.bias"), "is not of the upstream's network: cls_head.fc_cls.bias"),
        (lambda state: state.update(extra=torch.ones(1)), "is not of the upstream's network: extra"),
        (lambda state: state.update({"cls_head.fc_cls.bias": torch.ones(3)}), "size mismatch for cls_head.fc_cls.bias"),
    ],
)
def test_weights_of_another_network(
    change: Callable[[State], object], told: str, patched: Path, state_of: Callable[..., State], tmp_path: Path
) -> None:
    state = state_of(17, 4, (1, 1, 1), 51)
    change(state)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(UpstreamError, match=r"^the upstream failed: ") as raised:
        run_upstream(RUNNER, patched, tmp_path / "other.pth", FORM, [np.zeros((1, 1, 17, 48, 56, 56), np.float32)])
    assert told in str(raised.value)
