"""What `verify` needs of this model: the same pairs of pictures in every form of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.commands.verify import VerifyJob
from modelzoo.common.upstream import clean_copy, run_upstream
from modelzoo.dgnet.checkpoints import Checkpoint
from modelzoo.dgnet.export import export
from modelzoo.dgnet.images import read_pixels
from modelzoo.dgnet.preprocess import normalise, normalise_grey
from modelzoo.dgnet.spec import HEIGHT, PICTURES, SPEC, UPSTREAM_PATCH, WIDTH

if TYPE_CHECKING:
    import numpy as np

PAIRS = 2

RUNNER = "modelzoo.dgnet.upstream_runner"


def verify_job(checkpoint: Checkpoint, photos: Sequence[Path] = (), upstream: Path | None = None) -> VerifyJob:
    """Describe the comparison, which is one of pictures; there is no metric of a few.

    Args:
        checkpoint: The files.
        photos: Pictures of people to compare on, or none to compare on seeded noise.
        upstream: The folder of the patched upstream, or None.

    Raises:
        DataError: A photo cannot be read.
    """
    structures, appearances = sample_pairs(photos)

    def inputs(dtype: str) -> list[np.ndarray]:
        return [structures, appearances] if dtype == "uint8" else normalised(structures, appearances)

    def export_to(path: Path, dtype: str, simplify: bool) -> Path:
        return export(checkpoint.gen, path, checkpoint.id, dtype, simplify=simplify)[0]

    def run_published(images: list[np.ndarray]) -> list[np.ndarray]:
        with clean_copy(SPEC.upstream, UPSTREAM_PATCH, upstream or Path()) as folder:
            return run_upstream(RUNNER, folder, checkpoint.gen, {"id_path": str(checkpoint.id)}, images)

    return VerifyJob(
        SPEC,
        {"id_path": checkpoint.id},
        tuple(PICTURES),
        export_to,
        inputs,
        upstream=run_published if upstream else None,
    )


def sample_pairs(photos: Sequence[Path] = ()) -> tuple[np.ndarray, np.ndarray]:
    """A few pairs: the first and the last of the photos, or seeded noise.

    Args:
        photos: Pictures of people; a single one is paired with itself.

    Returns:
        Structures and appearances, each `(n, 256, 128, 3) uint8`, RGB, n at most 2.

    Raises:
        DataError: A photo cannot be read.
    """
    import numpy as np

    if not photos:
        rng = np.random.default_rng(0)
        structures, appearances = rng.integers(0, 256, (2, PAIRS, HEIGHT, WIDTH, 3), dtype=np.uint8)
        return structures, appearances
    first, last = photos[:PAIRS], photos[::-1][:PAIRS]
    return np.stack([read_pixels(path) for path in first]), np.stack([read_pixels(path) for path in last])


def normalised(structures: np.ndarray, appearances: np.ndarray) -> list[np.ndarray]:
    """Pixels `(n, 256, 128, 3) uint8` as the float32 network takes them: grey and colour planes."""
    import numpy as np

    greys = np.empty((len(structures), 1, HEIGHT, WIDTH), np.float32)
    colours = np.empty((len(appearances), 3, HEIGHT, WIDTH), np.float32)
    for pixels, out in zip(structures, greys, strict=True):
        normalise_grey(pixels, out)
    for pixels, out in zip(appearances, colours, strict=True):
        normalise(pixels, out)
    return [greys, colours]
