"""`dgnet convert` with the fake atc, and `dgnet infer`, whose folders have to be in the order of the inputs."""

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx.helper import make_node

from modelzoo.common.session import open_session
from modelzoo.common.spec import TensorSpec
from modelzoo.common.testing.cann import FakeCann, read_fake_om
from modelzoo.common.testing.plugin import Finished
from modelzoo.common.testing.toys import onnx_model, save_model
from modelzoo.dgnet.spec import OUTPUT, SPEC, identity_of, spec_of

Commands = Callable[..., Finished]

GUIDE = (
    'atc --framework=5 --input_shape="image1:4,1,256,128;image2:4,3,256,128" --output=DG-net_bs4 '
    "--soc_version=Ascend310P3 --keep_dtype=keep.cfg --model=DG-net_bs4.onnx"
)
KEEP = "OpType::InstanceNorm\nOpType::Pow\nOpType::ReduceMean\n"


@pytest.fixture
def model(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A graph with our tensors and identity, called as in the guide; its folder is the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "DG-net_bs4.onnx"
    path.write_bytes(toy.read_bytes())
    return path


def options_of(call: dict[str, list[str]]) -> dict[str, str]:
    return dict(word.partition("=")[::2] for word in call["words"])


def test_what_normalises_is_kept_in_single_precision_without_being_asked(
    model: Path, dgnet: Commands, fake_cann: FakeCann, tmp_path: Path
) -> None:
    done = dgnet("convert", "--model", model, "--output", "DG-net_bs4", "--batchsize", "4")
    assert done.code == 0, done.err
    (call,) = fake_cann.calls
    assert call["keep_dtype"] == KEEP
    options = options_of(call)
    assert options["--input_shape"] == "image1:4,1,256,128;image2:4,3,256,128"
    assert options["--input_format"] == "NCHW"
    assert read_fake_om(tmp_path / "DG-net_bs4.om")
    assert not list(tmp_path.glob("*.cfg"))


def test_the_guides_line_takes_the_guides_file(model: Path, dgnet: Commands, fake_cann: FakeCann) -> None:
    Path("keep.cfg").write_text(KEEP)
    assert dgnet("convert", *shlex.split(GUIDE)[1:]).code == 0
    (call,) = fake_cann.calls
    assert call["keep_dtype"] == KEEP
    assert options_of(call)["--keep_dtype"] == f"{model.parent}/keep.cfg"


@pytest.mark.parametrize(
    ("part", "keep", "input_format", "shapes"),
    [
        ("structure", "OpType::InstanceNorm\n", "NCHW", "image1:2,1,256,128"),
        ("appearance", None, "NCHW", "image2:2,3,256,128"),
        ("decoder", KEEP, "ND", "structure:2,128,64,32;appearance:2,8192"),
    ],
)
def test_halves_have_their_own_rules(
    part: str,
    keep: str | None,
    input_format: str,
    shapes: str,
    toy: Path,
    dgnet: Commands,
    fake_cann: FakeCann,
    tmp_path: Path,
) -> None:
    file = toy.with_name(f"toy_{part}.onnx")
    done = dgnet("convert", "--model", file, "--output", tmp_path / "half", "--batchsize", "2")
    assert done.code == 0, done.err
    (call,) = fake_cann.calls
    options = options_of(call)
    assert (call["keep_dtype"], options["--input_format"], options["--input_shape"]) == (keep, input_format, shapes)


@pytest.fixture
def bins(dgnet: Commands, draw: Callable[..., Path], tmp_path: Path) -> Callable[[str], tuple[Path, Path]]:
    """Structures and appearances of three photos as `preprocess` writes them, by dtype."""
    for number, name in enumerate(("0001/a.jpg", "0001/b.jpg", "0002/c.jpg")):
        draw(f"tree/{name}", seed=number)

    def write(dtype: str) -> tuple[Path, Path]:
        structures, appearances = tmp_path / "bin_path2", tmp_path / "bin_path1"
        words = ("--input_folder", tmp_path / "tree", "--output_folder", appearances, "--output_folder2", structures)
        done = dgnet("preprocess", *words, "--dtype", dtype)
        assert done.code == 0, done.err
        return structures, appearances

    return write


@pytest.fixture
def model_of(tmp_path: Path) -> Callable[[str], Path]:
    """A graph that gives the second input's picture, `image2`, with whatever is in `image1`; by dtype."""

    def write(dtype: str) -> Path:
        inputs = spec_of(dtype=dtype).inputs
        planes = {
            "float32": [make_node("Add", ["image1", "image2"], ["output"])],
            "uint8": [
                make_node("Cast", ["image1"], ["float1"], to=1),
                make_node("Cast", ["image2"], ["float2"], to=1),
                make_node("Sub", ["float2", "float1"], ["difference"]),
                make_node("Transpose", ["difference"], ["output"], perm=[0, 3, 1, 2]),
            ],
        }
        model = onnx_model(planes[dtype], inputs, [OUTPUT], identity_=identity_of("whole", dtype))
        return save_model(tmp_path / f"{dtype}.onnx", model)

    return write


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_the_order_of_the_guide_is_that_of_the_inputs(
    dtype: str,
    dgnet: Commands,
    bins: Callable[[str], tuple[Path, Path]],
    model_of: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    structures, appearances = bins(dtype)
    path = model_of(dtype)
    words = ("--input", f"{structures},{appearances}", "--output", tmp_path / "out", "--output_dirname", "r")
    assert dgnet("infer", "--model", path, *words).code == 0
    session = open_session(path, SPEC)
    files = sorted(structures.iterdir())
    assert len(files) == 3
    for file in files:
        images = [
            np.fromfile(folder / file.name, spec.dtype).reshape(1, *spec.sample_shape)
            for folder, spec in zip((structures, appearances), session.inputs, strict=True)
        ]
        have = np.fromfile(tmp_path / "out" / "r" / f"{file.stem}_0.bin", np.float32)
        assert np.array_equal(have, session.run(*images)[0].ravel())


@pytest.mark.parametrize(
    ("dtype", "index"),
    [
        pytest.param("float32", True, id="normalised"),
        pytest.param("float32", False, id="normalised, by size alone"),
        pytest.param("uint8", True, id="pixels, of one size"),
    ],
)
def test_swapped_folders_are_an_error_that_says_so(
    dtype: str,
    index: bool,
    dgnet: Commands,
    bins: Callable[[str], tuple[Path, Path]],
    model_of: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    structures, appearances = bins(dtype)
    path = model_of(dtype)
    if not index:
        for file in tmp_path.glob("*_index.json"):
            file.unlink()
    words = ("--input", f"{appearances},{structures}", "--output", tmp_path / "out", "--output_dirname", "r")
    done = dgnet("infer", "--model", path, *words)
    assert done.code == 1
    assert done.error == f"{min(appearances.iterdir())} is of the input image2, not of image1"
    assert done.hint == "the folders are swapped, or one is given twice: the order is image1, image2"
    assert not (tmp_path / "out").exists()


def test_the_inputs_are_called_and_ordered_as_in_the_guide() -> None:
    names = [[tensor.name for tensor in spec_of(dtype=dtype).inputs] for dtype in ("float32", "uint8")]
    assert names == [["image1", "image2"]] * 2
    assert SPEC.inputs[0] == TensorSpec("image1", "float32", ("N", 1, 256, 128), SPEC.inputs[0].layout)
