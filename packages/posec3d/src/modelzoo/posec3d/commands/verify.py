"""`verify`: checkpoint, graphs and .om side by side."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from modelzoo.common.commands import verify
from modelzoo.posec3d.commands import recordings
from modelzoo.posec3d.spec import SPEC

if TYPE_CHECKING:
    from pathlib import Path

    from modelzoo.posec3d.annotations import Selection

SUMMARY = "checkpoint, graphs and .om side by side"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    verify.add_arguments(parser)
    recordings.add_split_flag(parser)
    parser.set_defaults(on_error="fail")


def handle(arguments: argparse.Namespace) -> int:
    """Compare every form of the model with the checkpoint."""
    from modelzoo.common.files import existing_file, existing_folder
    from modelzoo.posec3d.verify import PEOPLE, verify_job

    given = [existing_file(path, "model") for path in (arguments.model, arguments.om) if path]
    if arguments.upstream:
        existing_folder(arguments.upstream, "upstream")
    people = min([PEOPLE, *filter(None, map(_people_of, given))])
    job = verify_job(arguments.weights, people, _selected(arguments), arguments.upstream)
    return verify.handle(arguments, job)


def _people_of(path: Path) -> int | None:
    """For how many people a model is, where their number is fixed."""
    from modelzoo.common.session import open_session
    from modelzoo.posec3d.run import form_of

    return form_of(open_session(path, SPEC)).people


def _selected(arguments: argparse.Namespace) -> Selection | None:
    """The recordings, with labels that the checkpoint knows."""
    if not arguments.data:
        return None
    from modelzoo.common.checkpoint import load_state_dict
    from modelzoo.posec3d.weights import structure_of

    classes = structure_of(load_state_dict(arguments.weights), arguments.weights).classes
    return recordings.select(arguments, arguments.data, classes)
