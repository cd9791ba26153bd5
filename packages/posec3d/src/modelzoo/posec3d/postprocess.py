"""A folder of result files and the file of labels into top-1 and top-5."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelzoo.common.bins import read_bin
from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file, reason
from modelzoo.common.index import Index
from modelzoo.common.provenance import matching_results
from modelzoo.common.text import printable
from modelzoo.common.work import SampleInfo
from modelzoo.posec3d.evaluate import ActionEvaluator
from modelzoo.posec3d.spec import CLASSES, CLIPS, MOST_CLASSES, SPEC

OTHER_RUN = "another run's results, or another run's label file"

LABEL = re.compile("[0-9]{1,9}")

ROW = CLIPS * 4
"""Bytes of one class in the result of one sample."""


def read_label_file(path: Path) -> list[SampleInfo]:
    """Read what preprocess says of every sample: a line `<stem> <label>` each; empty lines at the end do not count.

    Returns:
        The samples, with their `label`.

    Raises:
        DataError: It is missing, empty, or a line is not as it should be, or two are of one sample.
    """
    try:
        lines = existing_file(path, "label").read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, ValueError) as error:
        said = reason(error) if isinstance(error, OSError) else "it is not a text"
        raise DataError(f"cannot read {path}: {said}") from error
    labels: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        stem, _, label = line.strip().rpartition(" ")
        if not stem.strip() or not LABEL.fullmatch(label):
            raise DataError(f"{path}: line {number} is '{printable(line, 60)}', not '<sample> <label>'")
        if stem in labels:
            raise DataError(f"{path}: line {number} is the second one of {printable(stem, 60)}")
        labels[stem] = int(label)
    if not labels:
        raise DataError(f"{path} has no labels")
    return [SampleInfo(stem, stem, {"label": label}) for stem, label in labels.items()]


def check_index(samples: Sequence[SampleInfo], label_file: Path, indices: Mapping[Path, Index]) -> list[SampleInfo]:
    """The samples with the names of their recordings, where preprocess left an index; it has to say the same labels.

    Args:
        samples: What the label file says.
        label_file: The label file.
        indices: What preprocess wrote, by path.

    Raises:
        DataError: It does not.
    """
    if not indices:
        return list(samples)
    known = {sample.stem: sample for index in indices.values() for sample in index.samples}
    paths = ", ".join(map(str, indices))
    if known.keys() != {sample.stem for sample in samples}:
        raise DataError(f"{label_file} has {len(samples)} samples, {paths} has {len(known)}, not the same", OTHER_RUN)
    for sample in samples:
        label = known[sample.stem].fields.get("label")
        if label != sample.fields["label"]:
            raise DataError(
                f"{label_file} says {sample.fields['label']} of {sample.stem}, {paths} says {label}", OTHER_RUN
            )
    return [known[sample.stem] for sample in samples]


def evaluate_results(samples: Sequence[SampleInfo], results: Path, classes: int | None = None) -> dict[str, Any]:
    """Read the logits of every sample and compare them with its label; all files are checked before the first is read.

    Args:
        samples: The samples, with their `label`.
        results: The folder with `<stem>_0.bin` files, each `(20, classes) float32`.
        classes: How many classes there are; None for what the sizes of the files say.

    Returns:
        The metrics; see `ActionEvaluator.result`.

    Raises:
        DataError: A result is missing, has the wrong size, holds NaN, or belongs to no sample; or a label is too large.
    """
    sources = {sample.stem: printable(sample.source) for sample in samples}
    files = matching_results(sources, results, "samples", OTHER_RUN)
    count = _class_count(list(files.values()), classes)
    evaluator = ActionEvaluator(count)
    for sample in samples:
        file = files[sample.stem]
        logits = read_bin(file, SPEC.outputs[0].dtype, (CLIPS, count))
        evaluator.update(replace(sample, source=str(file)), (logits,))
    return evaluator.result()


def _class_count(files: Sequence[Path], wanted: int | None) -> int:
    """How many classes the results are of, by their size, which is the same for all."""
    if wanted is not None and wanted > MOST_CLASSES:
        raise DataError(f"there are {wanted:,} classes, more than {MOST_CLASSES:,}")
    sizes = {path: path.stat().st_size for path in files}
    first, size = next(iter(sizes.items()))
    classes = wanted or size // ROW
    for path, bytes_ in sizes.items():
        if not classes or bytes_ != classes * ROW:
            raise DataError(_wrong_size(path, bytes_, wanted or CLASSES), _batch_hint(bytes_, wanted or CLASSES))
    if wanted is None and classes != CLASSES and not classes % CLASSES:
        raise DataError(_wrong_size(first, size, CLASSES), _batch_hint(size, CLASSES))
    if classes > MOST_CLASSES:
        raise DataError(f"{first} has {size:,} bytes, which would be {classes:,} classes", _batch_hint(size, CLASSES))
    return classes


def _wrong_size(path: Path, size: int, classes: int) -> str:
    return f"{path} has {size} bytes, but {CLIPS} clips of {classes} classes have {classes * ROW}"


def _batch_hint(size: int, classes: int) -> str:
    samples, rest = divmod(size, classes * ROW)
    if samples > 1 and not rest:
        return f"it seems to hold the rows of {samples} samples: infer writes a file for each, whatever the batch"
    return "--classes says how many classes there are; a sample has a row of float32 for each of its clips"
