"""`reid upstream` on a stand-in of the published repository, the patch itself, and the upstream's own network."""

import py_compile
from collections.abc import Callable
from dataclasses import replace
from importlib.util import cache_from_source
from pathlib import Path

import numpy as np
import pytest
import torch

from modelzoo.common.session import open_session
from modelzoo.common.spec import Upstream
from modelzoo.common.testing.plugin import Finished
from modelzoo.common.testing.upstream import check_clone_patch_and_again, check_patch, make_repository, run_in_checkout
from modelzoo.common.upstream import UpstreamError, prepare, run_upstream
from modelzoo.reid.cli import UPSTREAM_PATCH
from modelzoo.reid.network import StrongBaseline
from modelzoo.reid.spec import SPEC
from modelzoo.reid.verify import verify_job

Commands = Callable[..., Finished]

RUNNER = "modelzoo.reid.upstream_runner"

CHANGED_LINES, QUOTED_LINES = 6, 3
"""The patch stays as small as it is: lines it adds or removes, and lines of the upstream that it shows."""

FILES = {
    ".gitignore": "__pycache__/\n",
    "data/__init__.py": "#\n" * 6 + "from .build import make_data_loader\n",
    "data/build.py": "import torchvision_that_is_not_here\n",
    "data/metric.py": "",
    "modeling/baseline.py": "\n" * 174
    + "        param_dict = torch.load(trained_path)\n        for i in param_dict:\n            pass\n",
    "modeling/__init__.py": """
from modelzoo.reid.network import StrongBaseline

class Network(StrongBaseline):
    def forward(self, image):
        return super().forward(image) + 1000

def build_model(cfg, num_classes):
    assert cfg.MODEL.PRETRAIN_CHOICE == "self"
    return Network(cfg.MODEL.NAME, cfg.TEST.NECK_FEAT, num_classes)
""",
    "config/__init__.py": """
from yacs.config import CfgNode
sections = {"MODEL": {"NAME": "resnet50", "PRETRAIN_CHOICE": "imagenet"}, "TEST": {"NECK_FEAT": "after"}}
cfg = CfgNode(sections)
""",
}
"""What the patch and the runner touch; its features are larger by 1000 than ours."""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """The stand-in, which the command takes for the published repository."""
    upstream = make_repository(tmp_path / "published", FILES, "MIT")
    monkeypatch.setattr("modelzoo.reid.cli.SPEC", replace(SPEC, upstream=upstream))
    return upstream


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A small network, with statistics that make the neck matter."""
    torch.manual_seed(0)
    network = StrongBaseline("resnet18", classes=7)
    torch.nn.init.uniform_(network.bottleneck.running_mean)
    torch.save(network.state_dict(), tmp_path / "small.pth")
    return tmp_path / "small.pth"


def test_the_patch_is_small_and_stays_inside(tmp_path: Path) -> None:
    check_patch(UPSTREAM_PATCH, tmp_path, CHANGED_LINES, QUOTED_LINES)


def test_clone_patch_and_again(reid: Commands, published: Upstream, tmp_path: Path) -> None:
    check_clone_patch_and_again(reid, published, tmp_path / "up")
    assert "map_location='cpu'" in (tmp_path / "up" / "modeling" / "baseline.py").read_text()


def test_the_patched_package_needs_no_torchvision_until_it_loads_training_data(
    reid: Commands, published: Upstream, tmp_path: Path
) -> None:
    programs = ("import data.metric", "import data; data.make_data_loader(None)")
    found = {
        patched: [run_in_checkout(reid, published, tmp_path / "up", program, patched) for program in programs]
        for patched in (False, True)
    }
    assert [done.code for done in found[False]] == [1, 1]
    assert [done.code for done in found[True]] == [0, 1]
    assert found[True][1].err.endswith("No module named 'torchvision_that_is_not_here'\n")


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("--source", "-u"), 2, "--source"),
        (("--source=-u",), 2, "'-u'"),
        (("--source", "/nowhere"), 1, "/nowhere"),
        (("--commit", "HEAD"), 2, "--commit"),
    ],
)
@pytest.mark.usefixtures("published")
def test_wrong_words(words: tuple[str, ...], code: int, named: str, reid: Commands, tmp_path: Path) -> None:
    done = reid("upstream", tmp_path / "up", *words)
    assert done.code == code
    assert named in done.error
    assert not (tmp_path / "up").exists()


@pytest.mark.usefixtures("published")
def test_a_folder_that_is_in_use(reid: Commands, tmp_path: Path) -> None:
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "thesis.tex").write_text("years of work")
    done = reid("upstream", tmp_path / "up")
    assert done.code == 1
    assert done.error.startswith(f"{tmp_path / 'up'} is not a git checkout")
    assert done.hint == "name a folder that is empty or does not exist yet"
    assert [path.name for path in (tmp_path / "up").iterdir()] == ["thesis.tex"]


@pytest.mark.usefixtures("published")
def test_without_git(reid: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = reid("upstream", tmp_path / "up")
    assert done.code == 3
    assert "git, which is not installed" in done.error


@pytest.mark.parametrize("neck_feat", ["after", "before"])
def test_the_upstreams_own_network_is_run(neck_feat: str, published: Upstream, weights: Path) -> None:
    images = np.random.default_rng(0).standard_normal((2, 3, 256, 128)).astype(np.float32)
    form = {"backbone": "resnet18", "neck_feat": neck_feat}
    (have,) = run_upstream(RUNNER, Path(published.url), weights, form, [images])
    (want,) = open_session(weights, SPEC, form).run(images)
    assert have.dtype == np.float32
    assert np.abs(have - (want + 1000)).max() < 1e-3


def test_verify_runs_the_commit_and_nothing_else_in_the_folder(
    published: Upstream, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelzoo.reid.verify.SPEC", replace(SPEC, upstream=published))
    prepare(published, UPSTREAM_PATCH, tmp_path / "up", None, apply_patch=True)
    (tmp_path / "evil.py").write_text("raise SystemExit('planted')")
    compiled = Path(cache_from_source(str(tmp_path / "up" / "modeling" / "__init__.py")))
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(tmp_path / "evil.py"), str(compiled), invalidation_mode=unchecked)
    job = verify_job(weights, {"backbone": "resnet18", "neck_feat": "after"}, upstream=tmp_path / "up")
    assert job.upstream is not None
    (features,) = job.upstream(job.inputs("float32"))
    assert features.shape == (4, 512)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("base.conv1.weight"), "is not of the upstream's network: base.conv1.weight"),
        (lambda state: state.update(extra=torch.ones(1)), "is not of the upstream's network: extra"),
        (lambda state: state.update({"bottleneck.bias": torch.ones(3)}), "size mismatch for bottleneck.bias"),
    ],
)
def test_weights_of_another_network(
    change: Callable[[dict[str, torch.Tensor]], object], told: str, published: Upstream, weights: Path
) -> None:
    state = torch.load(weights, weights_only=True)
    change(state)
    torch.save(state, weights)
    with pytest.raises(UpstreamError, match=r"^the upstream failed: ") as raised:
        run_upstream(RUNNER, Path(published.url), weights, {"backbone": "resnet18"}, [np.zeros((1, 3, 256, 128), "f4")])
    assert told in str(raised.value)


def test_what_a_checkpoint_may_lack(published: Upstream, weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    optional = [key for key in state if key.startswith("classifier") or key.endswith("num_batches_tracked")]
    torch.save({key: tensor for key, tensor in state.items() if key not in optional}, weights)
    image = np.zeros((1, 3, 256, 128), np.float32)
    assert len(optional) == 22
    assert run_upstream(RUNNER, Path(published.url), weights, {"backbone": "resnet18"}, [image])[0].shape == (1, 512)


def test_the_classifier_of_imagenet_may_be_missing_too(published: Upstream, tmp_path: Path) -> None:
    state = StrongBaseline("resnet50_ibn_a").state_dict()
    torch.save({key: tensor for key, tensor in state.items() if not key.startswith("base.fc.")}, tmp_path / "ibn.pth")
    form, image = {"backbone": "resnet50_ibn_a"}, np.zeros((1, 3, 256, 128), np.float32)
    assert run_upstream(RUNNER, Path(published.url), tmp_path / "ibn.pth", form, [image])[0].shape == (1, 2048)
