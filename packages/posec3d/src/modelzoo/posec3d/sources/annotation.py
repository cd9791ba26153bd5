"""Recordings in a pickle: a whole annotation file, or a single annotation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.text import printable
from modelzoo.posec3d.annotations import Record, read_annotations, recorded_skeletons
from modelzoo.posec3d.pickles import read_pickle
from modelzoo.posec3d.skeletons import is_whole
from modelzoo.posec3d.sources.recording import Recording, Source


def read_annotated(path: Path) -> list[Source]:
    """The recordings of an annotation file, whatever their split, or the one annotation that a pickle holds.

    Raises:
        DataError: The pickle holds something else.
    """
    content = read_pickle(path)
    if isinstance(content, dict) and "keypoint" in content:
        name = content.get("frame_dir")
        content["frame_dir"] = name if isinstance(name, str) else path.stem
        records: Sequence[Record] = [content]
    else:
        records = read_annotations(path).records
    return [Source(record["frame_dir"], partial(_recording, record)) for record in records]


def _recording(record: Record) -> Recording:
    name = record["frame_dir"]
    try:
        skeletons, remarks = recorded_skeletons(record)
    except DataError as error:
        raise DataError(f"{printable(name, 80)}: {error}", error.hint) from error
    label = record.get("label")
    frames = range(skeletons.keypoints.shape[1])
    known = int(label) if is_whole(label) else None
    return Recording(name, skeletons, frames, known, (*skeletons.remarks, *remarks))
