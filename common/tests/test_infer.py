"""How a folder goes through a session: batches, warm-up and repetition, timing without input."""

import json
from pathlib import Path

import numpy as np
import pytest

from modelzoo.common.cli import main
from modelzoo.common.errors import ModelError, UsageError, WriteError
from modelzoo.common.files import locked
from modelzoo.common.infer import InferOptions, infer_folder, infer_nothing
from modelzoo.common.results import ResultFolder
from modelzoo.common.testing.plugin import CommandRunner, tree
from modelzoo.common.testing.stubs import StubSession

RESULTS = ResultFolder("out", "r")


@pytest.fixture
def sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten files in `seq`, of 2, 3, 2, 3, ... numbers."""
    monkeypatch.chdir(tmp_path)
    Path("seq").mkdir()
    for k in range(10):
        np.full(2 + k % 2, k, np.float32).tofile(f"seq/s{k}.bin")


@pytest.mark.parametrize(
    ("warmup", "loop", "batches"),
    [(0, 1, [4, 1, 4, 1]), (1, 1, [4, 4, 1, 4, 1]), (3, 2, [4, 4, 4, 4, 4, 1, 1, 4, 4, 1, 1])],
)
def test_warm_up_repeats_the_first_batch_and_loop_every_batch(
    sequences: None, warmup: int, loop: int, batches: list[int]
) -> None:
    """A batch holds equal lengths only."""
    session = StubSession()
    stats = infer_folder(session, "seq", RESULTS, InferOptions(batchsize=4, loop=loop, warmup_count=warmup))
    assert session.batches == batches
    assert (stats.samples, stats.batchsize, len(stats.milliseconds)) == (10, 4, 4 * loop)
    for k in range(10):
        assert np.fromfile(f"out/r/s{k}_0.bin", np.float32).tolist() == [-k] * (2 + k % 2)


def test_without_output_nothing_is_written(sequences: None, tmp_path: Path) -> None:
    before = tree(tmp_path)
    assert infer_folder(StubSession(), "seq", None, InferOptions()).samples == 10
    infer_nothing(StubSession(shape=("N", 3)), None, InferOptions())
    assert tree(tmp_path) == before


@pytest.mark.parametrize(("batchsize", "shape", "size"), [(None, ("N", 3), 1), (5, ("N", 3), 5), (5, (4, 3), 4)])
def test_timing_without_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batchsize: int | None, shape: tuple[int | str, ...], size: int
) -> None:
    monkeypatch.chdir(tmp_path)
    session = StubSession(shape=shape)
    stats = infer_nothing(session, RESULTS, InferOptions(batchsize, loop=3, warmup_count=2))
    assert session.batches == 5 * [size]
    assert (stats.samples, stats.batchsize, len(stats.milliseconds)) == (0, size, 3)
    assert np.fromfile("out/r/pure_infer_data_0.bin", np.float32).tolist() == size * 3 * [0]


def test_timing_of_a_free_length_needs_input() -> None:
    with pytest.raises(UsageError, match="L"):
        infer_nothing(StubSession(), None, InferOptions())


@pytest.mark.parametrize("at", [1, 2])
def test_error_in_the_model_leaves_no_summary(sequences: None, at: int) -> None:
    session = StubSession()

    def fail(batch: np.ndarray) -> np.ndarray:
        if len(session.batches) > at:
            raise ModelError("no memory")
        return batch

    session.function = fail
    RESULTS.folder.mkdir(parents=True)
    RESULTS.summary.write_text("of an older run")
    with pytest.raises(ModelError, match="no memory"):
        infer_folder(session, "seq", RESULTS, InferOptions(batchsize=4))
    assert not RESULTS.summary.exists()


@pytest.mark.parametrize("inputs", ["seq", None])
def test_error_in_the_warm_up_touches_nothing(sequences: None, tmp_path: Path, inputs: str | None) -> None:
    def fail(batch: np.ndarray) -> np.ndarray:
        raise ModelError("no memory")

    def run(results: ResultFolder) -> None:
        session, options = StubSession(fail, ("N", "L" if inputs else 3)), InferOptions(overwrite=True)
        with pytest.raises(ModelError, match="no memory"):
            infer_folder(session, inputs, results, options) if inputs else infer_nothing(session, results, options)

    RESULTS.folder.mkdir(parents=True)
    for path in (RESULTS.folder / "s0_0.bin", RESULTS.summary):
        path.write_text("of an older run")
    before = tree(tmp_path)
    run(RESULTS)
    assert tree(tmp_path) == before
    run(ResultFolder("new", "r"))
    assert not Path("new").exists()


@pytest.mark.parametrize("inputs", ["seq", None])
def test_a_second_run_into_the_folder_is_refused(sequences: None, tmp_path: Path, inputs: str | None) -> None:
    session, options = StubSession(shape=("N", "L" if inputs else 3)), InferOptions(overwrite=True)
    RESULTS.folder.mkdir(parents=True)
    for path in (RESULTS.folder / "s0_0.bin", RESULTS.summary):
        path.write_text("of the other run")
    before = tree(tmp_path)
    with locked(RESULTS.folder), pytest.raises(WriteError, match="another run is writing into out/r"):
        infer_folder(session, inputs, RESULTS, options) if inputs else infer_nothing(session, RESULTS, options)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("loop", [1, 3])
@pytest.mark.parametrize("size", [4, 100_000_000])
def test_throughput_of_partial_batches_counts_the_samples(sequences: None, size: int, loop: int) -> None:
    stats = infer_folder(StubSession(), "seq", RESULTS, InferOptions(size, loop=loop))
    wanted = pytest.approx(1e3 * 10 * loop / sum(stats.milliseconds))
    assert stats.throughput == wanted
    assert json.loads(RESULTS.summary.read_text())["throughput"] == wanted


def test_throughput_of_a_fixed_batch_is_that_of_ais_bench(sequences: None) -> None:
    for path in Path("seq").iterdir():
        path.write_bytes(bytes(12))
    stats = infer_folder(StubSession(shape=(4, 3)), "seq", RESULTS, InferOptions())
    assert stats.throughput == pytest.approx(1e3 * 4 / np.mean(stats.milliseconds))


@pytest.mark.parametrize("size", [10**13, 10**17, 10**30])
def test_batch_that_does_not_fit_into_memory(sequences: None, size: int) -> None:
    with pytest.raises(UsageError, match=f"a batch of {size} samples of x"):
        infer_nothing(StubSession(shape=("N", 3, 224, 224)), RESULTS, InferOptions(size))
    assert not Path("out").exists()


@pytest.mark.parametrize(("size", "noted"), [("4", False), ("1", True)])
def test_batch_that_the_model_does_not_have_is_noted(
    command: CommandRunner, toys: Path, size: str, noted: bool
) -> None:
    done = command(main, "modelzoo", "infer", "--model", "toyA_bs4.onnx", "--input", "bin10", "--batchsize", size)
    assert done.code == 0
    assert ("fixed to batch 4" in done.err) == noted
    assert "batch 4" in done.out


@pytest.mark.parametrize("flag", [["--loop", "0"], ["--warmup_count", "-1"], ["--pair", "x"], ["--outfmt", "bin"]])
def test_wrong_values_are_wrong_usage(command: CommandRunner, toys: Path, flag: list[str]) -> None:
    before = tree(toys)
    words = ("--model", "toyA_bs4.onnx", "--input", "bin10", "--output", "out", *flag)
    assert command(main, "modelzoo", "infer", *words).code == 2
    assert tree(toys) == before
