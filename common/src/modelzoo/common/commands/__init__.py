"""The commands that every package has: flags and printing, one command a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from modelzoo.common.cli import Command
from modelzoo.common.commands import benchmark, convert, doctor, infer, upstream
from modelzoo.common.spec import ModelSpec


def shared_commands(spec: ModelSpec, reference: Path, patch: Path) -> list[Command]:
    """The commands of a package that need nothing of it but data.

    Args:
        spec: The model.
        reference: Its published numbers.
        patch: What the published source of its network needs to run.
    """
    return [
        Command.of(infer, partial(infer.handle, spec=spec)),
        Command.of(convert, partial(convert.handle, spec=spec), passthrough=True),
        Command.of(benchmark, partial(benchmark.handle, spec=spec, reference=reference)),
        Command.of(doctor, partial(doctor.handle, model=spec.name, reference=reference)),
        Command.of(upstream, partial(upstream.handle, spec=spec, patch=patch)),
    ]
