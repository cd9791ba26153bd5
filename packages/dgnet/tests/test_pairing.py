"""Which photo lends its structure to which: seeded, repeatable, every photo once on either side."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelzoo.dgnet.dataset import Photo
from modelzoo.dgnet.pairing import Pair, fingerprint, pair_photos

PHOTOS = [Photo(Path(f"tree/{i // 3:04d}/{i}.jpg"), f"{i // 3:04d}", i // 3) for i in range(12)]


def names(pairs: list[Pair]) -> list[tuple[str, str]]:
    return [(pair.structure.path.stem, pair.appearance.path.stem) for pair in pairs]


@pytest.mark.parametrize("count", [1, 2, 3, 12])
@pytest.mark.parametrize("seed", range(5))
def test_every_photo_is_appearance_once_and_structure_once(count: int, seed: int) -> None:
    pairs = pair_photos(PHOTOS[:count], seed)
    assert sorted(pair.appearance.path for pair in pairs) == sorted(photo.path for photo in PHOTOS[:count])
    assert sorted(pair.structure.path for pair in pairs) == sorted(photo.path for photo in PHOTOS[:count])
    assert count == 1 or all(pair.appearance != pair.structure for pair in pairs)


def test_neighbours_share_a_photo() -> None:
    pairs = pair_photos(PHOTOS, 10)
    assert all(a.structure == b.appearance for a, b in zip(pairs, [*pairs[1:], pairs[0]], strict=True))


def test_the_order_is_that_of_numpys_generator() -> None:
    """Recorded from `numpy.random.default_rng(10).permutation(5)`: [3, 2, 4, 1, 0]; it must never change."""
    order = ["3", "2", "4", "1", "0"]
    assert names(pair_photos(PHOTOS[:5], 10)) == list(zip([*order[1:], order[0]], order, strict=True))


def test_the_seed_decides() -> None:
    one, two = (pair_photos(PHOTOS, 3) for _ in range(2))
    assert names(one) == names(two)
    assert names(one) != names(pair_photos(PHOTOS, 4))
    assert fingerprint(one) == fingerprint(two)
    assert len({fingerprint(pair_photos(PHOTOS, seed)) for seed in range(20)}) == 20


def test_the_sample_of_a_pair() -> None:
    structure, appearance = Photo(Path("t/b/x y.png"), "b", 7), Photo(Path("t/a/0002_c1.v2.jpg"), "a", 1234)
    info = Pair(structure, appearance).info
    assert (info.stem, info.source) == ("007_1234_gan0002_c1", "a/0002_c1.v2.jpg")
    assert info.fields == {
        "structure": "b/x y.png",
        "structure_label": 7,
        "appearance": "a/0002_c1.v2.jpg",
        "appearance_label": 1234,
    }
