"""The exported file and the export command in its own and in the guide's form."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from modelzoo.alphapose import export as exporter
from modelzoo.alphapose.spec import SPEC, Form, Structure
from modelzoo.common.ascend.preflight import preflight
from modelzoo.common.session import open_session
from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]

CROPS = {"float32": ["N", 3, 256, 192], "uint8": ["N", 256, 192, 3]}
HEATMAPS, KEYPOINTS = ["N", 17, 64, 48], ["N", 17, 3]


@pytest.fixture
def recorded_export(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the command asks the exporter for, which does nothing."""
    calls: list[tuple[Any, ...]] = []

    def export(weights: Path, output: Path, form: Form, structure: Structure | None) -> Structure:
        calls.append((str(weights), str(output), form, structure))
        return Structure()

    monkeypatch.setattr("modelzoo.alphapose.export.export", export)
    return calls


def check_contract(path: Path, form: dict[str, Any]) -> None:
    """What every exported file has to be."""
    model = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 11)]
    assert model.ir_version <= 8
    (image,), (output,) = model.graph.input, model.graph.output
    axes = [
        [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in (image, output)
    ]
    assert (image.name, axes[0]) == ("image", CROPS[form["dtype"]])
    assert (output.name, axes[1]) == ("output", KEYPOINTS if form["decode"] else HEATMAPS)
    assert not any(tensor.data_location for tensor in model.graph.initializer)
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    identity = json.loads({entry.key: entry.value for entry in model.metadata_props}["modelzoo"])
    assert identity["model"] == "alphapose"
    assert identity["form"] == {"layers": 50, "joints": 17, "size": "256x192", **form}
    assert [tensor["shape"] for tensor in (*identity["inputs"], *identity["outputs"])] == axes
    assert identity["atc"] == {"input_format": "NCHW" if form["dtype"] == "float32" else "ND"}
    assert preflight(path, given=False) == []


@pytest.mark.parametrize("name", ["plain", "flip"])
def test_the_file_keeps_the_contract(name: str, exported: Callable[[str], Path]) -> None:
    check_contract(exported(name), {"flip_test": name == "flip", "decode": False, "dtype": "float32"})


def test_the_plain_graph_is_made_of_few_operators(exported: Callable[[str], Path]) -> None:
    graph = onnx.load(exported("plain"), load_external_data=False).graph
    kinds = [node.op_type for node in graph.node]
    assert {kind: kinds.count(kind) for kind in ("Conv", "Gemm", "DepthToSpace", "Sigmoid", "MaxPool")} == {
        "Conv": 56,
        "Gemm": 8,
        "DepthToSpace": 3,
        "Sigmoid": 4,
        "MaxPool": 1,
    }
    assert set(kinds) <= {
        *("Conv", "Gemm", "DepthToSpace", "Sigmoid", "MaxPool"),
        *("Relu", "Add", "Mul", "GlobalAveragePool", "Flatten", "Unsqueeze"),
    }


@pytest.mark.parametrize(
    ("flags", "form", "words"),
    [
        (["--decode"], {"flip_test": False, "decode": True, "dtype": "float32"}, "from float32 crops to keypoints"),
        (
            ["--flip-test", "--decode", "--dtype=uint8", "--batchsize=4"],
            {"flip_test": True, "decode": True, "dtype": "uint8"},
            "from uint8 crops to keypoints after the flip test",
        ),
    ],
)
def test_forms_of_the_graph(
    flags: list[str], form: dict[str, Any], words: str, shallow_checkpoint: Path, alphapose: Commands, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "pose.onnx"
    done = alphapose("export", "--weights", shallow_checkpoint, "--output", output, *flags)
    assert done.code == 0, done.err
    told = f"{output}: FastPose of 50 layers, 17 joints and CONV_DIM 128, {words}"
    assert done.out.splitlines() == [f"exporting {shallow_checkpoint} ...", told]
    check_contract(output, form)
    assert list(output.parent.iterdir()) == [output]


def test_another_joint_set_is_found_in_the_checkpoint(
    shallow: Callable[..., dict[str, torch.Tensor]], alphapose: Commands, tmp_path: Path
) -> None:
    torch.save(shallow(joints=26), tmp_path / "halpe.pth")
    done = alphapose("export", "--weights", tmp_path / "halpe.pth", "--output", tmp_path / "x.onnx", "--flip-test")
    assert done.code == 0, done.err
    (have,) = open_session(tmp_path / "x.onnx", SPEC).run(np.zeros((1, 3, 256, 192), np.float32))
    assert have.shape == (1, 26, 64, 48)


@pytest.mark.parametrize("flag", ["--flip-test", "--decode", "--dtype=uint8"])
def test_a_network_of_other_joints_may_be_one_of_regression(
    flag: str, shallow: Callable[..., dict[str, torch.Tensor]], config: Path, alphapose: Commands, tmp_path: Path
) -> None:
    torch.save(shallow(joints=26), tmp_path / "halpe.pth")
    done = alphapose("export", "--weights", tmp_path / "halpe.pth", "--output", tmp_path / "x.onnx", flag)
    assert done.code == 0, done.err
    note = "note: a network of 26 joints may be one of L1JointRegression, for which this form is wrong; CFG CKPT OUT"
    assert done.err.startswith(note) == (flag != "--dtype=uint8")
    (tmp_path / "halpe.yaml").write_text(config.read_text().replace("NUM_JOINTS: 17", "NUM_JOINTS: 26"))
    done = alphapose("export", tmp_path / "halpe.yaml", tmp_path / "halpe.pth", tmp_path / "x.onnx", flag)
    assert (done.code, done.err) == (0, "")


def test_no_flip_test_of_an_unknown_joint_set(
    shallow: Callable[..., dict[str, torch.Tensor]], alphapose: Commands, tmp_path: Path
) -> None:
    torch.save(shallow(joints=33), tmp_path / "concat.pth")
    done = alphapose("export", "--weights", tmp_path / "concat.pth", "--output", tmp_path / "x.onnx", "--flip-test")
    assert (done.code, done.hint) == (2, "leave out the flip test")
    assert "sets of 17, 26, 136, not of 33" in done.error
    assert not (tmp_path / "x.onnx").exists()


PLAIN = Form()


@pytest.mark.parametrize(
    ("words", "call"),
    [
        pytest.param(["{cfg}", "a.pth", "b/c.onnx"], ("a.pth", "b/c.onnx", PLAIN, Structure()), id="guide"),
        pytest.param(["-", "a.pth", "c.onnx"], ("a.pth", "c.onnx", PLAIN, Structure()), id="built-in"),
        pytest.param(["--weights", "a.pth"], ("a.pth", "FastPose.onnx", PLAIN, None), id="own"),
        pytest.param(["--weights=a.pth", "--output=b.onnx"], ("a.pth", "b.onnx", PLAIN, None), id="with output"),
        pytest.param(
            ["{cfg}", "a.pth", "c.onnx", "--flip_test", "--dtype", "uint8"],
            ("a.pth", "c.onnx", Form(flip_test=True, dtype="uint8"), Structure()),
            id="guide with flags",
        ),
        pytest.param(
            ["--decode", "-", "a.pth", "c.onnx"],
            ("a.pth", "c.onnx", Form(decode=True), Structure()),
            id="flags first",
        ),
    ],
)
def test_words_of_the_command(
    words: list[str],
    call: tuple[Any, ...],
    config: Path,
    alphapose: Commands,
    recorded_export: list[tuple[Any, ...]],
) -> None:
    done = alphapose("export", *(word.format(cfg=config) for word in words))
    assert done.code == 0, done.err
    assert recorded_export == [call]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["a.pth"],
        ["-", "a.pth"],
        ["-", "a.pth", "b.onnx", "c.onnx"],
        ["-", "a.pth", "b.onnx", "--weights", "a.pth"],
        ["-", "a.pth", "b.onnx", "--output", "c.onnx"],
        ["--output", "c.onnx"],
    ],
)
def test_neither_form_of_the_command(
    words: list[str], alphapose: Commands, recorded_export: list[tuple[Any, ...]]
) -> None:
    done = alphapose("export", *words)
    assert done.code == 2
    assert done.error.startswith("give either CFG CKPT OUT.onnx, or --weights FILE")
    assert recorded_export == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--weights", ""], "must not be empty"),
        (["--weights", "a.pth", "--dtype", "float16"], "float16"),
        (["--weights", "a.pth", "--batchsize", "0"], "whole number from 1"),
        (["--weights", "a.pth", "--flip"], "--flip"),
    ],
)
def test_words_that_mean_nothing(words: list[str], named: str, alphapose: Commands) -> None:
    done = alphapose("export", *words)
    assert done.code == 2
    assert named in done.error


def test_a_missing_checkpoint_is_named_with_its_neighbour(alphapose: Commands, tmp_path: Path) -> None:
    (tmp_path / "fast_res50_256x192.pth").write_bytes(b"weights")
    done = alphapose("export", "-", tmp_path / "fast_res50.pth", tmp_path / "x.onnx")
    assert (done.code, done.error) == (1, f"no such checkpoint file: {tmp_path / 'fast_res50.pth'}")
    assert done.hint == f"did you mean {tmp_path / 'fast_res50_256x192.pth'}?"


def test_an_older_file_stays_when_an_export_fails(alphapose: Commands, tmp_path: Path) -> None:
    (tmp_path / "pose.onnx").write_text("old")
    torch.save({"state": torch.ones(1)}, tmp_path / "other.pth")
    assert alphapose("export", "-", tmp_path / "other.pth", tmp_path / "pose.onnx").code == 1
    assert (tmp_path / "pose.onnx").read_text() == "old"


@pytest.mark.parametrize("flags", [[], ["--decode"]], ids=["heat maps", "keypoints"])
def test_a_network_that_is_not_finite_is_not_exported(
    flags: list[str], shallow: Callable[..., dict[str, torch.Tensor]], alphapose: Commands, tmp_path: Path
) -> None:
    weights = shallow()
    weights["duc1.bn.running_var"][3] = float("nan")
    torch.save(weights, tmp_path / "nan.pth")
    done = alphapose("export", "--weights", tmp_path / "nan.pth", "--output", tmp_path / "x.onnx", *flags)
    assert done.code == 1
    wanted = "are not those of torch's heat maps" if flags else "differs from torch by nan at batch 1"
    assert wanted in done.error
    assert [path.name for path in tmp_path.iterdir()] == ["nan.pth"]


def test_wrong_keypoints_are_not_exported(
    shallow_checkpoint: Path, alphapose: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelzoo.alphapose.forms.QUARTER", -0.25)
    done = alphapose("export", "--weights", shallow_checkpoint, "--output", tmp_path / "x.onnx", "--decode")
    assert done.code == 1
    assert "of 17 keypoints of the exported graph are not those of torch's heat maps" in done.error
    assert [path.name for path in tmp_path.iterdir()] == ["shallow.pth"]


def test_a_simplification_can_be_left_out(shallow_checkpoint: Path, tmp_path: Path) -> None:
    structure = exporter.export(shallow_checkpoint, tmp_path / "traced.onnx", simplify=False)
    assert structure == Structure()
    assert "Shape" not in {node.op_type for node in onnx.load(tmp_path / "traced.onnx").graph.node}
