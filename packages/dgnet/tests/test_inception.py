"""The Inception network against torch-fidelity's, and its weights file."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from modelzoo.common.errors import CheckpointError, DataError, MissingDependencyError, ModelError
from modelzoo.common.testing.golden import golden_tensor
from modelzoo.dgnet.fid.extractor import open_extractor
from modelzoo.dgnet.fid.inception import weights as weights_module
from modelzoo.dgnet.fid.inception.network import Inception, resize
from modelzoo.dgnet.fid.inception.weights import load_inception
from modelzoo.dgnet.fid.resize import resize_bilinear

DATA = Path(__file__).with_name("data") / "golden" / "fid"
RECORDED = np.load(DATA / "inception.npz")
KEYS = json.loads((DATA / "inception_keys.json").read_text())

Weights = dict[str, torch.Tensor]


def pixels(seed: int, height: int, width: int, count: int = 1) -> np.ndarray:
    """The pictures of the recorded values, `(count, height, width, 3) uint8`."""
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def planes(pictures: np.ndarray) -> torch.Tensor:
    """Pictures as the network takes them."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32))


@pytest.fixture(scope="module")
def filled() -> Weights:
    """The weights of the recorded values, by the keys of torch-fidelity."""
    return {key: torch.from_numpy(golden_tensor(key, shape, {})) for key, shape in KEYS.items()}


@pytest.fixture(scope="module")
def weights(filled: Weights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    path = tmp_path_factory.mktemp("inception") / "filled.pth"
    torch.save(filled, path)
    return path


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Weights], Path]:
    """Weights into a file, each of one number that counts for its shape."""

    def write(tensors: Weights) -> Path:
        path = tmp_path / "weights.pth"
        torch.save(tensors, path)
        return path

    return write


def test_its_keys_and_shapes_are_those_of_the_published_weights() -> None:
    assert len(KEYS) == 566
    assert {key: list(tensor.shape) for key, tensor in Inception().state_dict().items()} == KEYS


def test_the_features_are_the_recorded_ones(weights: Path) -> None:
    with torch.inference_mode():
        features = load_inception(weights)(planes(pixels(7, 256, 128, 2))).numpy()
    assert RECORDED["features"].max() > 10
    np.testing.assert_allclose(features, RECORDED["features"], rtol=0, atol=1e-4)


def test_the_exported_network_gives_them_too_and_takes_any_size(weights: Path) -> None:
    extractor = open_extractor(weights)
    assert extractor.kept == weights.with_name("filled.features.onnx")
    assert extractor.session.backend == "onnxruntime"
    features = extractor.features(pixels(7, 256, 128, 2))
    np.testing.assert_allclose(features, RECORDED["features"], rtol=0, atol=1e-3)
    other = planes(pixels(9, 80, 300))
    with torch.inference_mode():
        wanted = load_inception(weights)(other).numpy()
    np.testing.assert_allclose(extractor.session.run(other.numpy())[0], wanted, rtol=0, atol=1e-3)
    assert open_extractor(extractor.kept).session.identity == extractor.session.identity


@pytest.mark.parametrize(("height", "width"), [(256, 128), (7, 5), (300, 1)])
def test_pictures_are_resized_as_tensorflow_1_does(height: int, width: int) -> None:
    picture, wanted = planes(pixels(8, height, width)), RECORDED[f"resized_{height}x{width}"]
    np.testing.assert_allclose(resize(picture)[0, :, ::23, ::23].numpy(), wanted, rtol=0, atol=1e-4)
    ours = resize_bilinear(picture[0].numpy(), (299, 299))
    np.testing.assert_allclose(ours[:, ::23, ::23], wanted, rtol=0, atol=1e-4)


def test_the_resize_by_hand() -> None:
    ramp = np.array([0, 6, 12], np.float32).reshape(1, 1, 3)
    assert resize_bilinear(ramp, (2, 6)).tolist() == [[[0, 3, 6, 9, 12, 12]] * 2]
    assert resize_bilinear(ramp, (1, 2)).tolist() == [[[0, 9]]]


def test_counters_may_be_missing(filled: Weights, save: Callable[[Weights], Path]) -> None:
    path = save({key: tensor for key, tensor in filled.items() if not key.endswith("num_batches_tracked")})
    assert torch.equal(load_inception(path).fc.weight, filled["fc.weight"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda held: held.pop("Mixed_7c.branch_pool.bn.running_var"), "1 keys missing (Mixed_7c.branch_pool.bn"),
        (lambda held: held.update(extra=torch.zeros(1)), "1 keys unknown (extra)"),
        (lambda held: held.update({"fc.bias": torch.zeros(1000)}), "1 keys of another shape (fc.bias)"),
        (lambda held: held.update({"AuxLogits.fc.bias": torch.zeros(1)}), "torchvision's Inception"),
    ],
    ids=["missing", "unknown", "of another shape", "torchvision"],
)
def test_other_weights_are_refused_by_name(
    filled: Weights, save: Callable[[Weights], Path], change: Callable[[Weights], object], message: str
) -> None:
    held = {key: torch.zeros(()).expand(tensor.shape) for key, tensor in filled.items()}
    change(held)
    with pytest.raises(CheckpointError) as caught:
        open_extractor(save(held))
    assert message in str(caught.value)
    assert "pt_inception-2015-12-05-6726825d.pth" in str(caught.value.hint)


class Tiny(torch.nn.Module):
    """A network that costs nothing: the mean colour, many times."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """`(N, 3, H, W)` to `(N, 2048)`."""
        return image.mean(dim=(2, 3)).repeat(1, 683)[:, :2048]


@pytest.fixture
def tiny(save: Callable[[Weights], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights file that is loaded as `Tiny`."""
    monkeypatch.setattr(weights_module, "load_inception", lambda path: Tiny().eval())
    return save({"weight": torch.zeros(1)})


def test_the_export_is_kept_until_the_weights_change(tiny: Path) -> None:
    kept = open_extractor(tiny).kept
    assert kept == tiny.with_name("weights.features.onnx")
    os.utime(kept, ns=(1, 1))
    open_extractor(tiny)
    assert kept.stat().st_mtime_ns == 1
    torch.save({"weight": torch.ones(1)}, tiny)
    open_extractor(tiny)
    assert kept.stat().st_mtime_ns > 1
    assert sorted(path.name for path in tiny.parent.iterdir()) == ["weights.features.onnx", "weights.pth"]


def test_another_version_exports_again(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = open_extractor(tiny).kept
    assert kept
    os.utime(kept, ns=(1, 1))
    monkeypatch.setattr(weights_module, "__version__", "99.0")
    open_extractor(tiny)
    assert kept.stat().st_mtime_ns > 1


def test_a_file_in_the_place_of_the_export_stays(tiny: Path) -> None:
    place = tiny.with_name("weights.features.onnx")
    place.write_bytes(b"mine")
    with pytest.raises(DataError, match="in the place of the exported network"):
        open_extractor(tiny)
    assert place.read_bytes() == b"mine"


def test_where_nothing_can_be_written_the_export_is_not_kept(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    extractor = open_extractor(tiny)
    assert extractor.kept is None
    assert extractor.features(pixels(0, 256, 128)).shape == (1, 2048)
    assert [path.name for path in tiny.parent.iterdir()] == ["weights.pth"]


def test_weights_take_one_range(tiny: Path) -> None:
    with pytest.raises(ModelError, match=r"takes 0\.\.255, not 0\.\.1"):
        open_extractor(tiny, "0..1")


def test_without_torch_the_weights_say_what_to_install(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        open_extractor(tiny)
    assert caught.value.hint == "pip install './packages/dgnet[export]'"


def test_the_published_weights_are_known_by_their_sha256(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = open_extractor(tiny)
    assert not extractor.published
    begin = hashlib.sha256(tiny.read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(weights_module, "PUBLISHED_SHA256", begin)
    assert extractor.published
    assert extractor.kept
    assert open_extractor(extractor.kept).published
    assert not open_extractor(extractor.kept, "0..1").published
