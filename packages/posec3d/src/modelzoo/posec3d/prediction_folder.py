"""The folder of predictions: pictures of every recording as it comes, and at the end all of it in two files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, check_writable, make_folder, write_text
from modelzoo.posec3d.pictures import draw_prediction, draw_windows, is_picture_name, picture_name
from modelzoo.posec3d.predict import Prediction
from modelzoo.posec3d.predictions import as_json, timeline_csv

if TYPE_CHECKING:
    from PIL import Image

    from modelzoo.posec3d.recognizer import ActionRecognizer

ACTIONS, TIMELINE = "actions.json", "timeline.csv"
SKELETONS, TIMELINES = "skeletons", "timelines"
"""What is written: all in one file, a row for every window, and folders of pictures."""


def check_output(folder: Path, overwrite: bool) -> None:
    """Check that no results are there already, which might be taken for new ones.

    Raises:
        DataError: There are some, and `overwrite` is not set.
        WriteError: The folder cannot be written.
    """
    check_writable(folder)
    there = [name for name in (ACTIONS, TIMELINE, SKELETONS, TIMELINES) if (folder / name).exists()]
    if there and not overwrite:
        hint = "choose another --output, or --overwrite the results in it"
        raise DataError(f"{folder / there[0]} is there already", hint)


class PredictionFolder:
    """Takes predictions; nothing is made or changed before the first one.

    Args:
        folder: Where they go.
        recognizer: Knows what the actions are called.
        top: How many actions of a recording are named.
    """

    def __init__(self, folder: Path, recognizer: ActionRecognizer, top: int) -> None:
        self._folder = folder
        self._recognizer = recognizer
        self._top = top
        self._recordings: list[dict[str, Any]] = []
        self._old = old_pictures(folder)
        self._written: set[Path] = set()
        self.content: dict[str, Any] = {}

    def add(self, one: Prediction) -> None:
        """Draw the pictures of a recording; files of the same names are replaced.

        Raises:
            WriteError: They cannot be written.
        """
        if not self._recordings:
            make_folder(self._folder / SKELETONS)
            for name in (ACTIONS, TIMELINE):  # older ones would be taken for those of these pictures
                (self._folder / name).unlink(missing_ok=True)
        name = picture_name(one.recording.name, {row["picture"] for row in self._recordings})
        self._save(self._folder / SKELETONS / name, draw_prediction(one, self._recognizer, self._top))
        if one.windows:
            make_folder(self._folder / TIMELINES)
            self._save(self._folder / TIMELINES / name, draw_windows(one, self._recognizer))
        self._recordings.append({**as_json(one, self._recognizer, self._top), "picture": name})

    def finish(self, complete: bool) -> None:
        """Write the table and, last, the JSON file, which `content` is then.

        Args:
            complete: Whether all recordings are there; pictures of older ones are removed then.

        Raises:
            WriteError: They cannot be written.
        """
        if not self._recordings:
            return
        if any("windows" in row for row in self._recordings):
            write_text(self._folder / TIMELINE, timeline_csv(self._recordings))
        actions = list(self._recognizer.names)
        self.content = {"actions": actions, "complete": complete, "recordings": self._recordings}
        write_text(self._folder / ACTIONS, json.dumps(self.content, indent=1) + "\n")
        for path in self._old - self._written if complete else ():
            path.unlink(missing_ok=True)

    def _save(self, path: Path, picture: Image.Image) -> None:
        with atomic_path(path) as partial:
            picture.save(partial, format="PNG")
        self._written.add(path)


@contextmanager
def opened(folder: Path, recognizer: ActionRecognizer, top: int) -> Iterator[PredictionFolder]:
    """A folder that takes predictions; where the block is interrupted, those that are there are kept.

    Args:
        folder: See `PredictionFolder`.
        recognizer: See `PredictionFolder`.
        top: See `PredictionFolder`.

    Raises:
        WriteError: Something cannot be written.
    """
    made = PredictionFolder(folder, recognizer, top)
    complete = False
    try:
        yield made
        complete = True
    finally:
        made.finish(complete)


def old_pictures(folder: Path) -> set[Path]:
    """The pictures of older predictions that are in a folder: those that its JSON file names, and nothing else.

    Args:
        folder: What an older run has written into, or any other.
    """
    try:
        content = json.loads((folder / ACTIONS).read_bytes())
    except (OSError, ValueError, RecursionError):  # it is replaced, and nothing that it might name is removed
        return set()
    rows = content.get("recordings") if isinstance(content, dict) else None
    names = [row.get("picture") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    paths = (folder / kind / name for name in names if is_picture_name(name) for kind in (SKELETONS, TIMELINES))
    return {path for path in paths if path.is_file() and not path.is_symlink()}
