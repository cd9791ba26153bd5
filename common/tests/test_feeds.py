"""Input files: what is refused before anything is written, order, and inputs whose length follows from the file."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from onnx.helper import make_node

from modelzoo.common.cli import main
from modelzoo.common.errors import DataError
from modelzoo.common.feeds import find_feeds, natural_key, read_feed
from modelzoo.common.index import Index, write_index
from modelzoo.common.spec import TensorSpec
from modelzoo.common.testing.plugin import CommandRunner, Finished, tree
from modelzoo.common.testing.toys import doubler, grey, image, onnx_model, save_model

IMAGE = TensorSpec("image", "float32", ("N", 3, 8, 8))
MODELS = ["toyA_bs1", "toyA_bs4", "toyA_free"]


def infer(command: CommandRunner, model: str, inputs: str, name: str = "r") -> Finished:
    words = ("--model", f"{model}.onnx", "--input", inputs, "--output", "out", "--output_dirname", name)
    return command(main, "modelzoo", "infer", *words)


def assert_refused(command: CommandRunner, model: str, inputs: str, named: str) -> Finished:
    """One error line that names the file, exit 1, and nothing written."""
    before = tree(Path())
    done = infer(command, model, inputs)
    assert done.code == 1
    assert named in done.error
    assert tree(Path()) == before
    assert not Path("out").exists()
    return done


def file_bytes(save: Callable[..., None], array: np.ndarray) -> bytes:
    buffer = BytesIO()
    save(buffer, array)
    return buffer.getvalue()


NPY = file_bytes(np.save, image(2)[None])
BAD_NPY = {
    "float64": file_bytes(np.save, image(2)[None].astype(np.float64)),
    "float32 of the other byte order": file_bytes(np.save, image(2)[None].astype(">f4")),
    "int32": file_bytes(np.save, image(2)[None].astype(np.int32)),
    "Fortran order": file_bytes(np.save, np.asfortranarray(image(2)[None])),
    "same size, other shape": file_bytes(np.save, image(2).reshape(1, 3, 4, 16)),
    "no batch axis, other shape": file_bytes(np.save, image(2).reshape(8, 3, 8)),
    "two samples": file_bytes(np.save, np.stack([image(2), image(3)])),
    "no axes": file_bytes(np.save, np.float32(3)),
    "pickled objects": file_bytes(np.save, np.array([{}], object)),
    "0 bytes": b"",
    "garbage after the magic": b"\x93NUMPY garbage",
    "text": b"1 2 3\n",
    "cut off": NPY[:-10],
    "an .npz": file_bytes(np.savez, image(2)),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("data", BAD_NPY.values(), ids=BAD_NPY)
def test_npy_that_does_not_fit_is_refused(command: CommandRunner, toys: Path, model: str, data: bytes) -> None:
    Path("npy10/img_3.npy").write_bytes(data)
    assert_refused(command, model, "npy10", "npy10/img_3.npy")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [0, 1, 764, 767, 769, 772, 1536, 3072])
def test_bin_of_another_size_is_refused(command: CommandRunner, toys: Path, model: str, size: int) -> None:
    Path("bin10/img_3.bin").write_bytes(bytes(size))
    assert str(size) in assert_refused(command, model, "bin10", "bin10/img_3.bin").error


# Root may read everything; without these two capabilities it is bound by permissions like everybody else.
AS_EVERYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.mark.parametrize("name", ["bin10/img_9.bin", "npy10/img_9.npy"])
def test_unreadable_file_is_refused(toys: Path, name: str) -> None:
    Path(name).chmod(0)
    words = ("--model", "toyA_bs1.onnx", "--input", Path(name).parent, "--output", "out", "--output_dirname", "r")
    program = "import sys; from modelzoo.common.cli import main; sys.exit(main())"
    line = [*AS_EVERYBODY, sys.executable, "-c", program, "infer", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"error: cannot read {name}: Permission denied" in done.stderr
    assert not Path("out").exists()


def test_npy_needs_no_batch_axis(command: CommandRunner, toys: Path) -> None:
    np.save("npy10/img_3.npy", image(2))
    assert infer(command, "toyA_bs4", "npy10", "npy").code == 0
    assert infer(command, "toyA_bs4", "bin10", "bin").code == 0
    assert tree(Path("out/npy")) == tree(Path("out/bin"))


UNPAIRED = {
    "one more in the first": (lambda: grey(6).tofile("dirA/same_6.bin"), "dirA/same_6.bin"),
    "one more in the second": (lambda: Path("dirB/same_5.bin").rename("dirB/other.bin"), "dirA/same_5.bin"),
    "one less in the second": (lambda: Path("dirB/same_0.bin").unlink(), "dirA/same_0.bin"),
    "one less in the first": (lambda: Path("dirA/same_0.bin").unlink(), "dirB/same_0.bin"),
}


@pytest.mark.parametrize(("spoil", "named"), UNPAIRED.values(), ids=UNPAIRED)
def test_inputs_that_do_not_pair_are_refused(
    command: CommandRunner, toys: Path, spoil: Callable[[], object], named: str
) -> None:
    for folder, prefix in (("dirA", "gray"), ("dirB", "rgb")):
        for k in range(6):
            Path(folder, f"{prefix}_{k}.bin").rename(Path(folder, f"same_{k}.bin"))
    assert infer(command, "toyB_bs4", "dirA,dirB").code == 0
    shutil.rmtree("out")
    spoil()
    assert_refused(command, "toyB_bs4", "dirA,dirB", named)


def test_pairs_by_stem_whatever_the_order(toys: Path) -> None:
    """Both names count as img_1 when they are sorted; what follows decides, differently in the two folders."""
    for folder, names in (("p", ("img_01.bin", "img_1.bin")), ("q", ("img_01.z.bin", "img_1.b.bin"))):
        Path(folder).mkdir()
        for name in names:
            image(0).tofile(Path(folder, name))
    pairs = [("p/img_01.bin", "q/img_01.z.bin"), ("p/img_1.bin", "q/img_1.b.bin")]
    assert [feed.files for feed in find_feeds("p,q", [IMAGE, IMAGE])] == pairs
    assert [feed.files[::-1] for feed in find_feeds("q,p", [IMAGE, IMAGE])] == pairs[::-1]
    files = "p/img_1.bin,p/img_01.bin,q/img_01.z.bin,q/img_1.b.bin"
    assert [feed.files for feed in find_feeds(files, [IMAGE, IMAGE])] == pairs[::-1]


COLLISIONS = {
    "first dot": ("bin10", "bin10/img_3.x.bin", ("bin10/img_3.bin", "bin10/img_3.x.bin")),
    "two suffixes": ("bin10", "bin10/img_3.npy", ("bin10/img_3.bin", "bin10/img_3.npy")),
    "file list": ("bin10/img_1.bin,odd/img_1.bin", "odd/img_1.bin", ("bin10/img_1.bin", "odd/img_1.bin")),
}


@pytest.mark.parametrize(("inputs", "added", "named"), COLLISIONS.values(), ids=COLLISIONS)
def test_colliding_stems_are_refused(
    command: CommandRunner, toys: Path, inputs: str, added: str, named: tuple[str, str]
) -> None:
    image(0).tofile(added)
    error = assert_refused(command, "toyA_bs1", inputs, named[0]).error
    assert named[1] in error


WRONG_FOLDERS = {
    "one folder for two inputs": ("toyB_bs1", "dirA", "image1, image2", ""),
    "two folders for one input": ("toyA_bs1", "dirA,dirB", "image", ""),
    "odd number of files for two inputs": ("toyB_bs1", "dirA/gray_0.bin,dirA/gray_1.bin,dirB/rgb_0.bin", "3 files", ""),
    "empty folder": ("toyA_bs1", "empty", "empty", ""),
    "missing folder": ("toyA_bs1", "bin01", "bin01", "did you mean bin10?"),
    "missing parent": ("toyA_bs1", "nosuch/bin10", "nosuch/bin10", "nosuch does not exist"),
    "missing second folder": ("toyB_bs1", "dirA,dirX", "dirX", "did you mean dir"),
    "a file among folders": ("toyB_bs1", "dirA,dirB/rgb_0.bin", "dirB/rgb_0.bin", ""),
    "missing file in a list": ("toyA_bs1", "bin10/img_1.bin,bin10/img_11.bin", "bin10/img_11.bin", "img_1"),
    "swapped folders": ("toyB_bs4", "dirB,dirA", "dirB/rgb_0.bin", "--pair order"),
}


@pytest.mark.parametrize(("model", "inputs", "named", "hint"), WRONG_FOLDERS.values(), ids=WRONG_FOLDERS)
def test_wrong_folders_are_refused(
    command: CommandRunner, toys: Path, model: str, inputs: str, named: str, hint: str
) -> None:
    assert hint in assert_refused(command, model, inputs, named).hint


PAIR = [TensorSpec(name, "uint8", ("N", 4, 4, 3)) for name in ("structure", "appearance")]
"""Two inputs that no size of a file tells apart."""


@pytest.fixture
def indexed(toys: Path) -> None:
    """The folders `first` and `second` of the two inputs, with their indices beside them."""
    for name, spec in zip(("first", "second"), PAIR, strict=True):
        Path(name).mkdir()
        Path(name, "a.bin").write_bytes(bytes(48))
        write_index(Path(name), Index("toy", "1", (spec,), complete=True))


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ("second,first", "second/a.bin is of the input appearance, not of structure"),
        ("first,first", "first/a.bin is of the input structure, not of appearance"),
        ("second,second", "second/a.bin is of the input appearance, not of structure"),
        ("second/a.bin,first/a.bin", "second/a.bin is of the input appearance, not of structure"),
    ],
)
def test_folders_of_other_inputs_are_known_by_their_index(inputs: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        find_feeds(inputs, PAIR)
    assert str(caught.value) == told
    assert caught.value.hint == ("the folders are swapped, or one is given twice: the order is structure, appearance")


@pytest.mark.usefixtures("indexed")
def test_folders_in_order_and_those_of_unknown_or_no_inputs_are_taken() -> None:
    assert find_feeds("first,second", PAIR)[0].files == ("first/a.bin", "second/a.bin")
    renamed = [replace(spec, name=f"onnx::{spec.name}") for spec in PAIR]
    assert find_feeds("second,first", renamed)[0].files == ("second/a.bin", "first/a.bin")
    Path("first_index.json").write_text("{")
    assert find_feeds("first,second", PAIR)[0].files == ("first/a.bin", "second/a.bin")
    Path("first_index.json").unlink()
    assert find_feeds("first,second", PAIR)[0].files == ("first/a.bin", "second/a.bin")


def test_swapped_folders_without_an_index_are_known_by_size(command: CommandRunner, toys: Path) -> None:
    for folder, prefix in (("dirA", "gray"), ("dirB", "rgb")):
        for k in range(6):
            Path(folder, f"{prefix}_{k}.bin").rename(Path(folder, f"same_{k}.bin"))
    done = assert_refused(command, "toyB_bs4", "dirB,dirA", "dirB/same_0.bin is of the input image2, not of image1")
    assert done.hint == "the folders are swapped, or one is given twice: the order is image1, image2"
    assert infer(command, "toyB_bs4", "dirA,dirB").code == 0


def test_comma_in_a_folder_name_is_refused(command: CommandRunner, toys: Path) -> None:
    Path("bin10").rename("bin,10")
    assert "comma" in assert_refused(command, "toyA_bs1", "bin,10", "bin,10").error


def test_comma_in_a_file_name_is_refused(command: CommandRunner, toys: Path) -> None:
    Path("bin10/img_3.bin").rename("bin10/img,3.bin")
    assert_refused(command, "toyA_bs1", "bin10", "bin10/img,3.bin")


def test_empty_input_is_not_an_inference_without_input(command: CommandRunner, toys: Path) -> None:
    """`--input "$BINS"` with an unset variable."""
    assert infer(command, "toyA_bs1", "").code == 2
    assert not Path("out").exists()


def test_folder_is_read_in_natural_order(toys: Path) -> None:
    """The order that ais_bench recorded for these names; files of other kinds and folders are passed over."""
    names = ["a.x.bin", "a.y.bin", "b_1.bin", "B_2.jpg.bin", "img_2.npy", "IMG_10.BIN"]
    backwards = names[::-1]
    assert sorted(backwards, key=natural_key) == names
    Path("dotted/a.y.bin").unlink()
    Path("dotted/folder.bin").mkdir()
    assert [feed.stem for feed in find_feeds("dotted/", [IMAGE])] == ["a", "b_1", "B_2"]


@pytest.mark.parametrize("name", ["1²3.bin", "٣.bin", "", "000.bin"])
def test_any_name_has_a_sort_key(name: str) -> None:
    assert sorted([name, "img_1.bin"], key=natural_key)


@pytest.mark.parametrize("name", ["img_3.bin", "img_3.npy"])
def test_file_that_changes_after_the_check_is_an_error(toys: Path, name: str) -> None:
    path = Path("bin10" if name.endswith(".bin") else "npy10", name)
    (feed,) = find_feeds(str(path), [IMAGE])
    assert np.array_equal(read_feed(feed, [IMAGE])[0], image(2))
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(DataError, match=name):
        read_feed(feed, [IMAGE])


FRAMES = TensorSpec("frames", "float32", ("N", "T", 3))
LENGTHS = {"a_1": 4, "a_2": 7, "a_3": 4, "a_4": 1, "a_5": 7, "a_6": 4}


@pytest.fixture
def frames(toys: Path) -> dict[str, np.ndarray]:
    """Sequences of several lengths as .bin files in `seq` and .npy files in `seq_npy`."""
    rng = np.random.default_rng(1)
    sequences = {stem: rng.integers(-9, 9, (length, 3)).astype(np.float32) for stem, length in LENGTHS.items()}
    for folder in ("seq", "seq_npy"):
        Path(folder).mkdir()
    for stem, sequence in sequences.items():
        sequence.tofile(Path("seq", f"{stem}.bin"))
        np.save(Path("seq_npy", f"{stem}.npy"), sequence)
    return sequences


@pytest.mark.parametrize("folder", ["seq", "seq_npy"])
def test_length_of_a_free_axis_follows_from_the_file(frames: dict[str, np.ndarray], folder: str) -> None:
    feeds = find_feeds(folder, [FRAMES])
    assert [feed.shapes for feed in feeds] == [((length, 3),) for length in LENGTHS.values()]


@pytest.mark.parametrize("batch", ["1", "2", "3", "8"])
@pytest.mark.parametrize("folder", ["seq", "seq_npy"])
def test_sequences_of_several_lengths_are_run(
    command: CommandRunner, frames: dict[str, np.ndarray], folder: str, batch: str
) -> None:
    doubled, total = TensorSpec("doubled", "float32", ("N", "T", 3)), TensorSpec("total", "float32", ("N", 3))
    nodes = [
        make_node("Add", ["frames", "frames"], ["doubled"]),
        make_node("ReduceSum", ["frames"], ["total"], axes=[1], keepdims=0),
    ]
    save_model(Path("seq.onnx"), onnx_model(nodes, [FRAMES], [doubled, total]))
    words = ("--input", folder, "--output", "out", "--output_dirname", "r", "--batchsize", batch)
    assert command(main, "modelzoo", "infer", "--model", "seq.onnx", *words).code == 0
    assert len(tree(Path("out/r"))) == 2 * len(frames)
    for stem, sequence in frames.items():
        got = np.fromfile(Path("out/r", f"{stem}_0.bin"), np.float32)
        assert np.array_equal(got, 2 * sequence.ravel())
        assert np.array_equal(np.fromfile(Path("out/r", f"{stem}_1.bin"), np.float32), sequence.sum(axis=0))


def test_part_of_a_frame_is_refused(command: CommandRunner, frames: dict[str, np.ndarray]) -> None:
    save_model(Path("seq.onnx"), doubler(("N", "T", 3)))
    Path("seq/a_2.bin").write_bytes(bytes(7 * 3 * 4 - 4))
    assert_refused(command, "seq", "seq", "seq/a_2.bin")


def test_two_free_axes_are_refused(command: CommandRunner, frames: dict[str, np.ndarray]) -> None:
    save_model(Path("seq.onnx"), doubler(("N", "T", "C")))
    assert "2 free axes" in assert_refused(command, "seq", "seq", "(N, T, C)").error


def test_free_axis_without_input_is_refused(command: CommandRunner, toys: Path) -> None:
    save_model(Path("seq.onnx"), doubler(("N", "T", 3)))
    done = command(main, "modelzoo", "infer", "--model", "seq.onnx", "--output", "out")
    assert done.code == 2
    assert "T" in done.error
    assert not Path("out").exists()
