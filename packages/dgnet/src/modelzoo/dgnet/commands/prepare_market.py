"""`prepare-market`: Market-1501 as published into one folder per identity."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli

SUMMARY = "Market-1501 into the pytorch tree: one folder per identity"

PLACES = (Path("../Market"), Path("Market"))
"""Where the published script looks for the data set, and where the guide has it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    places = "folder of Market-1501 (default: ../Market, else ./Market)"
    parser.add_argument("--data", type=cli.path, metavar="MARKET", help=places)
    cli.add_overwrite_flag(parser, "the pictures of a tree that is there, one by one")


def handle(arguments: argparse.Namespace) -> int:
    """Prepare a data set."""
    from modelzoo.common.files import existing_folder
    from modelzoo.dgnet.market import PARTS, TREE, make_tree, plan_tree

    market = existing_folder(arguments.data or _default(), "Market-1501")
    plan = plan_tree(market)
    others = make_tree(market, plan, arguments.overwrite)
    print(f"{market / TREE}: {', '.join(f'{part} {plan.count(part)}' for part in PARTS)}")
    for folder in plan.missing:
        print(f"there is no {folder}")
    for folder, count in plan.passed_over.items():
        if count:
            print(f"{folder}: {count} entries that do not end in .jpg were passed over")
    if others:
        print(f"{others} files in the tree do not belong to it and were left")
    return 0


def _default() -> Path:
    return next((place for place in PLACES if place.is_dir()), PLACES[-1])
