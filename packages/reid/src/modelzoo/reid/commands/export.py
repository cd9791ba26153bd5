"""`export`: a checkpoint into an .onnx file."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.reid.commands import flags
from modelzoo.reid.spec import SPEC

SUMMARY = "a checkpoint into an .onnx file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--weights", type=cli.path, metavar="FILE", help="the checkpoint (.pth)")
    add("--config_file", type=cli.path, metavar="FILE", help="the upstream's .yml, instead of --weights")
    pairs = "with --config_file, such as TEST.WEIGHT \"('FILE.pth')\""
    add("overrides", nargs="*", metavar="KEY VALUE", help=pairs)
    add(
        "--output",
        type=cli.path,
        default=Path("ReID.onnx"),
        metavar="FILE",
        help="the .onnx file (default: %(default)s)",
    )
    add("--batchsize", type=cli.positive, metavar="N", help="accepted; the batch of the file stays free")
    flags.add_network_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Export a checkpoint."""
    if bool(arguments.weights) == bool(arguments.config_file):
        raise UsageError("give either --weights FILE, or --config_file FILE with TEST.WEIGHT \"('FILE')\"")
    weights, form = arguments.weights, flags.form_of(arguments)
    if arguments.config_file:
        from modelzoo.reid.config import read_config

        if arguments.backbone or arguments.neck_feat:
            raise UsageError("--config_file says which network and feature: use MODEL.NAME and TEST.NECK_FEAT pairs")
        config = read_config(arguments.config_file, arguments.overrides)
        weights, form = config.weights, {"backbone": config.backbone, "neck_feat": config.neck_feat}
    elif arguments.overrides:
        raise UsageError(f"KEY VALUE pairs need --config_file, got '{arguments.overrides[0]}'")
    export_weights(weights, arguments.output, form, arguments.dtype or "float32")
    return 0


def export_weights(weights: Path, output: Path, form: dict[str, str], dtype: str) -> Path:
    """Export, and print what came of it; return `output`."""
    from modelzoo.common.export import import_exporters
    from modelzoo.reid.export import export

    import_exporters(SPEC.name)
    print(f"exporting {weights} ...")
    path = export(weights, output, form["backbone"], form["neck_feat"], dtype)
    from modelzoo.reid.weights import published_name

    name = published_name(weights)
    origin = f", from the published {name}" if name else ""
    print(f"{path}: {form['backbone']}, feature {form['neck_feat']} the neck, {dtype} images{origin}")
    return path
