"""A folder of result files, and perhaps that of the mirrored crops, into COCO's ten numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelzoo.alphapose.coco import CocoPeople, is_number
from modelzoo.alphapose.evaluate import HEATMAPS, KEYPOINTS, KeypointEvaluator
from modelzoo.alphapose.heatmaps import merge_flipped
from modelzoo.common.bins import read_bin
from modelzoo.common.errors import DataError
from modelzoo.common.index import Index
from modelzoo.common.provenance import matching_results
from modelzoo.common.work import SampleInfo

DTYPE = "float32"
ITEM_BYTES = 4

OTHER_RUN = "another run's results, or other detections; --index BINS_index.json says what was preprocessed"


def samples_of_index(path: Path, index: Index, data: CocoPeople) -> list[SampleInfo]:
    """The samples of a preprocess run.

    Args:
        path: The index file, for messages.
        index: What it says.
        data: The data set.

    Raises:
        DataError: A sample is not one of this model, is there twice, or is of another data set.
    """
    samples: dict[str, SampleInfo] = {}
    for sample in index.samples:
        if not _is_complete(sample.fields):
            raise DataError(f"{path}: sample {sample.stem} has no image_id, box, score and crop", "preprocess again")
        if sample.stem in samples:
            raise DataError(f"{path}: sample {sample.stem} is there twice", "preprocess again")
        number = sample.fields["image_id"]
        if number not in data.photos:
            raise DataError(f"{path}: sample {sample.stem} is of the image {number}, which {data.source} does not list")
        samples[sample.stem] = sample
    return list(samples.values())


def evaluate_results(
    samples: Sequence[SampleInfo], results: Path, mirrored: Path | None, evaluator: KeypointEvaluator
) -> dict[str, Any]:
    """Read the outputs of every sample and score them; all files are checked before the first is read.

    Args:
        samples: What was preprocessed.
        results: The folder with `<stem>_0.bin` files: heat maps or keypoints, float32.
        mirrored: The same for the mirrored crops, heat maps; None for no flip test, or one in the graph.
        evaluator: A fresh one.

    Returns:
        The metrics; see `KeypointEvaluator.result`.

    Raises:
        DataError: A result is missing, has the wrong size, or belongs to no sample.
    """
    files = _matching_files(samples, results)
    shape = _shape(files)
    flipped = _matching_files(samples, mirrored) if mirrored else {}
    if flipped and (shape != HEATMAPS or _shape(flipped) != HEATMAPS):
        hint = "leave out --dump_dir_flip, or export without --decode"
        raise DataError("the flip test needs heat maps, and the results are keypoints", hint)
    for sample in samples:
        output = read_bin(files[sample.stem], DTYPE, shape)
        if flipped:
            output = merge_flipped(output, read_bin(flipped[sample.stem], DTYPE, shape))
        evaluator.update(sample, (output,))
    return evaluator.result()


def _is_complete(fields: Mapping[str, Any]) -> bool:
    lists = (fields.get("box"), fields.get("crop"))
    fours = all(isinstance(four, list) and len(four) == 4 and all(map(is_number, four)) for four in lists)
    return fours and type(fields.get("image_id")) is int and is_number(fields.get("score"))


def _matching_files(samples: Sequence[SampleInfo], results: Path) -> dict[str, Path]:
    return matching_results({sample.stem: sample.source for sample in samples}, results, "detections", OTHER_RUN)


def _shape(files: Mapping[str, Path]) -> tuple[int, ...]:
    """What all files hold: heat maps or keypoints."""
    shapes = {ITEM_BYTES * math.prod(shape): shape for shape in (HEATMAPS, KEYPOINTS)}
    sizes = {path: path.stat().st_size for path in files.values()}
    usual = next(iter(sizes.values()))
    for path, size in sizes.items():
        if size != usual or size not in shapes:
            needs = " or ".join(f"{known} ({DTYPE} {shape[1:]})" for known, shape in shapes.items())
            raise DataError(f"{path} has {size} bytes; all results have {needs}")
    return shapes[usual]
