"""What the actions are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file, reason
from modelzoo.common.text import printable

HMDB51 = (
    "brush hair, cartwheel, catch, chew, clap, climb, climb stairs, dive, draw sword, dribble, drink, eat, fall floor, "
    "fencing, flic flac, golf, handstand, hit, hug, jump, kick, kick ball, kiss, laugh, pick, pour, pullup, punch, "
    "push, pushup, ride bike, ride horse, run, shake hands, shoot ball, shoot bow, shoot gun, sit, situp, smile, "
    "smoke, somersault, stand, swing baseball, sword, sword exercise, talk, throw, turn, walk, wave"
)
"""The actions of HMDB51, in the order of their numbers (the data set's folders by name)."""


def read_labels(path: Path) -> list[str]:
    """Read the names of actions, one in each line; empty lines at the end do not count.

    Raises:
        DataError: The file is missing, unreadable, or empty.
    """
    try:
        text = existing_file(path, "label").read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        said = reason(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise DataError(f"cannot read {path}: {said}") from error
    names = [printable(line.strip()) for line in text.rstrip().splitlines()]
    if not names:
        raise DataError(f"{path} names no action")
    return names


def action_names(classes: int, path: Path | None = None) -> Sequence[str]:
    """The names of a network's actions: those of a file, else of HMDB51 where there are as many, else their numbers.

    Args:
        classes: How many actions there are.
        path: A file of names.

    Raises:
        DataError: The file names another number of actions.
    """
    known = HMDB51.split(", ")
    if path is None:
        return known if classes == len(known) else [str(number) for number in range(classes)]
    names = read_labels(path)
    if len(names) != classes:
        raise DataError(f"{path} names {len(names)} actions, but the network tells {classes} apart")
    return names
