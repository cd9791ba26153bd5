"""The result folder: its name, what may be in it, what --overwrite removes, formats, and a disk that is full."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from onnx.helper import make_node

from modelzoo.common.cli import main
from modelzoo.common.errors import DataError
from modelzoo.common.infer import check_dirname
from modelzoo.common.results import encode, list_results, read_summary
from modelzoo.common.spec import TensorSpec
from modelzoo.common.testing.plugin import CommandRunner, Finished, tree
from modelzoo.common.testing.processes import run_python
from modelzoo.common.testing.toys import image, onnx_model, save_model

SMALL_DISK = """
import resource, sys
from modelzoo.common.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
sys.argv[0] = "modelzoo"
sys.exit(main())
"""


def infer(command: CommandRunner, *words: str) -> Finished:
    return command(main, "modelzoo", "infer", "--model", "toyA_bs4.onnx", "--input", "bin10", *words)


def outputs() -> set[str]:
    return set(tree(Path("out")))


@pytest.mark.parametrize(("given", "name"), [("r", "r"), ("./result", "result"), ("a/b", "a/b"), ("r/", "r")])
def test_folder_lies_in_the_output(command: CommandRunner, toys: Path, given: str, name: str) -> None:
    done = infer(command, "--output", "out", "--output_dirname", given)
    assert done.code == 0, done.err
    stems = [f"{name}/img_{k}_{i}.bin" for k in range(1, 11) for i in (0, 1)]
    assert outputs() == {*stems, f"{name}_summary.json"}
    summary = read_summary(Path("out", given))
    assert all(Path(file).exists() for row in summary["filesinfo"].values() for file in row["outfiles"])


@pytest.mark.parametrize("given", ["/tmp/absolute", "..", "../r", "r/../../r", "", "."])
def test_folder_outside_the_output_is_refused(command: CommandRunner, toys: Path, given: str) -> None:
    before = tree(toys.parent)
    done = infer(command, "--output", "out", "--output_dirname", given)
    assert done.code == 2
    assert f"'{given}'" in done.error
    assert tree(toys.parent) == before


def test_folder_without_output_is_refused(command: CommandRunner, toys: Path) -> None:
    before = tree(toys)
    done = infer(command, "--output_dirname", "r")
    assert done.code == 2
    assert "--output" in done.error
    assert tree(toys) == before


def test_empty_output_is_refused(command: CommandRunner, toys: Path) -> None:
    """`--output "$RESULTS"` with an unset variable keeps nothing."""
    assert infer(command, "--output", "", "--output_dirname", "r").code == 2


def test_default_name_is_the_time() -> None:
    assert re.fullmatch(r"\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d", check_dirname(None, "out"))


def test_output_is_a_file(command: CommandRunner, toys: Path) -> None:
    Path("out").write_text("mine")
    done = infer(command, "--output", "out", "--output_dirname", "r")
    assert done.code == 1
    assert "out/r" in done.error
    assert Path("out").read_text() == "mine"


def test_folder_in_use_is_refused(command: CommandRunner, toys: Path) -> None:
    Path("out/r").mkdir(parents=True)
    Path("out/r/img_1_0.bin").write_bytes(b"older")
    Path("out/r_summary.json").write_text("older")
    before = tree(toys)
    done = infer(command, "--output", "out", "--output_dirname", "r")
    assert done.code == 1
    assert "out/r" in done.error
    assert "--overwrite" in done.hint
    assert tree(toys) == before


def test_overwrite_removes_results_and_nothing_else(command: CommandRunner, toys: Path) -> None:
    older = ["old_0.bin", "old_1.npy", "old_2.txt", "img_1_0.bin"]
    kept = ["notes.txt", "old.bin", "old_x.bin", "_0.bin", "old_0.bin.bak", "old_0.png", "sub/old_0.bin"]
    Path("out/r/sub").mkdir(parents=True)
    for name in (*older, *kept, "../r_other.json", "../x_0.bin", "../r_summary.json"):
        Path("out/r", name).write_text("older")
    assert infer(command, "--output", "out", "--output_dirname", "r", "--overwrite").code == 0
    results = {f"r/img_{k}_{i}.bin" for k in range(1, 11) for i in (0, 1)}
    assert outputs() == {*results, *(f"r/{name}" for name in kept), "r_other.json", "x_0.bin", "r_summary.json"}
    assert all(Path("out/r", name).read_text() == "older" for name in kept)
    assert len(read_summary(Path("out/r"))["filesinfo"]) == 10


def test_overwrite_never_removes_the_inputs(command: CommandRunner, toys: Path) -> None:
    """`bin10/img_1.bin` has the name of a result too."""
    before = tree(toys)
    done = infer(command, "--output", ".", "--output_dirname", "bin10", "--overwrite")
    assert done.code == 1
    assert "bin10" in done.error
    assert tree(toys) == before


def test_refused_input_leaves_the_results_that_are_there(command: CommandRunner, toys: Path) -> None:
    assert infer(command, "--output", "out", "--output_dirname", "r").code == 0
    Path("bin10/img_10.bin").write_bytes(b"")
    before = tree(toys)
    assert infer(command, "--output", "out", "--output_dirname", "r", "--overwrite").code == 1
    assert tree(toys) == before


def test_full_disk_leaves_no_half_result(toys: Path) -> None:
    words = ("--model", "toyA_bs4.onnx", "--input", "bin10", "--output", "out", "--output_dirname", "r")
    done = run_python(SMALL_DISK, "infer", *words)
    assert done.code == 1
    assert "out/r/img_" in done.error
    assert outputs() == set()


def test_several_rows_a_sample_stay_together(command: CommandRunner, toys: Path) -> None:
    """An output of (N * 3, 64) is cut into 3 rows a sample, padded batch or not."""
    nodes = [make_node("Reshape", ["image", "shape"], ["rows"])]
    for batch in ("N", 1, 4):
        rows = 3 * batch if isinstance(batch, int) else "rows"
        inputs = [TensorSpec("image", "float32", (batch, 3, 8, 8))]
        model = onnx_model(nodes, inputs, [TensorSpec("rows", "float32", (rows, 64))], {"shape": np.array([-1, 64])})
        save_model(Path(f"rows_{batch}.onnx"), model)
    for name, model, size, outfmt in (("a", "N", 4, "BIN"), ("b", 1, 1, "BIN"), ("c", 4, 4, "BIN"), ("d", 4, 4, "NPY")):
        words = ("--model", f"rows_{model}.onnx", "--input", "bin10", "--output", "out", "--output_dirname", name)
        assert command(main, "modelzoo", "infer", *words, "--batchsize", size, "--outfmt", outfmt).code == 0
    for k in range(10):
        wanted = image(k).reshape(3, 64)
        for folder in "abc":
            assert Path(f"out/{folder}/img_{k + 1}_0.bin").read_bytes() == wanted.tobytes()
        assert np.array_equal(np.load(f"out/d/img_{k + 1}_0.npy"), wanted)


def test_model_whose_output_loses_the_batch_is_an_error(command: CommandRunner, toys: Path) -> None:
    nodes = [make_node("ReduceMean", ["image"], ["mean"], axes=[0, 1, 2, 3], keepdims=0)]
    mean = TensorSpec("mean", "float32", ())
    save_model(Path("toyA_bs4.onnx"), onnx_model(nodes, [TensorSpec("image", "float32", ("N", 3, 8, 8))], [mean]))
    done = infer(command, "--output", "out", "--output_dirname", "r", "--batchsize", "4")
    assert done.code == 1
    assert "shape ()" in done.error
    assert outputs() == set()


FORMATS = {
    "BIN": (np.array([[1.5, 2]], np.float32), "BIN", np.array([1.5, 2], "<f4").tobytes()),
    "TXT floats": (np.array([[[1.5, -2], [1e-7, 3]]], np.float32), "TXT", b"1.500000 -2.000000 \n0.000000 3.000000 \n"),
    "TXT integers": (np.array([[7, -1]], np.int64), "TXT", b"7 -1 \n"),
    "TXT of a number a sample": (np.array([4.5], np.float32), "TXT", b"4.500000 \n"),
    "strided": (np.arange(4, dtype=np.uint8)[None, ::2], "BIN", b"\x00\x02"),
}


@pytest.mark.parametrize(("array", "outfmt", "wanted"), FORMATS.values(), ids=FORMATS)
def test_formats(array: np.ndarray, outfmt: str, wanted: bytes) -> None:
    assert encode(array, outfmt) == wanted


def test_list_results(tmp_path: Path) -> None:
    for name in ("a_0.bin", "a_1.bin", "b_2_0.bin", "b_2_1.bin", "c.bin", "a_0.json", ".d_0.bin.part"):
        (tmp_path / name).touch()
    assert {stem: path.name for stem, path in list_results(tmp_path).items()} == {"a": "a_0.bin", "b_2": "b_2_0.bin"}
    assert set(list_results(tmp_path, 1)) == {"a", "b_2"}
    with pytest.raises(DataError, match=r"_2\.bin"):
        list_results(tmp_path, 2)


def test_two_results_for_one_stem_are_an_error(tmp_path: Path) -> None:
    for name in ("a_0.bin", "a_0.BIN", "a_0.npy"):
        (tmp_path / name).touch()
    with pytest.raises(DataError) as raised:
        list_results(tmp_path)
    assert all(str(tmp_path / name) in str(raised.value) for name in ("a_0.bin", "a_0.BIN"))


@pytest.mark.parametrize("suffix", [".npy", ".txt"])
def test_results_of_another_format_hint_at_the_flag(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a_0{suffix}").touch()
    with pytest.raises(DataError, match=r"no results") as raised:
        list_results(tmp_path)
    assert raised.value.hint
    assert "--outfmt BIN" in raised.value.hint


DAMAGED_ROWS = ({}, 5, [1], None, {"infiles": []}, {"infiles": 5, "outfiles": []}, {"infiles": "ab", "outfiles": []})
DAMAGED = [
    *("", "[]", "{}", '{"filesinfo": 3}', "{", json.dumps({"filesinfo": []})),
    *(json.dumps({"filesinfo": {"0": row}}) for row in (*DAMAGED_ROWS, {"infiles": [], "outfiles": [None]})),
    *("[" * 200_000, '{"filesinfo": ' * 200_000, '{"filesinfo": {"0": ' + "[" * 200_000, "\xff"),
]


@pytest.mark.parametrize("text", DAMAGED, ids=[text[:40] for text in DAMAGED])
def test_damaged_summary_is_an_error(tmp_path: Path, text: str) -> None:
    assert read_summary(tmp_path / "r") is None
    (tmp_path / "r_summary.json").write_text(text)
    with pytest.raises(DataError, match=r"r_summary\.json"):
        read_summary(tmp_path / "r")
