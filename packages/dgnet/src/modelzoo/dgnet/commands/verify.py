"""`verify`: checkpoint, graphs and .om side by side."""

from __future__ import annotations

import argparse

from modelzoo.common.commands import verify
from modelzoo.dgnet.commands import flags

SUMMARY = "checkpoint, graphs and .om side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    flags.add_checkpoint_flags(parser)
    verify.add_arguments(parser, weights=False)


def handle(arguments: argparse.Namespace) -> int:
    """Compare every form of the model with the checkpoint."""
    from modelzoo.common.files import existing_file, existing_folder
    from modelzoo.dgnet.dataset import read_tree
    from modelzoo.dgnet.verify import verify_job

    for given in filter(None, (arguments.model, arguments.om)):
        existing_file(given, "model")
    if arguments.upstream:
        existing_folder(arguments.upstream, "upstream")
    files = flags.checkpoint_of(arguments)
    photos = [photo.path for photo in read_tree(arguments.data).photos] if arguments.data else []
    arguments.weights = files.gen
    return verify.handle(arguments, verify_job(files, photos, arguments.upstream))
