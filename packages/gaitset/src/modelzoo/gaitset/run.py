"""Silhouettes and a model into metrics, in one process and without intermediate files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelzoo.common.errors import DataError, ModelError, UsageError
from modelzoo.common.report import Report, read_reference
from modelzoo.common.session import Session
from modelzoo.common.stream import StreamStats, finish, stream
from modelzoo.common.work import Threads
from modelzoo.gaitset.dataset import Walk
from modelzoo.gaitset.evaluate import CrossViewEvaluator
from modelzoo.gaitset.preprocess import walk_units
from modelzoo.gaitset.sections import LABELS, Evaluated, gait_sections
from modelzoo.gaitset.spec import DATASETS, FRAMES, PADDINGS, REFERENCE, SEQUENCES, SPEC

FRAMES_USED = {
    "none": "All frames of a walk were used, and no others, as in the paper.",
    "zeros": f"The first {FRAMES} frames of a walk were used, zero frames before shorter ones, as in the guide.",
}
"""What a number means, by padding."""


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    Args:
        batchsize: Walks per batch, where the model leaves it free.
        threads: What reads and aligns frames.
        on_error: `fail` or `skip` for walks that cannot be read.
        padding: `none` or `zeros`, which has to be what the model does; None for that.
        dataset: What the model was trained on, where its file does not say it; a name in `spec.DATASETS`.
    """

    batchsize: int
    threads: Threads
    on_error: str = "fail"
    padding: str | None = None
    dataset: str = DATASETS[0]


def run(walks: Sequence[Walk], session: Session, options: RunOptions) -> Report:
    """Evaluate a model on raw silhouettes.

    Args:
        walks: The walks of the test subjects.
        session: The model; its input says how many frames it takes, and whether as 0..255 or as 0..1.
        options: How to run.

    Raises:
        DataError: A walk cannot be read and `options.on_error` is `fail`, or there is no probe or no gallery.
        ModelError: The model does not take silhouettes.
        UsageError: The model does not pad as `options.padding` says.
    """
    padding = padding_of(session, options.padding)
    frames, fill = clip_of(session, padding)
    batchsize = session.inputs[0].batch or options.batchsize
    evaluator = CrossViewEvaluator(len(walks))
    units = walk_units(walks, frames, fill, session.inputs[0].dtype)
    stats = stream(units, session, evaluator, batchsize, options.threads, options.on_error)
    metrics = _metrics(evaluator, stats)
    reference = published_for(session, options.dataset)
    evaluated = Evaluated(metrics, evaluator.infos, FRAMES_USED[padding])
    sections = gait_sections(evaluated, walks, reference.get("accuracy", {}).get("upstream", {}))
    return Report(
        SPEC.name, session.backend, batchsize, metrics, stats, reference, SPEC.title, labels=LABELS, sections=sections
    )


def published_for(session: Session, dataset: str) -> dict[str, Any]:
    """The published numbers of a model: there are some of CASIA-B's network only.

    Args:
        session: The model, whose file may say on which data set it was trained.
        dataset: That data set where the file does not say it.
    """
    form = session.identity.form if session.identity else {}
    return read_reference(REFERENCE) if form.get("dataset", dataset) == DATASETS[0] else {}


def padding_of(session: Session, wanted: str | None) -> str:
    """What a walk of fewer than 100 frames means to a model: `none` or `zeros`.

    Args:
        session: The model. One that takes a fixed number of frames needs zero frames; one that takes any number says
            what it does, or was exported elsewhere and does nothing.
        wanted: What it has to mean, or None.

    Raises:
        ModelError: The model does not take silhouettes.
        UsageError: The model does something else.
    """
    sequence = session.inputs[0]
    if len(session.inputs) != 1 or len(sequence.shape) != 4 or sequence.dtype not in SEQUENCES:
        raise ModelError(f"the model takes {sequence.describe()}, not {SPEC.inputs[0].describe()}")
    if _fixed_frames(session):
        if wanted == "none":
            raise UsageError(
                f"--padding none does not fit the model, which takes {sequence.describe()}",
                "export it with --frames dynamic",
            )
        return "zeros"
    known = _padding_in_graph(session)
    if known and wanted not in (None, known):
        raise UsageError(
            f"--padding {wanted} does not fit the model, which was exported with {known}",
            f"export it with --frames dynamic --padding {wanted}",
        )
    return known or wanted or "none"


def clip_of(session: Session, padding: str) -> tuple[int | None, str]:
    """What a model gets of a walk: `frames` and `padding` of a `Clip`.

    Args:
        session: The model.
        padding: See `padding_of`.
    """
    if _fixed_frames(session) or padding == "none":
        return _fixed_frames(session), padding
    return FRAMES, "none" if _padding_in_graph(session) else "zeros"


def _fixed_frames(session: Session) -> int | None:
    frames = session.inputs[0].shape[1]
    return frames if isinstance(frames, int) else None


def _padding_in_graph(session: Session) -> str | None:
    """What a model with a free frame axis says of itself, as far as it is known."""
    padding = session.identity.form.get("padding") if session.identity else None
    return padding if padding in PADDINGS else None


def _metrics(evaluator: CrossViewEvaluator, stats: StreamStats) -> dict[str, Any]:
    """The metrics; an error says what was skipped on the way, which may be its cause."""
    try:
        return finish(evaluator, stats)
    except DataError as error:
        if not stats.skipped:
            raise
        skipped = f"{len(stats.skipped)} walks were skipped, the first: {stats.skipped[0].reason}"
        raise DataError(f"{error}; {skipped}", error.hint) from error
