"""Which walks are for testing: those of the subjects that the network was not trained on."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from modelzoo.common.errors import DataError
from modelzoo.common.files import existing_file, reason
from modelzoo.common.work import Skipped, Threads, bounded_map
from modelzoo.gaitset.dataset import Walk, list_walks
from modelzoo.gaitset.raw import list_raw_walks

if TYPE_CHECKING:
    import numpy as np

TRAINING_SUBJECTS = 73
"""How many subjects of CASIA-B the published network was trained on: the first ones, without the incomplete one."""

INCOMPLETE_SUBJECT = "005"
"""The subject of CASIA-B that the upstream leaves out."""

NPY_MAGIC = b"\x93NUMPY"
MAX_NAMES = 100_000
"""Names in a partition: a header of a few bytes can promise any number of them."""

SURROGATES = (0xD800, 0xDFFF)
"""The first and the last code point that no character has."""

CONVERSION = (
    "if you trust it, make a text file of it, one line of training and one of test subjects: python -c "
    "\"import numpy; print(*map(' '.join, numpy.load('P.npy', allow_pickle=True)), sep='\\n')\" > P.txt"
)


@dataclass(frozen=True)
class Selection:
    """The walks to test with.

    Args:
        walks: In the order of their numbers.
        left_out: Those that have no number, because no frame shows a figure or the subject is the incomplete one.
        passed_over: How many entries of the data set are no frames and no folders.
    """

    walks: list[Walk]
    left_out: list[Skipped]
    passed_over: int


@dataclass(frozen=True)
class Content:
    """What a look into a walk says.

    Args:
        frames: How many frames it has.
        passed_over: How many other entries.
        figure: Whether a frame shows a figure.
    """

    frames: int
    passed_over: int
    figure: bool


def select_walks(
    root: Path,
    threads: Threads,
    pid_num: int = TRAINING_SUBJECTS,
    subjects: Collection[str] = (),
    aligned: bool = False,
) -> Selection:
    """Select the walks to test with, as the upstream does it from what step 1 has left.

    A subject or a walk without a figure does not count there, so most walks are looked into: one frame is decoded.

    Args:
        root: Folder in the CASIA-B layout.
        threads: What looks into the walks.
        pid_num: How many subjects, sorted by name, were trained on; the others are tested.
        subjects: The subjects to test, in place of `pid_num`.
        aligned: Whether the frames are aligned already; then every frame shows a figure.

    Raises:
        DataError: The folder is not in that layout, holds aligned silhouettes in place of raw ones, or nobody to test.
    """
    tree = list_walks(root) if aligned else list_raw_walks(root)
    by_subject = {subject: list(walks) for subject, walks in groupby(tree.walks, lambda walk: walk.subject)}
    look = partial(look_into, aligned=aligned)
    tested = subjects or _after_training(by_subject, pid_num, look)
    walks = [walk for walk in tree.walks if walk.subject in tested]
    contents = list(bounded_map(look, walks, threads))
    reasons = [_why_left_out(walk, content) for walk, content in zip(walks, contents, strict=True)]
    selection = Selection(
        [walk for walk, why in zip(walks, reasons, strict=True) if not why],
        [Skipped(walk.name, why) for walk, why in zip(walks, reasons, strict=True) if why],
        tree.passed_over + sum(content.passed_over for content in contents),
    )
    if not selection.walks:
        raise _nobody(root, len(by_subject), pid_num, subjects)
    return selection


def look_into(walk: Walk, aligned: bool) -> Content:
    """Look whether a walk shows a figure, beginning in its middle, where there mostly is one.

    A frame that cannot be read counts as one: the walk keeps its number, and its work unit names the frame.
    """
    from modelzoo.gaitset.silhouettes import read_stack

    frames = walk.frames()
    middle = len(frames.names) // 2
    names = frames.names[middle:] + frames.names[:middle]
    try:
        figure = bool(names if aligned else read_stack(walk.folder, names, limit=1).names)
    except DataError:
        figure = True
    return Content(len(names), frames.passed_over, figure)


def _after_training(
    by_subject: Mapping[str, Sequence[Walk]], pid_num: int, look: Callable[[Walk], Content]
) -> list[str]:
    """The subjects behind the first `pid_num` of those that show a figure."""
    training, tested = 0, []
    for subject, walks in by_subject.items():
        if training == pid_num:
            tested.append(subject)
        elif subject != INCOMPLETE_SUBJECT and any(look(walk).figure for walk in walks):
            training += 1
    return tested


def _why_left_out(walk: Walk, content: Content) -> str | None:
    if walk.subject == INCOMPLETE_SUBJECT:
        return f"{walk.name}: subject {INCOMPLETE_SUBJECT} of CASIA-B is incomplete"
    if content.figure:
        return None
    if not content.frames:
        return f"{walk.name}: no frames"
    return f"{walk.name}: none of its {content.frames} frames shows a figure"


def _nobody(root: Path, count: int, pid_num: int, subjects: Collection[str]) -> DataError:
    if subjects:
        return DataError(f"{root} holds no walk of the {len(subjects)} test subjects of --partition")
    message = f"{root} holds nobody to test: of its {count} subjects, the first {pid_num} are for training"
    return DataError(message, "--pid_num 0 tests all of them")


def read_partition(path: Path) -> frozenset[str]:
    """The test subjects of a partition file.

    Args:
        path: What the upstream caches as `partition/CASIA-B_73_False.npy`, where that is an array of text with two
            rows; or a text file of two lines. Training subjects come first, then test subjects.

    Raises:
        DataError: It is neither, or is a pickle, which could run anything.
    """
    existing_file(path, "partition")
    try:
        rows = _rows(path, path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    if len(rows) != 2 or not rows[1]:
        raise DataError(f"{path} is not a partition: it has to hold training subjects and test subjects")
    return frozenset(rows[1])


def _rows(path: Path, data: bytes) -> list[list[str]]:
    if not data.startswith(NPY_MAGIC):
        return [line.split() for line in data.decode(errors="replace").splitlines() if line.strip()]
    from tokenize import TokenError

    try:
        return _npy_rows(path, data)
    except (ValueError, TypeError, SyntaxError, TokenError, OverflowError) as error:
        raise DataError(f"{path} is a damaged .npy file: {error}") from error


def _npy_rows(path: Path, data: bytes) -> list[list[str]]:
    """The names in an .npy file, whose header is judged before any of them is read."""
    import io

    import numpy as np

    file = io.BytesIO(data)
    shape, by_columns, dtype = _npy_header(file)
    if dtype.hasobject:
        raise DataError(f"{path} holds a pickle, which could run anything", CONVERSION)
    if len(shape) != 2 or min(shape) < 0 or dtype.kind != "U" or not dtype.itemsize:
        raise DataError(f"{path} holds {dtype.str} of shape {shape}, not two rows of text")
    if math.prod(shape) > MAX_NAMES:
        raise DataError(f"{path} holds {dtype.str} of shape {shape}, more than {MAX_NAMES} names")
    names = np.frombuffer(data, dtype, math.prod(shape), file.tell())
    points = names.view(np.dtype("u4").newbyteorder(dtype.byteorder))
    if ((points > sys.maxunicode) | ((points >= SURROGATES[0]) & (points <= SURROGATES[1]))).any():
        raise DataError(f"{path} holds what is no text")
    rows = names.reshape(shape, order="F" if by_columns else "C").tolist()
    return [[name for name in row if name] for row in rows]


def _npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it is in Fortran order, and type; version 3 is for names of fields, which text has not."""
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    if version == (1, 0):
        return npy.read_array_header_1_0(file)
    if version == (2, 0):
        return npy.read_array_header_2_0(file)
    raise ValueError(f"version {version} is not known")
