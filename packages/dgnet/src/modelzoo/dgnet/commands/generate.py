"""`generate`: pictures for training, in the layout of Market-1501."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.dgnet.commands import opening

SUMMARY = "generated pictures for training, in the layout of Market-1501"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--data", type=cli.path, required=True, metavar="IMAGES", help="a folder of pictures per identity")
    opening.add_model_flags(parser)
    add("--per-identity", type=cli.positive, required=True, metavar="N", help="pictures of every identity")
    add("--output", type=cli.path, required=True, metavar="DIR", help="for bounding_box_train and generated.csv")
    add("--seed", type=cli.natural, default=10, metavar="N", help="of what is chosen (default: %(default)s)")
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "the pictures that DIR/generated.csv lists")


def handle(arguments: argparse.Namespace) -> int:
    """Generate a set."""
    import tempfile

    from modelzoo.common.commands.output import print_skipped
    from modelzoo.dgnet.commands.output import print_clipped, print_tree
    from modelzoo.dgnet.dataset import read_tree
    from modelzoo.dgnet.generate import TABLE, check_output, generate, plan_set
    from modelzoo.dgnet.market import TRAIN
    from modelzoo.dgnet.run import RunOptions

    check_output(arguments.output, arguments.overwrite)
    tree = read_tree(arguments.data)
    planned = plan_set(tree.photos, arguments.per_identity, arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        session = opening.open_whole(opening.exported(arguments, Path(folder)), arguments)
    options = RunOptions(arguments.batchsize or 8, arguments.workers, arguments.on_error, arguments.overwrite)
    stats, evaluator = generate(planned, session, arguments.output, options)
    print_tree(tree)
    identities = {photo.label for photo in tree.photos}
    print(f"{len(evaluator.stems)} pictures of {len(identities)} identities to {arguments.output / TRAIN}")
    print(f"what they are made of: {arguments.output / TABLE}")
    print_clipped(evaluator.clipped)
    return print_skipped(stats.skipped)
