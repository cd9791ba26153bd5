"""Annotated recordings into network inputs, and what the files of them need of a disk."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from modelzoo.common.bins import BIN_SUFFIX
from modelzoo.common.errors import WriteError
from modelzoo.common.work import Sample, SampleInfo, WorkUnit
from modelzoo.posec3d.annotations import Annotation
from modelzoo.posec3d.clips import cut_clips

LABEL_FILE = "hmdb51_label.txt"
"""Where preprocess lists the labels, in its output folder."""

WARN_BYTES = 10_000_000_000
"""What is said aloud before it is written."""


def clip_units(
    annotations: Sequence[Annotation], form: str, people: int | None = None, path: Path | None = None
) -> list[WorkUnit]:
    """One work unit per recording, with the label in its fields.

    Args:
        annotations: The recordings.
        form: What the graph takes, a key of `spec.INPUTS`.
        people: How many the keypoints are for, where their number is fixed.
        path: The file that they come from, so that files of an older one are written again.
    """
    return [_unit(annotation, form, people, path) for annotation in annotations]


def sample_info(annotation: Annotation) -> SampleInfo:
    """What is known of a sample before it is computed."""
    return SampleInfo(f"{annotation.number:05d}", annotation.name, {"label": annotation.label})


def _unit(annotation: Annotation, form: str, people: int | None, path: Path | None) -> WorkUnit:
    info = sample_info(annotation)
    return WorkUnit(annotation.name, partial(_load, annotation, info, form, people), samples=(info,), path=path)


def _load(annotation: Annotation, info: SampleInfo, form: str, people: int | None) -> list[Sample]:
    return [Sample(info, cut_clips(annotation.skeletons).inputs(form, people))]


def label_lines(samples: Sequence[SampleInfo]) -> str:
    """The label file: a line `<stem> <label>` for each sample."""
    return "".join(f"{sample.stem} {sample.fields['label']}\n" for sample in samples)


def fingerprint(annotations: Sequence[Annotation]) -> str:
    """What tells one selection from another: a number means another recording where one was added or removed."""
    rows = "\n".join(f"{one.number} {one.label} {one.name}" for one in annotations)
    return hashlib.sha256(rows.encode(errors="surrogatepass")).hexdigest()


def check_room(folder: Path, size: int) -> None:
    """Find out whether a disk has room for the .bin files of a folder; those that are there are replaced or kept.

    Args:
        folder: Where they go; it may not be there yet.
        size: Bytes of all of them.

    Raises:
        WriteError: It has not.
    """
    there = sum(path.stat().st_size for path in folder.glob(f"*{BIN_SUFFIX}") if path.is_file())
    parent = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(parent).free
    if size - there > free:
        raise WriteError(
            f"the .bin files need {size - there:,} bytes, but there are {free:,} free for {folder}",
            "--format keypoints writes some 2000 times less, and posec3d run writes nothing",
        )
