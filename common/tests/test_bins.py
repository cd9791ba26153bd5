"""Tensors on disk: bytes, sizes, names."""

import re
from pathlib import Path

import numpy as np
import pytest

from modelzoo.common.bins import RESULT_NAME, check_stems, read_bin, result_name, sample_shape, stem_of, write_bin
from modelzoo.common.errors import DataError
from modelzoo.common.spec import TensorSpec

GRID = np.arange(24).reshape(2, 3, 4)


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "uint8", "int8", "int32", "int64", "bool"])
def test_round_trip(tmp_path: Path, dtype: str) -> None:
    array = GRID.astype(dtype)
    write_bin(tmp_path / "a.bin", array)
    assert (tmp_path / "a.bin").read_bytes() == array.tobytes()
    read = read_bin(tmp_path / "a.bin", dtype, (2, 3, 4))
    assert read.dtype == dtype
    assert np.array_equal(read, array)
    assert read.flags.writeable
    assert read_bin(tmp_path / "a.bin", dtype).shape == (24,)
    assert read_bin(tmp_path / "a.bin", dtype, (-1, 4)).shape == (6, 4)


LAYOUTS = {
    "big-endian": GRID.astype(">i4"),
    "transposed": np.ascontiguousarray(GRID.astype("<i4").transpose(2, 1, 0)).transpose(2, 1, 0),
    "Fortran order": np.asfortranarray(GRID.astype("<i4")),
    "every second column": np.repeat(GRID.astype("<i4"), 2, axis=2)[:, :, ::2],
    "read-only": np.frombuffer(GRID.astype("<i4").tobytes(), "<i4").reshape(2, 3, 4),
}


@pytest.mark.parametrize("array", LAYOUTS.values(), ids=LAYOUTS)
def test_files_are_little_endian_in_c_order(tmp_path: Path, array: np.ndarray) -> None:
    write_bin(tmp_path / "a.bin", array)
    assert (tmp_path / "a.bin").read_bytes() == b"".join(bytes([i, 0, 0, 0]) for i in range(24))


@pytest.mark.parametrize("array", [np.float32(1.5), np.zeros((0, 3), np.float32)], ids=["a number", "no rows"])
def test_arrays_without_axes_or_rows(tmp_path: Path, array: np.ndarray) -> None:
    write_bin(tmp_path / "a.bin", np.asarray(array))
    assert np.array_equal(read_bin(tmp_path / "a.bin", "float32", array.shape), array)


@pytest.mark.parametrize("size", [0, 1, 7, 9, 11, 12, 16])
def test_file_of_another_size_is_an_error(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(size))
    with pytest.raises(DataError, match=r"a\.bin"):
        read_bin(tmp_path / "a.bin", "float32", (2,))


def test_part_of_a_number_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(10))
    with pytest.raises(DataError, match=r"a\.bin"):
        read_bin(tmp_path / "a.bin", "float32")


@pytest.mark.parametrize("name", ["nosuch.bin", ""])
def test_unreadable_file_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=re.escape(str(tmp_path / name))):
        read_bin(tmp_path / name, "float32")


SHAPES = {
    "all fixed": (("N", 3, 2), 24, (3, 2)),
    "fixed batch": ((4, 3, 2), 24, (3, 2)),
    "free length": (("N", "T", 2), 24, (3, 2)),
    "free length in the middle": (("N", 3, "T", 2), 48, (3, 2, 2)),
    "only a batch axis": (("N",), 4, ()),
}


@pytest.mark.parametrize(("shape", "size", "wanted"), SHAPES.values(), ids=SHAPES)
def test_shape_follows_from_the_size(shape: tuple[int | str, ...], size: int, wanted: tuple[int, ...]) -> None:
    assert sample_shape(Path("a.bin"), size, TensorSpec("x", "float32", shape)) == wanted


@pytest.mark.parametrize("shape", [("N", 3, 2), ("N", "T", 2), ("N", "T", "C")])
@pytest.mark.parametrize("size", [0, 4, 12, 23, 25])
def test_size_that_does_not_fit_is_an_error(shape: tuple[int | str, ...], size: int) -> None:
    with pytest.raises(DataError, match=r"x float32 \(N, "):
        sample_shape(Path("a.bin"), size, TensorSpec("x", "float32", shape))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("0001_c1s1_001051_00.jpg", "0001_c1s1_001051_00"),
        ("a.b.c.png", "a"),
        ("no_suffix", "no_suffix"),
        ("my photo (2).png", "my_photo__2_"),
        ("-1_c1.jpg", "-1_c1"),
        ("行人.jpg", "__"),
        ("a/b,c.jpg", "a_b_c"),
        (".hidden.jpg", ""),
    ],
)
def test_stem(name: str, stem: str) -> None:
    assert stem_of(name) == stem


def test_stems_that_differ_are_accepted() -> None:
    check_stems(["a.jpg", "b.jpg", "A.jpg", "a_.jpg"])


@pytest.mark.parametrize("names", [["a.jpg", "b.jpg", "a.png"], ["x.1.jpg", "x.2.jpg"], ["a b.jpg", "a_b.jpg"]])
def test_two_sources_of_one_stem_are_both_named(names: list[str]) -> None:
    with pytest.raises(DataError, match=f"{re.escape(names[0])} and {re.escape(names[-1])}"):
        check_stems(names)


def test_source_without_stem_is_named() -> None:
    with pytest.raises(DataError, match=r"\.jpg"):
        check_stems([".jpg"])


@pytest.mark.parametrize("stem", ["a", "a_1", "0001_c1s1_001051_00"])
@pytest.mark.parametrize("output", [0, 1, 12])
def test_result_name_can_be_read_back(stem: str, output: int) -> None:
    match = RESULT_NAME.fullmatch(result_name(stem, output, ".bin"))
    assert (match["stem"], int(match["output"])) == (stem, output)
