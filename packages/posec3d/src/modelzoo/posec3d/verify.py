"""What `verify` needs of this model: the same clips in every form of the graph, and the metric of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.commands.verify import VerifyJob
from modelzoo.common.session import Session
from modelzoo.common.upstream import clean_copy, run_upstream
from modelzoo.common.work import Deferred, Threads, available_cores
from modelzoo.posec3d.annotations import Selection
from modelzoo.posec3d.clips import Clips
from modelzoo.posec3d.export import export
from modelzoo.posec3d.labels import action_names
from modelzoo.posec3d.run import RunOptions, form_of, run
from modelzoo.posec3d.spec import FRAMES, JOINTS, SIZE, SPEC, UPSTREAM_PATCH, VIEWS, spec_of

if TYPE_CHECKING:
    import numpy as np

PEOPLE = 2
DISTINCT_FRAMES = 60
RUNNER = "modelzoo.posec3d.upstream_runner"
GATED = ("top1_acc", "top5_acc")

FORMS = {"float32": "volumes", "keypoints": "keypoints", "frames": "frames"}
"""What each graph takes."""


def verify_job(
    weights: Path, people: int = PEOPLE, data: Selection | None = None, upstream: Path | None = None
) -> VerifyJob:
    """Describe the comparison.

    Args:
        weights: The checkpoint.
        people: How many are in the sample that is compared.
        data: The recordings to compute the metric on, or None.
        upstream: The folder of the patched upstream, or None.

    Raises:
        CheckpointError: The file does not hold the weights of a PoseC3D.
    """
    from modelzoo.common.checkpoint import load_state_dict
    from modelzoo.posec3d.weights import structure_of

    structure = structure_of(load_state_dict(weights), weights)
    clips = sample_clips(people)

    def inputs(variant: str) -> list[np.ndarray]:
        return as_batch(clips, FORMS[variant])

    def given(session: Session) -> list[np.ndarray]:
        form = form_of(session)
        return as_batch(clips, form.input, form.people)

    def export_to(path: Path, variant: str, simplify: bool) -> Path:
        export(weights, path, FORMS[variant], structure=structure, simplify=simplify, compare=False)
        return path

    def run_published(volumes: list[np.ndarray]) -> list[np.ndarray]:
        with clean_copy(SPEC.upstream, UPSTREAM_PATCH, upstream or Path()) as folder:
            return run_upstream(RUNNER, folder, weights, structure.options(), volumes)

    return VerifyJob(
        spec_of("volumes", structure.classes, joints=structure.joints),
        {"input": "volumes"},
        tuple(FORMS),
        export_to,
        inputs,
        metric=_metric(data) if data else None,
        upstream=run_published if upstream else None,
        given=given,
    )


def sample_clips(people: int) -> Clips:
    """Made-up people who wander through the map and a little beyond it.

    Args:
        people: How many.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    shape = (people, DISTINCT_FRAMES, JOINTS, 2)
    places = rng.uniform(5, SIZE - 5, (people, 1, JOINTS, 2)) + rng.normal(0, 1, shape).cumsum(1)
    scores = rng.uniform(0.2, 1, (*shape[:3], 1))
    views = np.sort(rng.integers(0, DISTINCT_FRAMES, (VIEWS, FRAMES)))
    return Clips(np.concatenate([places, scores], 3).astype(np.float32), views)


def as_batch(clips: Clips, form: str, people: int | None = None) -> list[np.ndarray]:
    """A sample as a batch of one.

    Args:
        clips: The sample.
        form: What a graph takes, a key of `spec.INPUTS`.
        people: How many the keypoints are for, where their number is fixed.

    Returns:
        One array per input.
    """
    arrays = clips.inputs(form, people)
    return [(array.array() if isinstance(array, Deferred) else array)[None] for array in arrays]


def _metric(data: Selection) -> Callable[[Session], Mapping[str, float]]:
    def metric(session: Session) -> Mapping[str, float]:
        names = action_names(form_of(session).classes)
        report = run(data, names, session, RunOptions(1, Threads(available_cores())))
        return {name: report.metrics[name] for name in GATED}

    return metric
