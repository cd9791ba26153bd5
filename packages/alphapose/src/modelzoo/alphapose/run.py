"""Photos, boxes and a model into COCO's ten numbers, in one process and without intermediate files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from modelzoo.alphapose.coco import CocoPeople
from modelzoo.alphapose.detections import Detection
from modelzoo.alphapose.evaluate import HEATMAPS, KEYPOINTS, KeypointEvaluator
from modelzoo.alphapose.fliptest import FlipTestSession
from modelzoo.alphapose.preprocess import crop_units
from modelzoo.alphapose.sections import LABELS, pose_sections
from modelzoo.alphapose.spec import DETECTOR, IMAGES, JOINTS, REFERENCE, SPEC
from modelzoo.common.errors import DataError, ModelError, UsageError
from modelzoo.common.report import Report, read_reference
from modelzoo.common.session import Session
from modelzoo.common.spec import BATCH
from modelzoo.common.stream import finish, stream
from modelzoo.common.work import Threads

UNTESTED = "There was no flip test, which the published numbers are with."


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    Args:
        batchsize: Crops per batch, where the model leaves it free.
        threads: What decodes photos and cuts crops.
        on_error: `fail` or `skip` for photos that cannot be read; the people in them then count as not found.
        flip_test: Whether the heat maps are the mean of those of a crop and of its mirror image, as published.
    """

    batchsize: int
    threads: Threads
    on_error: str = "fail"
    flip_test: bool = True


def run(
    data: CocoPeople, detections: Sequence[Detection], session: Session, options: RunOptions
) -> tuple[Report, KeypointEvaluator]:
    """Evaluate a model on a data set.

    Args:
        data: The data set.
        detections: Boxes of people in its photos.
        session: The model; its input's dtype says whether it takes pixels or normalised crops.
        options: How to run.

    Returns:
        The report, and the evaluator, which holds the poses.

    Raises:
        DataError: A photo cannot be read and `options.on_error` is `fail`, or none can.
        ModelError: The model does not take crops, or does not give heat maps or keypoints of 17 joints.
        UsageError: The model's graph does not do the flip test as asked for.
    """
    check_tensors(session)
    tested = with_flip_test(session, options.flip_test)
    batchsize = session.inputs[0].batch or options.batchsize
    evaluator = KeypointEvaluator(data)
    units = crop_units(detections, session.inputs[0].dtype)
    stats = stream(units, tested, evaluator, batchsize, options.threads, options.on_error)
    if not stats.samples:
        raise DataError(f"no photo could be used, the first: {stats.skipped[0].reason}")
    metrics = finish(evaluator, stats)
    report = Report(
        SPEC.name,
        session.backend,
        batchsize,
        metrics,
        stats,
        read_reference(REFERENCE),
        SPEC.title,
        "" if options.flip_test else UNTESTED,
        LABELS,
        pose_sections(evaluator, data),
    )
    return report, evaluator


def check_tensors(session: Session) -> None:
    """Check that a model takes crops and gives heat maps or keypoints of COCO's joints.

    Raises:
        ModelError: It does not.
    """
    refuse_detector(session)
    image = session.inputs[0]
    known = IMAGES.get(image.dtype)
    if (
        len(session.inputs) != 1
        or known is None
        or not replace(image, shape=(BATCH, *image.sample_shape)).accepts(
            (1, *(int(size) for size in known.sample_shape))
        )
    ):
        raise ModelError(f"the model takes {image.describe()}, not {SPEC.inputs[0].describe()}")
    if len(session.outputs) != 1 or not (_gives(session, HEATMAPS) or _gives(session, KEYPOINTS)):
        said = ", ".join(output.describe() for output in session.outputs)
        raise ModelError(f"the model gives {said}, not heat maps or keypoints of COCO's {JOINTS} joints")


def refuse_detector(session: Session) -> None:
    """Name the detector, whose files lie beside those of the pose network.

    Raises:
        ModelError: The model is the detector.
    """
    if [image.sample_shape for image in session.inputs] == [image.sample_shape for image in DETECTOR.inputs]:
        text = f"the model takes {session.inputs[0].describe()}: it is the person detector, not the pose network"
        raise ModelError(text, "export makes the pose network of fast_res50_256x192.pth")


def with_flip_test(session: Session, wanted: bool) -> Session:
    """The model with the flip test, in its graph or around it; or as it is.

    Args:
        session: A model for which `check_tensors` has passed.
        wanted: Whether there is to be a flip test.

    Raises:
        UsageError: The graph does it and is not to, or it gives keypoints, which cannot be merged.
    """
    inside = bool(session.identity and session.identity.form.get("flip_test"))
    if inside and not wanted:
        raise UsageError("--no-flip-test does not fit the model, which was exported with --flip-test")
    if inside or not wanted:
        return session
    if _gives(session, KEYPOINTS):
        raise UsageError(
            "the model gives keypoints without a flip test, and only heat maps can be merged",
            "export it with --flip-test, or run it with --no-flip-test",
        )
    return FlipTestSession(session)


def _gives(session: Session, shape: tuple[int, ...]) -> bool:
    output = session.outputs[0]
    return replace(output, shape=(BATCH, *output.sample_shape)).accepts(shape)
