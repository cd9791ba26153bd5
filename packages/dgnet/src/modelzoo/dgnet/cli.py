"""The `dgnet` command: which commands there are."""

from __future__ import annotations

from modelzoo.common.cli import Command, run_program
from modelzoo.common.commands import shared_commands
from modelzoo.dgnet import __version__
from modelzoo.dgnet.commands import (
    demo,
    export,
    fid,
    generate,
    grid,
    interpolate,
    postprocess,
    prepare_market,
    preprocess,
    run,
    verify,
)
from modelzoo.dgnet.spec import REFERENCE, SPEC, UPSTREAM_PATCH


def commands() -> list[Command]:
    """The commands of this package, then those that every package has."""
    return [
        Command.of(prepare_market),
        Command.of(preprocess, abbreviations=True),
        Command.of(postprocess, abbreviations=True),
        Command.of(fid),
        Command.of(grid),
        Command.of(interpolate),
        Command.of(generate),
        Command.of(run),
        Command.of(demo),
        Command.of(export),
        Command.of(verify),
        *shared_commands(SPEC, REFERENCE, UPSTREAM_PATCH),
    ]


def main() -> int:
    """Entry point of `dgnet` and of every `dgnet-<command>`."""
    return run_program(
        "dgnet", f"{SPEC.title}: from pictures of people to generated pictures and FID.", __version__, commands()
    )
