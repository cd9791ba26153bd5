"""From a torch network to an ONNX file: what the file is, and what is refused before it gets its name."""

import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from modelzoo.common.errors import ExportError
from modelzoo.common.export import TRACED_LENGTH, export_onnx, random_inputs
from modelzoo.common.session import open_session
from modelzoo.common.spec import Identity, TensorSpec
from modelzoo.common.testing.plugin import tree
from modelzoo.common.testing.processes import run_python

X = TensorSpec("x", "float32", ("N", 3, 8), "NCL, normalised")
Y = TensorSpec("y", "float32", ("N", 4))
Z = TensorSpec("z", "float32", ("N", 3, 8))
IDENTITY = Identity("toy", "1.2", (X,), (Y, Z), {"neck": "after", "行": 1}, {"input_format": "ND"})
SAME = replace(IDENTITY, outputs=(Z,))


class Network(torch.nn.Module):
    """A little of everything that the models have: reshape, normalisation, matrix product, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(3)
        self.linear = torch.nn.Linear(24, 4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        normed = torch.relu(self.norm(x))
        return self.linear(normed.flatten(1)), normed


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(1)
    return Network().eval()


@pytest.fixture(scope="module")
def exported(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_onnx(network, IDENTITY, tmp_path_factory.mktemp("export") / "new" / "toy.onnx", 1e-5)


def axes(value: onnx.ValueInfoProto) -> list[int | str]:
    return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]


def test_file_is_what_a_conversion_takes(exported: Path) -> None:
    model = onnx.load(exported, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 11)]
    assert model.ir_version <= 8
    assert {value.name: axes(value) for value in model.graph.input} == {"x": ["N", 3, 8]}
    assert {value.name: axes(value) for value in model.graph.output} == {"y": ["N", 4], "z": ["N", 3, 8]}
    assert all(node.domain == "" for node in model.graph.node)
    assert all(weight.data_location != onnx.TensorProto.EXTERNAL for weight in model.graph.initializer)
    assert set(tree(exported.parent)) == {"toy.onnx"}


def test_file_says_what_it_is(exported: Path) -> None:
    session = open_session(exported)
    assert session.identity == IDENTITY
    assert session.inputs == (X,)
    model = onnx.load(exported)
    assert (model.producer_name, model.producer_version) == ("modelzoo-toy", "1.2")


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_file_gives_the_same_as_torch(network: Network, exported: Path, batch: int) -> None:
    x = np.random.default_rng(batch).standard_normal((batch, 3, 8)).astype(np.float32)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(x))
    for want, got in zip(wanted, open_session(exported).run(x), strict=True):
        np.testing.assert_allclose(got, want.numpy(), atol=1e-6)


def test_same_network_gives_the_same_file(network: Network, exported: Path, tmp_path: Path) -> None:
    again = export_onnx(network, IDENTITY, tmp_path / "toy.onnx", 1e-5)
    assert again.read_bytes() == exported.read_bytes()


class Twice(torch.nn.Module):
    """Right in eager mode; `wrong` is added while it is traced."""

    def __init__(self, wrong: float = 0.0, size: float = 1.0) -> None:
        super().__init__()
        self.wrong, self.size = wrong, size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.size * x.clamp(-1, 1) + (self.wrong if torch.jit.is_tracing() else 0.0)


class RandomConstant(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + random.random()


class RandomNode(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.rand_like(x)


class BranchOnBatch(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x if len(x) == 2 else 3 * x


class BranchOnData(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x if float(x.abs().sum()) < 48 else 3 * x  # 19 a sample


class BakedBatch(torch.nn.Module):
    """Right for every batch size in eager mode; the graph holds the one of the trace."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(int(x.shape[0]), 3, -1)


class BakedBatchBeforeProduct(BakedBatch):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) @ torch.ones(8, 8)


class BakedOutput(torch.nn.Module):
    """The graph gives one row whatever the batch; it would broadcast in a comparison."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (0 * x.sum(0, keepdim=True)).expand(int(x.shape[0]) if not torch.jit.is_tracing() else 1, 3, 8)


class NotANumber(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / (x - x)


class OnlyInTheGraph(torch.nn.Module):
    """Infinity only where it was traced."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (torch.inf if torch.jit.is_tracing() else 1.0)


class NoSuchOperator(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.special.bessel_j0(x)


class OtherShape(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)


class OtherSize(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, :7]


class InputUnused(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ones(int(x.shape[0]), 3, 8)


class OneOutputTooMany(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return 2 * x, 3 * x


REFUSED = [
    RandomConstant,
    RandomNode,
    BranchOnBatch,
    BranchOnData,
    BakedBatch,
    BakedBatchBeforeProduct,
    BakedOutput,
    NotANumber,
    OnlyInTheGraph,
    NoSuchOperator,
    OtherShape,
    OtherSize,
    InputUnused,
    OneOutputTooMany,
]


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("older", [{}, {"toy.onnx": b"older"}], ids=["new", "replaced"])
@pytest.mark.parametrize("network", REFUSED)
def test_graph_that_differs_is_refused_and_nothing_is_written(
    tmp_path: Path, network: type[torch.nn.Module], older: dict[str, bytes]
) -> None:
    for name, data in older.items():
        (tmp_path / name).write_bytes(data)
    before = tree(tmp_path)
    with pytest.raises(ExportError):
        export_onnx(network().eval(), SAME, tmp_path / "toy.onnx", 1e-5)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("wrong", "size", "tolerance"),
    [(1e-3, 1, 1.1e-3), (1e-3, 0.01, 1.1e-3), (1e-2, 100, 1.1e-4), (0, 1, 0)],
)
def test_difference_within_the_tolerance_is_accepted(
    tmp_path: Path, wrong: float, size: float, tolerance: float
) -> None:
    """Absolute, and in units of the largest value where that is above 1."""
    assert export_onnx(Twice(wrong, size), SAME, tmp_path / "toy.onnx", tolerance).exists()


@pytest.mark.parametrize(
    ("wrong", "size", "tolerance"),
    [(1e-3, 1, 9e-4), (1e-3, 0.01, 9e-4), (1e-2, 100, 9e-5), (1e-3, 1, 0)],
)
def test_difference_beyond_the_tolerance_is_refused(
    tmp_path: Path, wrong: float, size: float, tolerance: float
) -> None:
    with pytest.raises(ExportError, match="z of the exported graph differs from torch by"):
        export_onnx(Twice(wrong, size), SAME, tmp_path / "toy.onnx", tolerance)
    assert tree(tmp_path) == {}


def test_free_axis_keeps_its_name(tmp_path: Path) -> None:
    frames = Identity("toy", "1", (TensorSpec("x", "float32", ("N", "T", 3)),), (TensorSpec("y", "float32", ("N", 3)),))

    class Longest(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.max(dim=1).values

    session = open_session(export_onnx(Longest(), frames, tmp_path / "toy.onnx", 1e-6))
    assert session.inputs == frames.inputs
    for length in (1, 4, 9):
        x = np.random.default_rng(length).standard_normal((2, length, 3)).astype(np.float32)
        assert np.array_equal(session.run(x)[0], x.max(axis=1))


def test_a_length_that_the_trace_has_fixed_is_found(tmp_path: Path) -> None:
    free = (TensorSpec("x", "float32", ("N", "T", 3)),)

    class Mean(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.sum(dim=1) / int(x.shape[1])

    with pytest.raises(ExportError, match="y of the exported graph differs from torch by"):
        export_onnx(
            Mean(), Identity("toy", "1", free, (TensorSpec("y", "float32", ("N", 3)),)), tmp_path / "x.onnx", 1e-6
        )
    assert tree(tmp_path) == {}


def test_random_inputs_are_repeatable_and_fill_the_range() -> None:
    specs = (X, TensorSpec("u", "uint8", ("N", 64, 64, 3)), TensorSpec("f", "float16", ("N", "T", 2)))
    first, again = (random_inputs(specs, 2, free=5) for _ in range(2))
    assert [array.shape for array in first] == [(2, 3, 8), (2, 64, 64, 3), (2, 5, 2)]
    assert [array.dtype for array in first] == ["float32", "uint8", "float16"]
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert (first[1].min(), first[1].max()) == (0, 255)
    assert first[0].min() < 0 < first[0].max()


def test_random_whole_numbers_other_than_pixels_are_places_on_the_free_axis() -> None:
    (places,) = random_inputs([TensorSpec("i", "int64", ("N", 200))], 2, free=5)
    assert (places.dtype, places.min(), places.max()) == ("int64", 0, 4)


def test_an_axis_that_is_free_in_the_trace_is_fixed_in_the_file(tmp_path: Path) -> None:
    class Counting(torch.nn.Module):
        traced: tuple[int, ...] = ()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.traced = self.traced or tuple(map(int, x.shape))
            return x.sum(dim=1)

    network = Counting()
    fixed = Identity("toy", "1", (TensorSpec("x", "float32", ("N", 7, 3)),), (TensorSpec("y", "float32", ("N", 3)),))
    shorter = (TensorSpec("x", "float32", ("N", "clips", 3)),)
    session = open_session(export_onnx(network, fixed, tmp_path / "toy.onnx", 1e-6, traced=shorter))
    assert network.traced == (2, TRACED_LENGTH, 3)
    assert session.inputs == fixed.inputs


def test_output_that_cannot_be_written_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").mkdir()
    with pytest.raises(Exception, match=re.escape(str(tmp_path / "toy.onnx"))) as caught:
        export_onnx(Twice(), SAME, tmp_path / "toy.onnx", 1e-5)
    assert type(caught.value).__name__ == "WriteError"
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("missing", ["torch", "onnx", "onnxsim"])
def test_missing_exporter_says_what_to_install(tmp_path: Path, missing: str) -> None:
    program = """
import sys
from pathlib import Path
from modelzoo.common.cli import Command, run_program
sys.modules[sys.argv.pop(1)] = None  # as if it were not installed

def export(arguments):
    from modelzoo.common.export import export_onnx
    from modelzoo.common.spec import Identity
    export_onnx(None, Identity("toy", "1", (), ()), Path("new/toy.onnx"), 1e-5)

sys.argv[0] = "toy"
sys.exit(run_program("toy", "", "1", [Command("export", "", lambda parser: None, export)]))
"""
    done = run_python(program, missing, "export", folder=tmp_path)
    assert done.code == 3
    assert f"needs {missing}," in done.error
    assert "./packages/toy[export]" in done.hint
    assert list(tmp_path.iterdir()) == []
