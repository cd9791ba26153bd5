"""The exported file, what its graph consists of and answers, and the export command in its own and the guide's form."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from modelzoo.common.ascend.preflight import preflight
from modelzoo.common.session import Session, open_session
from modelzoo.common.testing.plugin import Finished
from modelzoo.gaitset.network import CasiaB
from modelzoo.gaitset.spec import SPEC

Commands = Callable[..., Finished]
Exported = Callable[[str], Path]
Golden = Callable[[str], dict[str, Any]]

FORMS = {
    "fixed": {"dataset": "casia-b", "frames": 100, "padding": "zeros", "dtype": "float32"},
    "uint8": {"dataset": "casia-b", "frames": 100, "padding": "zeros", "dtype": "uint8"},
    "dynamic": {"dataset": "casia-b", "frames": "dynamic", "padding": "none", "dtype": "float32"},
    "zeros": {"dataset": "casia-b", "frames": "dynamic", "padding": "zeros", "dtype": "float32"},
    "oumvlp": {"dataset": "oumvlp", "frames": "dynamic", "padding": "none", "dtype": "float32"},
}

NODES = {
    "Conv": 10,
    "LeakyRelu": 10,
    "MaxPool": 3 + 5,
    "AveragePool": 5,
    "ReduceMax": 3,
    "Add": 2 + 5,
    "Concat": 2,
    "MatMul": 1,
    "Reshape": 5,
    "Transpose": 3,
}
"""The network with nothing around it: a pooling is either one of the network or one of the five pyramid levels."""

LENGTH = {"Shape": 1, "Gather": 1, "Unsqueeze": 1, "Concat": 3}
"""What looks the number of frames up, and puts it into three shapes."""

CLAMP = {"Less": 1, "Where": 1, "Max": 3}


@pytest.fixture(scope="module")
def casia_b(network_golden: Golden) -> dict[str, Any]:
    """The recorded network of CASIA-B."""
    return network_golden("casia-b")


@pytest.fixture(scope="module")
def session(exported: Exported) -> Callable[[str], Session]:
    """An exported form on ONNX Runtime."""
    return lambda form: open_session(exported(form), SPEC)


def difference(have: np.ndarray, want: np.ndarray) -> float:
    assert have.shape == want.shape
    return float(np.abs(have - want).max())


def with_zeros(sequences: np.ndarray) -> np.ndarray:
    """The sequences with zero frames in front, 100 in all."""
    return np.pad(sequences, ((0, 0), (100 - sequences.shape[1], 0), (0, 0), (0, 0)))


@pytest.mark.parametrize("form", FORMS)
def test_the_file_keeps_the_contract(form: str, exported: Exported) -> None:
    model = onnx.load(exported(form), load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 11)]
    assert model.ir_version <= 8
    (sequence,), (feature,) = model.graph.input, model.graph.output
    axes = [
        [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in (sequence, feature)
    ]
    wanted = ["N", 100 if FORMS[form]["frames"] == 100 else "frames", 64, 44]
    assert (sequence.name, axes[0]) == ("image_seq", wanted)
    assert (feature.name, axes[1]) == ("feature", ["N", 62, 256])
    dtype = onnx.helper.tensor_dtype_to_np_dtype(sequence.type.tensor_type.elem_type)
    assert dtype == FORMS[form]["dtype"]
    assert not any(tensor.data_location for tensor in model.graph.initializer)
    said = json.loads({entry.key: entry.value for entry in model.metadata_props}["modelzoo"])
    assert (said["model"], said["form"], said["atc"]) == ("gaitset", FORMS[form], {"input_format": "ND"})
    assert [(tensor["name"], tensor["shape"]) for tensor in said["inputs"]] == [("image_seq", wanted)]


@pytest.mark.parametrize(
    ("form", "more"),
    [("fixed", {}), ("uint8", {"Cast": 1, "Div": 1}), ("dynamic", LENGTH), ("zeros", {**LENGTH, **CLAMP, "Slice": 1})],
)
def test_no_node_looks_up_what_is_known(form: str, more: dict[str, int], exported: Exported) -> None:
    """The original's way of writing it gives 351 nodes, 290 of them for shapes."""
    nodes = Counter(node.op_type for node in onnx.load(exported(form)).graph.node)
    del nodes["Constant"]  # numbers, which onnxsim keeps as nodes or not
    assert nodes == Counter(NODES) + Counter(more)


@pytest.mark.parametrize("form", FORMS)
def test_the_preflight_knows_every_operator(form: str, exported: Exported) -> None:
    assert preflight(exported(form), given=True) == []


def test_features_of_100_frames(session: Callable[[str], Session], casia_b: dict[str, Any]) -> None:
    fixed = session("fixed")
    assert fixed.backend == "onnxruntime"
    (together,) = fixed.run(casia_b["input_100"])
    assert difference(together, casia_b["out_100"]) <= 2e-5
    assert difference(fixed.run(casia_b["input_100"][1:2])[0], together[1:2]) <= 1e-5
    assert difference(session("uint8").run(casia_b["input_u8_100"][:1])[0], casia_b["out_100"][:1]) <= 2e-5


def test_features_of_several_lengths_in_one_session(session: Callable[[str], Session], casia_b: dict[str, Any]) -> None:
    dynamic = session("dynamic")
    sequences = [casia_b["input_30"][:1], casia_b["input_40"], casia_b["input_100"][:1, :25]]
    have = np.concatenate([dynamic.run(np.ascontiguousarray(sequence))[0] for sequence in sequences])
    assert difference(have, casia_b["out_var_30_40_25"]) <= 2e-5
    assert difference(dynamic.run(casia_b["input_30"])[0], casia_b["out_30"]) <= 2e-5
    assert difference(dynamic.run(casia_b["input_100"][:1])[0], casia_b["out_100"][:1]) <= 2e-5


def test_features_of_oumvlp(session: Callable[[str], Session], network_golden: Golden) -> None:
    recorded = network_golden("oumvlp")
    for frames in (30, 40):
        (have,) = session("oumvlp").run(recorded[f"input_{frames}"][:1])
        assert difference(have, recorded[f"out_{frames}"]) <= 2e-5


@pytest.mark.parametrize("frames", [1, 40, 99])
def test_the_zero_padded_answer_from_the_real_frames_alone(
    frames: int, session: Callable[[str], Session], casia_b: dict[str, Any]
) -> None:
    """Equal to the bit on ONNX Runtime, whatever the length."""
    sequence = np.ascontiguousarray(casia_b["input_100"][:1, :frames])
    (have,), (want,) = session("zeros").run(sequence), session("fixed").run(with_zeros(sequence))
    assert difference(have, want) == 0.0
    assert difference(have, session("dynamic").run(sequence)[0]) > 1e-3


def test_the_zero_padded_answer_is_that_of_the_guide(
    session: Callable[[str], Session], casia_b: dict[str, Any]
) -> None:
    want = casia_b["out_40_zero_padded_front_to_100"]
    assert difference(session("zeros").run(casia_b["input_40"])[0], want) <= 2e-5
    assert difference(session("fixed").run(with_zeros(casia_b["input_40"]))[0], want) <= 2e-5


def test_the_guide_s_answer_for_longer_sequences_is_that_of_their_first_100_frames(
    session: Callable[[str], Session], casia_b: dict[str, Any]
) -> None:
    sequences = np.concatenate([casia_b["input_100"][:1], casia_b["input_40"][:, :20]], axis=1)
    (have,) = session("zeros").run(sequences)
    assert difference(have, casia_b["out_100"][:1]) <= 2e-5
    assert difference(have, session("dynamic").run(sequences)[0]) > 1e-3


@pytest.mark.parametrize(("frames", "clamped"), [(99, True), (100, False), (101, False)])
def test_the_graph_clamps_below_100_frames_only(
    frames: int, clamped: bool, session: Callable[[str], Session], casia_b: dict[str, Any]
) -> None:
    sequence = np.repeat(casia_b["input_40"][:, :1], frames, axis=1)
    (zeros,), (none,) = (session(form).run(sequence) for form in ("zeros", "dynamic"))
    assert np.array_equal(zeros, none) is not clamped


@pytest.fixture
def recorded_export(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the command asks the exporter for, which does nothing."""
    calls: list[tuple[Any, ...]] = []

    def export(weights: Path, output: Path, *rest: Any) -> Path:
        calls.append((str(weights), str(output), *rest))
        return output

    monkeypatch.setattr("modelzoo.gaitset.export.export", export)
    return calls


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file in the working directory in the place of the weights."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "encoder.ptm").write_bytes(b"weights")
    return "encoder.ptm"


DEFAULT = ("casia-b", 100, "zeros", "float32")


@pytest.mark.parametrize(
    ("words", "output", "form"),
    [
        pytest.param(("--input_path=encoder.ptm",), "gaitset_submit.onnx", DEFAULT, id="guide"),
        pytest.param(("--input_path", "encoder.ptm"), "gaitset_submit.onnx", DEFAULT, id="two words"),
        pytest.param(("--input-path=encoder.ptm",), "gaitset_submit.onnx", DEFAULT, id="hyphen"),
        pytest.param(("--input=encoder.ptm",), "gaitset_submit.onnx", DEFAULT, id="abbreviated"),
        pytest.param(("--weights", "encoder.ptm", "--output", "x.onnx"), "x.onnx", DEFAULT, id="own"),
        pytest.param(
            ("--weights=encoder.ptm", "--frames=100", "--padding=zeros", "--batchsize=4"),
            "gaitset_submit.onnx",
            DEFAULT,
            id="defaults said",
        ),
        pytest.param(
            ("--weights=encoder.ptm", "--frames=dynamic"),
            "gaitset_submit.onnx",
            ("casia-b", "dynamic", "none", "float32"),
            id="dynamic",
        ),
        pytest.param(
            ("--weights=encoder.ptm", "--frames=dynamic", "--padding=zeros", "--dtype=uint8", "--dataset=oumvlp"),
            "gaitset_submit.onnx",
            ("oumvlp", "dynamic", "zeros", "uint8"),
            id="all",
        ),
    ],
)
def test_forms_of_the_command(
    words: tuple[str, ...],
    output: str,
    form: tuple[Any, ...],
    weights: str,
    gaitset: Commands,
    recorded_export: list[tuple[Any, ...]],
) -> None:
    done = gaitset("export", *words)
    assert done.code == 0, done.err
    assert recorded_export == [(weights, output, *form)]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "--weights"),
        (("--weights", "encoder.ptm", "--input_path", "encoder.ptm"), "--weights"),
        (("--weights", ""), "--weights"),
        (("--weights", "encoder.ptm", "--frames", "64"), "--frames"),
        (("--weights", "encoder.ptm", "--padding", "repeat"), "--padding"),
        (("--weights", "encoder.ptm", "--padding", "none"), "--padding none needs --frames dynamic"),
        (("--weights", "encoder.ptm", "--frames", "100", "--padding", "none"), "--padding none needs --frames dynamic"),
        (("--weights", "encoder.ptm", "--dataset", "casia-a"), "--dataset"),
        (("--weights", "encoder.ptm", "--dtype", "float16"), "--dtype"),
        (("--weights", "encoder.ptm", "--batchsize", "0"), "--batchsize"),
    ],
)
def test_wrong_words(
    words: tuple[str, ...], named: str, weights: str, gaitset: Commands, recorded_export: list[tuple[Any, ...]]
) -> None:
    done = gaitset("export", *words)
    assert done.code == 2
    assert named in done.err
    assert recorded_export == []
    assert [path.name for path in Path().iterdir()] == [weights]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "casia-b, 100 frames, float32 silhouettes"),
        (
            ("--frames", "dynamic", "--dtype", "uint8"),
            "casia-b, a free number of frames, padding none, uint8 silhouettes",
        ),
    ],
)
def test_what_the_command_tells(
    words: tuple[str, ...],
    told: str,
    weights: str,
    gaitset: Commands,
    recorded_export: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert gaitset("export", "--weights", weights, *words).out.splitlines()[-1] == f"gaitset_submit.onnx: {told}"
    monkeypatch.setattr("modelzoo.gaitset.weights.published_name", lambda path: f"of {path}")
    last = gaitset("export", "--weights", weights, *words).out.splitlines()[-1]
    assert last == f"gaitset_submit.onnx: {told}, from the published of {weights}"
    assert len(recorded_export) == 2


def test_an_older_file_stays_when_an_export_fails(tmp_path: Path, gaitset: Commands) -> None:
    (tmp_path / "x.onnx").write_text("old")
    torch.save({"state": torch.ones(1)}, tmp_path / "other.ptm")
    assert gaitset("export", "--weights", tmp_path / "other.ptm", "--output", tmp_path / "x.onnx").code == 1
    assert (tmp_path / "x.onnx").read_text() == "old"


def test_a_network_that_is_not_finite_is_not_exported(tmp_path: Path, gaitset: Commands) -> None:
    state = CasiaB().state_dict()
    state["fc_bin.0"][3, 2, 1] = float("nan")
    torch.save(state, tmp_path / "nan.ptm")
    done = gaitset("export", "--weights", tmp_path / "nan.ptm", "--frames", "dynamic", "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert "differs from torch by nan" in done.error or "not finite" in done.error
    assert [path.name for path in tmp_path.iterdir()] == ["nan.ptm"]
