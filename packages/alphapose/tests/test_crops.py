"""Boxes to crops: the recorded crops of a photo, bit for bit, and boxes and photos of other kinds."""

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from modelzoo.alphapose.crops import affine, cut, mirror, normalise, windows
from modelzoo.alphapose.images import read_bgr


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def normalised(crop: np.ndarray) -> np.ndarray:
    out = np.empty((3, 256, 192), np.float32)
    normalise(crop, out)
    return out


@pytest.fixture(scope="module")
def recorded(golden: Path) -> list[dict[str, Any]]:
    """Boxes in the photo, and what the original makes of them with OpenCV 4."""
    rows: list[dict[str, Any]] = json.loads((golden / "crops.json").read_text())
    assert len(rows) == 9
    return rows


def test_windows_are_those_of_the_original(recorded: list[dict[str, Any]]) -> None:
    found = windows([row["bbox_xywh"] for row in recorded])
    assert found.centres.tolist() == [row["center_f32"] for row in recorded]
    assert found.sizes.tolist() == [row["scale_f32"] for row in recorded]
    assert found.corners().tolist() == [row["crop_bbox_float32"] for row in recorded]
    assert found.corners().dtype == np.float32


def test_the_size_of_a_box_is_that_between_its_corners() -> None:
    """A width that single precision rounds up; between the corners, its last digits are lost. By the original."""
    width = 1 + 2**-24 + 2**-50
    assert windows([[3000.0, 3000.0, width, 1.0]]).sizes[0, 0] == 1.25
    assert windows([[0.0, 0.0, width, 1.0]]).sizes[0, 0] == np.float32(1.25 + 1.25 * 2**-23)


def test_crops_and_tensors_are_those_of_the_original(recorded: list[dict[str, Any]], photo: Path) -> None:
    image = read_bgr(photo)
    for row in recorded:
        window = windows([row["bbox_xywh"]])
        matrix = affine(window.centres[0], window.sizes[0])
        assert matrix.tolist() == row["affine_2x3"], row["what"]
        (crop,) = cut(image, [matrix])
        assert sha256(crop) == row["crop_rgb_uint8_sha256"], row["what"]
        assert sha256(normalised(crop)) == row["tensor_float32_sha256"], row["what"]
        assert sha256(normalised(crop[:, ::-1])) == row["flipped_tensor_sha256"], row["what"]


def test_mirror_images() -> None:
    crops = np.random.default_rng(1).integers(0, 256, (2, 256, 192, 3), dtype=np.uint8)
    assert np.array_equal(mirror(crops), crops[:, :, ::-1])


def test_every_grey_level_is_normalised_as_defined() -> None:
    crop = np.zeros((256, 192, 3), np.uint8)
    crop[:, 0] = np.arange(256)[:, None]
    for plane, mean in zip(normalised(crop), (0.406, 0.457, 0.480), strict=True):
        wanted = [np.float32(np.float32(level) / np.float32(255)) - np.float32(mean) for level in range(256)]
        assert plane[:, 0].tolist() == wanted


@pytest.mark.parametrize(("highest", "scaled"), [(0, False), (1, False), (2, True)])
def test_a_crop_without_a_value_above_1_is_not_divided(highest: int, scaled: bool) -> None:
    crop = np.zeros((256, 192, 3), np.uint8)
    crop[3, 5, 1] = highest
    wanted = np.float32(highest) / np.float32(255 if scaled else 1) - np.float32(0.457)
    assert normalised(crop)[1, 3, 5] == wanted
    assert normalised(crop)[0, 0, 0] == np.float32(-0.406)


def test_a_box_beside_the_photo_gives_a_black_crop(photo: Path) -> None:
    window = windows([[5000.0, 5000.0, 60.0, 80.0]])
    assert not cut(read_bgr(photo), [affine(window.centres[0], window.sizes[0])]).any()


def test_colours_are_in_the_order_of_the_network() -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    image[:] = (10, 20, 30)  # BGR
    window = windows([[100.0, 100.0, 75.0, 100.0]])
    assert cut(image, [affine(window.centres[0], window.sizes[0])])[0, 128, 96].tolist() == [30, 20, 10]


@pytest.fixture
def upright(tmp_path: Path) -> np.ndarray:
    """A picture whose parts differ, so that a rotation is seen."""
    image = np.zeros((60, 90, 3), np.uint8)
    image[:30, :45] = 255
    image[40:, 70:] = (200, 100, 50)
    return image


def test_exif_rotation_is_applied_as_imread_does(upright: np.ndarray, tmp_path: Path) -> None:
    ok, encoded = cv2.imencode(".jpg", upright)
    assert ok
    data = encoded.tobytes()
    tiff = b"II*\0\x08\0\0\0" + b"\x01\0" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" + b"\0\0\0\0"
    exif = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff
    path = tmp_path / "turned.jpg"
    path.write_bytes(data[:2] + exif + data[2:])
    plain = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert np.array_equal(read_bgr(path), cv2.rotate(plain, cv2.ROTATE_90_CLOCKWISE))
    assert np.array_equal(read_bgr(path), cv2.imread(str(path)))


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (np.full((40, 30), 90, np.uint8), (90, 90, 90)),
        (np.full((40, 30, 4), (1, 2, 3, 4), np.uint8), (1, 2, 3)),
        (np.full((40, 30, 3), (256, 512, 65535), np.uint16), (1, 2, 255)),
        (np.full((40, 30), 25700, np.uint16), (100, 100, 100)),
    ],
    ids=["grey", "alpha", "16 bits", "grey of 16 bits"],
)
def test_grey_transparent_and_16_bit_photos(made: np.ndarray, wanted: tuple[int, ...], tmp_path: Path) -> None:
    path = tmp_path / "other.png"
    cv2.imwrite(str(path), made)
    image = read_bgr(path)
    assert (image.dtype, image.shape) == (np.uint8, (40, 30, 3))
    assert (image == wanted).all()
    assert np.array_equal(image, cv2.imread(str(path)))
