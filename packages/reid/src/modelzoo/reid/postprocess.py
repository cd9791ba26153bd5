"""A folder of result files into mAP and CMC."""

from __future__ import annotations

import filecmp
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelzoo.common.bins import read_bin
from modelzoo.common.errors import DataError
from modelzoo.common.index import Index
from modelzoo.common.provenance import matching_results
from modelzoo.common.work import SampleInfo
from modelzoo.reid.dataset import Crop
from modelzoo.reid.evaluate import RetrievalEvaluator, without_junk

FEATURE = "float32"
OTHER_RUN = (
    "another run's results, or folders of another data set; what preprocess skipped is known from "
    "--index Q_index.json G_index.json"
)
"""Why results and crops may not belong together; Q and G are the folders that preprocess wrote."""


def without_skipped(crops: Sequence[Crop], indices: Mapping[Path, Index]) -> list[Crop]:
    """The crops that preprocess did not skip.

    Args:
        crops: All crops.
        indices: What preprocess wrote, by path.
    """
    skipped = {Path(source.source).name for index in indices.values() for source in index.skipped}
    return [crop for crop in crops if crop.path.name not in skipped]


def evaluate_results(
    crops: Sequence[Crop], results: Path, normalise: bool, max_rank: int, rerank: bool = False
) -> dict[str, Any]:
    """Read one feature per crop and rank; all files are checked before the first is read.

    Args:
        crops: Query and gallery, junk included.
        results: The folder with `<stem>_0.bin` files, float32.
        normalise: Divide the features by their length first.
        max_rank: Length of the CMC curve.
        rerank: Re-rank by k-reciprocal neighbours.

    Returns:
        The metrics; see `RetrievalEvaluator.result`.

    Raises:
        DataError: A result is missing, has the wrong size, or belongs to no crop.
    """
    files = _matching_files(crops, results)
    used = without_junk(crops)
    evaluator = RetrievalEvaluator(used, normalise, max_rank, rerank)
    for crop in used:
        info = SampleInfo(
            crop.stem,
            str(files[crop.stem]),
            {"split": crop.split, "person": crop.person, "camera": crop.camera},
        )
        evaluator.update(info, (read_bin(files[crop.stem], FEATURE),))
    return evaluator.result()


def _matching_files(crops: Sequence[Crop], results: Path) -> dict[str, Path]:
    sources = {stem: str(crop.path) for stem, crop in _by_stem(crops).items()}
    files = matching_results(sources, results, "images", OTHER_RUN)
    _check_sizes(list(files.values()))
    return files


def _by_stem(crops: Sequence[Crop]) -> dict[str, Crop]:
    by_stem: dict[str, Crop] = {}
    for crop in crops:
        other = by_stem.setdefault(crop.stem, crop)
        if other is not crop and not filecmp.cmp(other.path, crop.path, shallow=False):
            raise DataError(
                f"{other.path} and {crop.path} are different images with one stem",
                "their results overwrite each other; 'reid run' does not need files",
            )
    return by_stem


def _check_sizes(paths: Sequence[Path]) -> None:
    sizes = [path.stat().st_size for path in paths]
    usual = Counter(sizes).most_common(1)[0][0]
    for path, size in zip(paths, sizes, strict=True):
        if size != usual or not size or size % 4:
            raise DataError(f"{path} has {size} bytes; features are float32 and all of one length ({usual} bytes)")
