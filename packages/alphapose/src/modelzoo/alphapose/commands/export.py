"""`export`: a checkpoint of the pose network into an .onnx file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from modelzoo.alphapose.commands import flags
from modelzoo.alphapose.spec import JOINTS, SPEC, Form, Structure
from modelzoo.common import cli
from modelzoo.common.errors import UsageError

SUMMARY = "a checkpoint of the pose network into an .onnx file"

OUTPUT = Path("FastPose.onnx")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; the guide gives three files instead."""
    add = parser.add_argument
    three = "instead of flags: the upstream's .yaml (- for the built-in one), the checkpoint, the .onnx file"
    add("files", nargs="*", type=cli.path, metavar="CFG CKPT OUT", help=three)
    add("--weights", type=cli.path, metavar="FILE", help="the checkpoint (.pth)")
    add("--output", type=cli.path, metavar="FILE", help=f"the .onnx file (default: {OUTPUT})")
    add("--batchsize", type=cli.positive, metavar="N", help="accepted; the batch of the file stays free")
    flags.add_form_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Export a checkpoint."""
    form, files = flags.form_of(arguments), arguments.files
    if bool(arguments.weights) == bool(files) or (files and (len(files) != 3 or arguments.output)):
        raise UsageError(f"give either CFG CKPT OUT.onnx, or --weights FILE [--output FILE], got {len(files)} files")
    if not files:
        return _export(arguments.weights, arguments.output or OUTPUT, form)
    from modelzoo.alphapose.config import read_config

    config, weights, output = files
    return _export(weights, output, form, read_config(config, form))


def _export(weights: Path, output: Path, form: Form, structure: Structure | None = None) -> int:
    """Export, and print what came of it."""
    from modelzoo.alphapose.config import REGRESSION
    from modelzoo.alphapose.export import export
    from modelzoo.common.export import import_exporters

    import_exporters(SPEC.name)
    print(f"exporting {weights} ...")
    held = export(weights, output, form, structure)
    gives = "keypoints" if form.decode else "heat maps"
    test = " after the flip test" if form.flip_test else ""
    print(f"{output}: {held}, from {form.dtype} crops to {gives}{test}")
    if structure is None and held.joints != JOINTS and (form.decode or form.flip_test):
        doubt = f"a network of {held.joints} joints may be one of {REGRESSION}, for which this form is wrong"
        print(f"note: {doubt}; CFG CKPT OUT instead of --weights checks it", file=sys.stderr)
    return 0
