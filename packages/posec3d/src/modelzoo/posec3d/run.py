"""Annotations and a model into top-1 and top-5, in one process and without intermediate files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelzoo.common.errors import ModelError
from modelzoo.common.report import Report, read_reference
from modelzoo.common.session import Session
from modelzoo.common.spec import BATCH, Dimension, TensorSpec
from modelzoo.common.stream import finish, stream
from modelzoo.common.work import Threads
from modelzoo.posec3d.annotations import Selection
from modelzoo.posec3d.evaluate import ActionEvaluator
from modelzoo.posec3d.preprocess import clip_units
from modelzoo.posec3d.sections import LABELS, action_sections
from modelzoo.posec3d.spec import INPUTS, MOST_CLASSES, REFERENCE, SPEC

FASTEST = "frames"
"""What a graph for ONNX Runtime should take: stem and first stage then see every distinct frame once."""


@dataclass(frozen=True)
class Form:
    """What a model takes and gives.

    Args:
        input: A key of `spec.INPUTS`.
        people: How many people the keypoints are for, where their number is fixed.
        classes: How many actions the model tells apart.
    """

    input: str
    people: int | None
    classes: int


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    Args:
        batchsize: Recordings per batch, where the model leaves it free.
        threads: What samples the frames.
        on_error: `fail` or `skip` for recordings that cannot be used.
    """

    batchsize: int
    threads: Threads
    on_error: str = "fail"


def run(selection: Selection, names: Sequence[str], session: Session, options: RunOptions) -> Report:
    """Evaluate a model on annotated recordings.

    Heat maps are drawn straight into the batch, one batch at a time; what waits for it is keypoints.

    Args:
        selection: The recordings.
        names: What the actions are called.
        session: The model.
        options: How to run.

    Raises:
        DataError: A recording cannot be used and `options.on_error` is `fail`, or none can.
        ModelError: The model does not take what a sample is made of.
    """
    form = form_of(session)
    batchsize = session.inputs[0].batch or options.batchsize
    evaluator = ActionEvaluator(form.classes)
    units = clip_units(selection.used, form.input, form.people)
    stats = stream(units, session, evaluator, batchsize, options.threads, options.on_error)
    stats.skipped[:0] = selection.skipped
    metrics = finish(evaluator, stats)
    return Report(
        SPEC.name,
        session.backend,
        batchsize,
        metrics,
        stats,
        read_reference(REFERENCE),
        SPEC.title,
        labels=LABELS,
        sections=action_sections(evaluator, metrics, names),
    )


def form_of(session: Session) -> Form:
    """What a model takes and gives, by the shapes of its tensors.

    Raises:
        ModelError: It is no model of clips.
    """
    form = next((form for form, tensors in INPUTS.items() if _takes(session.inputs, tensors)), None)
    if form is None:
        said = ", ".join(tensor.describe() for tensor in session.inputs)
        raise ModelError(f"the model takes {said}, not {SPEC.inputs[0].describe()}")
    people = session.inputs[0].shape[1] if form == "keypoints" else None
    return Form(form, people if isinstance(people, int) else None, _classes_of(session))


def _takes(have: Sequence[TensorSpec], want: Sequence[TensorSpec]) -> bool:
    return len(have) == len(want) and all(
        a.dtype == b.dtype and len(a.shape) == len(b.shape) and all(map(_fits, a.sample_shape, b.sample_shape))
        for a, b in zip(have, want, strict=True)
    )


def _fits(have: Dimension, want: Dimension) -> bool:
    """Whether an axis of a model is what it has to be; one that is free here may be fixed there."""
    return have == want or not isinstance(want, int)


def _classes_of(session: Session) -> int:
    output = session.outputs[0]
    classes = output.shape[-1] if len(session.outputs) == 1 and len(output.shape) == 2 else BATCH
    if not isinstance(classes, int):
        said = ", ".join(tensor.describe() for tensor in session.outputs)
        raise ModelError(f"the model gives {said}, not {SPEC.outputs[0].describe()}")
    if classes > MOST_CLASSES:
        raise ModelError(f"the model tells {classes:,} actions apart, more than {MOST_CLASSES:,}")
    return classes
