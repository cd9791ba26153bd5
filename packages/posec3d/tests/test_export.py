"""The exported file, the export command in its own and in the guide's form, and what takes the file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from modelzoo.common.ascend.preflight import preflight
from modelzoo.common.errors import ExportError
from modelzoo.common.testing.plugin import Finished
from modelzoo.posec3d.examples import make_examples
from modelzoo.posec3d.export import compare_graph
from modelzoo.posec3d.forms import in_form
from modelzoo.posec3d.spec import SPEC, Structure, identity_of, spec_of
from modelzoo.posec3d.weights import load_posec3d

Commands = Callable[..., Finished]
Exported = Callable[..., Path]

INPUTS = {
    ("volumes", None): {"clips": ["N", 20, 17, 48, 56, 56]},
    ("keypoints", 2): {"keypoints": ["N", 2, 10, 48, 17, 3]},
    ("keypoints", None): {"keypoints": ["N", "persons", 10, 48, 17, 3]},
    ("frames", None): {"frames": ["N", "frames", 17, 56, 56], "indices": ["N", 20, 48]},
}

UNUSUAL = {"volumes": None, "keypoints": "And, Equal, Exp, Floor, Not, Or", "frames": "Range"}
"""Operators that no graph of the guides has."""

CLIPS = "20 17 48 56 56"


def shapes(values: Any) -> dict[str, list[Any]]:
    return {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in values
    }


@pytest.mark.parametrize(("form", "people"), INPUTS)
def test_the_file_keeps_the_contract(form: str, people: int | None, exported: Exported) -> None:
    path = exported(form, people)
    model = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 11)]
    assert model.ir_version <= 8
    assert shapes(model.graph.input) == INPUTS[form, people]
    assert shapes(model.graph.output) == {"logits": ["N*20", 51]}
    assert not any(tensor.data_location for tensor in model.graph.initializer)
    kinds = {node.op_type for node in model.graph.node}
    assert {"Conv", "MaxPool", "GlobalAveragePool", "Gemm"} <= kinds
    assert not kinds & {"BatchNormalization", "Loop", "Scan", "If"}
    identity = json.loads({entry.key: entry.value for entry in model.metadata_props}["modelzoo"])
    assert (identity["model"], identity["form"]) == ("posec3d", {"input": form, "classes": 51})
    assert {tensor["name"]: tensor["shape"] for tensor in identity["inputs"]} == INPUTS[form, people]
    assert identity["atc"]["input_format"] == "ND"
    assert ("keep_dtype" in identity["atc"]) is (form == "keypoints")
    open_sizes = any(isinstance(size, str) for tensor in identity["inputs"] for size in tensor["shape"][1:])
    warnings = preflight(path, given=open_sizes)
    assert [warning.split(" has ")[1].split(";")[0] for warning in warnings] == list(filter(None, [UNUSUAL[form]]))


def test_what_stays_in_single_precision_draws_heat_maps(exported: Exported) -> None:
    """The network's own operators are not among it, so that they run in half precision."""
    graph = onnx.load(exported("keypoints", 2), load_external_data=False).graph
    atc = {"And": "LogicalAnd", "Or": "LogicalOr", "Not": "LogicalNot", "Where": "Select", "Max": "Maximum"}
    kept = {name.removeprefix("OpType::") for name in identity_of("keypoints").atc["keep_dtype"]}
    network = {"Conv", "Relu", "Add", "MaxPool", "GlobalAveragePool", "Gemm", "Flatten"}
    moving = {"Reshape", "Gather", "Unsqueeze", "Squeeze", "Transpose", "Concat", "Slice", "Split", "Constant"}
    kinds = {node.op_type for node in graph.node}
    assert {atc.get(kind, kind) for kind in kinds - network - moving} <= kept
    assert not kept & network


def test_the_guides_line_and_what_it_tells(
    narrow_checkpoint: Path, posec3d: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def export(*words: Any) -> Structure:
        calls.append(words)
        return Structure()

    monkeypatch.setattr("modelzoo.posec3d.export.export", export)
    output = tmp_path / "posec3d_bs4.onnx"
    done = posec3d("export", "-", narrow_checkpoint, "--shape", "4", *CLIPS.split(), "--output-file", output)
    assert done.code == 0, done.err
    assert calls == [(narrow_checkpoint, output, "volumes", None, Structure())]
    told = "PoseC3D of 17 joints, 32 channels, 3-4-6 blocks and 51 classes"
    assert done.out.splitlines() == [f"exporting {narrow_checkpoint} ...", f"{output}: {told}, from volumes"]
    posec3d("export", "--weights", "a.pth", "--input=keypoints", "--persons", 3)
    assert calls[-1] == (Path("a.pth"), Path("posec3d.onnx"), "keypoints", 3, None)


def test_an_export_is_compared_and_leaves_one_file(narrow_checkpoint: Path, posec3d: Commands, tmp_path: Path) -> None:
    output = tmp_path / "new" / "frames.onnx"
    done = posec3d("export", "--weights", narrow_checkpoint, "--input", "frames", "--output", output)
    assert done.code == 0, done.err
    told = "PoseC3D of 17 joints, 4 channels, 1-1-1 blocks and 51 classes, from frames"
    assert done.out.splitlines()[-1] == f"{output}: {told}"
    assert list(output.parent.iterdir()) == [output]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "give either CONFIG CKPT, or --weights FILE"),
        (["a.pth"], "give either CONFIG CKPT, or --weights FILE"),
        (["-", "a.pth", "b"], "give either CONFIG CKPT, or --weights FILE"),
        (["-", "a.pth", "--weights", "a.pth"], "give either CONFIG CKPT, or --weights FILE"),
        (["-", "a.pth", "--shape", "4", "17", "48"], f"--shape is 4 17 48, and the network takes N {CLIPS}"),
        (["-", "a.pth", "--shape", "20", "17", "48", "56", "56"], "the network takes N 20"),
        (["-", "a.pth", "--shape", "0", *CLIPS.split()], "whole number from 1"),
        (["--weights", "a.pth", "--persons", "2"], "--persons is for --input keypoints, and not for volumes"),
        (["--weights", "a.pth", "--input", "keypoints", "--persons", "0"], "whole number from 1"),
        (["--weights", "a.pth", "--input", "videos"], "videos"),
    ],
)  # fmt: skip
def test_words_that_mean_nothing(words: list[str], told: str, posec3d: Commands) -> None:
    done = posec3d("export", *words)
    assert done.code == 2
    assert told in done.error


def test_a_configuration_of_another_checkpoint(narrow_checkpoint: Path, posec3d: Commands, tmp_path: Path) -> None:
    done = posec3d("export", "-", narrow_checkpoint, "--output", tmp_path / "x.onnx")
    assert (done.code, done.hint) == (1, "the configuration is of another checkpoint")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_is_not_finite_is_not_exported(
    state_of: Callable[..., dict[str, torch.Tensor]], posec3d: Commands, tmp_path: Path
) -> None:
    state = state_of(17, 4, (1, 1, 1), 5)
    state["backbone.layer2.0.conv1.bn.running_var"][1] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    done = posec3d("export", "--weights", tmp_path / "nan.pth", "--input", "frames", "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert "by nan at batch 2 (allowed: 1e-05)" in done.error
    assert [path.name for path in tmp_path.iterdir()] == ["nan.pth"]


@pytest.mark.parametrize(("mistake", "other"), [("weights", "torch"), ("second sample", "itself at batch 1")])
def test_another_answer_is_found(
    mistake: str, other: str, narrow_checkpoint: Path, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = load_posec3d(narrow_checkpoint)
    if mistake == "weights":
        network.cls_head.fc_cls.bias.data[3] += 0.01
    else:

        def crossed(session: Any, inputs: Any) -> Any:
            (scores,) = session.run(*inputs)
            return (np.concatenate([scores[:20], scores[:20]]),) if len(scores) == 40 else (scores,)

        monkeypatch.setattr("modelzoo.posec3d.export.run_graph", crossed)
    with pytest.raises(ExportError, match=rf"^logits of the exported graph differs from {other} by"):
        compare_graph(in_form(network, "frames"), exported("frames"), identity_of("frames"), SPEC.tolerance)


def test_examples_fit_every_form() -> None:
    (clips,) = make_examples(spec_of("volumes").inputs)
    assert (clips.shape, clips.dtype) == ((2, 20, 17, 48, 56, 56), np.float32)
    assert 0.02 < np.count_nonzero(clips) / clips.size < 0.04
    (keypoints,) = make_examples(spec_of("keypoints", persons=3).inputs)
    assert (keypoints.shape, keypoints.dtype) == ((2, 3, 10, 48, 17, 3), np.float32)
    assert keypoints[..., 0].min() < 0
    assert keypoints[..., 0].max() > 56
    assert 0 <= keypoints[..., 2].min() < keypoints[..., 2].max() <= 1
    frames, indices = make_examples(spec_of("frames").inputs)
    assert (indices.dtype, indices.min(), indices.max()) == (np.int64, 0, frames.shape[1] - 1)


def test_the_guides_conversion_maps_the_name_of_the_input(
    exported: Exported, posec3d: Commands, tmp_path: Path
) -> None:
    shape = "onnx::Reshape_0:4,20,17,48,56,56"
    words = ("--framework=5", "--input_format=ND", "--log=error", "--soc_version=Ascend310P3", "--dry-run")
    model = ("--model", exported("volumes"), "--output", tmp_path / "posec3d_bs4")
    done = posec3d("convert", *model, f"--input_shape={shape}", *words)
    assert done.code == 0, done.err
    assert "--input_shape=clips:4,20,17,48,56,56" in done.out
    assert "note: the input onnx::Reshape_0 is called clips here" in done.err


def test_a_graph_of_keypoints_brings_its_rules(exported: Exported, posec3d: Commands, tmp_path: Path) -> None:
    words = ("--output", tmp_path / "x", "--soc_version=310P3", "--dry-run")
    done = posec3d("convert", "--model", exported("keypoints", 2), *words)
    assert done.code == 0, done.err
    assert "--input_shape=keypoints:1,2,10,48,17,3" in done.out
    assert "--input_format=ND" in done.out
    assert "OpType::Floor" in done.err


@pytest.mark.parametrize(("form", "people"), [("frames", None), ("keypoints", 2)])
def test_benchmark_takes_every_form(form: str, people: int | None, exported: Exported, posec3d: Commands) -> None:
    words = ("--batch-sizes", 1, "--loop", 1, "--warmup", 0)
    done = posec3d("benchmark", "--model", exported(form, people), *words)
    assert done.code == 0, done.err
    assert done.out.splitlines()[1].split()[-2:] == ["22", "(310P3)"]


def test_onnx_runtime_prints_nothing(exported: Exported, capfd: pytest.CaptureFixture[str]) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(exported("frames")), providers=["CPUExecutionProvider"])
    frames, indices = make_examples(spec_of("frames").inputs)
    session.run(None, {"frames": frames, "indices": indices})
    assert capfd.readouterr().err == ""
