"""A folder of result files into mAP and CMC."""

from __future__ import annotations

import filecmp
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelzoo.common.bins import read_bin
from modelzoo.common.errors import DataError
from modelzoo.common.index import Index, index_path, read_index
from modelzoo.common.results import list_results, read_summary
from modelzoo.common.work import SampleInfo
from modelzoo.reid.dataset import Crop
from modelzoo.reid.evaluate import RetrievalEvaluator, without_junk
from modelzoo.reid.spec import SPEC

FEATURE = "float32"
SKIPPED = "what preprocess skipped is known from --index Q_index.json G_index.json"
"""Q and G are the folders that preprocess wrote."""


def find_indices(results: Path, given: Sequence[Path]) -> dict[Path, Index]:
    """The indices of the preprocess runs: the given ones, else those beside the folders that the summary names.

    Args:
        results: The result folder.
        given: Index files.

    Raises:
        DataError: One is missing, is not an index, is of another model, or shows an interrupted run.
    """
    paths = list(given)
    if not paths:
        paths = [path for path in map(index_path, _input_folders(results)) if path.exists()]
    indices = {path: read_index(path) for path in paths}
    for path, index in indices.items():
        if index.model != SPEC.name:
            raise DataError(f"{path} is an index of the model {index.model}, not of {SPEC.name}")
        if not index.complete:
            raise DataError(f"{path} shows an interrupted preprocess run", "run the same preprocess command again")
    return indices


def _input_folders(results: Path) -> list[Path]:
    """The folders that the summary names, from where infer was run."""
    rows = list((read_summary(results) or {"filesinfo": {}})["filesinfo"].values())
    outfile = next((file for row in rows for file in row["outfiles"]), "")
    base = _start_folder(results, Path(outfile).parent)
    return sorted({base / Path(file).parent for row in rows for file in row["infiles"]})


def _start_folder(results: Path, written: Path) -> Path:
    """The folder from which the result folder is called `written`; the working directory where none is."""
    for real in (results.absolute(), results.resolve()):
        count = len(written.parts)
        if count and real.parts[-count:] == written.parts:
            return Path(*real.parts[:-count])
    return Path()


def without_skipped(crops: Sequence[Crop], indices: Mapping[Path, Index]) -> list[Crop]:
    """The crops that preprocess did not skip.

    Args:
        crops: All crops.
        indices: What preprocess wrote, by path.
    """
    skipped = {Path(source.source).name for index in indices.values() for source in index.skipped}
    return [crop for crop in crops if crop.path.name not in skipped]


def evaluate_results(crops: Sequence[Crop], results: Path, normalise: bool, max_rank: int) -> dict[str, Any]:
    """Read one feature per crop and rank; all files are checked before the first is read.

    Args:
        crops: Query and gallery, junk included.
        results: The folder with `<stem>_0.bin` files, float32.
        normalise: Divide the features by their length first.
        max_rank: Length of the CMC curve.

    Returns:
        The metrics; see `RetrievalEvaluator.result`.

    Raises:
        DataError: A result is missing, has the wrong size, or belongs to no crop.
    """
    files = _matching_files(crops, results)
    used = without_junk(crops)
    evaluator = RetrievalEvaluator(used, normalise, max_rank)
    for crop in used:
        info = SampleInfo(
            crop.stem,
            str(files[crop.stem]),
            {"split": crop.split, "person": crop.person, "camera": crop.camera},
        )
        evaluator.update(info, (read_bin(files[crop.stem], FEATURE),))
    return evaluator.result()


def _matching_files(crops: Sequence[Crop], results: Path) -> dict[str, Path]:
    files = list_results(results)
    by_stem = _by_stem(crops)
    missing = [crop for stem, crop in by_stem.items() if stem not in files]
    if missing:
        raise DataError(
            f"{results} has no result for {len(missing)} of {len(by_stem)} images, the first is {missing[0].path}",
            f"expected {results / (missing[0].stem + '_0.bin')}; {SKIPPED}",
        )
    unknown = [path for stem, path in files.items() if stem not in by_stem]
    if unknown:
        raise DataError(
            f"{len(unknown)} results belong to no image, the first is {unknown[0]}",
            "the result folder holds an older run, or the folders are those of another data set",
        )
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
