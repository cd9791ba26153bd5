"""`verify`: checkpoint, graphs and .om side by side."""

from __future__ import annotations

import argparse

from modelzoo.common.commands import verify
from modelzoo.reid.commands import flags

SUMMARY = "checkpoint, graphs and .om side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    verify.add_arguments(parser)
    flags.add_form_flags(parser)
    flags.add_names_flag(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Compare every form of the model with the checkpoint."""
    from modelzoo.common.files import existing_file, existing_folder
    from modelzoo.reid.layouts import read_data_set
    from modelzoo.reid.verify import verify_job

    for given in filter(None, (arguments.model, arguments.om)):
        existing_file(given, "model")
    if arguments.upstream:
        existing_folder(arguments.upstream, "upstream")
    form = flags.form_of(arguments)
    crops = read_data_set(arguments.data, arguments.names) if arguments.data else None
    job = verify_job(arguments.weights, form, crops, arguments.upstream)
    return verify.handle(arguments, job)
