"""Files and folders: atomic writes, and the checks that every command makes before it starts."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from modelzoo.common.errors import DataError, WriteError

NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.EOPNOTSUPP}
"""What file systems answer that cannot lock a folder; there the runs are not kept apart."""


def reason(error: OSError) -> str:
    """What the operating system says, without the path that the message names already."""
    return error.strerror or str(error)


def partial_name(path: Path) -> Path:
    """Where a file is written before it gets its final name: a hidden name in the same folder."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path that becomes `path` when the block ends well, and is removed when it does not.

    A symbolic link stays one: its target is replaced. A device or a pipe is written directly.

    Args:
        path: The final path; its folder must exist.

    Yields:
        The path to write to, in the same folder.

    Raises:
        WriteError: The file cannot be written.
    """
    path = path.resolve() if path.is_symlink() else path
    special = path.exists() and not path.is_file()  # /dev/null, a pipe: written as it is, and never replaced
    partial = path if special else partial_name(path)
    try:
        yield partial
        partial.replace(path)
    except BaseException as error:
        if not special:
            _discard(partial)
        if isinstance(error, OSError):
            raise WriteError(f"cannot write {path}: {reason(error)}") from error
        raise


def _discard(path: Path) -> None:
    with suppress(OSError):  # what went wrong first is what counts
        path.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a whole file atomically.

    Raises:
        WriteError: The file cannot be written.
    """
    with atomic_path(path) as partial, partial.open("wb", buffering=0) as file:
        view = memoryview(data).cast("B") if memoryview(data).nbytes else memoryview(b"")
        while view:
            view = view[file.write(view) :]


def write_text(path: Path, text: str) -> None:
    """Write a whole text file atomically, in UTF-8; what has no UTF-8 (odd file names) is written as an escape."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def make_folder(path: Path) -> None:
    """Make a folder and its parents.

    Raises:
        WriteError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot make the folder {path}: {reason(error)}") from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; the lock ends with the process, however that ends.

    Raises:
        WriteError: Another process holds it.
    """
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WriteError(f"another run is writing into {folder}") from error
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        yield
    finally:
        os.close(descriptor)


def check_writable(folder: Path) -> None:
    """Find out before long work whether a folder can be written, or made; nothing is made yet.

    Raises:
        WriteError: It cannot.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise WriteError(f"cannot make the folder {folder}: {there} is a file")
    if not os.access(there, os.W_OK | os.X_OK):
        raise WriteError(f"cannot write into the folder {there}: Permission denied")


def existing_file(path: Path, what: str) -> Path:
    """Return `path` if it is a readable file, with an error that says what it should have been.

    Args:
        path: The path that the user gave.
        what: What it should be, for the message ("model", "checkpoint").

    Raises:
        DataError: There is no such file, or it is a folder.
    """
    if not path.exists():
        raise DataError(f"no such {what} file: {path}", neighbour_hint(path))
    if not path.is_file():
        raise DataError(f"the {what} is not a file: {path}")
    return path


def existing_folder(path: Path, what: str) -> Path:
    """Return `path` if it is a folder, with an error that says what it should have been.

    Raises:
        DataError: There is no such folder, or it is a file.
    """
    if not path.exists():
        raise DataError(f"no such {what} folder: {path}", neighbour_hint(path))
    if not path.is_dir():
        raise DataError(f"the {what} is not a folder: {path}")
    return path


def list_folder(path: Path, what: str) -> list[os.DirEntry[str]]:
    """The entries of a folder, sorted by name.

    Raises:
        DataError: There is no such folder, or it cannot be read.
    """
    existing_folder(path, what)
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"cannot read the {what} folder {path}: {reason(error)}") from error


def neighbour_hint(path: Path) -> str | None:
    """A hint for a path that does not exist: the nearest name beside it, or the first folder that is missing."""
    if path.absolute().parent.is_dir():
        nearest = _nearest(path)
        return f"did you mean {nearest}?" if nearest else None
    parent = _nearest(path.parent)
    if parent and (parent / path.name).exists():
        return f"did you mean {parent / path.name}?"
    return f"{path.absolute().parent} does not exist either"


def _nearest(path: Path) -> Path | None:
    """What is called most like a path, in the same folder."""
    import difflib

    try:
        names = [entry.name for entry in path.absolute().parent.iterdir() if entry.name != path.name]
    except OSError:
        return None
    nearest = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    return path.parent / nearest[0] if nearest else None
