"""Pickles are data: arrays and containers come through, and nothing of a pickle is ever run."""

import os
import pickle
import subprocess
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import DataError
from modelzoo.posec3d.pickles import PickledArray, read_pickle


@pytest.fixture
def pickled(tmp_path: Path) -> Callable[..., Path]:
    def write(value: Any, protocol: int = 4) -> Path:
        path = tmp_path / "data.pkl"
        path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
        return path

    return write


class Calls:
    """Pickled as a call of a function."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def array_of(value: Any) -> np.ndarray:
    return value.array if isinstance(value, PickledArray) else value


ARRAYS = [
    np.arange(24, dtype=np.float16).reshape(1, 2, 6, 2),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(3, dtype=">i4"),
    np.array([True, False]),
    np.array(["ab", "c"]),
    np.zeros((0, 4, 17, 2), np.float32),
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_come_through(pickled: Callable[..., Path], protocol: int) -> None:
    plain = {"a": [1, 2.5, None, True, "text", b"bytes", (3,)], "b": {1, 2}, "c": frozenset("x"), "d": OrderedDict(e=4)}
    path = pickled({"plain": plain, "arrays": ARRAYS, "number": np.float32(1.5)}, protocol)
    content = read_pickle(path)
    assert content["plain"] == plain
    assert content["number"] == 1.5
    for given, expected in zip(content["arrays"], ARRAYS, strict=True):
        assert array_of(given).dtype == expected.dtype
        assert np.array_equal(array_of(given), expected)


def test_pickles_of_numpy_1_come_through(pickled: Callable[..., Path]) -> None:
    path = pickled(pickle.dumps(np.arange(3), 2).replace(b"numpy._core", b"numpy.core"))
    assert b"numpy.core.multiarray" in path.read_bytes()
    assert array_of(read_pickle(path)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (os.system, "posix.system"),
        (subprocess.check_output, "subprocess.check_output"),
        (eval, "builtins.eval"),
        (getattr, "builtins.getattr"),
        (np.load, "numpy.load"),
    ],
)
def test_a_pickle_that_runs_something_is_refused_before_it_runs(
    function: Callable[..., Any], said: str, pickled: Callable[..., Path], tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    for content in (Calls(function, f"touch {trace}"), {"annotations": [ARRAYS, Calls(function, f"touch {trace}")]}):
        with pytest.raises(DataError, match=f"it names {said}, which is not data; nothing of it was run"):
            read_pickle(pickled(content))
    assert not trace.exists()


def test_the_module_of_a_refused_name_is_not_imported(
    pickled: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "imported_by_a_pickle.py").write_text(f"open({str(trace)!r}, 'w')\nclass Data: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(DataError, match=r"it names imported_by_a_pickle\.Data"):
        read_pickle(pickled(b"cimported_by_a_pickle\nData\n."))
    assert not trace.exists()


def test_the_parts_of_arrays_cannot_be_used_for_anything_else(pickled: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="array of object, not of numbers"):
        read_pickle(pickled(np.array([{}, []], object)))
    with pytest.raises(DataError, match="not of numbers"):
        read_pickle(pickled(np.zeros(2, [("a", "f4"), ("b", "O")])))
    with pytest.raises(DataError, match="it asks for the codec zip"):
        read_pickle(pickled(b"c_codecs\nencode\n(Vtext\nVzip\ntR."))
    with pytest.raises(DataError, match="is damaged"):
        read_pickle(pickled(b"cnumpy\nndarray\n((I100000000\ntR."))  # the class is a mere word here


def test_sizes_are_not_taken_on_trust(pickled: Callable[..., Path]) -> None:
    content = pickle.dumps(np.arange(3, dtype=np.int64), 2)
    assert content.count(b"K\x03\x85") == 1
    with pytest.raises(DataError, match="is damaged"):
        read_pickle(pickled(content.replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85")))


@pytest.mark.parametrize("content", [b"", b"text", b"\x80\x04", b"PK\x03\x04" + bytes(100), b"Pid\n."])
def test_what_is_no_pickle(content: bytes, pickled: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"data\.pkl is not a pickle, or is damaged"):
        read_pickle(pickled(content))


def test_a_pickle_that_is_cut_off(pickled: Callable[..., Path]) -> None:
    path = pickled({"annotations": ARRAYS})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="is not a pickle, or is damaged"):
        read_pickle(path)


def test_there_is_no_such_file(tmp_path: Path) -> None:
    (tmp_path / "hmdb51.pkl").touch()
    with pytest.raises(DataError, match="no such annotation file") as raised:
        read_pickle(tmp_path / "hmdb5.pkl")
    assert str(raised.value.hint) == f"did you mean {tmp_path / 'hmdb51.pkl'}?"
