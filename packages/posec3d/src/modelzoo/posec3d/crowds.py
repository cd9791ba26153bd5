"""Recordings with more people than are to count."""

from __future__ import annotations

from dataclasses import replace

from modelzoo.posec3d.annotations import Annotation, Selection
from modelzoo.posec3d.windows import most_certain


def keep_most_certain(selection: Selection, people: int) -> Selection:
    """The recordings of a selection with so many people in every frame, at most; a remark says of which that is.

    Args:
        selection: The recordings.
        people: How many: those with the highest mean score.
    """
    return replace(selection, used=[_limited(annotation, people) for annotation in selection.used])


def _limited(annotation: Annotation, people: int) -> Annotation:
    if len(annotation.skeletons.scores) <= people:
        return annotation
    remark = f"have more than {people} people: the most certain of every frame count"
    skeletons = most_certain(annotation.skeletons, people)
    return replace(annotation, skeletons=skeletons, remarks=(*annotation.remarks, remark))
