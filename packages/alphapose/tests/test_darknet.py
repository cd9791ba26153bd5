"""Darknet's files of weights: their order, their headers, and what is no such file."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from modelzoo.alphapose.detector.darknet import Convolution, read_weights
from modelzoo.alphapose.detector.network import YoloV3Spp
from modelzoo.alphapose.detector.weights import fill
from modelzoo.common.errors import CheckpointError, DataError

LAYERS = (Convolution(3, 2, 3, normalised=True), Convolution(2, 5, 1, normalised=False))
"""62 + 15 numbers: 2 + 2 + 2 + 2 + 2 * 3 * 3 * 3, and 5 + 5 * 2."""

LONG, SHORT = (0, 2, 0, 32013312, 0), (0, 1, 0, 32013312)


def darknet_file(path: Path, floats: int, header: Sequence[int] = LONG, more: bytes = b"") -> Path:
    """A file of the numbers 0, 1, 2 ..."""
    path.write_bytes(np.array(header, "<i4").tobytes() + np.arange(floats, dtype="<f4").tobytes() + more)
    return path


@pytest.mark.parametrize("header", [LONG, SHORT, (0, 0, 0, 7), (1, 0, 3, 7, 1)])
def test_numbers_are_taken_in_the_order_of_the_file(header: Sequence[int], tmp_path: Path) -> None:
    first, second = read_weights(darknet_file(tmp_path / "a.weights", 77, header), LAYERS)
    assert list(first) == ["beta", "gamma", "mean", "variance", "weight"]
    assert [first[name].tolist() for name in ("beta", "gamma", "mean", "variance")] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert first["weight"].shape == (2, 3, 3, 3)
    assert (first["weight"][0, 0, 0, 1], first["weight"][0, 0, 1, 0], first["weight"][1, 0, 0, 0]) == (9, 11, 35)
    assert second["bias"].tolist() == [62, 63, 64, 65, 66]
    assert second["weight"].shape == (5, 2, 1, 1)
    assert second["weight"].ravel().tolist() == list(range(67, 77))


def test_a_file_is_mapped_and_cannot_be_changed(tmp_path: Path) -> None:
    first, _ = read_weights(darknet_file(tmp_path / "a.weights", 77), LAYERS)
    assert isinstance(first["weight"], np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        first["weight"][0] = 1


@pytest.mark.parametrize(
    ("floats", "header", "more", "message"),
    [
        (76, LONG, b"", "1 of the network's 77 floats too few"),
        (76, SHORT, b"abc", "1 of the network's 77 floats too few"),
        (10, SHORT, b"", "67 of the network's 77 floats too few"),
        (0, LONG, b"", "77 of the network's 77 floats too few"),
        (78, LONG, b"", "1 floats are left over after the network's 77"),
        (77, (*SHORT, 0), b"", "1 floats are left over"),
        (77, LONG, b"ab", "0 floats and 2 bytes are left over"),
    ],
)
def test_a_file_of_another_length_is_refused(
    floats: int, header: Sequence[int], more: bytes, message: str, tmp_path: Path
) -> None:
    path = darknet_file(tmp_path / "a.weights", floats, header, more)
    with pytest.raises(CheckpointError, match=message) as error:
        read_weights(path, LAYERS)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n<!DOCTYPE html><html>Quota exceeded</html>", "an HTML page"),
        (b"[net]\nbatch=1\n" + b" " * 99, "a darknet configuration"),
        (b"\x80\x02}q\x00." + bytes(99), "a pickle, such as torch writes"),
        (b"\x89HDF\r\n" + bytes(99), "an HDF5 file"),
        (b"IMOD" + bytes(99), "an .om file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a git LFS pointer"),
        (b"some other text, of a certain length", "its version would be 1701670771"),
        (b"", "0 bytes, fewer than the header"),
        (bytes(15), "15 bytes, fewer than the header"),
        (np.array(LONG, "<i4").tobytes()[:19], "19 bytes, fewer than the header"),
    ],
)
def test_another_file_is_named_for_what_it_is(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "yolov3-spp.weights"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as error:
        read_weights(path, LAYERS)
    assert error.value.hint == "the published file is yolov3-spp.weights, 252209544 bytes"


def test_models_of_other_kinds_are_named(tmp_path: Path, narrow_onnx: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "a.weights")
    with pytest.raises(CheckpointError, match=r"a zip archive, such as torch writes \(\.pth\)"):
        read_weights(tmp_path / "a.weights", LAYERS)
    with pytest.raises(CheckpointError, match=r"an \.onnx file"):
        read_weights(narrow_onnx, LAYERS)


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    darknet_file(tmp_path / "yolov3-spp.weights", 77)
    with pytest.raises(DataError, match="no such darknet weights file") as error:
        read_weights(tmp_path / "yolov3-ssp.weights", LAYERS)
    assert "yolov3-spp.weights" in str(error.value.hint)


def test_reading_needs_no_torch(tmp_path: Path) -> None:
    path = darknet_file(tmp_path / "a.weights", 77)
    program = f"""if True:
        import sys
        sys.modules["torch"] = None
        from pathlib import Path
        from modelzoo.alphapose.detector.darknet import Convolution, read_weights
        print(read_weights(Path({str(path)!r}), [Convolution(1, 1, 1, False)] * 38 + [Convolution(0, 1, 1, False)])[37])
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "74." in done.stdout, done.stderr


def test_every_number_reaches_its_place_in_the_network(narrow_weights: Path) -> None:
    network = YoloV3Spp(64, ((4, 1), (4, 1), (8, 1), (8, 1), (8, 1)))
    fill(network, narrow_weights)
    state = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    order = ("norm.bias", "norm.weight", "norm.running_mean", "norm.running_var", "conv.weight", "1.bias", "1.weight")
    blocks: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in state.items():
        end = next(end for end in order if key.endswith(end))
        blocks.setdefault(key.removesuffix(end), {})[end] = value
    written = [block[end].ravel() for block in blocks.values() for end in order if end in block]
    have = torch.cat(written).numpy().astype("<f4").tobytes()
    assert have == narrow_weights.read_bytes()[20:]


def test_a_file_of_another_network_is_refused(tmp_path: Path, write_darknet: Callable[..., Path]) -> None:
    conv = {"in": 3, "out": 2, "k": 3, "batch_normalize": 1, "before_shortcut": False, "before_yolo": False}
    with torch.device("meta"):
        network = YoloV3Spp(64)
    with pytest.raises(CheckpointError, match="has 63052319 of the network's 63052381 floats too few"):
        fill(network, write_darknet(tmp_path / "a.weights", [conv]))
