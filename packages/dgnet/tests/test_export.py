"""The exported files, what their graphs consist of and answer, and the export command in every form."""

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from modelzoo.common.ascend.preflight import preflight
from modelzoo.common.session import Session, open_session
from modelzoo.common.testing.plugin import Finished
from modelzoo.dgnet import export as exporter
from modelzoo.dgnet.checkpoints import Checkpoint
from modelzoo.dgnet.halves import HALVES, half_path
from modelzoo.dgnet.preprocess import normalise, normalise_grey
from modelzoo.dgnet.spec import SPEC

Commands = Callable[..., Finished]
Exported = Callable[[str], Path]

KEEP = "OpType::InstanceNorm\nOpType::Pow\nOpType::ReduceMean\n"

CANN_NAMES = {"InstanceNormalization": "InstanceNorm"}
"""Operators that ATC calls otherwise."""

NORMALISING = {"InstanceNormalization", "Pow", "ReduceMean", "ReduceSum", "ReduceL2", "LayerNormalization", "Softmax"}

IMAGES = {
    "float32": [("image1", "float32", ["N", 1, 256, 128]), ("image2", "float32", ["N", 3, 256, 128])],
    "uint8": [("image1", "uint8", ["N", 256, 128, 3]), ("image2", "uint8", ["N", 256, 128, 3])],
}
OUTPUT = ("output", "float32", ["N", 3, 256, 128])
CODES = [("structure", "float32", ["N", 128, 64, 32]), ("appearance", "float32", ["N", 8192])]

FILES: dict[str, tuple[str, str, list[tuple[str, str, list[Any]]], tuple[str, str, list[Any]], str]] = {
    "whole": ("whole", "whole", IMAGES["float32"], OUTPUT, "NCHW"),
    "uint8": ("uint8", "whole", IMAGES["uint8"], OUTPUT, "ND"),
    "structure": ("halves", "structure", IMAGES["float32"][:1], CODES[0], "NCHW"),
    "appearance": ("halves", "appearance", IMAGES["float32"][1:], CODES[1], "NCHW"),
    "decoder": ("halves", "decoder", CODES, OUTPUT, "ND"),
}
"""Export, part, inputs, output and ATC's input format of every file."""

ENCODERS = {"Conv": 73, "Pad": 15, "InstanceNormalization": 20, "LeakyRelu": 11, "Relu": 49, "Add": 20}
DECODER = {"Conv": 13, "Pad": 12, "InstanceNormalization": 8, "LeakyRelu": 24, "Gemm": 24, "Add": 16, "Mul": 12}
NODES: dict[str, Counter[str]] = {
    "encoders": Counter(ENCODERS) + Counter(Concat=1, MaxPool=2, Flatten=1),
    "decoder": Counter(DECODER) + Counter(Split=9, Unsqueeze=8, Resize=2, ReduceMean=4, Sub=2, Pow=2, Sqrt=2, Div=2),
    "pixels": Counter(Transpose=2, Cast=2, Div=4, Sub=2, ReduceMean=1),
}


def difference(have: np.ndarray, want: np.ndarray) -> float:
    assert have.shape == want.shape
    return float(np.abs(have - want).max())


@pytest.fixture(scope="module")
def file_of(exported: Exported) -> Callable[[str], Path]:
    """The file of a name in `FILES`."""
    return lambda name: half_path(exported("halves"), name) if name in HALVES else exported(name)


@pytest.fixture(scope="module")
def session(file_of: Callable[[str], Path]) -> Callable[[str], Session]:
    """A file on ONNX Runtime, opened once."""
    return cache(lambda name: open_session(file_of(name), SPEC))


def described(values: Any) -> list[tuple[str, str, list[Any]]]:
    """Name, dtype and shape of the inputs or outputs of a graph."""
    kinds = [(value, value.type.tensor_type) for value in values]
    return [
        (
            value.name,
            str(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)),
            [axis.dim_param or axis.dim_value for axis in kind.shape.dim],
        )
        for value, kind in kinds
    ]


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_what_the_conversion_needs(name: str, file_of: Callable[[str], Path]) -> None:
    _, part, inputs, output, input_format = FILES[name]
    model = onnx.load(file_of(name))
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 11)]
    assert model.ir_version <= 8
    assert described(model.graph.input) == inputs
    assert described(model.graph.output) == [output]
    assert not any(tensor.data_location for tensor in model.graph.initializer)
    said = json.loads({entry.key: entry.value for entry in model.metadata_props}["modelzoo"])
    assert (said["model"], said["form"]) == (
        "dgnet",
        {"part": part, "dtype": "uint8" if name == "uint8" else "float32"},
    )
    assert said["atc"]["input_format"] == input_format


@pytest.mark.parametrize("name", FILES)
def test_what_normalises_is_computed_in_single_precision(name: str, file_of: Callable[[str], Path]) -> None:
    model = onnx.load(file_of(name))
    said = json.loads({entry.key: entry.value for entry in model.metadata_props}["modelzoo"])
    normalising = {node.op_type for node in model.graph.node} & NORMALISING
    assert set(said["atc"]["keep_dtype"]) == {f"OpType::{CANN_NAMES.get(kind, kind)}" for kind in normalising}


def test_the_graphs_are_small(file_of: Callable[[str], Path]) -> None:
    """The guide's way of writing it gives 1591 nodes."""
    counts = {name: Counter(node.op_type for node in onnx.load(file_of(name)).graph.node) for name in FILES}
    for count in counts.values():
        del count["Constant"]  # numbers, which onnxsim keeps as nodes or not
    assert counts["structure"] + counts["appearance"] == NODES["encoders"]
    assert counts["decoder"] == NODES["decoder"]
    assert counts["whole"] == NODES["encoders"] + NODES["decoder"]
    assert counts["uint8"] == counts["whole"] + NODES["pixels"]
    assert counts["whole"].total() == 332


@pytest.mark.parametrize("name", FILES)
def test_the_preflight_knows_every_operator_but_reflect_padding(name: str, file_of: Callable[[str], Path]) -> None:
    pad = [] if name == "appearance" else ["no graph of the guides has Pad; your CANN release may not know them"]
    assert preflight(file_of(name), given=True) == pad


def test_padding_by_look_ups_is_known_and_equal(
    exported: Exported, session: Callable[[str], Session], network_golden: dict[str, np.ndarray]
) -> None:
    gathered = exported("gather")
    assert preflight(gathered, given=True) == []
    counts = Counter(node.op_type for node in onnx.load(gathered).graph.node if node.op_type != "Constant")
    assert counts == NODES["encoders"] + NODES["decoder"] + Counter(Gather=2 * 27) - Counter(Pad=27)
    images = network_golden["image1"], network_golden["image2"]
    assert difference(open_session(gathered, SPEC).run(*images)[0], session("whole").run(*images)[0]) <= 2e-5


def test_pictures_are_those_of_the_published_network_at_any_batch(
    session: Callable[[str], Session], network_golden: dict[str, np.ndarray]
) -> None:
    whole = session("whole")
    assert whole.backend == "onnxruntime"
    image1, image2 = network_golden["image1"], network_golden["image2"]
    (together,) = whole.run(image1, image2)
    assert difference(together[:1, :, ::4, ::4], network_golden["output"]) <= 1e-4
    assert difference(together[:, :, ::8, ::8], network_golden["output_patched"]) <= 1e-4
    assert difference(whole.run(image1[1:], image2[1:])[0], together[1:]) <= 2e-5


def test_pixels_give_the_pictures_of_their_normalised_form(session: Callable[[str], Session]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 1, 256, 128, 3), dtype=np.uint8)
    grey, colour = np.empty((1, 1, 256, 128), np.float32), np.empty((1, 3, 256, 128), np.float32)
    normalise_grey(pixels[0, 0], grey[0])
    normalise(pixels[1, 0], colour[0])
    (want,) = session("whole").run(grey, colour)
    assert difference(session("uint8").run(*pixels)[0], want) <= 2e-5


@pytest.mark.parametrize("name", ["structure", "appearance"])
def test_a_half_gives_the_recorded_code(
    name: str, session: Callable[[str], Session], network_golden: dict[str, np.ndarray]
) -> None:
    (code,) = session(name).run(network_golden["image1" if name == "structure" else "image2"])
    if name == "structure":
        assert difference(code[0, ::8, ::2, ::2], network_golden["content"]) <= 2e-5
    else:
        assert difference(code, network_golden["f"]) <= 5e-4


def test_the_rules_of_the_guide_are_written_beside(exported: Exported) -> None:
    assert (exported("whole").parent / "keep.cfg").read_text() == KEEP


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Any, ...]]:
    """Exports that are asked for; none is made. The working directory holds a checkpoint where the upstream lays it."""
    monkeypatch.chdir(tmp_path)
    folder = Path("outputs/E0.5new_reid0.5_w30000/checkpoints")
    folder.mkdir(parents=True)
    for name in ("gen_00100000.pt", "id_00100000.pt", "gen_00000007.pt", "id_00000007.pt"):
        (folder / name).touch()
    calls: list[tuple[Any, ...]] = []

    def export(*words: Any, pad: str) -> list[Path]:
        calls.append((*words, pad))
        return [words[1]]

    monkeypatch.setattr(exporter, "export", export)
    return calls


PLACE = Path("outputs/E0.5new_reid0.5_w30000/checkpoints")
BOTH = (PLACE / "gen_00100000.pt", PLACE / "id_00100000.pt")
DEFAULT = Path("DG-net.onnx")


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ([], (BOTH[0], DEFAULT, BOTH[1], "float32", False, "reflect")),
        (
            ["--output=DG-net_bs4.onnx", "--batchsize=4"],
            (BOTH[0], Path("DG-net_bs4.onnx"), BOTH[1], "float32", False, "reflect"),
        ),
        (
            ["--name", PLACE.parent.name, "--which_epoch", "100000"],
            (BOTH[0], DEFAULT, BOTH[1], "float32", False, "reflect"),
        ),
        (
            ["--which-epoch", "7", "--dtype", "uint8"],
            (PLACE / "gen_00000007.pt", DEFAULT, PLACE / "id_00000007.pt", "uint8", False, "reflect"),
        ),
        (["--gen", BOTH[0], "--halves"], (BOTH[0], DEFAULT, BOTH[1], "float32", True, "reflect")),
        (["--gen", BOTH[0], "--id", BOTH[1]], (BOTH[0], DEFAULT, BOTH[1], "float32", False, "reflect")),
        (["--gen", BOTH[0], "--pad", "gather"], (BOTH[0], DEFAULT, BOTH[1], "float32", False, "gather")),
    ],
)
def test_the_command_exports_what_it_is_told(
    words: list[object], call: tuple[Any, ...], recorded: list[tuple[Any, ...]], dgnet: Commands
) -> None:
    done = dgnet("export", *words)
    assert (done.code, recorded) == (0, [call]), done.err
    assert f"{call[1]}: {call[3]} pictures\nkeep.cfg: " in done.out
    assert Path("keep.cfg").read_text() == KEEP


def test_a_keep_file_of_somebody_else_stays(recorded: list[tuple[Any, ...]], dgnet: Commands) -> None:
    Path("keep.cfg").write_text("OpType::Mul\n")
    done = dgnet("export")
    assert (done.code, len(recorded)) == (0, 1)
    assert done.err == "note: keep.cfg is another file and stays\n"
    assert Path("keep.cfg").read_text() == "OpType::Mul\n"


def test_a_failed_export_leaves_nothing(
    checkpoint: Checkpoint, tmp_path: Path, dgnet: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelzoo.common.errors import ExportError

    def fail(*_: object) -> None:
        raise ExportError("no")

    monkeypatch.setattr("modelzoo.common.export._finish", fail)
    monkeypatch.setattr("modelzoo.common.export._trace", lambda *words: words[-1].touch())
    done = dgnet("export", "--gen", checkpoint.gen, "--output", tmp_path / "x" / "X.onnx")
    assert (done.code, done.error) == (1, "no")
    assert list((tmp_path / "x").iterdir()) == []
