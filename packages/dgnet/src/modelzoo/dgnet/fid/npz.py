"""Reading arrays of an .npz that anybody may have written: their headers are checked before they take memory."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MEMBER = ".npy"
MAGIC = b"\x93NUMPY\x01\x00"
"""How a member begins that `numpy.savez` writes for an array of numbers or text."""


@dataclass(frozen=True)
class Header:
    """What a member says of its array.

    Args:
        shape: The array's.
        dtype: The array's; never objects.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"


Headers = Mapping[str, Header]


def read_arrays(path: Path, names: Sequence[str], check: Callable[[Headers], None]) -> dict[str, np.ndarray]:
    """Read those of some arrays that an .npz holds; it may be compressed.

    Args:
        path: The file.
        names: The arrays; others that the file holds are not read.
        check: Called with the headers before an array is read; raises ValueError for what is not to be read.

    Raises:
        ValueError: It is another file, a member is no plain array, or there twice. What NumPy and `zipfile` raise for
            damaged files comes besides.
    """
    from numpy.lib import format as npy

    if not zipfile.is_zipfile(path):
        raise ValueError("it is no .npz")
    with zipfile.ZipFile(path) as archive:
        members = [one.filename for one in archive.infolist()]
        found = [name for name in names if name + MEMBER in members]
        if any(members.count(name + MEMBER) > 1 for name in found):
            raise ValueError("it holds an array twice")
        check({name: _read_header(archive, name) for name in found})
        arrays = {}
        for name in found:
            with archive.open(name + MEMBER) as file:
                arrays[name] = npy.read_array(file, allow_pickle=False)
        return arrays


def _read_header(archive: zipfile.ZipFile, name: str) -> Header:
    """The header of a member, which has to have the size that it says."""
    from numpy.lib import format as npy

    with archive.open(name + MEMBER) as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"{name} is no .npy array")
        shape, _, dtype = npy.read_array_header_1_0(file)
        if dtype.hasobject:
            raise ValueError(f"{name} holds objects, which would be unpickled")
        if file.tell() + math.prod(shape) * dtype.itemsize != archive.getinfo(name + MEMBER).file_size:
            raise ValueError(f"{name} does not have the size that its header says")
    return Header(shape, dtype)
