"""Flags that several commands share: which checkpoint."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.dgnet.checkpoints import ITERATIONS, NAME, Checkpoint, given_checkpoint, published_checkpoint
from modelzoo.dgnet.spec import PICTURES


def add_checkpoint_flags(parser: argparse.ArgumentParser) -> None:
    """The files of a checkpoint, or the name of its training; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--gen", type=cli.path, metavar="GEN.pt", help="the generator's file of the checkpoint")
    add("--id", type=cli.path, metavar="ID.pt", help="the appearance encoder's (default: id_* beside gen_*)")
    add("--config", type=cli.path, metavar="YAML", help="its configuration, to check that it is of this network")
    place = "without --gen: the checkpoint in ./outputs/NAME/"
    add("--name", help=f"{place} (default: {NAME})")
    add("--which_epoch", type=cli.natural, metavar="N", help=f"its iterations (default: {ITERATIONS})")


def add_dtype_flag(parser: argparse.ArgumentParser) -> None:
    """What the graph takes."""
    kinds = "float32 takes normalised pictures, uint8 takes pixels"
    parser.add_argument("--dtype", choices=list(PICTURES), default="float32", help=f"{kinds} (default: float32)")


def checkpoint_of(arguments: argparse.Namespace) -> Checkpoint:
    """The checkpoint that the flags of `add_checkpoint_flags` name, its configuration checked.

    Raises:
        UsageError: The flags contradict one another, or the configuration is of another network.
        CheckpointError: The files are not of one checkpoint by their names.
        DataError: A file is missing.
        MissingDependencyError: There is a configuration, and PyYAML is not installed.
    """
    found = _find(arguments)
    config = arguments.config or found.config
    if config:
        from modelzoo.dgnet.config import check_config

        check_config(config)
    return found


def _find(arguments: argparse.Namespace) -> Checkpoint:
    gen, id_path, name, iterations = arguments.gen, arguments.id, arguments.name, arguments.which_epoch
    if gen and (name or iterations is not None):
        raise UsageError("--gen names a file: --name and --which_epoch are for a checkpoint in ./outputs")
    if gen:
        return given_checkpoint(gen, id_path)
    if id_path:
        raise UsageError("--id needs --gen, the other file of the checkpoint")
    return published_checkpoint(name or NAME, ITERATIONS if iterations is None else iterations)
