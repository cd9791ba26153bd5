"""A tree of aligned silhouettes, as step 1 of the guide leaves it: 64 x 64 PNGs under the names of the raw ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from modelzoo.common.bins import stem_of
from modelzoo.common.errors import DataError, WriteError
from modelzoo.common.files import list_folder, locked, make_folder, partial_name, reason
from modelzoo.common.index import Index, index_path, read_index, write_index
from modelzoo.common.progress import progress
from modelzoo.common.spec import BATCH, TensorSpec
from modelzoo.common.work import SampleInfo, Skipped, Threads, bounded_map
from modelzoo.gaitset import __version__
from modelzoo.gaitset.dataset import DEPTH, Walk, check_apart
from modelzoo.gaitset.spec import HEIGHT, SPEC

if TYPE_CHECKING:
    from modelzoo.gaitset.silhouettes import Stack

ALIGNED = TensorSpec("silhouette", "uint8", (BATCH, HEIGHT, HEIGHT))
"""What a frame of the tree is; by this its index is known from those of .bin folders."""

SUFFIX = ".png"


@dataclass(frozen=True)
class TreeJob:
    """What step 1 has to do.

    Args:
        source: The raw silhouettes.
        walks: What is in there.
        output: Where the tree is made.
        threads: What does the work.
        on_error: `fail` or `skip`.
        overwrite: Remove what an earlier step 1 has written there.
    """

    source: Path
    walks: Sequence[Walk]
    output: Path
    threads: Threads
    on_error: str = "fail"
    overwrite: bool = False


@dataclass(frozen=True)
class AlignedWalk:
    """What became of a walk.

    Args:
        name: Its name.
        frames: How many aligned frames it has.
        rejected: The frames in which no figure was found.
        passed_over: How many entries of its folder are no frames.
        found: Whether an interrupted run had done it already; then nothing is known of what it rejected.
    """

    name: str
    frames: int
    rejected: tuple[str, ...] = ()
    passed_over: int = 0
    found: bool = False


def write_tree(job: TreeJob, seen: Callable[[AlignedWalk], None]) -> Index:
    """Align all frames of all walks; an interrupted run is continued.

    Args:
        job: What to do.
        seen: Called with every walk, in order.

    Returns:
        The index beside the tree: one row per walk, with its number of `frames`.

    Raises:
        DataError: The output folder is in use, or a frame cannot be read and `on_error` is `fail`.
        WriteError: The output cannot be written.
    """
    check_apart(job.source, job.output)
    make_folder(job.output)
    with locked(job.output):
        _prepare(job)
        planned = [_row(walk.name) for walk in job.walks]
        index = Index(SPEC.name, __version__, (ALIGNED,), _command(job), samples=planned)
        write_index(job.output, index)
        rows, skipped = _align(job, seen)
        index = replace(index, complete=True, samples=rows, skipped=skipped)
        write_index(job.output, index)
    return index


def describes_tree(index: Index) -> bool:
    """Whether an index is that of a tree of aligned silhouettes."""
    return (index.model, index.inputs) == (SPEC.name, (ALIGNED,))


def check_complete(root: Path) -> None:
    """Check that a tree is not what an interrupted step 1 has left; a tree without an index is taken as it is.

    Raises:
        DataError: It is.
    """
    if index_path(root).exists() and not read_index(index_path(root)).complete:
        raise DataError(f"{root} is not complete: preprocess-step1 was interrupted", "run preprocess-step1 again")


def _align(job: TreeJob, seen: Callable[[AlignedWalk], None]) -> tuple[list[SampleInfo], list[Skipped]]:
    work = bounded_map(partial(_try_walk, job), job.walks, job.threads)
    rows, skipped = [], []
    for result in progress(work, len(job.walks), "preprocess-step1"):
        if isinstance(result, Skipped):
            skipped.append(result)
        else:
            seen(result)
            rows.append(_row(result.name, {"frames": result.frames}))
    return rows, skipped


def _try_walk(job: TreeJob, walk: Walk) -> AlignedWalk | Skipped:
    try:
        return _align_walk(walk, job.output / walk.name)
    except DataError as error:
        if job.on_error == "fail":
            raise
        return Skipped(walk.name, str(error))


def _align_walk(walk: Walk, folder: Path) -> AlignedWalk:
    """Align a walk into a folder, unless it is there already and newer than what it is made of."""
    from modelzoo.gaitset.silhouettes import read_stack

    if folder.is_dir() and folder.stat().st_mtime >= walk.folder.stat().st_mtime:
        return AlignedWalk(walk.name, len(list(folder.glob(f"*{SUFFIX}"))), found=True)
    listed = walk.frames()
    stack = read_stack(walk.folder, listed.names, columns=HEIGHT)
    _write_stack(folder, stack)
    rejected = tuple(sorted(set(listed.names) - set(stack.names)))
    return AlignedWalk(walk.name, len(stack.names), rejected, listed.passed_over)


def _row(name: str, fields: Mapping[str, int] | None = None) -> SampleInfo:
    return SampleInfo(stem_of(name), name, fields or {})


def _command(job: TreeJob) -> dict[str, str]:
    return {"source": str(job.source.absolute())}


def _prepare(job: TreeJob) -> None:
    """Make the output ready: empty, or with what an interrupted run of the same command has left."""
    if not list_folder(job.output, "output"):
        return
    index = read_index(index_path(job.output)) if index_path(job.output).exists() else None
    if index is None or not describes_tree(index):
        hint = "choose another folder; what preprocess-step1 did not write is never replaced"
        raise DataError(f"the output folder {job.output} is not empty", hint)
    if job.overwrite:
        _remove_walks(job.output, index)
    elif index.complete or (index.version, index.command) != (__version__, _command(job)):
        hint = "choose another folder, or --overwrite to replace its aligned silhouettes"
        raise DataError(f"the output folder {job.output} is not empty", hint)


def _remove_walks(output: Path, index: Index) -> None:
    """Remove the frames of the walks that the index names, and the folders that are empty then."""
    for row in index.samples:
        parts = PurePosixPath(row.source).parts
        folder = output.joinpath(*parts)
        inside = len(parts) == DEPTH and ".." not in parts and folder.resolve().is_relative_to(output.resolve())
        if inside:  # an index is a file like any other: it does not say what lies elsewhere
            _remove_frames(folder)
            _remove_frames(partial_name(folder))
            for parent in folder.parents[: DEPTH - 1]:
                with suppress(OSError):  # not empty: other walks, or what somebody else has put there
                    parent.rmdir()


def _remove_frames(folder: Path) -> None:
    """Remove the frames in a folder, and the folder where nothing else is in it."""
    if folder.is_dir():
        for path in folder.glob(f"*{SUFFIX}"):
            path.unlink()
        with suppress(OSError):
            folder.rmdir()


def _write_stack(folder: Path, stack: Stack) -> None:
    import cv2

    names = [Path(name).with_suffix(SUFFIX).name for name in stack.names]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"two frames would both be written as {folder / twice}", "rename one of them")
    with _atomic_folder(folder) as place:
        for name, frame in zip(names, stack.frames, strict=True):
            (place / name).write_bytes(cv2.imencode(SUFFIX, frame)[1].tobytes())


@contextmanager
def _atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes `folder` when the block ends well, and is removed when it does not."""
    place = partial_name(folder)
    make_folder(folder.parent)
    try:
        _remove_frames(place)  # of a run that was killed
        place.mkdir()
        yield place
        _remove_frames(folder)
        place.replace(folder)
    except BaseException as error:
        _remove_frames(place)
        if isinstance(error, OSError):
            raise WriteError(f"cannot write {folder}: {reason(error)}") from error
        raise
