"""`export`: a checkpoint into an .onnx file."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.gaitset.commands import flags
from modelzoo.gaitset.spec import DYNAMIC, SPEC

SUMMARY = "a checkpoint into an .onnx file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--weights", type=cli.path, metavar="FILE", help="the checkpoint (.ptm)")
    weights.add_argument("--input_path", type=cli.path, metavar="FILE", dest="weights", help="the same")
    add(
        "--output",
        type=cli.path,
        default=Path("gaitset_submit.onnx"),
        metavar="FILE",
        help="the .onnx file (default: %(default)s)",
    )
    add("--batchsize", type=cli.positive, metavar="N", help="accepted; the batch of the file stays free")
    flags.add_dataset_flag(parser)
    flags.add_graph_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Export a checkpoint."""
    export_weights(arguments.weights, arguments.output, flags.dataset_of(arguments), *flags.graph_of(arguments))
    return 0


def export_weights(weights: Path, output: Path, dataset: str, frames: int | str, padding: str, dtype: str) -> Path:
    """Export, and print what came of it; return `output`."""
    from modelzoo.common.export import import_exporters
    from modelzoo.gaitset.export import export

    import_exporters(SPEC.name)
    print(f"exporting {weights} ...")
    path = export(weights, output, dataset, frames, padding, dtype)
    from modelzoo.gaitset.weights import published_name

    name = published_name(weights)
    origin = f", from the published {name}" if name else ""
    count = f"a free number of frames, padding {padding}" if frames == DYNAMIC else f"{frames} frames"
    print(f"{path}: {dataset}, {count}, {dtype} silhouettes{origin}")
    return path
