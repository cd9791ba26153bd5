"""`run`: the whole way in one process."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.dgnet.commands import fid, opening
from modelzoo.dgnet.spec import PICTURES

if TYPE_CHECKING:
    from modelzoo.common.session import Session

SUMMARY = "the whole way in one process: photos and weights into pictures and FID"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--data", type=cli.path, required=True, metavar="IMAGES", help="a folder of pictures per identity")
    opening.add_model_flags(parser)
    add("--dtype", choices=list(PICTURES), help="what the exported graph takes (default: float32)")
    add("--seed", type=cli.natural, default=10, metavar="N", help="of the pairing (default: %(default)s)")
    fid.add_feature_flags(parser)
    cli.add_preprocess_flags(parser)
    report = "report and pictures (default: %(default)s)"
    add("--output", type=cli.path, default=Path("dgnet-report"), metavar="DIR", help=report)
    add("--json", type=cli.path, metavar="FILE", help="write the metrics there as well")
    cli.add_overwrite_flag(parser, "the generated pictures that are in DIR, and its DG-net.onnx")


def handle(arguments: argparse.Namespace) -> int:
    """Generate pictures, and write the report."""
    from modelzoo.common.commands.output import print_report, print_skipped, write_metrics
    from modelzoo.common.files import check_writable
    from modelzoo.dgnet.commands.output import print_clipped, print_others, print_tree
    from modelzoo.dgnet.dataset import read_tree
    from modelzoo.dgnet.fid.pictures import Pictures
    from modelzoo.dgnet.pairing import pair_photos
    from modelzoo.dgnet.run import RunOptions, run
    from modelzoo.dgnet.trees import PictureTrees

    check_writable(arguments.output)
    fid.check_features(arguments)
    fid.check_json(arguments.json)
    trees = PictureTrees.below(arguments.output)
    trees.check(arguments.overwrite)
    tree = read_tree(arguments.data)
    extractor = fid.open_features(arguments) if arguments.features else None
    session = _open(arguments)
    options = RunOptions(arguments.batchsize or 8, arguments.workers, arguments.on_error, arguments.overwrite)
    real = Pictures(arguments.data, [photo.path for photo in tree.photos])
    done = run(pair_photos(tree.photos, arguments.seed), session, trees, options, real, extractor)
    print_tree(tree)
    print(f"{done.report.metrics['pictures']} pictures to {trees.by_structure}, the same to {trees.by_appearance}")
    print_others(done.others, "no generated pictures, left in these folders")
    print_clipped(done.clipped)
    if done.fid:
        fid.print_fid(done.fid)
    print_report(done.report, arguments.output, "pictures")
    write_metrics(done.report.metrics, arguments.json)
    code = print_skipped(done.skipped)
    if done.failure:
        raise done.failure
    return code


def _open(arguments: argparse.Namespace) -> Session:
    model = opening.exported(arguments, arguments.output, arguments.dtype or "float32")
    session = opening.open_whole(model, arguments)
    image = session.inputs[0]
    if arguments.dtype not in (None, image.dtype):
        raise UsageError(f"--dtype {arguments.dtype} does not fit the model, which takes {image.describe()}")
    return session
