"""Work units into .bin folders: what is written, what is refused, and how an interrupted run goes on."""

import fcntl
import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modelzoo.common.errors import DataError, WriteError
from modelzoo.common.index import index_path, read_index
from modelzoo.common.preprocess import PreprocessJob, write_folders
from modelzoo.common.spec import TensorSpec
from modelzoo.common.testing.plugin import tree
from modelzoo.common.testing.processes import run_python
from modelzoo.common.work import Deferred, Sample, SampleInfo, Skipped, Threads, WorkUnit

ONE = Threads(1)
PAIR = TensorSpec("pair", "float32", ("N", 2))
NEGATIVE = TensorSpec("negative", "int32", ("N", 1))


class Source:
    """A folder of text files with one number each, and which of them were loaded."""

    def __init__(self, folder: Path, numbers: Sequence[int]) -> None:
        self.folder = folder
        self.loaded: list[str] = []
        folder.mkdir()
        for number in numbers:
            self.write(f"s{number}", str(number))

    def write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.txt").write_text(text)

    def units(self, known: bool = True) -> list[WorkUnit]:
        return [self._unit(path, known) for path in sorted(self.folder.iterdir())]

    def _unit(self, path: Path, known: bool) -> WorkUnit:
        info = SampleInfo(path.stem, path.name, {"length": 2})

        def load() -> list[Sample]:
            self.loaded.append(path.stem)
            text = path.read_text()
            if not text.isdigit():
                raise DataError(f"{path.name} holds no number")
            number = int(text)
            return [Sample(info, (np.array([number, 10 * number], np.float32), np.array([-number], np.int32)))]

        return WorkUnit(path.name, load, (info,) if known else None, path)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source", range(6))


@pytest.fixture
def job(tmp_path: Path, source: Source) -> PreprocessJob:
    folders = [tmp_path / "out" / "one", tmp_path / "out" / "two"]
    command = {"source": "source", "dtype": "a"}
    return PreprocessJob("toy", "1.0", folders, [PAIR, NEGATIVE], source.units(), ONE, command)


def age(path: Path, seconds: float) -> None:
    """Make a file older (or, with less than 0, newer) than everything that is written now."""
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


def numbers_in(folder: Path, dtype: str) -> dict[str, list[float]]:
    return {path.stem: np.fromfile(path, dtype).tolist() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("threads", [ONE, Threads(2), Threads(7), Threads(1, chunk=4), Threads(2, chunk=100)])
def test_files_and_indices(job: PreprocessJob, threads: Threads) -> None:
    index = write_folders(replace(job, threads=threads))
    one, two = job.folders
    assert numbers_in(one, "<f4") == {f"s{k}": [k, 10 * k] for k in range(6)}
    assert numbers_in(two, "<i4") == {f"s{k}": [-k] for k in range(6)}
    samples = tuple(SampleInfo(f"s{k}", f"s{k}.txt", {"length": 2}) for k in range(6))
    for folder, tensor in ((one, PAIR), (two, NEGATIVE)):
        written = read_index(index_path(folder))
        assert (written.model, written.version, written.inputs) == ("toy", "1.0", (tensor,))
        assert (written.complete, written.samples, written.skipped) == (True, samples, ())
    assert (tuple(index.samples), index.inputs, index.complete) == (samples, (PAIR, NEGATIVE), True)
    assert len(tree(one.parent)) == 14


def test_unit_may_give_several_samples_or_none(tmp_path: Path) -> None:
    def unit(name: str, count: int) -> WorkUnit:
        infos = [SampleInfo(f"{name}{k}", f"{name}.jpg") for k in range(count)]
        return WorkUnit(f"{name}.jpg", lambda: [Sample(info, (np.zeros(2, np.float32),)) for info in infos])

    units = [unit("a", 2), unit("b", 0), unit("c", 3)]
    index = write_folders(PreprocessJob("toy", "1.0", [tmp_path / "bins"], [PAIR], units, ONE))
    assert [sample.stem for sample in index.samples] == ["a0", "a1", "c0", "c1", "c2"]
    assert set(tree(tmp_path / "bins")) == {f"{sample.stem}.bin" for sample in index.samples}


def test_deferred_array_is_written(tmp_path: Path) -> None:
    def fill(place: np.ndarray) -> None:
        place[:] = 7, 8

    sample = Sample(SampleInfo("a", "a.jpg"), (Deferred((2,), "float32", fill),))
    write_folders(PreprocessJob("toy", "1.0", [tmp_path / "bins"], [PAIR], [WorkUnit("a.jpg", lambda: [sample])], ONE))
    assert numbers_in(tmp_path / "bins", "<f4") == {"a": [7, 8]}


def test_index_is_incomplete_while_the_run_is_under_way(tmp_path: Path) -> None:
    folder = tmp_path / "bins"
    seen = []

    def load() -> list[Sample]:
        seen.append(read_index(index_path(folder)).complete)
        return []

    write_folders(PreprocessJob("toy", "1.0", [folder], [PAIR], [WorkUnit("a", load)], ONE))
    assert seen == [False]
    assert read_index(index_path(folder)).complete


IN_USE = {
    "a file of someone else": lambda folder: (folder / "notes.txt").touch(),
    "bins without an index": lambda folder: (folder / "s1.bin").touch(),
    "a hidden file": lambda folder: (folder / ".hidden").touch(),
    "a folder": lambda folder: (folder / "s1").mkdir(),
}


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("fill", IN_USE.values(), ids=IN_USE)
def test_folder_in_use_is_refused(
    job: PreprocessJob, source: Source, fill: Callable[[Path], object], which: int
) -> None:
    folder = job.folders[which]
    folder.mkdir(parents=True)
    fill(folder)
    before = tree(folder.parent)
    with pytest.raises(DataError, match=str(folder)) as caught:
        write_folders(job)
    assert "--overwrite" in caught.value.hint
    assert tree(folder.parent) == before
    assert source.loaded == []


def test_finished_run_is_not_continued(job: PreprocessJob) -> None:
    write_folders(job)
    before = tree(job.folders[0].parent)
    with pytest.raises(DataError, match="not empty"):
        write_folders(job)
    assert tree(job.folders[0].parent) == before


def test_overwrite_removes_bins_and_index_and_nothing_else(job: PreprocessJob, source: Source) -> None:
    one, two = job.folders
    (one / "sub").mkdir(parents=True)
    kept = ["notes.txt", "old.bin.bak", "old.npy", "sub/old.bin", "../old.bin", "../other_index.json"]
    for name in (*kept, "old.bin", "s1.bin", "../one_index.json"):
        (one / name).write_text("older")
    write_folders(replace(job, overwrite=True))
    assert source.loaded == [f"s{k}" for k in range(6)]
    names = {"old.bin", "other_index.json", "one_index.json", "two_index.json"}
    names |= {f"one/{name}" for name in kept if ".." not in name}
    names |= {f"{folder.name}/s{k}.bin" for folder in (one, two) for k in range(6)}
    assert set(tree(one.parent)) == names
    assert all((one / name).read_text() == "older" for name in kept)
    assert read_index(index_path(one)).complete


def test_failed_run_is_continued(job: PreprocessJob, source: Source) -> None:
    source.write("s5", "not a number")
    with pytest.raises(DataError, match=r"s5\.txt holds no number"):
        write_folders(job)
    assert not read_index(index_path(job.folders[0])).complete
    assert not (job.folders[0] / "s5.bin").exists()
    source.write("s5", "5")
    source.loaded.clear()
    write_folders(job)
    assert source.loaded == ["s5"]
    assert numbers_in(job.folders[0], "<f4") == {f"s{k}": [k, 10 * k] for k in range(6)}
    assert len(read_index(index_path(job.folders[0])).samples) == 6


def interrupted(job: PreprocessJob) -> None:
    """Make a finished run look like one that was interrupted before its end."""
    write_folders(job)
    for folder in job.folders:
        content = json.loads(index_path(folder).read_text())
        index_path(folder).write_text(json.dumps({**content, "complete": False}))


def test_continued_run_does_what_is_missing_or_changed(job: PreprocessJob, source: Source) -> None:
    interrupted(job)
    (job.folders[0] / "s1.bin").unlink()
    (job.folders[1] / "s2.bin").unlink()
    source.write("s4", "44")
    age(source.folder / "s4.txt", -100)
    source.loaded.clear()
    write_folders(job)
    assert source.loaded == ["s1", "s2", "s4"]
    assert numbers_in(job.folders[1], "<i4") == {f"s{k}": [-k] for k in range(6)} | {"s4": [-44]}


def test_unit_whose_samples_are_unknown_is_done_again(job: PreprocessJob, source: Source) -> None:
    interrupted(job)
    source.loaded.clear()
    write_folders(replace(job, units=source.units(known=False)))
    assert source.loaded == [f"s{k}" for k in range(6)]


CHANGES = {
    "other option": {"command": {"source": "source", "dtype": "b"}},
    "other source": {"command": {"source": "elsewhere", "dtype": "a"}},
    "other version": {"version": "1.1"},
    "other model": {"model": "other"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_interrupted_run_of_another_command_is_refused(job: PreprocessJob, source: Source, changes: dict) -> None:
    interrupted(job)
    source.loaded.clear()
    before = tree(job.folders[0].parent)
    with pytest.raises(DataError, match="not empty") as caught:
        write_folders(replace(job, **changes))
    assert "interrupted run with other options" in caught.value.hint
    assert tree(job.folders[0].parent) == before
    assert source.loaded == []
    write_folders(replace(job, **changes, overwrite=True))
    assert len(source.loaded) == 6


def test_damaged_index_is_not_overwritten(job: PreprocessJob) -> None:
    interrupted(job)
    index_path(job.folders[0]).write_text("{")
    with pytest.raises(DataError, match=r"one_index\.json is not an index"):
        write_folders(job)
    assert index_path(job.folders[0]).read_text() == "{"


@pytest.mark.parametrize("threads", [ONE, Threads(4), Threads(2, chunk=3)])
def test_skip_lists_the_bad_and_does_the_rest(job: PreprocessJob, source: Source, threads: Threads) -> None:
    source.write("s1", "one")
    (source.folder / "s4.txt").unlink()
    index = write_folders(replace(job, on_error="skip", threads=threads))
    assert [sample.stem for sample in index.samples] == ["s0", "s2", "s3", "s5"]
    assert [skipped.source for skipped in index.skipped] == ["s1.txt", "s4.txt"]
    assert index.skipped[0] == Skipped("s1.txt", "s1.txt holds no number")
    for folder in job.folders:
        assert set(numbers_in(folder, "<i4")) == {"s0", "s2", "s3", "s5"}
        assert read_index(index_path(folder)) == replace(read_index(index_path(folder)), skipped=tuple(index.skipped))


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_output_that_cannot_be_written_is_never_skipped(tmp_path: Path, on_error: str) -> None:
    info = SampleInfo("nosuch/a", "a.jpg")
    unit = WorkUnit("a.jpg", lambda: [Sample(info, (np.zeros(2, np.float32),))], (info,))
    with pytest.raises(WriteError, match=r"nosuch/a\.bin"):
        write_folders(PreprocessJob("toy", "1.0", [tmp_path / "bins"], [PAIR], [unit], ONE, on_error=on_error))


def test_failure_stops_the_run(tmp_path: Path) -> None:
    loaded = []

    def load() -> list[Sample]:
        loaded.append(1)
        raise DataError("bad.jpg is not an image")

    units = [WorkUnit("bad.jpg", load) for _ in range(1000)]
    with pytest.raises(DataError, match=r"bad\.jpg"):
        write_folders(PreprocessJob("toy", "1.0", [tmp_path / "bins"], [PAIR], units, Threads(2, chunk=5)))
    assert len(loaded) < 50


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from modelzoo.common.preprocess import PreprocessJob, write_folders
from modelzoo.common.spec import TensorSpec
from modelzoo.common.work import Sample, SampleInfo, Threads, WorkUnit

root, moment, threads = Path(sys.argv[1]), sys.argv[2], Threads(int(sys.argv[3]), int(sys.argv[4]))
rename = Path.replace

def die_at(now):
    if moment == now:
        os.kill(os.getpid(), signal.SIGKILL)

def unit(k):
    info = SampleInfo(f"{k:05}", f"{k}.jpg")
    def load():
        os.write(1, f"{k}\\n".encode())
        if k == 5:
            die_at("while loading")
        return [Sample(info, tuple(np.full(3000, k + folder, np.float32) for folder in (0, 1)))]
    return WorkUnit(info.source, load, (info,))

def replace(self, target):
    if target.name == "00005.bin":
        die_at(f"before the rename in {target.parent.name}")
    return rename(self, target)

Path.replace = replace
folders = [root / "one", root / "two"]
tensors = [TensorSpec("x", "float32", ("N", 3000))] * 2
write_folders(PreprocessJob("toy", "1.0", folders, tensors, [unit(k) for k in range(12)], threads))
"""


@pytest.mark.parametrize("threads", [(1, 1), (2, 2)])
@pytest.mark.parametrize("moment", ["while loading", "before the rename in one", "before the rename in two"])
def test_killed_run_is_continued(tmp_path: Path, moment: str, threads: tuple[int, int]) -> None:
    killed = run_python(KILLED, tmp_path / "killed", moment, *threads)
    assert killed.code == -signal.SIGKILL
    stems = [f"{k:05}" for k in range(12)]
    both = [{path.stem for path in (tmp_path / "killed" / name).glob("[!.]*.bin")} for name in ("one", "two")]
    missing = [k for k, stem in enumerate(stems) if not all(stem in folder for folder in both)]
    assert 5 in missing
    assert len(missing) < 12
    assert not read_index(tmp_path / "killed" / "one_index.json").complete
    continued = run_python(KILLED, tmp_path / "killed", "never", *threads)
    assert continued.code == 0, continued.err
    assert sorted(map(int, continued.out.split())) == missing
    whole = run_python(KILLED, tmp_path / "whole", "never", *threads)
    assert sorted(map(int, whole.out.split())) == list(range(12))
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")
    assert len(tree(tmp_path / "whole")) == 26


def test_another_run_is_kept_out_while_one_writes(job: PreprocessJob) -> None:
    job.folders[1].mkdir(parents=True)
    descriptor = os.open(job.folders[1], os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(WriteError, match=f"another run is writing into {job.folders[1]}"):
        write_folders(job)
    assert not index_path(job.folders[0]).exists()
    os.close(descriptor)
    assert write_folders(job).complete


def test_two_units_of_one_stem_are_refused_before_anything_is_written(job: PreprocessJob) -> None:
    twice = [*job.units, replace(job.units[0], source="other.txt")]
    with pytest.raises(DataError, match=r"s0\.txt and other\.txt would both write s0\.bin"):
        write_folders(replace(job, units=twice))
    assert not job.folders[0].exists()


def test_what_is_left_out_stands_in_the_index_before_what_is_skipped(job: PreprocessJob, source: Source) -> None:
    source.write("s3", "no number")
    empty = Skipped("s9.txt", "s9.txt is empty")
    index = write_folders(replace(job, units=source.units(), on_error="skip", left_out=[empty]))
    assert [row.source for row in index.skipped] == ["s9.txt", "s3.txt"]
    assert read_index(index_path(job.folders[1])).skipped[0] == empty


@pytest.mark.parametrize("known", [True, False])
def test_the_index_says_of_a_sample_what_was_known_before_it_was_loaded(
    known: bool, job: PreprocessJob, source: Source
) -> None:
    """So that it says the same where a run was continued, and nothing was loaded."""

    def counted(unit: WorkUnit) -> WorkUnit:
        (sample,) = unit.load()
        more = replace(sample, info=replace(sample.info, fields={**sample.info.fields, "count": 1}))
        return replace(unit, load=lambda: [more])

    index = write_folders(replace(job, units=[counted(unit) for unit in source.units(known)]))
    want = {"length": 2} if known else {"length": 2, "count": 1}
    assert [row.fields for row in index.samples] == [want] * 6
