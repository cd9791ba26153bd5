"""Flags that several commands share."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.posec3d.spec import INPUTS


def add_form_flags(parser: argparse.ArgumentParser) -> None:
    """What the exported graph takes."""
    add = parser.add_argument
    forms = "volumes are heat maps of all clips; keypoints are drawn in the graph; frames are each taken once"
    add("--input", choices=list(INPUTS), default="volumes", help=f"{forms} (default: %(default)s)")
    people = "people of a sample, fixed in the graph of keypoints, which ATC needs (default: any number)"
    add("--persons", type=cli.positive, metavar="K", help=people)


def persons_of(arguments: argparse.Namespace) -> int | None:
    """The number of people that the flags of `add_form_flags` fix.

    Raises:
        UsageError: The graph takes no people.
    """
    if arguments.persons and arguments.input != "keypoints":
        raise UsageError(f"--persons is for --input keypoints, and not for {arguments.input}")
    number: int | None = arguments.persons
    return number
