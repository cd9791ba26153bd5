"""Image files into arrays: what is decoded, and what is refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from modelzoo.alphapose.images import read_bgr
from modelzoo.common.errors import DataError


def test_grey_and_transparent_images_become_colour(tmp_path: Path) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    np.testing.assert_array_equal(read_bgr(tmp_path / "grey.png"), np.stack([grey] * 3, 2))
    colour = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "alpha.png"), colour)
    np.testing.assert_array_equal(read_bgr(tmp_path / "alpha.png"), colour[..., :3])


def test_names_may_be_of_any_script(tmp_path: Path, photo: Path) -> None:
    path = tmp_path / "滑雪 é.jpg"
    path.write_bytes(photo.read_bytes())
    np.testing.assert_array_equal(read_bgr(path), cv2.imread(str(photo)))


def test_the_orientation_in_exif_is_applied(tmp_path: Path, photo: Path) -> None:
    turned = bytes.fromhex("ffe1001e45786966000049492a00080000000100120103000100000006000000")
    content = photo.read_bytes()
    path = tmp_path / "turned.jpg"
    path.write_bytes(content[:2] + turned + content[2:])
    np.testing.assert_array_equal(read_bgr(path), np.rot90(read_bgr(photo), -1))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is not an image, or is damaged"), (b"GIF", "is not an image"), (None, "cannot read .*: No such file")],
)
def test_what_is_no_image_is_named(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_bgr(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_an_image_that_is_cut_short_is_refused(part: float, tmp_path: Path, photo: Path) -> None:
    content = photo.read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: int(part * len(content))])
    with pytest.raises(DataError, match="damaged"):
        read_bgr(tmp_path / "a.jpg")
