"""`doctor`: what is there, what is missing, and where it comes from."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli

SUMMARY = "what is installed here, and what is missing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--weights", type=cli.path, metavar="FILE", help="compare this checkpoint with the published one"
    )
    parser.add_argument("--data", type=cli.path, metavar="DIR", help="look for the data set here")


def handle(arguments: argparse.Namespace, model: str = "<model>", reference: Path | None = None) -> int:
    """Print one line for each thing; nothing that is missing makes this command fail.

    Args:
        arguments: The flags of `add_arguments`, if the command has them.
        model: The package's name.
        reference: Its published facts, or None for `modelzoo doctor`.
    """
    from modelzoo.common.doctor import environment_checks, file_checks
    from modelzoo.common.report import read_reference

    checks = environment_checks(model)
    if reference:
        checks += file_checks(read_reference(reference), arguments.weights, arguments.data)
    width = max(len(check.name) for check in checks)
    for check in checks:
        print(f"{check.state:<8} {check.name:<{width}}  {check.detail}")
    return 0
