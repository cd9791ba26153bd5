"""What `verify` needs of this model: the same images in every input form, and the metric of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.commands.verify import VerifyJob
from modelzoo.common.session import Session
from modelzoo.common.upstream import clean_copy, run_upstream
from modelzoo.common.work import Threads, available_cores
from modelzoo.reid.dataset import Crop
from modelzoo.reid.evaluate import without_junk
from modelzoo.reid.export import export
from modelzoo.reid.preprocess import CHUNK, normalise, read_pixels
from modelzoo.reid.run import RunOptions, run
from modelzoo.reid.spec import HEIGHT, IMAGES, SPEC, UPSTREAM_PATCH, WIDTH, spec_of

if TYPE_CHECKING:
    import numpy as np

SAMPLES = 4
GATED = ("mAP", "rank1")
RUNNER = "modelzoo.reid.upstream_runner"


def verify_job(
    weights: Path, form: Mapping[str, str], crops: Sequence[Crop] | None = None, upstream: Path | None = None
) -> VerifyJob:
    """Describe the comparison.

    Args:
        weights: The checkpoint.
        form: `backbone` and `neck_feat`.
        crops: A data set, or None to compare on seeded pixels and without metrics.
        upstream: The folder of the patched upstream, or None.
    """
    pixels = sample_pixels(crops)

    def inputs(dtype: str) -> list[np.ndarray]:
        return [pixels if dtype == "uint8" else _normalised(pixels)]

    def export_to(path: Path, dtype: str, simplify: bool) -> Path:
        return export(weights, path, **form, dtype=dtype, simplify=simplify)

    def run_published(images: list[np.ndarray]) -> list[np.ndarray]:
        with clean_copy(SPEC.upstream, UPSTREAM_PATCH, upstream or Path()) as folder:
            return run_upstream(RUNNER, folder, weights, form, images)

    return VerifyJob(
        spec_of(form["backbone"]),
        form,
        tuple(IMAGES),
        export_to,
        inputs,
        metric=_metric(crops) if crops else None,
        upstream=run_published if upstream else None,
    )


def sample_pixels(crops: Sequence[Crop] | None) -> np.ndarray:
    """A few images: the first of the data set, or seeded noise.

    Returns:
        `(4, 256, 128, 3) uint8`, RGB; fewer where the data set is smaller.
    """
    import numpy as np

    if crops is None:
        return np.random.default_rng(0).integers(0, 256, (SAMPLES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    return np.stack([read_pixels(crop.path) for crop in without_junk(crops)[:SAMPLES]])


def _normalised(pixels: np.ndarray) -> np.ndarray:
    import numpy as np

    planes = np.empty((len(pixels), 3, HEIGHT, WIDTH), np.float32)
    for image, out in zip(pixels, planes, strict=True):
        normalise(image.transpose(2, 0, 1), out)
    return planes


def _metric(crops: Sequence[Crop]) -> Callable[[Session], Mapping[str, float]]:
    def metric(session: Session) -> Mapping[str, float]:
        report = run(crops, session, RunOptions(8, Threads(available_cores(), CHUNK)))
        return {name: report.metrics[name] for name in GATED}

    return metric
