"""`export`: a checkpoint into .onnx files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from modelzoo.common import cli
from modelzoo.dgnet.commands import flags
from modelzoo.dgnet.spec import SPEC

SUMMARY = "a checkpoint into .onnx files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; the guide's script has --name and --which_epoch for the checkpoint."""
    add = parser.add_argument
    flags.add_checkpoint_flags(parser)
    file = "the .onnx file (default: %(default)s)"
    add("--output", type=cli.path, default=Path("DG-net.onnx"), metavar="FILE", help=file)
    add("--batchsize", type=cli.positive, metavar="N", help="accepted; the batch of the file stays free")
    flags.add_dtype_flag(parser)
    halves = "write X_structure.onnx, X_appearance.onnx and X_decoder.onnx in place of X.onnx"
    add("--halves", action="store_true", help=halves)
    pads = (
        "how borders are mirrored: in one node, or in two look-ups for CANN releases that refuse it (default: reflect)"
    )
    add("--pad", choices=("reflect", "gather"), default="reflect", help=pads)


def handle(arguments: argparse.Namespace) -> int:
    """Export a checkpoint."""
    from modelzoo.common.export import import_exporters
    from modelzoo.dgnet.export import KEEP_FILE, export, write_keep_file

    import_exporters(SPEC.name)
    files = flags.checkpoint_of(arguments)
    print(f"exporting {files.gen} and {files.id} ...", flush=True)
    for path in export(files.gen, arguments.output, files.id, arguments.dtype, arguments.halves, pad=arguments.pad):
        print(f"{path}: {arguments.dtype} pictures")
    keep = arguments.output.parent / KEEP_FILE
    if write_keep_file(keep.parent):
        print(f"{keep}: for atc's --keep_dtype; convert needs no such file")
    else:
        print(f"note: {keep} is another file and stays", file=sys.stderr)
    return 0
