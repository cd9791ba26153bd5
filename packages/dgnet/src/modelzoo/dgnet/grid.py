"""Every structure with every appearance, and the way from one appearance to another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import UsageError
from modelzoo.common.files import list_folder
from modelzoo.dgnet.dataset import read_tree
from modelzoo.dgnet.generator import Generator, HalvesGenerator
from modelzoo.dgnet.images import is_image
from modelzoo.dgnet.recover import recover

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.dgnet.generator import Code


def choose_photos(places: Sequence[Path], count: int) -> list[Path]:
    """The first photos of some places.

    Args:
        places: Files; folders of pictures; trees with a folder per identity, of each of which the first picture is one.
        count: How many photos at most.

    Raises:
        DataError: A place is missing, or holds no picture.
    """
    found = [path for place in places for path in _photos_in(place)]
    return found[:count]


def make_grid(
    structures: Sequence[np.ndarray], appearances: Sequence[np.ndarray], generator: Generator
) -> list[list[np.ndarray]]:
    """Generate a picture of every structure with every appearance.

    Args:
        structures: `(256, 128, 3) uint8`, RGB, 0..255 each.
        appearances: The same.
        generator: What generates; the halves encode each photo once.

    Returns:
        A row for every structure, with a picture for every appearance, `(256, 128, 3) uint8`, RGB, 0..255.

    Raises:
        DataError: A picture holds NaN.
    """
    pairs = list(product(generator.structures(structures), generator.appearances(appearances)))
    return _rows(generator, pairs, len(appearances))


def interpolate(
    structures: Sequence[np.ndarray], start: np.ndarray, end: np.ndarray, steps: int, generator: Generator
) -> list[list[np.ndarray]]:
    """Generate pictures on the straight way from one appearance code to another.

    Args:
        structures: `(256, 128, 3) uint8`, RGB, 0..255 each.
        start: The first appearance, the same.
        end: The last one.
        steps: How many pictures of each structure, both ends included; at least 2.
        generator: The halves: a whole graph has no codes to go between.

    Returns:
        A row for every structure; see `make_grid`.

    Raises:
        DataError: A picture holds NaN.
        UsageError: The generator is a whole graph.
    """
    if not isinstance(generator, HalvesGenerator):
        raise UsageError(
            "a whole graph has no appearance codes to go between",
            "give --gen and --id, or a model whose halves lie beside it (dgnet export --halves)",
        )
    first, last = generator.appearances([start, end])
    parts = [step / (steps - 1) for step in range(steps)]
    codes = [(1 - part) * first + part * last for part in parts]
    return _rows(generator, list(product(generator.structures(structures), codes)), steps)


def _photos_in(place: Path) -> list[Path]:
    """The photo that a path names, those in a folder, or the first one of every identity of a tree."""
    if place.is_file():
        return [place]
    inside = list_folder(place, "picture")
    images = [Path(entry.path) for entry in inside if is_image(entry.name) and not entry.is_dir()]
    if images:
        return images
    first: dict[int, Path] = {}
    for photo in read_tree(place).photos:
        first.setdefault(photo.label, photo.path)
    return list(first.values())


def _rows(generator: Generator, pairs: Sequence[tuple[Code, Code]], columns: int) -> list[list[np.ndarray]]:
    pictures = [recover(picture, f"picture {number}") for number, picture in enumerate(generator.pictures(pairs), 1)]
    return [pictures[start : start + columns] for start in range(0, len(pictures), columns)]
