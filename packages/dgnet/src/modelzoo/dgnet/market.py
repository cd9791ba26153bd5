"""Market-1501 as published into the `pytorch` tree of the original: one folder per identity, and a validation split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import DataError
from modelzoo.common.files import list_folder, locked, make_folder, write_text
from modelzoo.common.progress import progress
from modelzoo.dgnet.links import link_or_copy

TREE = "pytorch"
TRAIN = "bounding_box_train"
PUBLISHED = {"query": "query", "gallery": "bounding_box_test", "multi-query": "gt_bbox", "train_all": TRAIN}
"""The folder of the data set that each part of the tree holds."""

OPTIONAL = "multi-query"
"""The part that other data sets of this layout do not have."""

PARTS = (*PUBLISHED, "train", "val")

SUFFIX = ".jpg"
UNFINISHED = ".prepare-market.part"
"""A file that is in the tree while it is being made, and after an interruption."""


@dataclass(frozen=True)
class Plan:
    """What the tree will hold.

    Args:
        files: The picture behind each path below the tree.
        passed_over: How many other entries there are, by folder of the data set.
        missing: Folders of the data set that are not there.
    """

    files: Mapping[str, Path]
    passed_over: Mapping[str, int]
    missing: Sequence[str]

    def count(self, part: str) -> int:
        """How many pictures a part of the tree will hold."""
        return sum(name.startswith(f"{part}/") for name in self.files)


def plan_tree(market: Path) -> Plan:
    """Find out what goes where; the same for the same files.

    Of every identity the first picture by name goes into `val`, and the others into `train`.

    Args:
        market: The folder with `query`, `bounding_box_test`, `bounding_box_train` and perhaps `gt_bbox`.

    Raises:
        DataError: A folder is missing or holds no picture, or a picture's name holds no identity.
    """
    files: dict[str, Path] = {}
    passed_over, missing = {}, []
    for part, folder in PUBLISHED.items():
        if part == OPTIONAL and not (market / folder).exists():
            missing.append(folder)
            continue
        entries = list_folder(market / folder, folder)
        pictures = [Path(entry.path) for entry in entries if _is_picture(entry.name) and not entry.is_dir()]
        if not pictures:
            raise DataError(f"no {SUFFIX} files in {market / folder}")
        passed_over[folder] = len(entries) - len(pictures)
        files |= {_place(part, picture): picture for picture in pictures}
        files |= _split(pictures) if folder == TRAIN else {}
    return Plan(files, passed_over, missing)


def make_tree(market: Path, plan: Plan, overwrite: bool) -> int:
    """Make the tree, or go on with one that was interrupted; every file gets its name when it is whole.

    Where there is a tree and it may be overwritten, its files are replaced one by one, and those that the plan has in
    another place are removed (`val` of the published script holds whatever the file system names first). All other
    files are left.

    Args:
        market: The data set, in which the tree is made.
        plan: What it will hold.
        overwrite: Whether there may be a tree.

    Returns:
        How many files are in the tree that do not belong to it.

    Raises:
        DataError: There is a tree.
        WriteError: A file cannot be written, or another run is making the tree.
    """
    tree = market / TREE
    make_folder(tree)
    with locked(tree):
        if not overwrite and not (tree / UNFINISHED).exists() and any(tree.iterdir()):
            raise DataError(f"{tree} is there already", "--overwrite replaces its pictures file by file")
        write_text(tree / UNFINISHED, "An unfinished tree: run dgnet prepare-market again.\n")
        _remove_misplaced(tree, plan)
        for folder in sorted({(tree / name).parent for name in plan.files}):
            make_folder(folder)
        for name, picture in progress(plan.files.items(), len(plan.files), "prepare"):
            link_or_copy(picture, tree / name)
        (tree / UNFINISHED).unlink()
        return sum(path.relative_to(tree).as_posix() not in plan.files for path in tree.rglob("*") if path.is_file())


def _is_picture(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.startswith(".")


def _place(part: str, picture: Path) -> str:
    return f"{part}/{_identity(picture)}/{picture.name}"


def _identity(picture: Path) -> str:
    identity, underscore, _ = picture.name.partition("_")
    if not underscore or not identity:
        raise DataError(f"{picture} has no identity before the first _ of its name", "0002_c1s1_000451_03.jpg has 0002")
    return identity


def _split(pictures: Sequence[Path]) -> dict[str, Path]:
    """Where the pictures of the training set go besides `train_all`."""
    first: dict[str, Path] = {}
    for picture in pictures:
        first.setdefault(_identity(picture), picture)
    return {
        _place("val" if first[_identity(picture)] == picture else "train", picture): picture for picture in pictures
    }


def _remove_misplaced(tree: Path, plan: Plan) -> None:
    """Remove the pictures of the data set that are in a place that the plan does not name."""
    places = {_place(part, picture) for part in PARTS for picture in set(plan.files.values())}
    for name in places - plan.files.keys():
        (tree / name).unlink(missing_ok=True)
