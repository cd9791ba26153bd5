"""`preprocess`: images into .bin files."""

from __future__ import annotations

import argparse

from modelzoo.common import cli
from modelzoo.reid import __version__
from modelzoo.reid.spec import IMAGES, SPEC

SUMMARY = "images into .bin files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("source", type=cli.path, metavar="SRC", help="folder of images")
    parser.add_argument("destination", type=cli.path, metavar="DST", help="folder for the .bin files")
    kinds = "float32 writes normalised images, uint8 writes pixels (default: float32)"
    parser.add_argument("--dtype", choices=list(IMAGES), default="float32", help=kinds)
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "the .bin files that are in DST")


def handle(arguments: argparse.Namespace) -> int:
    """Preprocess a folder."""
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.common.preprocess import PreprocessJob, write_folders
    from modelzoo.common.work import Threads
    from modelzoo.reid.dataset import list_images
    from modelzoo.reid.preprocess import CHUNK, image_units

    folder = list_images(arguments.source)
    tensor = IMAGES[arguments.dtype]
    job = PreprocessJob(
        model=SPEC.name,
        version=__version__,
        folders=[arguments.destination],
        tensors=[tensor],
        units=image_units(folder.images, arguments.dtype),
        threads=Threads(arguments.workers, CHUNK),
        command={"source": str(arguments.source.absolute()), "dtype": arguments.dtype},
        on_error=arguments.on_error,
        overwrite=arguments.overwrite,
    )
    index = write_folders(job)
    print(f"{len(index.samples)} images to {arguments.destination}, each {tensor.dtype} {tensor.sample_shape}")
    if folder.passed_over:
        print(f"{folder.passed_over} entries that are no images were passed over")
    return print_skipped(index.skipped)
