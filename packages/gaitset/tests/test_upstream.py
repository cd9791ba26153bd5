"""`gaitset upstream` on a stand-in of the published repository, the patch itself, and the upstream's own networks."""

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
from modelzoo.gaitset.network import CasiaB, Oumvlp
from modelzoo.gaitset.spec import SPEC, UPSTREAM_PATCH, spec_of
from modelzoo.gaitset.split import read_partition
from modelzoo.gaitset.verify import verify_job

Commands = Callable[..., Finished]

RUNNER = "modelzoo.gaitset.upstream_runner"

CHANGED_LINES, QUOTED_LINES = 11, 3
"""The patch stays as small as it is: lines it adds or removes, and lines of the upstream that it shows."""

NETWORK = """
import modelzoo.gaitset.network as ours

class SetNet(ours.{network}):
    def __init__(self, hidden_dim):
        assert hidden_dim == 256
        super().__init__()

    def forward(self, silho, batch_frame=None):
        return super().forward(silho / {white}) + 1000, None
"""

LOADER = f"""
import numpy as np
pid_fname = "partition.npy"
pid_list = [["001", "002", "004"], ["075"]]
{33 * chr(10)}
if pid_list:
        np.save(pid_fname, pid_list)

pid_list = np.load(pid_fname)
"""

FILES = {
    ".gitignore": "__pycache__/\n",
    "model/__init__.py": "#\n#\n#\n\n",
    "model/network/__init__.py": NETWORK.format(network="CasiaB", white=1),
    "model/utils/__init__.py": "",
    "model/utils/data_loader.py": LOADER,
    "work/OUMVLP_network/basic_blocks.py": "import modelzoo.gaitset.network as ours\n",
    "work/OUMVLP_network/gaitset.py": NETWORK.format(network="Oumvlp", white=255).replace("import", "#"),
}
"""What the patch and the runner touch; the features are larger by 1000 than ours."""


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """The stand-in, which the commands take for the published repository."""
    upstream = make_repository(tmp_path / "published", FILES, "non-commercial")
    for module in ("cli", "verify"):
        monkeypatch.setattr(f"modelzoo.gaitset.{module}.SPEC", replace(SPEC, upstream=upstream))
    return upstream


@pytest.fixture
def save(tmp_path: Path) -> Callable[[torch.nn.Module], Path]:
    """Write a network's weights as the upstream does."""

    def write(network: torch.nn.Module) -> Path:
        state = {f"module.{key}": value for key, value in network.state_dict().items()}
        torch.save(state, tmp_path / "encoder.ptm")
        return tmp_path / "encoder.ptm"

    return write


def test_the_patch_is_small_and_stays_inside(tmp_path: Path) -> None:
    check_patch(UPSTREAM_PATCH, tmp_path, CHANGED_LINES, QUOTED_LINES)


def test_clone_patch_and_again(gaitset: Commands, published: Upstream, tmp_path: Path) -> None:
    check_clone_patch_and_again(gaitset, published, tmp_path / "up")


PROBE = """
import torch
import model
assert model.torch.cuda.device_count() == 1
tensor, layer = torch.ones(2), torch.nn.DataParallel(torch.nn.Linear(2, 2))
assert tensor.cuda() is tensor and layer.cuda() is layer
assert layer(tensor).shape == (2,)
assert torch.load.keywords == {"map_location": "cpu"}
"""


@pytest.mark.parametrize("patched", [False, True])
def test_the_patched_package_runs_without_a_gpu(
    patched: bool, gaitset: Commands, published: Upstream, tmp_path: Path
) -> None:
    done = run_in_checkout(gaitset, published, tmp_path / "up", PROBE, patched)
    assert (done.code == 0) is patched, done.err


@pytest.mark.parametrize("patched", [False, True])
def test_the_patched_package_splits_subjects_without_a_pickle(
    patched: bool, gaitset: Commands, published: Upstream, tmp_path: Path
) -> None:
    program = "import runpy; pids = runpy.run_path('model/utils/data_loader.py')['pid_list']; print([*map(list, pids)])"
    done = run_in_checkout(gaitset, published, tmp_path / "up", program, patched)
    assert (done.code == 0) is patched, done.err
    if patched:
        partition = tmp_path / "up" / "partition.npy"
        rows = np.load(partition, allow_pickle=False)
        assert rows.tolist() == [["001", "002", "004"], ["075", "", ""]]
        assert read_partition(partition) == {"075"}


@pytest.mark.parametrize(("dataset", "network"), [("casia-b", CasiaB), ("oumvlp", Oumvlp)])
def test_the_upstreams_own_network_is_run(
    dataset: str, network: type[CasiaB | Oumvlp], published: Upstream, save: Callable[[torch.nn.Module], Path]
) -> None:
    torch.manual_seed(0)
    weights = save(network())
    sequences = np.random.default_rng(0).random((2, 3, 64, 44), dtype=np.float32)
    (have,) = run_upstream(RUNNER, Path(published.url), weights, {"dataset": dataset}, [sequences])
    form = {"dataset": dataset, "frames": "dynamic"}
    (want,) = open_session(weights, spec_of("dynamic"), form).run(sequences)
    assert have.dtype == np.float32
    assert np.abs(have - (want + 1000)).max() < 1e-3


def test_verify_runs_the_commit_and_nothing_else_in_the_folder(
    published: Upstream, save: Callable[[torch.nn.Module], Path], tmp_path: Path
) -> None:
    prepare(published, UPSTREAM_PATCH, tmp_path / "up", None, apply_patch=True)
    weights = save(CasiaB())
    job = check_planted_file_is_refused(tmp_path / "up", lambda: verify_job(weights, upstream=tmp_path / "up"))
    (features,) = job.upstream(job.inputs("float32"))
    assert features.shape == (2, 62, 256)
    assert features.min() > 500


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("gl_layer1.conv.weight"), 'Missing key(s) in state_dict: "gl_layer1.conv.weight"'),
        (lambda state: state.update(extra=torch.ones(1)), 'Unexpected key(s) in state_dict: "extra"'),
        (lambda state: state.update({"fc_bin.0": torch.ones(3)}), "size mismatch for fc_bin.0"),
    ],
)
def test_weights_of_another_network(
    change: Callable[[dict[str, torch.Tensor]], object], told: str, published: Upstream, tmp_path: Path
) -> None:
    state = CasiaB().state_dict()
    change(state)
    torch.save(state, tmp_path / "other.ptm")
    with pytest.raises(UpstreamError, match=r"^the upstream failed: ") as raised:
        run_upstream(RUNNER, Path(published.url), tmp_path / "other.ptm", {}, [np.zeros((1, 2, 64, 44), "f4")])
    assert told in str(raised.value)
