"""Flags of the pose network that several commands share."""

from __future__ import annotations

import argparse

from modelzoo.alphapose.spec import IMAGES, Form
from modelzoo.common import cli


def add_flip_test_flag(parser: argparse.ArgumentParser) -> None:
    """Whether the flip test is part of the graph."""
    meaning = "the graph gives the mean of the heat maps of a crop and of its mirror image"
    parser.add_argument("--flip-test", action="store_true", help=meaning)


def add_form_flags(parser: argparse.ArgumentParser) -> None:
    """What of the work around the network the exported graph does."""
    add_flip_test_flag(parser)
    ends = "the graph gives keypoints (x and y in heat-map pixels, score) in place of heat maps"
    parser.add_argument("--decode", action="store_true", help=ends)
    kinds = "float32 takes normalised crops, uint8 takes pixels"
    parser.add_argument("--dtype", choices=list(IMAGES), default="float32", help=f"{kinds} (default: float32)")


def form_of(arguments: argparse.Namespace) -> Form:
    """The form that the flags of `add_form_flags` ask for."""
    return Form(arguments.flip_test, arguments.decode, arguments.dtype)


def add_outcome_flags(parser: argparse.ArgumentParser) -> None:
    """Where the metrics and the poses are written as well."""
    parser.add_argument("--json", type=cli.path, metavar="FILE", help="write the metrics there as well")
    poses = "write the poses there, in COCO's result format"
    parser.add_argument("--results", type=cli.path, metavar="FILE", help=poses)


def check_outcome_flags(arguments: argparse.Namespace) -> None:
    """Find out before long work whether the files of `add_outcome_flags` have a folder.

    Raises:
        DataError: One has none.
    """
    from modelzoo.common.files import existing_folder

    for flag in ("json", "results"):
        file = getattr(arguments, flag)
        if file:
            existing_folder(file.absolute().parent, f"--{flag}")
