"""The exported detector: what it says of itself, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from modelzoo.alphapose.detector.export import compare_rows
from modelzoo.alphapose.detector.network import YoloV3Spp
from modelzoo.alphapose.detector.opening import open_detector
from modelzoo.alphapose.detector.weights import load_network
from modelzoo.common.errors import ExportError, ModelError
from modelzoo.common.testing.plugin import Finished, tree

pytestmark = pytest.mark.usefixtures("narrow")


def test_the_file_keeps_the_contract(narrow_onnx: Path) -> None:
    model = onnx.load(narrow_onnx)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 11)]
    assert model.ir_version <= 8
    session = open_detector(narrow_onnx)
    assert [one.describe() for one in session.inputs] == ["image float32 (N, 3, 608, 608)"]
    assert [one.describe() for one in session.outputs] == ["rows float32 (N, 22743, 85)"]
    assert session.identity is not None
    assert session.identity.model == "alphapose"
    assert dict(session.identity.form) == {"network": "yolov3-spp"}
    assert dict(session.identity.atc) == {"input_format": "NCHW"}


def test_no_padding_stands_before_a_pool_where_runtimes_would_fuse_them(narrow_onnx: Path) -> None:
    graph = onnx.load(narrow_onnx).graph
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    pools = [node for node in graph.node if node.op_type == "MaxPool"]
    assert len(pools) == 3
    assert all(made_by[node.input[0]] != "Pad" for node in pools)
    assert sorted(next(list(a.ints) for a in node.attribute if a.name == "pads") for node in pools) == [
        [2] * 4,
        [4] * 4,
        [6] * 4,
    ]


def test_it_gives_what_torch_gives(narrow_onnx: Path, narrow_weights: Path) -> None:
    image = np.random.default_rng(1).random((2, 3, 608, 608), np.float32)
    with torch.inference_mode():
        want = load_network(narrow_weights)(torch.from_numpy(image)).numpy()
    (have,) = open_detector(narrow_onnx).run(image)
    assert have.shape == (2, 22743, 85)
    assert (np.abs(have - want) / (1 + np.abs(want))).max() <= 1e-5


def more_objectness(network: YoloV3Spp) -> None:
    network.fine.boxes[1].bias.data[4] += 0.01


def padded_with_nothing(network: YoloV3Spp) -> None:
    for name, border in network.coarse.features[3].named_buffers():
        assert name.startswith("border")
        border.fill_(-3.4e38)


def not_finite(network: YoloV3Spp) -> None:
    network.stem.norm.running_var.data.fill_(-1)


@pytest.mark.parametrize("change", [more_objectness, padded_with_nothing, not_finite])
def test_a_graph_that_differs_is_refused(
    change: Callable[[YoloV3Spp], None], narrow_onnx: Path, narrow_weights: Path
) -> None:
    network = load_network(narrow_weights)
    change(network)
    with pytest.raises(ExportError, match=r"differs from torch by (0|[1-9]|nan)"):
        compare_rows(network, narrow_onnx, 1e-4)


def test_nothing_is_written_when_the_check_fails(
    alphapose: Callable[..., Finished], narrow_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ExportError("not the same")

    monkeypatch.setattr("modelzoo.alphapose.detector.export.compare_rows", fail)
    done = alphapose("export-detector", "--weights", narrow_weights, "--output", tmp_path / "new" / "a.onnx")
    assert (done.code, done.error) == (1, "not the same")
    assert tree(tmp_path) == {}


def test_a_truncated_file_is_refused_and_nothing_is_written(
    alphapose: Callable[..., Finished], narrow_weights: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cut.weights"
    path.write_bytes(narrow_weights.read_bytes()[:-40])
    done = alphapose("export-detector", "--weights", path, "--output", tmp_path / "a.onnx")
    assert done.code == 1
    assert f"{path} has 10 of the network's" in done.error
    assert list(tree(tmp_path)) == ["cut.weights"]


def test_weights_are_opened_without_leaving_a_file(
    narrow_weights: Path, narrow_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    image = np.random.default_rng(1).random((1, 3, 608, 608), np.float32)
    want = open_detector(narrow_onnx).run(image)[0]
    np.testing.assert_array_equal(open_detector(narrow_weights).run(image)[0], want)
    assert tree(tmp_path) == {}


def test_another_model_is_not_taken_for_the_detector(tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    names = ("image", "output")
    image, output = (onnx.helper.make_tensor_value_info(name, 1, ["N", 3, 256, 192]) for name in names)
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["image"], ["output"])], "g", [image], [output])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 11)], ir_version=8), path)
    with pytest.raises(ModelError, match=r"is not the detector: it has image float32 \(N, 3, 256, 192\)") as error:
        open_detector(path)
    assert "export-detector" in str(error.value.hint)
