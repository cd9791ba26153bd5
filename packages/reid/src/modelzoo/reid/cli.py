"""The `reid` command: which commands there are."""

from __future__ import annotations

from modelzoo.common.cli import Command, run_program
from modelzoo.common.commands import shared_commands
from modelzoo.reid import __version__
from modelzoo.reid.commands import demo, export, postprocess, preprocess, run, verify
from modelzoo.reid.spec import REFERENCE, SPEC, UPSTREAM_PATCH


def commands() -> list[Command]:
    """The commands of this package, then those that every package has."""
    return [
        Command("preprocess", preprocess.SUMMARY, preprocess.add_arguments, preprocess.handle),
        Command("export", export.SUMMARY, export.add_arguments, export.handle, abbreviations=True),
        Command("postprocess", postprocess.SUMMARY, postprocess.add_arguments, postprocess.handle, abbreviations=True),
        Command("run", run.SUMMARY, run.add_arguments, run.handle),
        Command("demo", demo.SUMMARY, demo.add_arguments, demo.handle),
        Command("verify", verify.SUMMARY, verify.add_arguments, verify.handle),
        *shared_commands(SPEC, REFERENCE, UPSTREAM_PATCH),
    ]


def main() -> int:
    """Entry point of `reid` and of every `reid-<command>`."""
    return run_program("reid", f"{SPEC.title}: from checkpoint to mAP and CMC.", __version__, commands())
