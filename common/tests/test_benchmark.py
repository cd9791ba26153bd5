"""Benchmark rows from a session whose clock is known."""

import json
import math
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from modelzoo.common import benchmark as module
from modelzoo.common.benchmark import benchmark, is_published_form, table
from modelzoo.common.cli import main
from modelzoo.common.errors import UsageError
from modelzoo.common.export import TRACED_LENGTH
from modelzoo.common.spec import TensorSpec
from modelzoo.common.testing.toys import save_model, toy_a


@dataclass
class Stub:
    batch: int | str = "N"
    backend = "stub"
    identity = None
    outputs = ()
    runs: int = 0

    @property
    def inputs(self):
        return (TensorSpec("x", "float32", (self.batch, 2)),)

    def run(self, *inputs):
        self.runs += 1
        self.size = len(inputs[0])
        return (inputs[0],)


def test_throughput_and_percentiles_of_known_times(monkeypatch):
    times = [float(t) for t in range(1, 101)]
    monkeypatch.setattr(module, "timed_run", lambda session, inputs, repeat: ((), times[:repeat]))
    rows, _ = benchmark(lambda size: Stub(), [4], loop=100, warmup=0, spec=None)
    assert rows[0].throughput == pytest.approx(1e3 * 4 / 50.5)
    assert rows[0].percentiles == pytest.approx({"p50_ms": 50.5, "p90_ms": 90.1, "p95_ms": 95.05, "p99_ms": 99.01})


def test_warm_up_runs_are_not_counted():
    stub = Stub()
    rows, session = benchmark(lambda size: stub, [3], loop=4, warmup=2, spec=None)
    assert (stub.runs, stub.size, session) == (6, 3, stub)
    assert [row.batchsize for row in rows] == [3]


def test_a_fixed_model_is_measured_at_its_own_batch():
    rows, _ = benchmark(lambda size: Stub(4), [1, 4, 8], loop=1, warmup=0, spec=None)
    assert [row.batchsize for row in rows] == [4]


def test_a_fixed_model_without_its_batch_among_the_sizes():
    with pytest.raises(UsageError, match="fixed to batch 4") as raised:
        benchmark(lambda size: Stub(4), [1, 8], loop=1, warmup=0, spec=None)
    assert raised.value.hint == "--batch-sizes 4"


def test_free_axes_get_the_sizes_of_the_usual_export():
    class Free(Stub):
        @property
        def inputs(self):
            return (TensorSpec("x", "uint8", ("N", "frames", 2)), TensorSpec("y", "uint8", ("N", 3)))

        def run(self, x, y):
            self.seen = [(array.shape, str(array.dtype)) for array in (x, y)]
            return (y,)

    usual = SimpleNamespace(
        inputs=(TensorSpec("x", "float32", ("N", 100, 2)), TensorSpec("y", "float32", ("N", 8))), usual={}
    )
    named = SimpleNamespace(inputs=(TensorSpec("z", "float32", ("N", 8)),), usual={"frames": 30, "persons": 2})
    for spec, frames in ((usual, 100), (named, 30), (None, TRACED_LENGTH)):
        _, session = benchmark(lambda size: Free(), [2], loop=1, warmup=0, spec=spec)
        assert session.seen == [((2, frames, 2), "uint8"), ((2, 3), "uint8")]


def test_the_published_row_of_the_same_batch_stands_beside():
    rows, _ = benchmark(lambda size: Stub(), [1, 2], loop=1, warmup=0, spec=None)
    lines = table(rows, {"throughput": {"rows": [{"batchsize": 2, "chip": "310P3", "throughput": 99.6}]}})
    assert [line.split()[-2:] for line in lines[2:]] == [["100", "(310P3)"]]
    assert lines[1].split()[-1] == "-"


@pytest.mark.parametrize(
    ("sizes", "form", "same"),
    [
        (("N", 17, 4), {"flip": False, "dtype": "uint8"}, True),
        (("rows", 17, "free"), {}, False),
        (("N", 17, 4), {"flip": True}, False),
        (("N", 80), {"flip": False}, False),
    ],
)
def test_numbers_of_another_form_are_not_beside(sizes, form, same):
    spec = SimpleNamespace(outputs=(TensorSpec("maps", "float32", ("N", 17, 4)),))
    session = SimpleNamespace(outputs=(TensorSpec("y", "float32", sizes),), identity=SimpleNamespace(form=form))
    assert is_published_form(session, spec, {"throughput": {"of": {"flip": False}}}) is same
    assert is_published_form(SimpleNamespace(outputs=spec.outputs, identity=None), spec, {})


def test_the_command_opens_the_file_of_each_batch_size_and_writes_json(command, tmp_path):
    for size in (1, 4):
        save_model(tmp_path / f"toy_bs{size}.onnx", toy_a(size))
    done = command(
        main, "modelzoo", "benchmark", "--model", tmp_path / "toy_bs{bs}.onnx", "--batch-sizes", "1,4", "--loop", "3",
        "--json", tmp_path / "b.json",
    )  # fmt: skip
    assert done.code == 0
    content = json.loads((tmp_path / "b.json").read_text())
    assert [row["batchsize"] for row in content["rows"]] == [1, 4]
    assert all(math.isfinite(row[key]) for row in content["rows"] for key in ("throughput", "p50_ms", "p99_ms"))
    assert set(content["rows"][0]) == {"batchsize", "throughput", "p50_ms", "p90_ms", "p95_ms", "p99_ms"}
    assert (content["backend"], content["loop"]) == ("onnxruntime", 3)
    assert content["environment"]["versions"]["onnxruntime"]
    assert [line.split()[0] for line in done.out.splitlines()] == ["batch", "1", "4"]


@pytest.mark.parametrize("sizes", ["0", "1,x", "", "4,-1"])
def test_batch_sizes_that_are_none(command, tmp_path, sizes):
    done = command(main, "modelzoo", "benchmark", "--model", "x.onnx", "--batch-sizes", sizes)
    assert done.code == 2
    assert "--batch-sizes" in done.error
