"""Reading an .npz of plain arrays that anybody may have written: everything is checked before it takes memory."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SUFFIX = ".npy"

LONGEST = 4096
"""Characters of a name, at most: no path is longer."""


def read_arrays(path: Path, kinds: Mapping[str, tuple[int, str]]) -> dict[str, np.ndarray]:
    """Read arrays of an .npz as `numpy.savez` writes it.

    Args:
        path: The file.
        kinds: For every array that has to be there, its axes and its kind of dtype.

    Returns:
        The arrays; other ones that the file holds are not read.

    Raises:
        ValueError: It is another file, or holds other arrays, compressed ones or pickled objects. What NumPy and
            `zipfile` raise for damaged files comes besides.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no .npz")
    with zipfile.ZipFile(path) as archive:
        _check_members(archive, kinds, path.stat().st_size)
        for name, kind in kinds.items():
            with archive.open(name + SUFFIX) as file:
                _check_header(file, name, kind, archive.getinfo(name + SUFFIX).file_size)
        return {name: _read(archive, name) for name in kinds}


def _check_members(archive: zipfile.ZipFile, names: Mapping[str, object], size: int) -> None:
    members = [member for member in archive.infolist() if member.filename in {name + SUFFIX for name in names}]
    missing = [name for name in names if name + SUFFIX not in {member.filename for member in members}]
    if missing:
        raise ValueError(f"it holds no {', '.join(missing)}")
    if len(members) > len(names):
        raise ValueError("it holds an array twice")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("its arrays are compressed")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its arrays are said to be larger than the file")


def _check_header(file: IO[bytes], name: str, kind: tuple[int, str], size: int) -> None:
    """Check the header of an .npy: what the array is, and that it takes the whole of its member."""
    from numpy.lib import format as npy

    if npy.read_magic(file) != (1, 0):
        raise ValueError(f"{name} is an .npy of another version")
    shape, _, dtype = npy.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError(f"{name} holds objects, which would be unpickled")
    if (len(shape), dtype.kind) != kind:
        raise ValueError(f"{name} is {dtype} {shape}")
    if shape and dtype.kind == "U" and dtype.itemsize > 4 * LONGEST:
        raise ValueError(f"{name} are longer than {LONGEST} characters")
    if file.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{name} does not have the size that its header says")


def _read(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    from numpy.lib import format as npy

    with archive.open(name + SUFFIX) as file:
        array: np.ndarray = npy.read_array(file, allow_pickle=False)
        return array
