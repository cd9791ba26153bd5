"""The `posec3d` command: which commands there are."""

from __future__ import annotations

from modelzoo.common.cli import Command, run_program
from modelzoo.common.commands import shared_commands
from modelzoo.posec3d import __version__
from modelzoo.posec3d.commands import demo, export, postprocess, predict, preprocess, run, verify
from modelzoo.posec3d.spec import REFERENCE, SPEC, UPSTREAM_PATCH


def commands() -> list[Command]:
    """The commands of this package, then those that every package has."""
    return [
        Command.of(preprocess, abbreviations=True),
        Command.of(export, abbreviations=True),
        Command.of(postprocess, abbreviations=True),
        Command.of(run),
        Command.of(predict),
        Command.of(demo),
        Command.of(verify),
        *shared_commands(SPEC, REFERENCE, UPSTREAM_PATCH),
    ]


def main() -> int:
    """Entry point of `posec3d` and of every `posec3d-<command>`."""
    return run_program("posec3d", f"{SPEC.title}: from skeletons to action classes.", __version__, commands())
