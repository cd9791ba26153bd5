"""`preprocess-step2`: aligned silhouettes into .bin files."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.gaitset.commands import bins

SUMMARY = "the aligned silhouettes of step 1 into .bin files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    data = "what preprocess-step1 has written"
    parser.add_argument("--data_path", type=cli.path, required=True, metavar="PRE", help=data)
    bins.add_bin_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Preprocess a tree of aligned silhouettes."""
    from modelzoo.gaitset.aligned import check_complete
    from modelzoo.gaitset.dataset import check_apart

    check_apart(arguments.data_path, arguments.bin_file_path)
    check_complete(arguments.data_path)
    return bins.write_walks(arguments, arguments.data_path, aligned=True)
