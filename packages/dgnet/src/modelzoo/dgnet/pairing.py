"""Which photo lends its structure to which appearance: one seeded round through all photos."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from modelzoo.common.work import SampleInfo
from modelzoo.dgnet.dataset import Photo


@dataclass(frozen=True)
class Pair:
    """What one generated picture is made of.

    Args:
        structure: Whose pose and background it gets.
        appearance: Whose clothes it gets, and whose identity.
    """

    structure: Photo
    appearance: Photo

    @property
    def info(self) -> SampleInfo:
        """The sample; its stem is the published script's name for the pair."""
        structure, appearance = self.structure, self.appearance
        return SampleInfo(
            f"{structure.label:03d}_{appearance.label:03d}_gan{appearance.stem}",
            appearance.source,
            {
                "structure": structure.source,
                "structure_label": structure.label,
                "appearance": appearance.source,
                "appearance_label": appearance.label,
            },
        )


def pair_photos(photos: Sequence[Photo], seed: int) -> list[Pair]:
    """Make every photo the appearance of one pair and the structure of another.

    The photos are put into a random round. Each is the structure of its pair and the appearance of the next one, so
    that neighbours share a photo. A photo is paired with itself only where it is the only one.

    Args:
        photos: At least one.
        seed: Of NumPy's default generator; the same seed and photos give the same pairs.

    Returns:
        As many pairs as photos, in the order of the round.
    """
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(photos)).tolist()
    return [
        Pair(photos[structure], photos[appearance])
        for appearance, structure in zip(order, [*order[1:], order[0]], strict=True)
    ]


def fingerprint(pairs: Sequence[Pair]) -> str:
    """What tells two pairings apart: the first 16 hexadecimal digits of a SHA-256."""
    lines = "".join(f"{pair.structure.source}\n{pair.appearance.source}\n" for pair in pairs)
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()[:16]
