"""The `alphapose` command: which commands there are."""

from __future__ import annotations

from modelzoo.alphapose import __version__
from modelzoo.alphapose.commands import (
    demo,
    detect,
    export,
    export_detector,
    postprocess,
    predict,
    preprocess,
    run,
    verify,
)
from modelzoo.alphapose.spec import REFERENCE, SPEC, UPSTREAM_PATCH
from modelzoo.common.cli import Command, run_program
from modelzoo.common.commands import shared_commands


def commands() -> list[Command]:
    """The commands of this package, then those that every package has."""
    return [
        Command.of(detect),
        Command.of(preprocess, abbreviations=True),
        Command.of(export),
        Command.of(export_detector),
        Command.of(postprocess, abbreviations=True),
        Command.of(run),
        Command.of(predict),
        Command.of(demo),
        Command.of(verify),
        *shared_commands(SPEC, REFERENCE, UPSTREAM_PATCH),
    ]


def main() -> int:
    """Entry point of `alphapose` and of every `alphapose-<command>`."""
    summary = f"{SPEC.title}: from photos to COCO keypoint AP and pictures."
    return run_program("alphapose", summary, __version__, commands())
