"""Flags that several commands share."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.reid.spec import BACKBONES, IMAGES, NECK_FEATS


def add_form_flags(parser: argparse.ArgumentParser) -> None:
    """Which network the checkpoint is, and which of its features is wanted; None where nothing is said."""
    parser.add_argument("--backbone", choices=BACKBONES, help="default: resnet50")
    parser.add_argument("--neck-feat", choices=NECK_FEATS, help="feature after or before the neck (default: after)")


def add_network_flags(parser: argparse.ArgumentParser) -> None:
    """The form, and what the exported graph takes; None where nothing is said."""
    add_form_flags(parser)
    kinds = "float32 takes normalised images, uint8 takes pixels"
    parser.add_argument("--dtype", choices=list(IMAGES), help=f"{kinds} (default: float32)")


def form_of(arguments: argparse.Namespace) -> dict[str, str]:
    """What the flags say of the form, with the published defaults for what they leave out."""
    return {"backbone": arguments.backbone or "resnet50", "neck_feat": arguments.neck_feat or "after"}


def add_metric_flags(parser: argparse.ArgumentParser) -> None:
    """How the ranking is made and scored."""
    norm = "divide features by their length (default: yes)"
    parser.add_argument("--feat-norm", choices=("yes", "no"), default="yes", help=norm)
    length = "length of the CMC (default: 50)"
    parser.add_argument("--max-rank", type=cli.positive, default=50, metavar="N", help=length)
    parser.add_argument("--json", type=cli.path, metavar="FILE", help="write the metrics there as well")
