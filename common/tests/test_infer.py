"""How a folder goes through a session: batches, warm-up and repetition, timing without input."""

from pathlib import Path

import numpy as np
import pytest

from modelzoo.common.cli import main
from modelzoo.common.errors import ModelError, UsageError
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


@pytest.mark.parametrize("at", [0, 2])
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
