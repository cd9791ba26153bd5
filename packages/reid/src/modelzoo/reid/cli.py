"""The `reid` command: which commands there are."""

from __future__ import annotations

from modelzoo.common.cli import Command, run_program
from modelzoo.common.commands import shared_commands
from modelzoo.reid import __version__
from modelzoo.reid.commands import demo, export, extract, postprocess, preprocess, run, search, verify
from modelzoo.reid.spec import REFERENCE, SPEC, UPSTREAM_PATCH


def commands() -> list[Command]:
    """The commands of this package, then those that every package has."""
    return [
        Command.of(preprocess),
        Command.of(export, abbreviations=True),
        Command.of(postprocess, abbreviations=True),
        Command.of(run),
        Command.of(extract),
        Command.of(search),
        Command.of(demo),
        Command.of(verify),
        *shared_commands(SPEC, REFERENCE, UPSTREAM_PATCH),
    ]


def main() -> int:
    """Entry point of `reid` and of every `reid-<command>`."""
    return run_program("reid", f"{SPEC.title}: from checkpoint to mAP and CMC.", __version__, commands())
