"""Generated pictures for training, in the layout of Market-1501: what is made of what, and how it is called."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.files import check_writable, list_folder, make_folder, write_bytes, write_text
from modelzoo.common.session import Session
from modelzoo.common.stream import StreamStats, finish, stream
from modelzoo.common.work import SampleInfo, Threads, WorkUnit
from modelzoo.dgnet.dataset import Photo
from modelzoo.dgnet.evaluate import PictureEvaluator
from modelzoo.dgnet.generator import check_whole
from modelzoo.dgnet.market import TRAIN
from modelzoo.dgnet.pairing import Pair
from modelzoo.dgnet.preprocess import CHUNK, pair_units
from modelzoo.dgnet.run import RunOptions

TABLE = "generated.csv"
HEADER = ("name", "appearance", "structure")

NAME = re.compile(r"_c(?P<camera>[0-9]+)s(?P<sequence>[0-9]+)_")
"""Camera and sequence in a name of Market-1501."""

IDENTITY = re.compile(r"[A-Za-z0-9-]+")
"""What an identity may be called, so that the name of a picture tells it."""

SEQUENCES = 6
"""Market-1501 has the sequences 1 to 6."""

GENERATED = re.compile(rf"{IDENTITY.pattern}_c[0-9]+s(?P<sequence>[0-9]+)_[0-9]{{6,}}_00\.jpg")
"""How `plan_set` calls pictures, where the sequence is none of Market-1501."""


@dataclass(frozen=True)
class Planned:
    """A picture that will be generated.

    Args:
        name: What it will be called, without `.jpg`.
        pair: What it is made of.
    """

    name: str
    pair: Pair

    @property
    def info(self) -> SampleInfo:
        """The sample."""
        return SampleInfo(self.name, self.pair.appearance.source)


def plan_set(photos: Sequence[Photo], per_identity: int, seed: int) -> list[Planned]:
    """Choose what to generate: for every identity as many pairs of its photos with structures of others, all different.

    A name is `<identity>_c<camera>s<sequence>_<number>_00`. The camera is that of the appearance's name, or 1. The
    sequence is one that no photo has, nor Market-1501, so that the pictures can be put beside the photos.

    Args:
        photos: The photos of a tree; where they are of one identity, they lend each other their structure.
        per_identity: How many pictures of every identity.
        seed: Of NumPy's default generator; the same seed and photos give the same pictures.

    Returns:
        The pictures, by identity.

    Raises:
        DataError: There are fewer pairs, or an identity has a name that the name of a picture cannot tell.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    sequence = 1 + max([SEQUENCES, *(int(match["sequence"]) for match in _matches(photos))])
    planned: list[Planned] = []
    for identity, group in groupby(photos, key=lambda photo: photo.identity):
        own = list(group)
        lenders = [photo for photo in photos if photo.identity != identity] or own
        _check(own[0], len(own) * len(lenders), per_identity)
        chosen = rng.choice(len(own) * len(lenders), per_identity, replace=False).tolist()
        for number, place in enumerate(chosen, start=1):
            appearance = own[place // len(lenders)]
            name = f"{identity}_c{_camera(appearance)}s{sequence}_{number:06d}_00"
            planned.append(Planned(name, Pair(lenders[place % len(lenders)], appearance)))
    return planned


def check_output(folder: Path, overwrite: bool) -> None:
    """Find out whether a set can go into a folder; nothing is changed yet.

    Raises:
        DataError: It holds something, and may not be overwritten.
        WriteError: It cannot be written.
    """
    check_writable(folder)
    if folder.exists() and list_folder(folder, "output") and not overwrite:
        hint = "choose another one, or --overwrite to replace the pictures that its generated.csv lists"
        raise DataError(f"the output folder {folder} is not empty", hint)


def generate(
    planned: Sequence[Planned], session: Session, folder: Path, options: RunOptions
) -> tuple[StreamStats, PictureEvaluator]:
    """Generate a set.

    The table is there before the first picture, so that a set which was interrupted can be replaced, and again at the
    end, without what was skipped.

    Args:
        planned: The pictures.
        session: The model.
        folder: Where `bounding_box_train` and `generated.csv` go.
        options: How to run.

    Returns:
        What happened on the way, and the evaluator, which knows the names of the pictures.

    Raises:
        DataError: The folder is in use, a photo cannot be read, or a picture holds NaN.
        ModelError: The model does not take a structure and an appearance.
        WriteError: A picture cannot be written.
    """
    check_whole(session)
    check_output(folder, options.overwrite)
    pictures = folder / TRAIN
    make_folder(pictures)
    _remove_listed(folder)
    write_text(folder / TABLE, to_csv(planned))
    units = [unit for group in _by_identity(planned) for unit in _units(group, session.inputs[0].dtype)]
    size, threads = session.inputs[0].batch or options.batchsize, Threads(options.workers, CHUNK)
    with PictureEvaluator(lambda name, jpeg: write_bytes(pictures / f"{name}.jpg", jpeg), options.workers) as evaluator:
        stats = stream(units, session, evaluator, size, threads, options.on_error)
        finish(evaluator, stats)
    written = set(evaluator.stems)
    write_text(folder / TABLE, to_csv([one for one in planned if one.name in written]))
    return stats, evaluator


def to_csv(planned: Sequence[Planned]) -> str:
    """The table: name, and what the picture is made of."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    table.writerows((f"{one.name}.jpg", one.pair.appearance.source, one.pair.structure.source) for one in planned)
    return text.getvalue()


def _matches(photos: Sequence[Photo]) -> list[re.Match[str]]:
    return [match for photo in photos if (match := NAME.search(photo.path.name))]


def _camera(photo: Photo) -> str:
    match = NAME.search(photo.path.name)
    return match["camera"] if match else "1"


def _check(photo: Photo, pairs: int, wanted: int) -> None:
    if not IDENTITY.fullmatch(photo.identity):
        raise DataError(f"the folder name {photo.identity} cannot begin a picture's name", "use letters, digits and -")
    if pairs < wanted:
        raise DataError(f"--per-identity {wanted} is too many: identity {photo.identity} has {pairs} different pairs")


def _by_identity(planned: Sequence[Planned]) -> list[list[Planned]]:
    return [list(group) for _, group in groupby(planned, key=lambda one: one.pair.appearance.identity)]


def _units(group: Sequence[Planned], dtype: str) -> list[WorkUnit]:
    """Those of one identity, which share its photos; not those of all, so that few photos are held at a time."""
    return pair_units([one.pair for one in group], dtype, [one.info for one in group])


def _remove_listed(folder: Path) -> None:
    """Remove the pictures that the table of an earlier set lists; no file whose name is not that of a generated one."""
    table = folder / TABLE
    if not table.exists():
        return
    try:
        rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
        names = {row["name"] for row in rows}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise DataError(f"{table} is no table of generated pictures ({error})", "choose another --output") from error
    for entry in list_folder(folder / TRAIN, "output"):
        if entry.name in names and _is_generated(entry.name) and not entry.is_dir():
            Path(entry.path).unlink()


def _is_generated(name: str) -> bool:
    match = GENERATED.fullmatch(name)
    return match is not None and int(match["sequence"]) > SEQUENCES
