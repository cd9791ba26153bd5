"""`preprocess`: raw silhouettes into .bin files, without anything in between."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.gaitset.commands import bins

SUMMARY = "raw silhouettes into .bin files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    data = "raw silhouettes: <subject>/<condition>/<view>/<frames>"
    parser.add_argument("--input_path", type=cli.path, required=True, metavar="RAW", help=data)
    bins.add_bin_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Preprocess a data set."""
    from modelzoo.gaitset.dataset import check_apart

    check_apart(arguments.input_path, arguments.bin_file_path)
    return bins.write_walks(arguments, arguments.input_path, aligned=False)
