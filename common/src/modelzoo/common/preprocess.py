"""Work units into folders of .bin files with an index; an interrupted run is continued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modelzoo.common.bins import BIN_SUFFIX, write_bin
from modelzoo.common.errors import DataError
from modelzoo.common.files import list_folder, locked, make_folder
from modelzoo.common.index import Index, index_path, read_index, write_index
from modelzoo.common.progress import progress
from modelzoo.common.spec import TensorSpec
from modelzoo.common.work import Deferred, SampleInfo, Skipped, Threads, WorkUnit, in_order


@dataclass(frozen=True)
class PreprocessJob:
    """What a preprocess command has to do.

    Args:
        model: `ModelSpec.name`.
        version: Version of the package.
        folders: The output folders; array i of every sample goes to folder i.
        tensors: What the files of each folder hold.
        units: The work.
        threads: What does it.
        command: What makes two runs the same work: source folder and options.
        on_error: `fail` or `skip`.
        overwrite: Remove the .bin files and the index that are there.
        left_out: What is known beforehand to give no sample; the index lists it with what is skipped.
    """

    model: str
    version: str
    folders: Sequence[Path]
    tensors: Sequence[TensorSpec]
    units: Sequence[WorkUnit]
    threads: Threads
    command: Mapping[str, Any] = field(default_factory=dict)
    on_error: str = "fail"
    overwrite: bool = False
    left_out: Sequence[Skipped] = ()


def write_folders(job: PreprocessJob) -> Index:
    """Write the .bin files of all units, and the index beside each folder.

    Returns:
        The index of the finished work.

    Raises:
        DataError: An output folder is in use, or a unit cannot be read and `on_error` is `fail`.
        WriteError: An output cannot be written.
    """
    _check_stems(job.units)
    with ExitStack() as locks:
        for folder in job.folders:
            make_folder(folder)
            locks.enter_context(locked(folder))
            _prepare_folder(folder, job)
        return _write_locked(job)


def _write_locked(job: PreprocessJob) -> Index:
    index = Index(job.model, job.version, (), job.command)
    _write_indices(job, index)
    work = in_order(lambda unit: _write_unit(unit, job), job.units, job.threads, job.on_error)
    results = list(progress(work, len(job.units), "preprocess"))
    samples = [info for result in results if not isinstance(result, Skipped) for info in result]
    skipped = [*job.left_out, *(result for result in results if isinstance(result, Skipped))]
    index = replace(index, complete=True, samples=samples, skipped=skipped)
    _write_indices(job, index)
    return replace(index, inputs=tuple(job.tensors))


def _check_stems(units: Sequence[WorkUnit]) -> None:
    """Check that no two samples that are known beforehand would write one file."""
    seen: dict[str, str] = {}
    for unit in units:
        for info in unit.samples or ():
            if info.stem in seen:
                raise DataError(f"{seen[info.stem]} and {unit.source} would both write {info.stem}{BIN_SUFFIX}")
            seen[info.stem] = unit.source


def _write_indices(job: PreprocessJob, index: Index) -> None:
    for folder, tensor in zip(job.folders, job.tensors, strict=True):
        write_index(folder, replace(index, inputs=(tensor,)))


def _prepare_folder(folder: Path, job: PreprocessJob) -> None:
    """Make the folder ready: empty, or with what an interrupted run of the same command has left."""
    entries = list_folder(folder, "output")
    if not entries:
        return
    if job.overwrite:
        _remove_bins(folder)
        return
    index = read_index(index_path(folder)) if index_path(folder).exists() else None
    if index and not index.complete and _same_work(index, job):
        return
    raise DataError(f"the output folder {folder} is not empty", _in_use_hint(index))


def _same_work(index: Index, job: PreprocessJob) -> bool:
    return (index.model, index.version, index.command) == (job.model, job.version, dict(job.command))


def _in_use_hint(index: Index | None) -> str:
    advice = "choose another folder, or --overwrite to replace its .bin files"
    if index and not index.complete:
        return f"it holds an interrupted run with other options or another source; {advice}"
    return advice


def _remove_bins(folder: Path) -> None:
    for path in folder.glob(f"*{BIN_SUFFIX}"):
        if not path.is_dir():
            path.unlink()
    index_path(folder).unlink(missing_ok=True)


def _write_unit(unit: WorkUnit, job: PreprocessJob) -> Sequence[SampleInfo]:
    if _already_written(unit, job):
        return unit.samples or ()
    samples = unit.load()
    for sample in samples:
        for folder, array in zip(job.folders, sample.arrays, strict=True):
            values = array.array() if isinstance(array, Deferred) else array
            write_bin(folder / f"{sample.info.stem}{BIN_SUFFIX}", values)
    return unit.samples or [sample.info for sample in samples]  # the same rows, whether or not a run was continued


def _already_written(unit: WorkUnit, job: PreprocessJob) -> bool:
    """Whether every file of the unit is there, and newer than its source."""
    if unit.samples is None:
        return False
    paths = [folder / f"{info.stem}{BIN_SUFFIX}" for folder in job.folders for info in unit.samples]
    changed = unit.path.stat().st_mtime if unit.path else 0.0
    return all(path.exists() and path.stat().st_mtime >= changed for path in paths)
