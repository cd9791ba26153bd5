"""A folder of result files into cross-view rank-1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelzoo.common.bins import read_bin
from modelzoo.common.errors import DataError
from modelzoo.common.index import Index
from modelzoo.common.provenance import matching_results
from modelzoo.common.work import SampleInfo
from modelzoo.gaitset.dataset import Walk
from modelzoo.gaitset.evaluate import CrossViewEvaluator
from modelzoo.gaitset.preprocess import walk_units
from modelzoo.gaitset.spec import FRAMES, SPEC

FIELDS = ("subject", "condition", "view")
"""What the fields of a sample have to say."""

OTHER_RUN = (
    "another run's results, or walks that came or went since; --index BINS_index.json says what was preprocessed"
)


def samples_of_indices(indices: Mapping[Path, Index]) -> list[SampleInfo]:
    """The walks that were preprocessed.

    Args:
        indices: What preprocess wrote, by path.

    Raises:
        DataError: A sample has no subject, condition or view, or two have one stem.
    """
    samples: dict[str, SampleInfo] = {}
    for path, index in indices.items():
        for sample in index.samples:
            if not all(isinstance(sample.fields.get(name), str) for name in FIELDS):
                raise DataError(f"{path}: sample {sample.stem} has no {', '.join(FIELDS)}", "preprocess again")
            if sample.stem in samples:
                raise DataError(f"{path}: sample {sample.stem} is there twice", "preprocess again")
            samples[sample.stem] = sample
    return list(samples.values())


def samples_of_walks(walks: Sequence[Walk]) -> list[SampleInfo]:
    """The walks of a folder, numbered as preprocess numbers them."""
    units = walk_units(walks, FRAMES, "zeros", "float32")
    return [sample for unit in units for sample in unit.samples or ()]


def evaluate_results(samples: Sequence[SampleInfo], results: Path) -> dict[str, Any]:
    """Read one feature per walk and compare them; all files are checked before the first is read.

    Args:
        samples: The walks.
        results: The folder with `<stem>_0.bin` files, each `(62, 256) float32`.

    Returns:
        The metrics; see `CrossViewEvaluator.result`.

    Raises:
        DataError: A result is missing, has the wrong size, or belongs to no walk; or a feature is not finite.
    """
    (feature,) = SPEC.outputs
    files = _matching_files(samples, results)
    evaluator = CrossViewEvaluator(len(samples))
    for sample in samples:
        file = files[sample.stem]
        output = read_bin(file, feature.dtype, (1, *map(int, feature.sample_shape)))
        evaluator.update(replace(sample, source=str(file)), (output,))
    return evaluator.result()


def _matching_files(samples: Sequence[SampleInfo], results: Path) -> dict[str, Path]:
    files = matching_results({sample.stem: sample.source for sample in samples}, results, "walks", OTHER_RUN)
    for path in files.values():
        _check_size(path)
    return files


def _check_size(path: Path) -> None:
    (feature,) = SPEC.outputs
    size, wanted = path.stat().st_size, feature.sample_bytes()
    if size != wanted:
        raise DataError(f"{path} has {size} bytes, but a {feature.describe()} has {wanted} for each walk")
