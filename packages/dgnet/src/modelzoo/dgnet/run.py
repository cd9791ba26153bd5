"""A tree of photos and a model into generated pictures and FID, in one process and without .bin files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.report import Report, read_reference
from modelzoo.common.session import Session
from modelzoo.common.stream import finish, stream
from modelzoo.common.work import Threads
from modelzoo.dgnet.evaluate import PictureEvaluator
from modelzoo.dgnet.fid.measure import Fid, FidOptions, fid_of_folders
from modelzoo.dgnet.generator import check_whole
from modelzoo.dgnet.pairing import Pair
from modelzoo.dgnet.preprocess import CHUNK, pair_units
from modelzoo.dgnet.sections import LABELS, fid_section, picture_section
from modelzoo.dgnet.spec import REFERENCE, SPEC
from modelzoo.dgnet.trees import PictureTrees

if TYPE_CHECKING:
    from modelzoo.dgnet.fid.extractor import Extractor


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    Args:
        batchsize: Pictures per batch, where the model leaves it free.
        workers: Threads that decode photos, and threads that write pictures.
        on_error: `fail` or `skip` for photos that cannot be read.
        overwrite: Whether there may be generated pictures already.
    """

    batchsize: int
    workers: int
    on_error: str = "fail"
    overwrite: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a run gave besides pictures.

    Args:
        report: The report.
        clipped: The stems of pictures whose infinite values were clipped.
        others: Other files in the trees of pictures, which were left.
        fid: The distance, where it was measured.
    """

    report: Report
    clipped: Sequence[str]
    others: Sequence[str]
    fid: Fid | None


def run(
    pairs: Sequence[Pair],
    session: Session,
    trees: PictureTrees,
    options: RunOptions,
    real: Path | None = None,
    extractor: Extractor | None = None,
) -> Outcome:
    """Generate a picture of every pair, and measure how far the pictures are from real ones.

    Args:
        pairs: What to generate.
        session: The model; its inputs' dtype says whether it takes pixels or normalised pictures.
        trees: Where the pictures go.
        options: How to run.
        real: The folder of real pictures, for FID.
        extractor: The feature network; None leaves FID out.

    Raises:
        DataError: A photo cannot be read and `options.on_error` is `fail`, none can, a picture holds NaN, or there are
            pictures already.
        ModelError: The model does not take a structure and an appearance.
        WriteError: A picture cannot be written.
    """
    check_whole(session)
    trees.check(options.overwrite)
    others = trees.prepare([pair.info.stem for pair in pairs])
    batchsize = session.inputs[0].batch or options.batchsize
    units, threads = pair_units(pairs, session.inputs[0].dtype), Threads(options.workers, CHUNK)
    with PictureEvaluator(trees.write, options.workers) as evaluator:
        stats = stream(units, session, evaluator, batchsize, threads, options.on_error)
        metrics = finish(evaluator, stats)
    if not stats.samples:
        raise DataError(f"no photo could be used, the first: {stats.skipped[0].reason}")
    sections = [picture_section(pairs, evaluator.stems, trees)]
    fid = None
    if real and extractor:
        fid = fid_of_folders(real, trees.by_structure, extractor, FidOptions(batchsize, threads, options.on_error))
        metrics, sections = metrics | {"fid": fid.value}, [fid_section(fid, trees), *sections]
    report = Report(
        SPEC.name,
        session.backend,
        batchsize,
        metrics,
        stats,
        read_reference(REFERENCE),
        SPEC.title,
        labels=LABELS,
        sections=sections,
    )
    return Outcome(report, evaluator.clipped, others, fid)
