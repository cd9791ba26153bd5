"""Labelled images and a model into metrics, in one process and without intermediate files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.common.report import Report, read_reference
from modelzoo.common.session import Session
from modelzoo.common.stream import StreamStats, finish, stream
from modelzoo.common.work import Threads
from modelzoo.reid.dataset import Crop
from modelzoo.reid.evaluate import RetrievalEvaluator, without_junk
from modelzoo.reid.layouts.market1501 import is_market1501
from modelzoo.reid.preprocess import crop_units
from modelzoo.reid.sections import LABELS, ranking_sections
from modelzoo.reid.spec import REFERENCE, SPEC


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    Args:
        batchsize: Images per batch, where the model leaves it free.
        threads: What decodes.
        on_error: `fail` or `skip` for images that cannot be read.
        normalise: Divide the features by their length first.
        max_rank: Length of the CMC curve.
        rerank: Re-rank by k-reciprocal neighbours.
    """

    batchsize: int
    threads: Threads
    on_error: str = "fail"
    normalise: bool = True
    max_rank: int = 50
    rerank: bool = False


def run(crops: Sequence[Crop], session: Session, options: RunOptions) -> Report:
    """Evaluate a model on a data set; junk images, which no metric uses, are not computed.

    Args:
        crops: What `layouts.read_data_set` gives.
        session: The model; its input's dtype says whether it takes pixels or normalised images.
        options: How to run.

    Raises:
        DataError: An image cannot be read and `options.on_error` is `fail`, or no query has a match.
        ModelError: The model does not take these images.
    """
    crops = without_junk(crops)
    batchsize = session.inputs[0].batch or options.batchsize
    evaluator = RetrievalEvaluator(crops, options.normalise, options.max_rank, options.rerank)
    units = crop_units(crops, session.inputs[0].dtype)
    stats = stream(units, session, evaluator, batchsize, options.threads, options.on_error)
    metrics = _metrics(evaluator, stats)
    reference = _reference(crops, options.rerank)
    sections = ranking_sections(evaluator, crops, reference.get("accuracy", {}).get("upstream", {}))
    return Report(
        SPEC.name, session.backend, batchsize, metrics, stats, reference, SPEC.title, labels=LABELS, sections=sections
    )


def _reference(crops: Sequence[Crop], rerank: bool) -> dict[str, Any]:
    """The published numbers; `accuracy` is that of the same protocol, and of no other data."""
    reference = read_reference(REFERENCE)
    if not is_market1501(crops):
        return {"accuracy_market1501": reference.pop("accuracy"), **reference}
    return {**reference, "accuracy": reference["accuracy_reranked"]} if rerank else reference


def _metrics(evaluator: RetrievalEvaluator, stats: StreamStats) -> dict[str, Any]:
    """The metrics; an error says what was skipped on the way, which may be its cause."""
    try:
        return finish(evaluator, stats)
    except DataError as error:
        if not stats.skipped:
            raise
        skipped = f"{len(stats.skipped)} images were skipped, the first: {stats.skipped[0].reason}"
        raise DataError(f"{error}; {skipped}", error.hint) from error
