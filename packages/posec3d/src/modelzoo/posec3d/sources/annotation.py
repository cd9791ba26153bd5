"""Recordings in a pickle: a whole annotation file, or a single annotation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.posec3d.annotations import Record, annotations_of, recorded_skeletons
from modelzoo.posec3d.pickles import read_pickle
from modelzoo.posec3d.skeletons import is_whole
from modelzoo.posec3d.sources.recording import Recording, Source

SUFFIXES = (".pkl", ".pickle")
"""Of pickles; a file that has none of them, and is no pickle, may be meant to be JSON."""


def read_annotated(path: Path, split: str | None = None) -> list[Source]:
    """The recordings of an annotation file, or the one annotation that a pickle holds.

    Args:
        path: The pickle.
        split: Which split of the file; None for all recordings, whatever their split.

    Raises:
        DataError: The pickle holds something else, or there is no such split.
    """
    try:
        content = read_pickle(path)
    except DataError as error:
        hint = None if path.suffix.lower() in SUFFIXES else "JSON files are called .json, and pickles .pkl"
        raise DataError(str(error), error.hint or hint) from error
    if isinstance(content, dict) and "keypoint" in content:
        if split is not None:
            raise DataError(f"{path} is one annotation without splits", "leave out --split")
        name = content.get("frame_dir")
        content["frame_dir"] = name if isinstance(name, str) else path.stem
        records: Sequence[Record] = [content]
    else:
        file = annotations_of(content, path)
        records = file.records if split is None else file.select(split)
    return [Source(record["frame_dir"], partial(_recording, record)) for record in records]


def _recording(record: Record) -> Recording:
    skeletons, remarks = recorded_skeletons(record)
    label = record.get("label")
    frames = range(skeletons.keypoints.shape[1])
    known = int(label) if is_whole(label) else None
    return Recording(record["frame_dir"], skeletons, frames, known, (*skeletons.remarks, *remarks))
