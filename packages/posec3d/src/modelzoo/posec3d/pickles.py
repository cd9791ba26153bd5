"""Pickles as data: NumPy arrays and plain containers, and nothing that could run."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file
from modelzoo.common.text import printable

if TYPE_CHECKING:
    import numpy as np

CONTAINERS: dict[str, Any] = {"set": set, "frozenset": frozenset}
"""What plain data is made of, beside what a pickle has without naming it: lists, dicts, texts, numbers."""

BUILTINS = ("builtins", "__builtin__")
"""Where pickles have them from; the second before protocol 3."""

KINDS = "biufcSU"
"""Of NumPy's dtypes: numbers and texts."""

NUMPY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray", "numpy.core.numeric", "numpy._core.numeric")
"""Where NumPy 1 and NumPy 2 have the functions that pickled arrays name."""


def read_pickle(path: Path) -> Any:
    """Read a pickle of NumPy arrays and plain containers; the module of anything else is not even imported.

    Args:
        path: The file.

    Returns:
        What it holds; arrays are `PickledArray`, or arrays already where the pickle is of protocol 5.

    Raises:
        DataError: The file is missing, is no pickle, is cut off, or names anything else.
    """
    existing_file(path, "annotation")
    try:
        with path.open("rb") as file:
            return _DataUnpickler(file).load()
    except (DataError, OSError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    except Exception as error:  # what a damaged pickle raises is whatever its bytes happen to ask for
        raise DataError(f"{path} is not a pickle, or is damaged ({type(error).__name__}: {error})") from error


class _DataUnpickler(pickle.Unpickler):
    """Knows the few names that arrays and containers need."""

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for.

        Raises:
            DataError: It is none of the few.
        """
        known = _known_names().get((module, name))
        if known is None:
            raise DataError(
                f"it names {printable(module, 80)}.{printable(name, 80)}, which is not data; nothing of it was run"
            )
        return known


class PickledArray:
    """Stands for an array while a pickle is read: NumPy's own would take sizes and flags from the file on trust."""

    def __init__(self, *of: Any) -> None:
        """As `numpy.core.multiarray._reconstruct`, whose arguments say nothing."""
        self.array: np.ndarray | None = None

    def __setstate__(self, state: tuple[int, tuple[int, ...], _NumberType, bool, bytes]) -> None:
        """As `numpy.ndarray.__setstate__`."""
        _, shape, dtype, fortran, data = state
        self.array = _array_of_buffer(data, dtype, shape, "F" if fortran else "C")


class _NumberType:
    """Stands for a dtype while a pickle is read."""

    def __init__(self, name: str, *options: Any) -> None:
        """As `numpy.dtype`; an array of objects could hold anything."""
        import numpy as np

        self.dtype = np.dtype(str(name))
        if self.dtype.kind not in KINDS:
            raise DataError(f"it holds an array of {self.dtype}, not of numbers")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """As `numpy.dtype.__setstate__`; all that counts is the byte order."""
        self.dtype = self.dtype.newbyteorder(state[1])


def _known_names() -> dict[tuple[str, str], Any]:
    functions: dict[str, Callable[..., Any]] = {
        "_reconstruct": PickledArray,
        "_frombuffer": _array_of_buffer,
        "scalar": _scalar,
    }
    known: dict[tuple[str, str], Any] = {
        (module, name): what
        for modules, parts in ((NUMPY_MODULES, functions), (BUILTINS, CONTAINERS | {"bytes": _no_bytes}))
        for module in modules
        for name, what in parts.items()
    }
    return {
        **known,
        ("collections", "OrderedDict"): dict,
        ("numpy", "ndarray"): "numpy.ndarray",  # an argument of _reconstruct
        ("numpy", "dtype"): _NumberType,
        ("_codecs", "encode"): _latin_bytes,
    }


def _array_of_buffer(data: Any, dtype: _NumberType, shape: tuple[int, ...], order: Any) -> np.ndarray:
    """`numpy.core.numeric._frombuffer`: an array of pickle protocol 5."""
    import numpy as np

    return np.frombuffer(data, dtype.dtype).reshape(shape, order=order)


def _scalar(dtype: _NumberType, data: bytes) -> Any:
    """`numpy.core.multiarray.scalar`: one number."""
    import numpy as np

    return np.frombuffer(data, dtype.dtype, 1)[0]


def _no_bytes() -> bytes:
    """`bytes` without arguments, as pickles before protocol 3 have it for the bytes of an empty array."""
    return b""


def _latin_bytes(text: str, encoding: str) -> bytes:
    """`codecs.encode` as pickles before protocol 3 use it for bytes; no other codec, some of which are programs."""
    if encoding != "latin1":
        raise DataError(f"it asks for the codec {printable(str(encoding), 80)}")
    return text.encode(encoding)
