"""A tree of photos and a model into generated pictures and FID, in one process and without .bin files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError, ZooError
from modelzoo.common.report import Report, read_reference
from modelzoo.common.session import Session
from modelzoo.common.stream import StreamStats, finish, stream
from modelzoo.common.work import Skipped, Threads
from modelzoo.dgnet.evaluate import PictureEvaluator
from modelzoo.dgnet.fid.measure import Fid, FidOptions, computed_set, fid_of
from modelzoo.dgnet.fid.pictures import Pictures
from modelzoo.dgnet.generator import check_whole
from modelzoo.dgnet.pairing import Pair
from modelzoo.dgnet.preprocess import CHUNK, pair_units
from modelzoo.dgnet.sections import LABELS, fid_section, picture_sections
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
        failure: Why it could not be measured, though the pictures are there.
    """

    report: Report
    clipped: Sequence[str]
    others: Sequence[str]
    fid: Fid | None = None
    failure: ZooError | None = None

    @property
    def skipped(self) -> Sequence[Skipped]:
        """What was left out: of the pairs, and of the pictures that FID is of."""
        sets = (self.fid.real, self.fid.fake) if self.fid else ()
        unmeasured = [Skipped(one.source, f"{one.reason} (left out of FID)") for part in sets for one in part.skipped]
        return [*self.report.stats.skipped, *unmeasured]


def run(
    pairs: Sequence[Pair],
    session: Session,
    trees: PictureTrees,
    options: RunOptions,
    real: Pictures | None = None,
    extractor: Extractor | None = None,
) -> Outcome:
    """Generate a picture of every pair, and measure how far the pictures are from real ones.

    The real ones come first, so that what is wrong with them or with the feature network is found before the work.

    Args:
        pairs: What to generate.
        session: The model; its inputs' dtype says whether it takes pixels or normalised pictures.
        trees: Where the pictures go.
        options: How to run.
        real: The real pictures, for FID.
        extractor: The feature network; None leaves FID out.

    Raises:
        DataError: A photo cannot be read and `options.on_error` is `fail`, none can, a picture holds NaN, there are
            pictures already, or FID cannot be measured of the real pictures.
        ModelError: The model does not take a structure and an appearance, or the other network gives no features.
        WriteError: A picture cannot be written.
    """
    check_whole(session)
    trees.check(options.overwrite)
    how = FidOptions(options.batchsize, Threads(options.workers, CHUNK), options.on_error)
    against = computed_set(real, extractor, how) if real and extractor else None
    others = trees.prepare([pair.info.stem for pair in pairs])
    evaluator, stats, metrics = _generate(pairs, session, trees, options)
    sections, fid, failure = picture_sections(pairs, evaluator.stems, trees), None, None
    if against and extractor:
        pictures = Pictures(trees.by_structure, sorted(trees.places(stem)[0] for stem in evaluator.stems))
        try:
            fid = fid_of(against, computed_set(pictures, extractor, how))
        except ZooError as error:
            failure = error
    published = bool(fid and extractor and extractor.published)
    if fid:
        metrics, sections = metrics | {"fid": fid.value}, [fid_section(fid, trees, others, published), *sections]
    report = Report(
        SPEC.name,
        session.backend,
        session.inputs[0].batch or options.batchsize,
        metrics,
        stats,
        _reference(published),
        SPEC.title,
        labels=LABELS,
        sections=sections,
    )
    return Outcome(report, evaluator.clipped, others, fid, failure)


def _generate(
    pairs: Sequence[Pair], session: Session, trees: PictureTrees, options: RunOptions
) -> tuple[PictureEvaluator, StreamStats, dict[str, Any]]:
    """Write the pictures; the evaluator knows which, and the metrics how many."""
    batchsize, threads = session.inputs[0].batch or options.batchsize, Threads(options.workers, CHUNK)
    units = pair_units(pairs, session.inputs[0].dtype)
    with PictureEvaluator(trees.write, options.workers) as evaluator:
        stats = stream(units, session, evaluator, batchsize, threads, options.on_error)
        metrics = finish(evaluator, stats)
    if not stats.samples:
        raise DataError(f"no photo could be used, the first: {stats.skipped[0].reason}")
    return evaluator, stats, metrics


def _reference(compared: bool) -> Mapping[str, Any]:
    """The published numbers; the accuracy, which is a FID, only where there is one to compare with it."""
    return {name: part for name, part in read_reference(REFERENCE).items() if compared or name != "accuracy"}
