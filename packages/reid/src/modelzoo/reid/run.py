"""A Market-1501 folder and a model into metrics, in one process and without intermediate files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.common.report import Report, read_reference
from modelzoo.common.session import Session
from modelzoo.common.stream import StreamStats, finish, stream
from modelzoo.common.work import Threads
from modelzoo.reid.dataset import list_crops, market1501
from modelzoo.reid.evaluate import RetrievalEvaluator, without_junk
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
    """

    batchsize: int
    threads: Threads
    on_error: str = "fail"
    normalise: bool = True
    max_rank: int = 50


def run(data: Path, session: Session, options: RunOptions) -> Report:
    """Evaluate a model on a Market-1501 folder; junk images, which no metric uses, are not computed.

    Args:
        data: The folder with `query` and `bounding_box_test`.
        session: The model; its input's dtype says whether it takes pixels or normalised images.
        options: How to run.

    Raises:
        DataError: An image cannot be read and `options.on_error` is `fail`, or no query has a match.
        ModelError: The model does not take these images.
    """
    crops = without_junk(list_crops(*market1501(data)))
    batchsize = session.inputs[0].batch or options.batchsize
    evaluator = RetrievalEvaluator(crops, options.normalise, options.max_rank)
    units = crop_units(crops, session.inputs[0].dtype)
    stats = stream(units, session, evaluator, batchsize, options.threads, options.on_error)
    metrics = _metrics(evaluator, stats)
    reference = read_reference(REFERENCE)
    sections = ranking_sections(evaluator, crops, reference["accuracy"]["upstream"])
    return Report(
        SPEC.name, session.backend, batchsize, metrics, stats, reference, SPEC.title, labels=LABELS, sections=sections
    )


def _metrics(evaluator: RetrievalEvaluator, stats: StreamStats) -> dict[str, Any]:
    """The metrics; an error says what was skipped on the way, which may be its cause."""
    try:
        return finish(evaluator, stats)
    except DataError as error:
        if not stats.skipped:
            raise
        skipped = f"{len(stats.skipped)} images were skipped, the first: {stats.skipped[0].reason}"
        raise DataError(f"{error}; {skipped}", error.hint) from error
