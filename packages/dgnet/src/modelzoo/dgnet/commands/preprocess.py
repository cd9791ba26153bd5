"""`preprocess`: pairs of pictures into .bin files."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.dgnet import __version__
from modelzoo.dgnet.spec import PICTURES, SPEC

SUMMARY = "pairs of pictures into .bin files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--input_folder", type=cli.path, required=True, metavar="IMAGES", help="a folder of pictures per identity")
    add("--output_folder", type=cli.path, required=True, metavar="BIN1", help="folder for the appearances: image2")
    add("--output_folder2", type=cli.path, required=True, metavar="BIN2", help="folder for the structures: image1")
    add("--seed", type=cli.natural, default=10, metavar="N", help="of the pairing (default: %(default)s)")
    kinds = "float32 writes normalised pictures, uint8 writes pixels (default: float32)"
    add("--dtype", choices=list(PICTURES), default="float32", help=kinds)
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "the .bin files that are in BIN1 and BIN2")


def handle(arguments: argparse.Namespace) -> int:
    """Preprocess a tree of pictures."""
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.common.preprocess import PreprocessJob, write_folders
    from modelzoo.common.work import Threads
    from modelzoo.dgnet.commands.output import print_tree
    from modelzoo.dgnet.dataset import read_tree
    from modelzoo.dgnet.pairing import fingerprint, pair_photos
    from modelzoo.dgnet.preprocess import CHUNK, pair_units
    from modelzoo.dgnet.trees import check_apart

    structures, appearances = arguments.output_folder2, arguments.output_folder
    check_apart(appearances, structures)
    tree = read_tree(arguments.input_folder)
    pairs = pair_photos(tree.photos, arguments.seed)
    tensors = PICTURES[arguments.dtype]
    job = PreprocessJob(
        model=SPEC.name,
        version=__version__,
        folders=[structures, appearances],
        tensors=tensors,
        units=pair_units(pairs, arguments.dtype),
        threads=Threads(arguments.workers, CHUNK),
        command={
            "source": str(arguments.input_folder.absolute()),
            "dtype": arguments.dtype,
            "seed": arguments.seed,
            "pairs": fingerprint(pairs),
        },
        on_error=arguments.on_error,
        overwrite=arguments.overwrite,
    )
    index = write_folders(job)
    for folder, tensor, what in zip(job.folders, tensors, ("structures", "appearances"), strict=True):
        print(f"{len(index.samples)} {what} to {folder}: {tensor.name}, each {tensor.dtype} {tensor.sample_shape}")
    print_tree(tree)
    print(f"the model takes them as --input {structures},{appearances}")
    return print_skipped(index.skipped)
