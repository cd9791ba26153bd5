"""Flags that several commands share."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.reid import form
from modelzoo.reid.layouts.names import PATTERNS, NamePattern, name_pattern
from modelzoo.reid.spec import BACKBONES, IMAGES, NECK_FEATS

DATA = "folder of Market-1501, DukeMTMC-reID or MSMT17, or a .csv file with the columns path,person,camera,split"
"""The help of `--data`."""


def add_names_flag(parser: argparse.ArgumentParser) -> None:
    """How the names in a folder hold person and camera; None where nothing is said."""
    kinds = f"names in a folder: {', '.join(PATTERNS)}, or a regular expression with groups 'person' and 'camera'"
    parser.add_argument("--names", type=_names, metavar="NAMES", help=f"{kinds} (default: as the folder's layout has)")


def add_form_flags(parser: argparse.ArgumentParser) -> None:
    """Which network the checkpoint is, and which of its features is wanted; None where nothing is said."""
    names = f"{', '.join(BACKBONES)} (default: resnet50)"
    parser.add_argument("--backbone", choices=BACKBONES, metavar="NAME", help=names)
    parser.add_argument("--neck-feat", choices=NECK_FEATS, help="feature after or before the neck (default: after)")


def add_model_flag(parser: argparse.ArgumentParser) -> None:
    """Which model computes features."""
    kinds = "the model: .onnx, .om, or a checkpoint"
    parser.add_argument("--model", type=cli.path, required=True, metavar="FILE", help=kinds)


def add_feature_flags(parser: argparse.ArgumentParser) -> None:
    """How the model of `add_model_flag` computes features."""
    add = parser.add_argument
    add("--batchsize", type=cli.positive, metavar="N", help="default: 8, or what the model is fixed to")
    add("--device", type=cli.natural, default=0, metavar="N", help="number of the accelerator (default: 0)")
    add_form_flags(parser)
    cli.add_preprocess_flags(parser)


def add_network_flags(parser: argparse.ArgumentParser) -> None:
    """The form, and what the exported graph takes; None where nothing is said."""
    add_form_flags(parser)
    kinds = "float32 takes normalised images, uint8 takes pixels"
    parser.add_argument("--dtype", choices=list(IMAGES), help=f"{kinds} (default: float32)")


def wanted_form(arguments: argparse.Namespace) -> form.Wanted:
    """What the flags of `add_form_flags` say; None where nothing is said."""
    return {"--backbone": arguments.backbone, "--neck-feat": arguments.neck_feat}


def form_of(arguments: argparse.Namespace) -> dict[str, str]:
    """What the flags say of the form, with the published defaults for what they leave out."""
    return form.form_of(wanted_form(arguments))


def add_metric_flags(parser: argparse.ArgumentParser) -> None:
    """How the ranking is made and scored."""
    norm = "divide features by their length (default: yes)"
    parser.add_argument("--feat-norm", choices=("yes", "no"), default="yes", help=norm)
    length = "length of the CMC (default: 50)"
    parser.add_argument("--max-rank", type=cli.positive, default=50, metavar="N", help=length)
    parser.add_argument("--rerank", action="store_true", help="re-rank by k-reciprocal neighbours before scoring")
    parser.add_argument("--json", type=cli.path, metavar="FILE", help="write the metrics there as well")


def _names(text: str) -> NamePattern:
    try:
        return name_pattern(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
