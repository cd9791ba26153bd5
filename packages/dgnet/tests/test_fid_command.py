"""`dgnet fid`: folders of pictures and files of statistics into a distance, with feature networks that cost nothing."""

from __future__ import annotations

import io
import json
import math
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.lib import format as npy
from onnx.helper import make_node
from PIL import Image

from modelzoo.common.errors import DataError
from modelzoo.common.spec import Identity, TensorSpec
from modelzoo.common.testing.toys import onnx_model, save_model
from modelzoo.dgnet.cli import main
from modelzoo.dgnet.commands.fid import RANGES
from modelzoo.dgnet.fid import extractor
from modelzoo.dgnet.fid.extractor import open_extractor
from modelzoo.dgnet.fid.measure import fid_of, picture_set
from modelzoo.dgnet.fid.pictures import find_pictures
from modelzoo.dgnet.fid.stored import read_statistics

if TYPE_CHECKING:
    from modelzoo.common.testing.plugin import CommandRunner, Finished

Run = Callable[..., "Finished"]
Network = Callable[..., Path]

IMAGE, FEATURE = ("N", 3, "H", "W"), ("N", "d")
MEAN = [make_node("ReduceMean", ["image"], ["feature"], axes=[2, 3], keepdims=0)]


@pytest.fixture
def fid(command: CommandRunner) -> Run:
    """Run `dgnet fid WORDS` in this process."""
    return lambda *words: command(main, "dgnet", "fid", *words)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A feature network; the mean colour, (N, 3), unless told otherwise."""

    def make(
        nodes: list[Any] = MEAN,
        image: tuple[Any, ...] = IMAGE,
        feature: tuple[Any, ...] = FEATURE,
        dtype: str = "float32",
        **options: Any,
    ) -> Path:
        inputs, outputs = [TensorSpec("image", dtype, image)], [TensorSpec("feature", "float32", feature)]
        return save_model(tmp_path / "network.onnx", onnx_model(nodes, inputs, outputs, **options))

    return make


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of both sets."""
    folder = tmp_path_factory.mktemp("drawn")
    draw(folder / "real", 1, 53)
    draw(folder / "fake", 2, 20, ".jpg")
    return folder


def draw(folder: Path, seed: int, count: int, suffix: str = ".png") -> Path:
    """Pictures of several sizes in folders of two; return the folder."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        height, width = ((256, 128), (90, 40), (30, 61))[number % 3]
        colour = rng.integers(0, 200, 3)
        pixels = (colour + rng.integers(0, 40 + seed, (height, width, 3))).astype(np.uint8)
        path = folder / f"{number // 2:04d}" / f"{number}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture
def real(drawn: Path, tmp_path: Path) -> Path:
    """53 pictures: one batch of 50 in the published script, which leaves out 3."""
    return Path(shutil.copytree(drawn / "real", tmp_path / "real"))


@pytest.fixture
def fake(drawn: Path, tmp_path: Path) -> Path:
    """20 others."""
    return Path(shutil.copytree(drawn / "fake", tmp_path / "fake"))


def resized(folder: Path) -> np.ndarray:
    """All pictures of a folder by the protocol, `(n, 256, 128, 3) uint8`."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in {".png", ".jpg"}]
    return np.stack([np.asarray(Image.open(path).resize((128, 256), Image.Resampling.BICUBIC)) for path in paths])


def mean_colours(folder: Path) -> np.ndarray:
    """What the default network makes of a folder, `(n, 3) float64`."""
    return resized(folder).mean(axis=(1, 2), dtype=np.float64)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The formula of TTUR on few numbers: the trace of a root is the sum of the roots of the eigenvalues."""
    first, second = (np.atleast_2d(np.cov(features, rowvar=False)) for features in (a, b))
    roots = np.sqrt(np.maximum(0, np.linalg.eigvals(first @ second).real)).sum()
    shift = a.mean(axis=0) - b.mean(axis=0)
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * roots)


def test_every_picture_of_both_folders_counts(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path
) -> None:
    done = fid(real, fake, "--features", network(), "--json", tmp_path / "fid.json")
    assert done.code == 0, done.err
    wanted = distance(mean_colours(real), mean_colours(fake))
    metrics = json.loads((tmp_path / "fid.json").read_text())
    assert metrics["fid"] == pytest.approx(wanted, rel=1e-5)
    assert (metrics["real"], metrics["fake"], metrics["features"]) == (53, 20, 3)
    assert done.out == f"FID: {metrics['fid']:.6g} (53 real and 20 generated pictures, 3 features)\n"


def test_pictures_are_found_at_any_depth_and_other_files_are_counted_aloud(
    fid: Run, network: Network, real: Path, fake: Path
) -> None:
    flat, deep = real / "flat.PNG", real / "a" / "b" / "deep.jpeg"
    deep.parent.mkdir(parents=True)
    for path in (flat, deep):
        Image.new("RGB", (128, 256)).save(path)
    (real / "Thumbs.db").write_text("no picture")
    (real / ".hidden.jpg").write_text("no picture")
    (real / ".trash").mkdir()
    (real / ".trash" / "gone.jpg").write_text("no picture")
    done = fid(real, fake, "--features", network())
    assert "(55 real and 20 generated pictures" in done.out
    assert "other files passed over: 2\n" in done.out


def test_pictures_are_taken_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/1.png", "a/2.png", "a-b/3.png", "0.png", "a/c/0.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in find_pictures(tmp_path).paths]
    assert names == ["0.png", "a/2.png", "a/c/0.png", "a-b/3.png", "b/1.png"]


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ([], 1),
        (["--features-range", "0..255"], 1),
        (["--features-range", "0..1"], 255),
        (["--features-range", "-1..1"], 127.5),
        (["--features_range=-1..1"], 127.5),
    ],
)
def test_pixels_come_in_the_range_of_the_network(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path, words: list[str], unit: float
) -> None:
    assert fid(real, fake, "--features", network(), *words, "--json", tmp_path / "fid.json").code == 0
    wanted = distance(mean_colours(real), mean_colours(fake)) / unit**2
    assert json.loads((tmp_path / "fid.json").read_text())["fid"] == pytest.approx(wanted, rel=1e-4)


def test_the_flag_takes_the_ranges_that_there_are() -> None:
    assert list(RANGES) == list(extractor.RANGES)


@pytest.mark.parametrize(("values", "ends"), [("0..255", (0, 255)), ("0..1", (0, 1)), ("-1..1", (-1, 1))])
def test_black_and_white_are_the_ends_of_the_range(network: Network, values: str, ends: tuple[int, int]) -> None:
    pictures = np.stack([np.full((256, 128, 3), value, np.uint8) for value in (0, 255)])
    features = open_extractor(network(), values).features(pictures)
    np.testing.assert_allclose(features, [[end] * 3 for end in ends], rtol=1e-6)


def test_planes_are_red_green_blue(network: Network) -> None:
    picture = np.broadcast_to(np.array([10, 20, 30], np.uint8), (1, 256, 128, 3))
    assert open_extractor(network()).features(picture).tolist() == [[10, 20, 30]]


def measured(real: Path, fake: Path, features: Path) -> float:
    extractor = open_extractor(features)
    return fid_of(*(picture_set(folder, extractor) for folder in (real, fake))).value


@pytest.mark.parametrize(
    ("nodes", "image", "feature"),
    [
        (MEAN, (4, 3, 256, 128), (4, 3)),
        ([make_node("GlobalAveragePool", ["image"], ["feature"])], IMAGE, ("N", 3, 1, 1)),
    ],
    ids=["fixed batch", "feature of three axes"],
)
def test_networks_of_other_shapes_give_the_same_distance(
    network: Network, real: Path, fake: Path, nodes: list[Any], image: tuple[Any, ...], feature: tuple[Any, ...]
) -> None:
    wanted = distance(mean_colours(real), mean_colours(fake))
    got = measured(real, fake, network(nodes, image, feature))
    assert got == pytest.approx(wanted, rel=1e-5)


def test_a_feature_may_be_one_number(network: Network, real: Path, fake: Path) -> None:
    nodes = [make_node("ReduceMean", ["image"], ["feature"], axes=[1, 2, 3], keepdims=0)]
    got = measured(real, fake, network(nodes, IMAGE, ("N",)))
    a, b = (mean_colours(folder).mean(axis=1) for folder in (real, fake))
    assert got == pytest.approx((a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2, rel=1e-5)


def test_a_network_of_another_size_gets_that_size_as_tensorflow_1_resizes(network: Network) -> None:
    """Pixel (i, j) of 100 x 160 lies at (2.56 i, 0.8 j) of 256 x 128: by hand for one of them."""
    nodes = [make_node("Flatten", ["image"], ["feature"])]
    opened = open_extractor(network(nodes, ("N", 3, 100, 160), ("N", 48000)))
    picture = np.random.default_rng(0).integers(0, 256, (1, 256, 128, 3), dtype=np.uint8)
    got = opened.features(picture).reshape(3, 100, 160)
    corners = picture[0, 25:27, 2:4, 1].astype(float)
    assert got[1, 10, 3] == pytest.approx(np.array([0.4, 0.6]) @ corners @ np.array([0.6, 0.4]), abs=1e-3)
    assert got[2, 0, 0] == picture[0, 0, 0, 2]


def test_grey_pictures_and_single_pixels_count_as_colour(
    fid: Run, network: Network, fake: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    for value in (10, 30):
        Image.new("L", (1, 1), value).save(odd / f"{value}.png")
    assert fid(odd, fake, "--features", network(), "--json", tmp_path / "fid.json").code == 0
    wanted = distance(np.array([[10.0] * 3, [30.0] * 3]), mean_colours(fake))
    assert json.loads((tmp_path / "fid.json").read_text())["fid"] == pytest.approx(wanted, rel=1e-5)


def test_without_a_network_it_says_where_to_get_one(fid: Run, real: Path, fake: Path) -> None:
    done = fid(real, fake)
    assert done.code == 3
    assert "--features" in done.error
    assert "https://github.com/mseitzer/pytorch-fid/releases/" in done.hint
    assert "pt_inception-2015-12-05-6726825d.pth" in done.hint


def test_a_feature_that_is_not_finite_names_its_picture(fid: Run, network: Network, real: Path, fake: Path) -> None:
    nodes = [
        make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
        make_node("Log", ["mean"], ["feature"]),
    ]
    Image.new("RGB", (128, 256)).save(fake / "0000" / "black.png")
    done = fid(real, fake, "--features", network(nodes))
    assert done.code == 1
    assert "black.png is not finite" in done.error


@pytest.mark.parametrize("count", [0, 1])
def test_a_set_needs_two_pictures(fid: Run, network: Network, real: Path, tmp_path: Path, count: int) -> None:
    few = tmp_path / "few"
    few.mkdir()
    draw(few, 3, count)
    done = fid(real, few, "--features", network())
    assert done.code == 1
    assert str(few) in done.error
    assert ("at least 2 pictures, got 1" if count else "no pictures in") in done.error


def test_a_damaged_picture_is_an_error_or_skipped(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path
) -> None:
    (fake / "0000" / "damaged.jpg").write_bytes(b"no jpeg")
    words = (fake, real, "--features", network(), "--stats", tmp_path / "fake.npz")
    done = fid(*words)
    assert (done.code, "damaged.jpg is not an image" in done.error) == (1, True)
    done = fid(*words, "--on-error", "skip")
    assert done.code == 1
    assert "(20 real and 53 generated pictures" in done.out
    assert "skipped: " in done.err
    assert not (tmp_path / "fake.npz").exists(), "a part of the pictures must not be kept as all of them"


def test_small_sets_are_warned_of(fid: Run, network: Network, real: Path, tmp_path: Path) -> None:
    tiny = draw(tmp_path / "tiny", 4, 3)
    lines = [line for line in fid(real, tiny, "--features", network()).err.splitlines() if "warning" in line]
    assert lines == [
        f"warning: {real}: 53 pictures; with fewer than 2048, FID is too high",
        f"warning: {tiny}: 3 pictures for features of 3 numbers: FID is too high, and can only be compared "
        "between sets of equal size",
    ]


def other_network(path: Path) -> Path:
    """The mean colour, twice as large."""
    mean = make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0)
    specs = [TensorSpec("image", "float32", IMAGE)], [TensorSpec("feature", "float32", FEATURE)]
    return save_model(path, onnx_model([mean, make_node("Add", ["mean", "mean"], ["feature"])], *specs))


def test_statistics_are_kept_and_taken_from_their_file(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path
) -> None:
    file = tmp_path / "real.npz"
    words = (real, fake, "--features", network(), "--stats", file)
    first = fid(*words)
    assert first.code == 0, first.err
    with np.load(file, allow_pickle=False) as kept:
        arrays = dict(kept)
    np.testing.assert_allclose(arrays["mu"], mean_colours(real).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(arrays["sigma"], np.cov(mean_colours(real), rowvar=False), rtol=1e-4)
    assert fid(*words).out == first.out
    np.savez(file, **{**arrays, "n": np.int64(54321)})
    assert fid(*words).out == first.out.replace("53 real", "54321 real")
    assert fid(file, fake, "--features", network()).out == first.out.replace("53 real", "54321 real")


@pytest.mark.parametrize("change", ["a picture", "one more", "the network", "the range"])
def test_kept_statistics_of_something_else_are_refused(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path, change: str
) -> None:
    file = tmp_path / "real.npz"
    assert fid(real, fake, "--features", network(), "--stats", file).code == 0
    before = file.read_bytes()
    words: list[object] = ["--features", network()]
    if change == "a picture":
        Image.new("RGB", (128, 256), "red").save(real / "0000" / "0.png")
    elif change == "one more":
        Image.new("RGB", (128, 256), "red").save(real / "0000" / "z.png")
    elif change == "the network":
        words = ["--features", other_network(tmp_path / "other.onnx")]
    else:
        words += ["--features-range", "0..1"]
    done = fid(real, fake, *words, "--stats", file)
    assert done.code == 1
    assert str(file) in done.error
    if change.startswith("the"):
        assert fid(file, fake, *words).error == done.error
    assert file.read_bytes() == before


def test_kept_statistics_are_of_a_folder(fid: Run, fake: Path, tmp_path: Path) -> None:
    done = fid(tmp_path / "real.npz", fake, "--stats", tmp_path / "kept.npz")
    assert done.code == 2
    assert "--stats keeps the statistics of a folder" in done.error


def test_two_files_of_statistics_need_no_network(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path
) -> None:
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    first = fid(real, fake, "--features", network(), "--stats", a)
    assert fid(fake, real, "--features", network(), "--stats", b).code == 0
    assert fid(a, b).out == first.out
    assert fid(fake, real, "--features", other_network(tmp_path / "o.onnx"), "--stats", tmp_path / "c.npz").code == 0
    done = fid(a, tmp_path / "c.npz")
    assert done.code == 1
    assert "different feature networks" in done.error


def test_statistics_of_other_programs_say_less(fid: Run, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", mu=np.zeros(2), sigma=np.eye(2))
    np.savez(tmp_path / "b.npz", mu=np.float32([3, 4]), sigma=np.float32(4 * np.eye(2)))
    done = fid(tmp_path / "a.npz", tmp_path / "b.npz", "--json", tmp_path / "fid.json")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "fid.json").read_text()) == {"fid": 27.0, "real": None, "fake": None, "features": 2}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"mu": np.zeros(2)}, "it holds no sigma"),
        ({"mu": np.zeros((1, 2)), "sigma": np.eye(2)}, "mu is float64 (1, 2)"),
        ({"mu": np.zeros(0), "sigma": np.zeros((0, 0))}, "a feature has 1 to 16384 numbers"),
        ({"mu": np.zeros(16385), "sigma": np.eye(2)}, "a feature has 1 to 16384 numbers"),
        ({"mu": np.zeros(2), "sigma": np.eye(2, dtype=int)}, "sigma is int64 (2, 2)"),
        ({"mu": np.zeros(2), "sigma": np.diag([1.0, -0.01])}, "eigenvalues below zero"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 1.01], [1.01, 1.0]])}, "eigenvalues below zero"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 1e308], [-1e308, 1.0]])}, "not symmetric"),
        ({"mu": np.zeros(2), "sigma": np.eye(2), "pictures": np.array("x" * 65)}, "pictures is <U65 ()"),
        ({"mu": np.zeros(2), "sigma": np.eye(3)}, "sigma is float64 (3, 3) where there should be floats (2, 2)"),
        ({"mu": np.zeros(2), "sigma": np.array([[1.0, 2.0], [0.0, 1.0]])}, "not symmetric"),
        ({"mu": np.array([0, math.nan]), "sigma": np.eye(2)}, "finite"),
        ({"mu": np.array([object(), object()]), "sigma": np.eye(2)}, "mu holds objects"),
        ({"mu": np.zeros(2), "sigma": np.eye(2), "probe": np.zeros(3)}, "probe"),
        ({"mu": np.zeros(2), "sigma": np.eye(2), "n": np.array([7, 8])}, "n is not a whole number"),
        ({"mu": np.zeros(2), "sigma": np.eye(2), "n": np.array(1)}, "n is not a whole number"),
    ],
)
def test_files_that_are_no_statistics_are_refused(
    fid: Run, tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    done = fid(tmp_path / "bad.npz", tmp_path / "bad.npz")
    assert done.code == 1
    assert "bad.npz is no file of statistics" in done.error
    assert message in done.error


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no npy", "mu is no .npy array"), (b"", "mu is no .npy array"), (b"\x93NUMPY\x01\x00", "array header")],
    ids=["text", "nothing", "half a header"],
)
def test_a_member_that_is_no_array_is_refused(fid: Run, tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, sigma=np.eye(2))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("mu.npy", content)
    done = fid(path, path)
    assert done.code == 1
    assert "bad.npz is no file of statistics" in done.error
    assert message in done.error


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_array_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", mu=np.zeros(2), sigma=np.eye(2))
    with zipfile.ZipFile(tmp_path / "bad.npz", "a") as archive:
        archive.writestr("mu.npy", archive.read("mu.npy"))
    with pytest.raises(DataError, match="it holds an array twice"):
        read_statistics(tmp_path / "bad.npz")


@pytest.mark.filterwarnings("error")
def test_covariances_without_full_rank_are_read(tmp_path: Path) -> None:
    few = np.random.default_rng(0).standard_normal((4, 30))
    for covariance in (np.zeros((30, 30)), np.cov(few, rowvar=False), np.cov(few, rowvar=False).astype(np.float32)):
        np.savez(tmp_path / "a.npz", mu=np.zeros(30), sigma=covariance)
        assert np.array_equal(read_statistics(tmp_path / "a.npz").statistics.covariance, covariance)


def test_arrays_are_not_read_before_their_shapes_are_known(tmp_path: Path) -> None:
    """100 000 x 100 000 numbers, said in 200 bytes."""
    path, header = tmp_path / "bomb.npz", io.BytesIO()
    npy.write_array_header_1_0(header, {"shape": (100_000,) * 2, "fortran_order": False, "descr": "<f8"})
    np.savez(path, mu=np.zeros(2))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("sigma.npy", header.getvalue())
    with pytest.raises(DataError, match="sigma does not have the size that its header says"):
        read_statistics(path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("mean", "covariance"), [(1e200, 1.0), (0.0, 1e308), (0.0, 1e200)], ids=["mean", "largest", "large"]
)
def test_a_distance_that_is_not_finite_is_refused(fid: Run, tmp_path: Path, mean: float, covariance: float) -> None:
    a, b, file = tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "fid.json"
    np.savez(a, mu=np.full(2, mean), sigma=covariance * np.eye(2))
    np.savez(b, mu=np.full(2, -mean), sigma=covariance * np.diag([1.0, 0.5]))
    done = fid(a, b, "--json", file)
    if covariance == 1e200:
        assert done.code == 0, "large numbers are no wrong ones"
        wanted = 1e200 * (1 - math.sqrt(0.5)) ** 2
        assert json.loads(file.read_text())["fid"] == pytest.approx(wanted, rel=1e-9)
    else:
        assert (done.code, file.exists()) == (1, False)
        assert "the Frechet distance is not finite" in done.error


@pytest.mark.filterwarnings("error")
def test_features_that_are_too_large_are_refused(fid: Run, network: Network, real: Path, fake: Path) -> None:
    nodes = [
        make_node("Cast", ["image"], ["wide"], to=11),
        make_node("ReduceMean", ["wide"], ["mean"], axes=[2, 3], keepdims=0),
        make_node("Mul", ["mean", "huge"], ["feature"]),
    ]
    inputs, outputs = [TensorSpec("image", "float32", IMAGE)], [TensorSpec("feature", "float64", FEATURE)]
    path = real.parent / "huge.onnx"
    save_model(path, onnx_model(nodes, inputs, outputs, {"huge": np.array([1e200])}))
    done = fid(real, fake, "--features", path)
    assert (done.code, "the covariance of the features is not finite" in done.error) == (1, True), done.err


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"not a zip", None])
def test_damaged_files_of_statistics_are_refused(fid: Run, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, mu=np.zeros(20), sigma=np.eye(20))
    path.write_bytes(path.read_bytes()[:-40] if content is None else content)
    done = fid(path, path)
    assert done.code == 1
    assert "bad.npz is no file of statistics" in done.error


def two_outputs() -> Any:
    """A network with two outputs."""
    nodes = [*MEAN, make_node("Relu", ["image"], ["more"])]
    outputs = [TensorSpec("feature", "float32", FEATURE), TensorSpec("more", "float32", IMAGE)]
    return onnx_model(nodes, [TensorSpec("image", "float32", IMAGE)], outputs)


def normalised() -> Any:
    """A network of this project that takes normalised pictures."""
    image = TensorSpec("image", "float32", ("N", 3, 256, 128), "NCHW RGB, normalised")
    feature = TensorSpec("feature", "float32", ("N", 3))
    return onnx_model(MEAN, [image], [feature], identity_=Identity("reid", "1", (image,), (feature,)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (two_outputs, "one vector for each picture"),
        (normalised, "takes NCHW RGB, normalised"),
        ({"image": ("N", 1, "H", "W")}, "takes one float32 (N, 3, H, W)"),
        (
            {"image": ("N", 3, "L"), "nodes": [make_node("ReduceMean", ["image"], ["feature"], axes=[2], keepdims=0)]},
            "takes",
        ),
        (
            {
                "dtype": "float64",
                "nodes": [
                    make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
                    make_node("Cast", ["mean"], ["feature"], to=1),
                ],
            },
            "takes one float32",
        ),
        (
            {
                "nodes": [
                    make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0),
                    make_node("Concat", ["mean", "mean"], ["feature"], axis=0),
                ]
            },
            "(2, 3) for one picture",
        ),
    ],
    ids=["two outputs", "normalised", "grey", "three axes", "float64", "two vectors"],
)
def test_networks_that_give_no_features_are_refused(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path, make: Any, message: str
) -> None:
    path = network(**make) if isinstance(make, dict) else save_model(tmp_path / "network.onnx", make())
    done = fid(real, fake, "--features", path)
    assert done.code == 1
    assert message in done.error


@pytest.mark.parametrize("flag", ["--json", "--stats"])
def test_where_outputs_cannot_go_is_said_before_the_work(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path, flag: str
) -> None:
    done = fid(real, fake, "--features", network(), flag, tmp_path / "missing" / "file.npz")
    assert done.code == 1
    assert "missing" in done.error


def test_the_number_of_threads_and_the_batch_change_nothing(fid: Run, network: Network, real: Path, fake: Path) -> None:
    words = (real, fake, "--features", network())
    outs = {fid(*words, "--workers", workers, "--batchsize", size).out for workers, size in ((1, 1), (3, 7), (2, 50))}
    assert len(outs) == 1


def test_links_to_folders_are_followed_and_each_folder_counts_once(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    for folder in real.iterdir():
        (linked / folder.name).symlink_to(folder)
    words = ("--features", network())
    assert fid(linked, fake, *words).out == fid(real, fake, *words).out
    (real / "0003" / "circle").symlink_to(linked)
    (real / "0004" / "itself").symlink_to(real / "0004")
    (linked / "again").symlink_to(real / "0005")
    assert len(find_pictures(linked).paths) == len(find_pictures(real).paths) == 53


def test_outputs_that_can_be_no_files_are_said_before_the_work(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path
) -> None:
    (real / "0000" / "damaged.jpg").write_bytes(b"no jpeg")
    (tmp_path / "folder.npz").mkdir()
    words = (real, fake, "--features", network())
    done = fid(*words, "--json", tmp_path)
    assert (done.code, done.error) == (1, f"--json {tmp_path} is a folder")
    done = fid(*words, "--stats", tmp_path / "folder.npz")
    assert (done.code, done.error) == (1, f"--stats {tmp_path / 'folder.npz'} is a folder")
    done = fid(*words, "--stats", tmp_path / "kept")
    assert (done.code, done.error) == (2, f"--stats {tmp_path / 'kept'} does not end in .npz")


def test_kept_statistics_of_a_folder_need_no_network(
    fid: Run, network: Network, real: Path, fake: Path, tmp_path: Path
) -> None:
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    first = fid(real, fake, "--features", network(), "--stats", a)
    assert fid(fake, real, "--features", network(), "--stats", b).code == 0
    assert fid(real, b, "--stats", a).out == first.out
    assert fid(real, b, "--stats", tmp_path / "none.npz").code == 3
    Image.new("RGB", (128, 256), "red").save(real / "0000" / "0.png")
    done = fid(real, b, "--stats", a)
    wanted = f"{a} does not hold the statistics of the pictures in {real}, and to compute them --features is needed"
    assert (done.code, done.error) == (3, wanted)


def test_a_range_is_that_of_a_network(fid: Run, real: Path, fake: Path) -> None:
    done = fid(real, fake, "--features-range", "0..1")
    assert (done.code, done.error) == (2, "--features-range is what the network of --features takes: give that too")
