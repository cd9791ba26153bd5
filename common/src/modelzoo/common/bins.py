"""Tensors on disk: raw little-endian arrays in C order, `<stem>.bin` in and `<stem>_<output>.bin` out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import reason, write_bytes
from modelzoo.common.spec import TensorSpec

if TYPE_CHECKING:
    import numpy as np

BIN_SUFFIX = ".bin"
RESULT_NAME = re.compile(r"(?P<stem>.+)_(?P<output>0|[1-9][0-9]*)\.(bin|npy|txt)", re.IGNORECASE)


def stem_of(name: str) -> str:
    """The stem of a source file name: up to the first dot, other characters than `[A-Za-z0-9_-]` made `_`.

    >>> stem_of("0001_c1s1_001051_00.jpg.jpg"), stem_of("my photo (2).png")
    ('0001_c1s1_001051_00', 'my_photo__2_')
    """
    return re.sub(r"[^A-Za-z0-9_-]", "_", name.partition(".")[0])


def check_stems(names: Iterable[str]) -> None:
    """Check that no two sources would write the same .bin.

    Raises:
        DataError: Two names have one stem, or a name has none.
    """
    seen: dict[str, str] = {}
    for name in names:
        stem = stem_of(name)
        if not stem:
            raise DataError(f"{name} has no name before its first dot", "rename it")
        if stem in seen:
            raise DataError(f"{seen[stem]} and {name} would both write {stem}{BIN_SUFFIX}", "rename one of them")
        seen[stem] = name


def result_name(stem: str, output: int, suffix: str) -> str:
    """The file that holds one output of one sample: `result_name("a", 0, ".bin")` is `a_0.bin`."""
    return f"{stem}_{output}{suffix}"


def write_bin(path: Path, array: np.ndarray) -> None:
    """Write an array as raw bytes, atomically.

    Args:
        path: The final path.
        array: Any dtype and shape; written little-endian, in C order.

    Raises:
        WriteError: The file cannot be written.
    """
    import numpy as np

    little_endian = array.dtype.newbyteorder("<")
    write_bytes(path, np.ascontiguousarray(array, dtype=little_endian).data)


def read_bin(path: Path, dtype: str, shape: Sequence[int] = (-1,)) -> np.ndarray:
    """Read raw bytes as an array.

    Args:
        path: The file.
        dtype: A NumPy dtype name; the file is little-endian.
        shape: The shape; one entry may be -1.

    Returns:
        The array, of that shape.

    Raises:
        DataError: The file is missing, unreadable, or has another size.
    """
    import numpy as np

    try:
        data = bytearray(path.read_bytes())  # so that the array can be written to
        return np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).reshape(shape)
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except ValueError as error:
        raise DataError(f"{path} holds {len(data)} bytes, which are not {dtype} of shape {tuple(shape)}") from error


def sample_shape(path: Path, size: int, spec: TensorSpec) -> tuple[int, ...]:
    """The shape of one sample in a .bin file; where the tensor has one free axis, its length follows from the size.

    Args:
        path: The file, for the message.
        size: Its size in bytes.
        spec: The model's input.

    Returns:
        The shape without the batch axis.

    Raises:
        DataError: The size does not fit.
    """
    unit = spec.sample_bytes()
    if spec.free_axes > 1:
        raise DataError(f"{spec.describe()} has {spec.free_axes} free axes; a .bin does not say how long they are")
    length = size // unit
    if size % unit or length < 1 or (length > 1 and not spec.free_axes):
        needs = f"a multiple of {unit}" if spec.free_axes else f"{unit}"
        raise DataError(f"{path} has {size} bytes, but one sample of {spec.describe()} has {needs}")
    return tuple(axis if isinstance(axis, int) else length for axis in spec.sample_shape)
