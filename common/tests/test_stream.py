"""Work units through a model: order, batches, errors, interruption, and memory that does not grow."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from modelzoo.common.batch import BatchBuffers, run_batch
from modelzoo.common.errors import DataError, ModelError, ZooError
from modelzoo.common.stream import WAITING_BATCHES, StreamStats, finish, stream
from modelzoo.common.testing.processes import PATIENCE_S, run_python
from modelzoo.common.testing.stubs import StubSession
from modelzoo.common.work import Deferred, Sample, SampleInfo, Skipped, Threads, WorkUnit, bounded_map, in_order

ONE = Threads(1)
THREADS = [ONE, Threads(2), Threads(8), Threads(1, chunk=5), Threads(3, chunk=4)]


class Collector:
    """An evaluator that keeps everything."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, list[float]]] = []

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        self.rows.append((info.stem, outputs[0].tolist()))

    def result(self) -> dict[str, int]:
        return {"rows": len(self.rows)}


def values(number: int, length: int = 2) -> np.ndarray:
    return np.arange(number, number + length, dtype=np.float32)


def unit(number: int, *lengths: int) -> WorkUnit:
    """A unit of one sample for each length."""

    def load() -> list[Sample]:
        infos = [SampleInfo(f"{number}.{part}", f"{number}.jpg") for part in range(len(lengths))]
        return [Sample(info, (values(number, n),)) for info, n in zip(infos, lengths, strict=True)]

    return WorkUnit(f"{number}.jpg", load)


def wanted(number: int, part: int = 0, length: int = 2) -> tuple[str, list[list[float]]]:
    return f"{number}.{part}", [(-values(number, length)).tolist()]


def bad_unit(error: Exception) -> WorkUnit:
    def load() -> list[Sample]:
        raise error

    return WorkUnit("bad.jpg", load)


@pytest.mark.parametrize("batchsize", [1, 3, 4, 50])
@pytest.mark.parametrize("threads", THREADS)
def test_order_and_results(threads: Threads, batchsize: int) -> None:
    collector, session = Collector(), StubSession()
    stats = stream((unit(k, 2) for k in range(23)), session, collector, batchsize, threads)
    assert collector.rows == [wanted(k) for k in range(23)]
    assert session.batches == [batchsize] * (23 // batchsize) + [23 % batchsize] * (23 % batchsize > 0)
    assert (stats.samples, stats.skipped, len(stats.batch_ms)) == (23, [], len(session.batches))


def test_order_does_not_depend_on_which_unit_is_ready_first() -> None:
    """The first unit ends only after the second one has."""
    second_is_ready = threading.Event()

    def wait() -> list[Sample]:
        assert second_is_ready.wait(PATIENCE_S)
        return unit(0, 2).load()

    def ready() -> list[Sample]:
        second_is_ready.set()
        return unit(1, 2).load()

    collector = Collector()
    stream([WorkUnit("0.jpg", wait), WorkUnit("1.jpg", ready)], StubSession(), collector, 1, Threads(2))
    assert collector.rows == [wanted(0), wanted(1)]


def test_units_of_several_samples_fill_common_batches() -> None:
    collector, session = Collector(), StubSession()
    stream([unit(0, 2, 2, 2), unit(1), unit(2, 2), unit(3, 2, 2)], session, collector, 4, Threads(2))
    assert [name for name, _ in collector.rows] == ["0.0", "0.1", "0.2", "2.0", "3.0", "3.1"]
    assert session.batches == [4, 2]


@pytest.mark.parametrize("batchsize", [1, 2, 3, 8])
@pytest.mark.parametrize("threads", THREADS)
def test_shapes_may_differ(threads: Threads, batchsize: int) -> None:
    lengths = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]
    collector, session = Collector(), StubSession()
    stats = stream((unit(k, n) for k, n in enumerate(lengths)), session, collector, batchsize, threads)
    assert sorted(collector.rows) == sorted(wanted(k, 0, n) for k, n in enumerate(lengths))
    assert max(session.batches) <= batchsize
    assert sum(session.batches) == stats.samples == len(lengths)


def test_samples_that_wait_for_their_shape_are_few() -> None:
    """With ever new shapes no batch fills up; still only a few samples wait."""
    collector = Collector()
    most = 0

    def units() -> Iterator[WorkUnit]:
        nonlocal most
        for k in range(300):
            most = max(most, k - len(collector.rows))
            yield unit(k, 1 + k)

    stream(units(), StubSession(), collector, 4, ONE)
    assert len(collector.rows) == 300
    assert most <= 4 * WAITING_BATCHES + 4


def test_fixed_batch_is_filled_up_with_its_first_sample() -> None:
    seen = []

    def negative(batch: np.ndarray) -> np.ndarray:
        seen.append(batch[:, 0].tolist())
        return -batch

    collector = Collector()
    stream((unit(k, 2) for k in range(6)), StubSession(negative, (4, 2)), collector, 4, ONE)
    assert seen == [[0, 1, 2, 3], [4, 5, 4, 4]]
    assert collector.rows == [wanted(k) for k in range(6)]


def test_several_rows_a_sample_stay_together() -> None:
    collector = Collector()
    session = StubSession(lambda batch: np.repeat(batch[:, :1], 3, axis=0))
    stream((unit(k, 2) for k in range(5)), session, collector, 2, ONE)
    assert collector.rows == [(f"{k}.0", 3 * [[k]]) for k in range(5)]


@pytest.mark.parametrize("function", [lambda batch: batch, lambda batch: batch[:, ::-1]], ids=["itself", "a view"])
def test_outputs_survive_the_next_batch(function: Callable[[np.ndarray], np.ndarray]) -> None:
    """A model may hand back a view of its input, whose memory is used again."""
    kept = []

    class Keeper(Collector):
        def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
            kept.append(outputs[0])

    stream((unit(k, 2) for k in range(6)), StubSession(function), Keeper(), 2, ONE)
    assert [sorted(output[0].tolist()) for output in kept] == [[k, k + 1] for k in range(6)]


def test_deferred_arrays_are_filled_in() -> None:
    def deferred(number: int) -> WorkUnit:
        def fill(place: np.ndarray) -> None:
            place[:] = values(number)

        sample = Sample(SampleInfo(f"{number}.0", ""), (Deferred((2,), "float32", fill),))
        return WorkUnit(f"{number}.jpg", lambda: [sample])

    collector = Collector()
    stream([unit(0, 2), *map(deferred, range(1, 6))], StubSession(), collector, 4, Threads(2))
    assert collector.rows == [wanted(k) for k in range(6)]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_dtype_is_never_changed_silently(place: int) -> None:
    """A sample of another dtype is an error wherever it stands in its batch."""
    other = Sample(SampleInfo("other", "other.jpg"), (values(7).astype(np.float64),))
    units = [unit(k, 2) for k in range(3)]
    units[place] = WorkUnit("other.jpg", lambda: [other])
    with pytest.raises(ModelError, match="float64"):
        stream(units, StubSession(), Collector(), 3, ONE)


def test_batch_of_unequal_samples_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"\(1,\)"):
        run_batch(StubSession(), [(values(0, 3),), (values(0, 1),)])


def test_buffers_are_kept_while_the_shape_stays() -> None:
    buffers = BatchBuffers()
    first = buffers.assemble(0, [values(k) for k in range(4)])
    second = buffers.assemble(0, [values(k) for k in range(5, 8)])
    assert np.shares_memory(first, second)
    assert np.array_equal(second, [values(k) for k in range(5, 8)])
    assert second.flags.c_contiguous
    for arrays in ([values(k) for k in range(5)], [values(0, 3)], [values(0).astype(np.float16)]):
        assert np.array_equal(buffers.assemble(0, arrays), arrays)
    assert not np.shares_memory(buffers.assemble(0, [values(0)]), buffers.assemble(1, [values(0)]))


ERRORS = {
    "DataError": (DataError("bad.jpg is not an image"), DataError, "bad.jpg is not an image"),
    "DataError without a name": (DataError("the box is empty"), DataError, "bad.jpg.*the box is empty"),
    "OSError": (OSError(5, "Input/output error"), DataError, "cannot read bad.jpg: Input/output error"),
    "missing file": (FileNotFoundError(2, "No such file", "bad.jpg"), DataError, "bad.jpg: No such file"),
}
FAULTS = {
    "ValueError": (ValueError("of 3 numbers"), ZooError, "bad.jpg: ValueError: of 3 numbers"),
    "without text": (IndexError(), ZooError, "bad.jpg: IndexError"),
    "StopIteration": (StopIteration(), ZooError, "bad.jpg: StopIteration"),
    "AssertionError": (AssertionError("no"), ZooError, "bad.jpg: AssertionError: no"),
}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(("error", "kind", "text"), (ERRORS | FAULTS).values(), ids=ERRORS | FAULTS)
def test_error_comes_out_with_the_name_of_its_unit(
    error: Exception, kind: type[Exception], text: str, threads: Threads
) -> None:
    units = [*(unit(k, 2) for k in range(5)), bad_unit(error), *(unit(k, 2) for k in range(50))]
    with pytest.raises(kind, match=text):
        stream(units, StubSession(), Collector(), 2, threads)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(("error", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_bad_data_are_skipped_if_asked(error: Exception, kind: type[Exception], text: str, threads: Threads) -> None:
    collector = Collector()
    units = [unit(0, 2), bad_unit(error), unit(1, 2), bad_unit(error), unit(2, 2)]
    stats = stream(units, StubSession(), collector, 2, threads, on_error="skip")
    assert collector.rows == [wanted(k) for k in range(3)]
    assert [skipped.source for skipped in stats.skipped] == ["bad.jpg", "bad.jpg"]
    assert stats.samples == 3


@pytest.mark.parametrize(("error", "kind", "text"), FAULTS.values(), ids=FAULTS)
def test_faults_of_the_program_are_never_skipped(error: Exception, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        stream([unit(0, 2), bad_unit(error)], StubSession(), Collector(), 2, ONE, on_error="skip")


def test_first_error_wins_whichever_comes_first_in_time() -> None:
    later_has_failed = threading.Event()

    def fail_late() -> list[Sample]:
        assert later_has_failed.wait(PATIENCE_S)
        raise DataError("first.jpg")

    def fail_early() -> list[Sample]:
        later_has_failed.set()
        raise DataError("second.jpg")

    with pytest.raises(DataError, match=r"first\.jpg"):
        stream(
            [WorkUnit("first.jpg", fail_late), WorkUnit("second.jpg", fail_early)],
            StubSession(),
            Collector(),
            2,
            Threads(2),
        )


def test_nothing_goes_on_after_an_error() -> None:
    """What the threads had begun is finished when the error comes out."""
    begun, ended, out = threading.Event(), threading.Event(), threading.Event()

    def fail() -> list[Sample]:
        begun.wait(PATIENCE_S)
        raise DataError("bad.jpg")

    def go_on() -> list[Sample]:
        begun.set()
        out.wait(0.3)
        ended.set()
        return []

    with pytest.raises(DataError, match=r"bad\.jpg"):
        stream([WorkUnit("bad.jpg", fail), WorkUnit("b.jpg", go_on)], StubSession(), Collector(), 2, Threads(2))
    has_ended = ended.is_set()
    out.set()
    assert has_ended


@pytest.mark.parametrize("thrown", [ValueError("in the model"), KeyboardInterrupt()])
def test_error_in_the_model_or_evaluator_ends_the_work(thrown: BaseException) -> None:
    taken = []

    def units() -> Iterator[WorkUnit]:
        for k in range(10_000):
            taken.append(k)
            yield unit(k, 2)

    def fail(batch: np.ndarray) -> np.ndarray:
        raise thrown

    with pytest.raises(type(thrown)):
        stream(units(), StubSession(fail), Collector(), 4, Threads(2))
    assert len(taken) < 50


@pytest.mark.parametrize("threads", THREADS)
def test_work_is_taken_as_it_is_needed(threads: Threads) -> None:
    taken = []

    def items() -> Iterator[int]:
        for k in range(10_000):
            taken.append(k)
            yield k

    results = bounded_map(lambda k: -k, items(), threads)
    assert [next(results) for _ in range(20)] == [-k for k in range(20)]
    assert len(taken) <= 20 + (3 * threads.workers + 1) * threads.chunk
    results.close()


@pytest.mark.parametrize("threads", THREADS)
def test_map_takes_and_gives_everything(threads: Threads) -> None:
    assert list(bounded_map(str, range(100), threads)) == list(map(str, range(100)))
    assert list(bounded_map(str, [], threads)) == []


def test_every_thread_works() -> None:
    """Four units that wait for each other end only if four threads run them."""
    barrier = threading.Barrier(4)
    assert len(list(bounded_map(lambda _: barrier.wait(PATIENCE_S), range(4), Threads(4)))) == 4


def test_skipped_says_why() -> None:
    (skipped,) = in_order(lambda unit: unit.load(), [bad_unit(DataError("bad.jpg is empty"))], ONE, "skip")
    assert skipped == Skipped("bad.jpg", "bad.jpg is empty")


def test_nothing_to_do() -> None:
    collector = Collector()
    stats = stream([], StubSession(), collector, 4, Threads(2))
    assert (stats.samples, collector.rows, stats.batch_ms) == (0, [], [])


def test_times_add_up() -> None:
    collector = Collector()
    stats = stream((unit(k, 2) for k in range(9)), StubSession(), collector, 4, ONE)
    assert stats.inference_s == pytest.approx(sum(stats.batch_ms) / 1e3)
    assert 0 < stats.inference_s + stats.postprocess_s <= stats.wall_s
    assert stats.preprocess_s > 0
    before = StreamStats(**vars(stats))
    assert finish(collector, stats) == {"rows": 9}
    assert stats.wall_s - before.wall_s == pytest.approx(stats.postprocess_s - before.postprocess_s)


INTERRUPTED = """
import signal, sys, time
import numpy as np
from modelzoo.common.cli import Command, run_program
from modelzoo.common.preprocess import PreprocessJob, write_folders
from modelzoo.common.spec import TensorSpec
from modelzoo.common.stream import stream
from modelzoo.common.testing.stubs import StubSession
from modelzoo.common.work import Sample, SampleInfo, Threads, WorkUnit
from pathlib import Path

def unit(k):
    def load():
        time.sleep(0.01)
        if k == 20:
            print("under way", flush=True)
        return [Sample(SampleInfo(str(k), str(k)), (np.zeros(2, np.float32),))]
    return WorkUnit(str(k), load)

class Nobody:
    def update(self, info, outputs):
        pass

def run(arguments):
    stream(map(unit, range(1_000_000)), StubSession(), Nobody(), 4, Threads(2, 3))

def preprocess(arguments):
    job = PreprocessJob("toy", "1", [arguments.out], [TensorSpec("x", "float32", ("N", 2))],
                        [unit(k) for k in range(100_000)], Threads(2))
    write_folders(job)

signal.signal(signal.SIGINT, signal.default_int_handler)
commands = [Command("run", "", lambda parser: None, run),
            Command("preprocess", "", lambda parser: parser.add_argument("out", type=Path), preprocess)]
sys.argv[0] = "toy"
sys.exit(run_program("toy", "", "1", commands))
"""


@pytest.mark.parametrize("words", [["run"], ["preprocess", "bins"]])
def test_ctrl_c_ends_the_command(tmp_path, words: list[str]) -> None:
    """Without it the units, 10 ms each, would take many minutes."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, *words], cwd=tmp_path, stdout=-1, stderr=-1, text=True
    ) as process:
        assert process.stdout.readline() == "under way\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


PEAK = """
import resource, sys
import numpy as np
from modelzoo.common.stream import stream
from modelzoo.common.testing.stubs import StubSession
from modelzoo.common.work import Sample, SampleInfo, Threads, WorkUnit

count, leak = int(sys.argv[1]), sys.argv[2] == "leak"
kept = []

def unit(k):
    return WorkUnit(str(k), lambda: [Sample(SampleInfo(str(k), str(k)), (np.full(25_000, k, np.float32),))])

class Sum:
    total = 0.0
    def update(self, info, outputs):
        self.total += float(outputs[0][0, 0])
        if leak:
            kept.append(outputs[0].copy())

evaluator = Sum()
stats = stream(map(unit, range(count)), StubSession(), evaluator, 8, Threads(2, 2))
assert (stats.samples, evaluator.total) == (count, -count * (count - 1) / 2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
IN_ITS_OWN = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]], check=True)"
SAMPLE_KB = 100


def peak_kb(count: int, how: str) -> int:
    """Peak memory of a run; started by a small process, because a child's peak begins with that of its parent."""
    done = run_python(IN_ITS_OWN, PEAK, count, how)
    assert done.code == 0, done.err
    return int(done.out)


def test_memory_does_not_grow_with_the_number_of_samples() -> None:
    """9,000 more samples of 100 kB are 900 MB; less than 30 MB more may be seen."""
    assert peak_kb(10_000, "free") - peak_kb(1_000, "free") < 300 * SAMPLE_KB


def test_measured_memory_shows_a_leak() -> None:
    """The same measurement where every sample is kept: 900 more are seen."""
    assert peak_kb(1_000, "leak") - peak_kb(100, "leak") > 800 * SAMPLE_KB
