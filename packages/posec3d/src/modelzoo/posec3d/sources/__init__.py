"""Whose action is asked for: recordings of keypoints in the files that people have them in."""

from __future__ import annotations

from pathlib import Path

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.files import existing_file
from modelzoo.common.text import printable
from modelzoo.posec3d.geometry import Size
from modelzoo.posec3d.sources.recording import Recording, Source

__all__ = ["Recording", "Source", "choose", "list_recordings"]

LISTED = 5
"""How many names a message has."""


def list_recordings(
    path: Path, image: Size | None = None, track: int | None = None, split: str | None = None
) -> list[Source]:
    """The recordings in a file of keypoints.

    Args:
        path: A `.json` file of COCO keypoints or of AlphaPose's results, or a pickle of annotations.
        image: Height and width of the frames, for files that do not say.
        track: The number of the one person that counts, in a file that numbers people.
        split: The split that counts, in a file of annotations that has some; None for all recordings.

    Raises:
        DataError: The file is missing, or is no such file, or holds nothing.
        UsageError: People are not numbered in files of this kind, or there are no splits.
    """
    existing_file(path, "keypoint")
    if path.suffix.lower() == ".json":
        if split is not None:
            raise UsageError(f"--split is for annotations that have splits, not for JSON files such as {path}")
        from modelzoo.posec3d.sources.json_files import read_json

        return read_json(path, image, track)
    from modelzoo.posec3d.sources.annotation import read_annotated

    if track is not None:
        raise UsageError(f"--track is for JSON files that number people, not for annotations such as {path}")
    return read_annotated(path, split)


def choose(sources: list[Source], name: str | None) -> list[Source]:
    """The recording of a name, or all of them.

    Raises:
        DataError: There is none of that name.
    """
    chosen = [source for source in sources if name in (None, source.name)]
    if not chosen:
        known = ", ".join(printable(source.name, 40) for source in sources[:LISTED])
        more = f" and {len(sources) - LISTED} more" if len(sources) > LISTED else ""
        raise DataError(f"there is no recording {printable(str(name), 80)}", f"there are {known}{more}")
    return chosen
