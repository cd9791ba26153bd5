"""The annotation file: which recordings there are, who is seen in them, and which action they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelzoo.common.errors import DataError
from modelzoo.common.text import printable
from modelzoo.common.work import Skipped
from modelzoo.posec3d.pickles import PickledArray, read_pickle
from modelzoo.posec3d.skeletons import Skeletons, check_skeletons, is_whole
from modelzoo.posec3d.values import shown

SPLIT = "test1"
"""The split of the published numbers."""

LONGER = "have more frames in keypoint than total_frames says: the first ones are used"

Record = Mapping[str, Any]
"""An annotation as it stands in the file."""


@dataclass(frozen=True)
class Annotation:
    """A recording that can be used.

    Args:
        number: Its place in the split, from 0.
        name: Its `frame_dir`.
        label: Number of the action that it shows.
        skeletons: Who is seen in it.
        remarks: What was done with it and has to be known.
    """

    number: int
    name: str
    label: int
    skeletons: Skeletons
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnnotationFile:
    """What an annotation file holds, unchecked but for its structure.

    Args:
        path: The file.
        records: All annotations.
        splits: Names of recordings by split; None in a file that is a mere list of annotations.
    """

    path: Path
    records: Sequence[Record]
    splits: Mapping[str, frozenset[str]] | None

    def select(self, split: str | None = None) -> list[Record]:
        """The annotations of a split, in the order of the file.

        Args:
            split: Its name; None for `test1`, or for all annotations of a file without splits.

        Raises:
            DataError: There is no such split, or nothing of it is annotated.
        """
        if self.splits is None:
            if split is not None:
                raise DataError(f"{self.path} is a list of annotations without splits", "leave out --split")
            return list(self.records)
        names = self.splits.get(split or SPLIT)
        if names is None:
            known = ", ".join(printable(name, 40) for name in self.splits)
            raise DataError(f"{self.path} has no split {split or SPLIT}", f"--split takes one of: {known}")
        records = [record for record in self.records if record["frame_dir"] in names]
        if not records:
            raise DataError(f"{self.path} annotates none of the {len(names)} recordings of the split {split or SPLIT}")
        return records

    def missing(self, split: str | None = None) -> list[str]:
        """Names in a split that have no annotation."""
        if self.splits is None:
            return []
        return sorted(self.splits[split or SPLIT] - {record["frame_dir"] for record in self.records})


@dataclass(frozen=True)
class Selection:
    """The recordings of a split.

    Args:
        used: Those that can be used.
        skipped: The others.
        missing: Names in the split without an annotation.
    """

    used: Sequence[Annotation]
    skipped: Sequence[Skipped] = field(default=())
    missing: Sequence[str] = field(default=())

    def notes(self) -> list[str]:
        """What was done and has to be known, with how many recordings it concerns."""
        concerned: dict[str, list[str]] = {}
        for annotation in self.used:
            for remark in annotation.remarks:
                concerned.setdefault(remark, []).append(annotation.name)
        said = [
            f"{len(names)} of {len(self.used)} recordings {remark}, the first is {printable(names[0], 80)}"
            for remark, names in concerned.items()
        ]
        if self.missing:
            first = printable(self.missing[0], 80)
            said.append(f"{len(self.missing)} names of the split have no annotation, the first is {first}")
        return said


def read_annotations(path: Path) -> AnnotationFile:
    """Read an annotation file: `{"split": {name: [frame_dir, ...]}, "annotations": [...]}`, or a list of annotations.

    Raises:
        DataError: It cannot be read, or has another structure.
    """
    return annotations_of(read_pickle(path), path)


def annotations_of(content: Any, path: Path) -> AnnotationFile:
    """What an annotation file holds, with its structure checked.

    Args:
        content: What the pickle holds.
        path: The file, for messages.

    Raises:
        DataError: It has another structure.
    """
    records = content.get("annotations") if isinstance(content, dict) else content
    if not isinstance(records, list) or not all(map(_is_record, records)):
        raise DataError(
            f"{path} does not hold annotations: a dict of 'split' and 'annotations', or a list, each with a frame_dir"
        )
    if not records:
        raise DataError(f"{path} has no annotations")
    splits = content.get("split") if isinstance(content, dict) else None
    if splits is not None and not _is_splits(splits):
        raise DataError(f"the 'split' of {path} is not a dict of lists of names")
    return AnnotationFile(path, records, splits and {name: frozenset(names) for name, names in splits.items()})


def _is_record(record: Any) -> bool:
    return isinstance(record, dict) and isinstance(record.get("frame_dir"), str)


def _is_splits(splits: Any) -> bool:
    return isinstance(splits, dict) and all(
        isinstance(key, str)
        and isinstance(names, (list, tuple, set, frozenset))
        and all(isinstance(name, str) for name in names)
        for key, names in splits.items()
    )


def select_annotations(file: AnnotationFile, split: str | None, classes: int, on_error: str = "fail") -> Selection:
    """The recordings of a split, checked.

    Args:
        file: The annotation file.
        split: See `AnnotationFile.select`.
        classes: How many actions there are.
        on_error: `fail` or `skip` for a recording that cannot be used.

    Raises:
        DataError: There is no such split; or a recording cannot be used and `on_error` is `fail`; or none can.
    """
    used: list[Annotation] = []
    skipped: list[Skipped] = []
    for number, record in enumerate(file.select(split)):
        try:
            used.append(check_annotation(number, record, classes))
        except DataError as error:
            if on_error == "fail":
                raise
            skipped.append(Skipped(record["frame_dir"], str(error)))
    if not used:
        raise DataError(f"no recording of {file.path} can be used, the first: {skipped[0].reason}")
    return Selection(used, skipped, file.missing(split))


def check_annotation(number: int, record: Record, classes: int) -> Annotation:
    """An annotation, checked.

    Args:
        number: Its place in the split.
        record: `frame_dir`, `label`, `img_shape`, `total_frames`, `keypoint`, `keypoint_score` (may be missing).
        classes: How many actions there are.

    Raises:
        DataError: It cannot be used; the message names it.
    """
    name = record["frame_dir"]
    try:
        skeletons, remarks = recorded_skeletons(record)
        return Annotation(number, name, _label(record, classes), skeletons, (*skeletons.remarks, *remarks))
    except DataError as error:
        raise DataError(f"{printable(name, 80)}: {error}", error.hint) from error


def recorded_skeletons(record: Record) -> tuple[Skeletons, list[str]]:
    """The people in an annotation, whatever it shows.

    Returns:
        The people in the first `total_frames` frames, and what has to be known beside their own remarks.

    Raises:
        DataError: They cannot be used.
    """
    keypoints, scores = (_array(record.get(key)) for key in ("keypoint", "keypoint_score"))
    if keypoints is None:
        hint = f"they are in the file {shown(record['filename'])}, which is not read" if "filename" in record else None
        raise DataError("it has no keypoint", hint)
    frames = record.get("total_frames")
    if not is_whole(frames) or frames < 1:
        raise DataError(f"total_frames is {shown(frames)}, not a number of frames")
    skeletons = check_skeletons(
        _array(record.get("img_shape")), *(_first(array, frames) for array in (keypoints, scores))
    )
    there = keypoints.shape[1]
    if there < frames:
        raise DataError(f"total_frames is {shown(frames)}, but keypoint has {there} frames")
    return skeletons, [LONGER] if there > frames else []


def _first(array: Any, frames: int) -> Any:
    """The first frames, where it is an array with frames."""
    return array[:, :frames] if getattr(array, "ndim", 0) > 1 else array


def _array(value: Any) -> Any:
    return value.array if isinstance(value, PickledArray) else value


def _label(record: Record, classes: int) -> int:
    label = record.get("label")
    if not is_whole(label):
        raise DataError(f"label is {shown(label)}, not the number of an action")
    if not 0 <= label < classes:
        raise DataError(
            f"label is {shown(label)}, but there are {classes} actions, 0 to {classes - 1}",
            "run takes their number from the model, preprocess from --classes",
        )
    return int(label)
