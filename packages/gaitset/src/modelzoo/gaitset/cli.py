"""The `gaitset` command: which commands there are."""

from __future__ import annotations

from modelzoo.common.cli import Command, run_program
from modelzoo.common.commands import shared_commands
from modelzoo.gaitset import __version__
from modelzoo.gaitset.commands import (
    demo,
    export,
    postprocess,
    preprocess,
    preprocess_step1,
    preprocess_step2,
    run,
    search,
    verify,
)
from modelzoo.gaitset.spec import REFERENCE, SPEC, UPSTREAM_PATCH


def commands() -> list[Command]:
    """The commands of this package, then those that every package has."""
    return [
        Command.of(preprocess),
        Command.of(preprocess_step1, abbreviations=True),
        Command.of(preprocess_step2, abbreviations=True),
        Command.of(export, abbreviations=True),
        Command.of(postprocess, abbreviations=True),
        Command.of(run),
        Command.of(demo),
        Command.of(search),
        Command.of(verify),
        *shared_commands(SPEC, REFERENCE, UPSTREAM_PATCH),
    ]


def main() -> int:
    """Entry point of `gaitset` and of every `gaitset-<command>`."""
    return run_program("gaitset", f"{SPEC.title}: from silhouettes to cross-view rank-1.", __version__, commands())
