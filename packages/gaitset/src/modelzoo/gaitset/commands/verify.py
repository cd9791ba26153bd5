"""`verify`: checkpoint, graphs and .om side by side."""

from __future__ import annotations

import argparse

from modelzoo.common.commands import verify
from modelzoo.gaitset.commands import bins, flags

SUMMARY = "checkpoint, graphs and .om side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    verify.add_arguments(parser)
    flags.add_dataset_flag(parser)
    bins.add_split_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Compare every form of the model with the checkpoint."""
    from modelzoo.common.files import existing_file, existing_folder
    from modelzoo.common.work import Threads, available_cores
    from modelzoo.gaitset.verify import verify_job

    for given in filter(None, (arguments.model, arguments.om)):
        existing_file(given, "model")
    if arguments.upstream:
        existing_folder(arguments.upstream, "upstream")
    walks = (
        bins.select(arguments, arguments.data, Threads(available_cores()), aligned=False).walks
        if arguments.data
        else ()
    )
    job = verify_job(arguments.weights, flags.dataset_of(arguments), walks, arguments.upstream)
    return verify.handle(arguments, job)
