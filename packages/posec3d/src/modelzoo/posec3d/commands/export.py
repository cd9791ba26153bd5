"""`export`: a checkpoint into an .onnx file."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.posec3d.commands import flags
from modelzoo.posec3d.spec import INPUTS, SPEC, Structure

SUMMARY = "a checkpoint into an .onnx file"

OUTPUT = Path("posec3d.onnx")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; the guide gives two files and a shape instead of `--weights`."""
    add = parser.add_argument
    two = "instead of --weights: the upstream's configuration (- for the built-in one) and the checkpoint"
    add("files", nargs="*", type=cli.path, metavar="CONFIG CKPT", help=two)
    add("--weights", type=cli.path, metavar="FILE", help="the checkpoint (.pth)")
    output = f"the .onnx file (default: {OUTPUT})"
    add("--output", "--output-file", type=cli.path, default=OUTPUT, metavar="FILE", help=output)
    sizes = "accepted where it is that of the clips; the batch of the file stays free"
    add("--shape", nargs="+", type=cli.positive, metavar="N", help=sizes)
    flags.add_form_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Export a checkpoint."""
    files, weights = arguments.files, arguments.weights
    if bool(weights) == bool(files) or (files and len(files) != 2):
        raise UsageError(f"give either CONFIG CKPT, or --weights FILE, got {len(files)} files")
    persons = flags.persons_of(arguments)
    _check_shape(arguments.shape)
    structure = None
    if files:
        from modelzoo.posec3d.config import read_config

        config, weights = files
        structure = read_config(config)
    return _export(weights, arguments.output, arguments.input, persons, structure)


def _check_shape(shape: list[int] | None) -> None:
    _, *wanted = INPUTS["volumes"][0].shape
    if shape and shape[1:] != wanted:
        given, clips = " ".join(map(str, shape)), " ".join(map(str, wanted))
        raise UsageError(f"--shape is {given}, and the network takes N {clips}", "a shell variable may be empty")


def _export(weights: Path, output: Path, form: str, persons: int | None, structure: Structure | None) -> int:
    """Export, and print what came of it."""
    from modelzoo.common.export import import_exporters
    from modelzoo.posec3d.export import export

    import_exporters(SPEC.name)
    print(f"exporting {weights} ...")
    held = export(weights, output, form, persons, structure)
    people = f" of {persons} people" if persons else ""
    print(f"{output}: {held}, from {form}{people}")
    return 0
