"""`export-detector`: the detector's darknet weights into an .onnx file."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.alphapose.spec import DETECTOR
from modelzoo.common import cli

SUMMARY = "the detector's darknet weights into an .onnx file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--weights", type=cli.path, required=True, metavar="FILE", help="yolov3-spp.weights")
    place = "the .onnx file (default: %(default)s)"
    add("--output", type=cli.path, default=Path("yolov3-spp.onnx"), metavar="FILE", help=place)


def handle(arguments: argparse.Namespace) -> int:
    """Export the weights."""
    from modelzoo.alphapose.detector.export import export_detector
    from modelzoo.common.export import import_exporters

    import_exporters(DETECTOR.name)
    print(f"exporting {arguments.weights} ...")
    path = export_detector(arguments.weights, arguments.output)
    print(f"{path}: {DETECTOR.title}, from {DETECTOR.inputs[0].describe()} to {DETECTOR.outputs[0].describe()}")
    return 0
