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
    compare = partial(benchmark.handle, spec=spec, reference=reference)
    look = partial(doctor.handle, model=spec.name, reference=reference)
    clone = partial(upstream.handle, spec=spec, patch=patch)
    return [
        Command("infer", infer.SUMMARY, infer.add_arguments, partial(infer.handle, spec=spec)),
        Command(
            "convert", convert.SUMMARY, convert.add_arguments, partial(convert.handle, spec=spec), passthrough=True
        ),
        Command("benchmark", benchmark.SUMMARY, benchmark.add_arguments, compare),
        Command("doctor", doctor.SUMMARY, doctor.add_arguments, look),
        Command("upstream", upstream.SUMMARY, upstream.add_arguments, clone),
    ]
