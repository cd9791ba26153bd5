"""The Python class: four lines, any kind of picture, the answers of the commands."""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from modelzoo.common.errors import DataError, ModelError, UsageError
from modelzoo.common.identity import to_json
from modelzoo.reid import Ranking, ReID
from modelzoo.reid.spec import identity_of

LIGHT = """
import json, sys
from modelzoo.reid import Ranking, ReID
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.fixture
def model(pooled: Path) -> ReID:
    return ReID(pooled, workers=2)


@pytest.fixture
def paths(market: Path) -> list[Path]:
    return sorted((market / "query").glob("*.jpg"))


def test_the_import_is_light() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert not {"PIL", "numpy", "onnxruntime", "torch"} & set(json.loads(done.stdout))


def test_every_kind_of_picture_is_the_same_picture(model: ReID, paths: list[Path]) -> None:
    features = model(paths)
    assert (features.shape, features.dtype) == ((9, 384), np.float32)
    opened = [Image.open(path) for path in paths]
    assert {image.mode for image in opened} == {"RGB", "L"}
    arrays = [np.asarray(image.convert("RGB")) for image in opened]
    for images in (list(map(str, paths)), opened, arrays, iter(paths), [paths[0], *arrays[1:]]):
        assert model(images).tolist() == features.tolist()
    for image in (paths[0], str(paths[0]), opened[0], arrays[0], arrays[0][:, ::-1][:, ::-1]):
        assert model(image).tolist() == features[:1].tolist()
    assert model(np.stack([arrays[0]] * 2)).tolist() == [features[0].tolist()] * 2
    assert model([]).shape[0] == 0


def test_the_recorded_features(checkpoint: Path, paths: list[Path], tiny_features: dict[str, np.ndarray]) -> None:
    features = ReID(checkpoint, batchsize=2)(paths[:3])
    want = np.stack([tiny_features[path.name.split(".")[0]] for path in paths[:3]])
    assert np.abs(features - want).max() <= 1e-5
    before = ReID(checkpoint, neck_feat="before")(paths[0])
    assert np.abs(before - want[:1]).max() > 0.1


def test_search_takes_pictures_and_features(model: ReID, paths: list[Path]) -> None:
    features = model(paths).astype(np.float64)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    order = np.argsort(distances, axis=1, kind="stable")[:, :4]
    for query, gallery in ((paths, features), (features, paths), (paths, [Image.open(path) for path in paths])):
        ranking = model.search(query, gallery, top=4)
        assert isinstance(ranking, Ranking)
        assert ranking.indices.tolist() == order.tolist()
        assert ranking.distances == pytest.approx(np.take_along_axis(distances, order, 1), abs=1e-6)
    pixels = np.asarray(Image.open(paths[2]).convert("RGB"))
    assert model.search(pixels, paths, top=4).indices.tolist() == order[2:3].tolist()
    one = model.search(paths[2], features, top=20, metric="euclidean", threshold=1e-4)
    assert one.indices.tolist() == [[2] + [-1] * 8]


GREY = np.zeros((30, 20), np.uint8)

BAD: dict[str, tuple[Any, str]] = {
    "grey array": (GREY, r"images\[0\] is uint8 \(30, 20\); an image is uint8 \(height, width, 3\)"),
    "a grey one of two": ([np.zeros((3, 2, 3), np.uint8), GREY], r"images\[1\] is uint8 \(30, 20\)"),
    "floats": (np.zeros((30, 20, 3), np.float32), r"images\[0\] is float32 \(30, 20, 3\)"),
    "planes": (np.zeros((3, 30, 20), np.uint8), r"images\[0\] is uint8 \(3, 30, 20\)"),
    "nothing on it": (np.zeros((0, 20, 3), np.uint8), r"images\[0\] is uint8 \(0, 20, 3\)"),
    "a number": ([7], r"images\[0\] is of type int; a picture is a path, a Pillow image or an array"),
    "nothing": (None, "images is of type NoneType"),
    "no file": ("nowhere.jpg", "cannot read nowhere.jpg: No such file or directory"),
    "no picture": (__file__, "test_api.py is not an image"),
    "a folder": (Path(__file__).parent, "cannot read .*: Is a directory"),
    "16 bits": (Image.new("I;16", (4, 4)), r"images\[0\] has pixels of more than 8 bits \(mode I;16\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_picture(case: str, model: ReID) -> None:
    images, message = BAD[case]
    with pytest.raises(DataError, match=message):
        model(images)


def test_a_picture_that_turns_out_to_be_damaged(model: ReID, paths: list[Path], tmp_path: Path) -> None:
    """Pillow decodes it only when it is used."""
    (tmp_path / "half.jpg").write_bytes(paths[0].read_bytes()[:800])
    with pytest.raises(DataError, match=r"cannot read images\[0\]: .*truncated"):
        model(Image.open(tmp_path / "half.jpg"))


def test_one_image_given_many_times(pooled: Path, tmp_path: Path) -> None:
    """Threads that decoded it together would break each other's stream."""
    pixels = np.random.default_rng(0).integers(0, 256, (1500, 1000, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "large.png")
    many = ReID(pooled, workers=8)
    want = many(tmp_path / "large.png")
    for _ in range(3):
        assert many([Image.open(tmp_path / "large.png")] * 64).tolist() == want.tolist() * 64


LARGE = """
import sys
from pathlib import Path
from PIL import Image
Image.MAX_IMAGE_PIXELS = int(sys.argv[2])
from modelzoo.common.errors import DataError
from modelzoo.reid.decode import read_image
try:
    print(read_image(Path(sys.argv[1])).size)
except DataError as error:
    print(error)
"""


@pytest.mark.parametrize(("limit", "told"), [(40 * 50, "(128, 256)"), (1000, "(128, 256)"), (999, "too many pixels")])
def test_many_pixels(limit: int, told: str, tmp_path: Path) -> None:
    """Pillow warns above its limit, and refuses above twice of it."""
    Image.new("RGB", (40, 50)).save(tmp_path / "large.png")
    words = [sys.executable, "-c", LARGE, str(tmp_path / "large.png"), str(limit)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert told in done.stdout
    assert done.stderr == ""


def test_what_is_no_feature(model: ReID) -> None:
    features = np.zeros((3, 384), np.float32)
    with pytest.raises(DataError, match=r"the query is float32 \(384,\); features are \(n, d\)"):
        model.search(features[0], features)
    with pytest.raises(DataError, match="some features of the gallery are not finite"):
        model.search(features, features * np.nan)
    with pytest.raises(DataError, match="query have 7 numbers, those of the gallery 384"):
        model.search(features[:, :7], features)
    with pytest.raises(UsageError, match="top is 0"):
        model.search(features, features, top=0)


@pytest.mark.parametrize(
    "given",
    [
        [np.zeros(384, np.float32)] * 2,
        np.zeros((2, 384), np.int64),
        [[0.5] * 384],
        torch.zeros(2, 384),
    ],
    ids=["rows", "integers", "lists", "torch"],
)
def test_features_of_another_kind(given: Any, model: ReID) -> None:
    with pytest.raises(DataError, match=r"the gallery holds something of type .*, which is no picture") as caught:
        model.search(np.zeros((1, 384), np.float32), given)
    assert caught.value.hint == "features are one NumPy array (n, d) of a floating-point type, as the model gives them"


@pytest.mark.parametrize(("dtype", "size"), [(np.float64, 1e300), (np.float64, 1e39), (np.float32, 1e18)])
def test_features_that_are_too_large(dtype: type, size: float, model: ReID) -> None:
    features = np.ones((2, 384), dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for query, gallery, side in ((features * size, features, "query"), (features, features * size, "gallery")):
            with pytest.raises(DataError, match=f"features of the {side} are not finite, or too large"):
                model.search(query, gallery)
        assert model.search(features * 1e16, features, top=1).indices.tolist() == [[0], [0]]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"backbone": "vgg16"}, "there is no backbone 'vgg16'; known are resnet18, "),
        ({"neck_feat": "middle"}, "there is no neck_feat 'middle'; known are after, before"),
        ({"batchsize": 0}, "batchsize is 0; it is at least 1"),
        ({"workers": -1}, "workers is -1; it is at least 1"),
        ({"workers": 0}, "workers is 0; it is at least 1"),
        ({"device": -1}, "device is -1; it is at least 0"),
    ],
)
def test_options_that_do_not_exist(options: dict[str, Any], told: str, pooled: Path) -> None:
    with pytest.raises(UsageError, match=told):
        ReID(pooled, **options)


def test_the_form_has_to_be_that_of_the_file(make_model: Callable[..., Path]) -> None:
    metadata = to_json(identity_of("resnet50", "after", "float32"))
    model = make_model("with_identity", metadata=metadata)
    assert ReID(model).session.identity is not None
    assert ReID(model, backbone="resnet50", neck_feat="after").session.identity is not None
    with pytest.raises(UsageError, match="neck_feat before does not fit the model, which was exported with after"):
        ReID(model, neck_feat="before", backbone="resnet50")
    with pytest.raises(UsageError, match="backbone senet154 does not fit the model, which was exported with resnet50"):
        ReID(model, backbone="senet154")


def test_what_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"model\.onnx is not a model"):
        ReID(tmp_path / "model.onnx")
    with pytest.raises(DataError, match="no such model file"):
        ReID(str(tmp_path / "nowhere.onnx"))
