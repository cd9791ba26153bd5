"""What `verify` needs of this model: the same crops in every input form, and the metric of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.alphapose.coco import CocoPeople
from modelzoo.alphapose.crops import normalise
from modelzoo.alphapose.detections import Detection
from modelzoo.alphapose.export import export
from modelzoo.alphapose.preprocess import crop_units
from modelzoo.alphapose.run import RunOptions, run
from modelzoo.alphapose.spec import HEIGHT, IMAGES, SPEC, UPSTREAM_PATCH, WIDTH, Form, spec_of
from modelzoo.common.commands.verify import VerifyJob
from modelzoo.common.session import Session
from modelzoo.common.upstream import clean_copy, run_upstream
from modelzoo.common.work import Threads, available_cores

if TYPE_CHECKING:
    import numpy as np

SAMPLES = 4
GATED = ("AP", "AR")
RUNNER = "modelzoo.alphapose.upstream_runner"


@dataclass(frozen=True)
class People:
    """What the metric is computed on.

    Args:
        data: The data set.
        detections: Boxes of people in its photos.
    """

    data: CocoPeople
    detections: Sequence[Detection]


def verify_job(
    weights: Path, flip_test: bool = False, people: People | None = None, upstream: Path | None = None
) -> VerifyJob:
    """Describe the comparison, which is one of heat maps.

    Args:
        weights: The checkpoint.
        flip_test: Whether the heat maps are those of the flip test.
        people: A data set, or None to compare on seeded noise and without metrics.
        upstream: The folder of the patched upstream, or None.

    Raises:
        CheckpointError: The file does not hold the weights of a FastPose.
        DataError: A photo cannot be read.
    """
    from modelzoo.alphapose.weights import read_weights, structure_of

    structure = structure_of(read_weights(weights), weights)
    crops = sample_crops(people)

    def inputs(dtype: str) -> list[np.ndarray]:
        return [crops if dtype == "uint8" else _normalised(crops)]

    def export_to(path: Path, dtype: str, simplify: bool) -> Path:
        export(weights, path, Form(flip_test, dtype=dtype), structure, simplify)
        return path

    def run_published(images: list[np.ndarray]) -> list[np.ndarray]:
        form = {key: str(value) for key, value in structure.options().items()}
        with clean_copy(SPEC.upstream, UPSTREAM_PATCH, upstream or Path()) as folder:
            return run_upstream(RUNNER, folder, weights, form, images)

    return VerifyJob(
        spec_of(Form(flip_test), structure.joints),
        {"flip_test": flip_test},
        tuple(IMAGES),
        export_to,
        inputs,
        metric=_metric(people, flip_test) if people else None,
        upstream=run_published if upstream else None,
    )


def sample_crops(people: People | None) -> np.ndarray:
    """A few crops: the first of the data set, or seeded noise.

    Returns:
        `(4, 256, 192, 3) uint8`, RGB; fewer where the data set is smaller.

    Raises:
        DataError: A photo cannot be read.
    """
    import numpy as np

    if people is None:
        return np.random.default_rng(0).integers(0, 256, (SAMPLES, HEIGHT, WIDTH, 3), dtype=np.uint8)
    units = crop_units(people.detections[:SAMPLES], "uint8")
    return np.stack([np.asarray(sample.arrays[0]) for unit in units for sample in unit.load()])


def _normalised(crops: np.ndarray) -> np.ndarray:
    import numpy as np

    planes = np.empty((len(crops), 3, HEIGHT, WIDTH), np.float32)
    for crop, out in zip(crops, planes, strict=True):
        normalise(crop, out)
    return planes


def _metric(people: People, flip_test: bool) -> Callable[[Session], Mapping[str, float]]:
    """The published protocol, which has the flip test."""

    def metric(session: Session) -> Mapping[str, float]:
        around = session.identity is not None or not flip_test  # a checkpoint does not say that it has one inside
        options = RunOptions(8, Threads(available_cores()), flip_test=around)
        report, _ = run(people.data, people.detections, session, options)
        return {name: report.metrics[name] for name in GATED}

    return metric
