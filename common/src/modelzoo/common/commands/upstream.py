"""`upstream`: the published source of a network, at its pinned commit and patched."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.common.spec import ModelSpec

SUMMARY = "the published source of the network, patched to run here"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "destination", type=cli.path, metavar="DEST", help="folder to make; one that is there is checked"
    )
    parser.add_argument("--source", metavar="URL|PATH", help="where to clone from (default: where it was published)")
    parser.add_argument("--no-patch", action="store_true", help="leave the source as it was published")


def handle(arguments: argparse.Namespace, spec: ModelSpec, patch: Path) -> int:
    """Clone, check and patch an upstream.

    Args:
        arguments: The flags of `add_arguments`.
        spec: The model, which names its upstream.
        patch: The patch of the package.
    """
    from modelzoo.common.upstream import prepare

    done = prepare(spec.upstream, patch, arguments.destination, arguments.source, not arguments.no_patch)
    print(f"{arguments.destination}: {', '.join(done)}")
    print(f"licence of the upstream: {spec.upstream.licence}, {spec.upstream.url}")
    return 0
