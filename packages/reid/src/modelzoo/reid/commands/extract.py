"""`extract`: pictures into a file of features."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import DataError
from modelzoo.reid.commands import flags

if TYPE_CHECKING:
    from modelzoo.reid.pictures import Pictures

SUMMARY = "pictures of any names into a file of features"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    flags.add_model_flag(parser)
    add("--input", type=cli.path, required=True, metavar="DIR_OR_FILE", help="a picture, or a folder with all below it")
    place = "an .npz with names and features (default: %(default)s)"
    add("--output", type=cli.path, default=Path("features.npz"), metavar="FILE", help=place)
    flags.add_feature_flags(parser)
    cli.add_overwrite_flag(parser, "the output file")


def handle(arguments: argparse.Namespace) -> int:
    """Compute the features of pictures."""
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.reid.commands.opening import feature_model
    from modelzoo.reid.commands.output import passed_over
    from modelzoo.reid.features.file import write_features
    from modelzoo.reid.pictures import find_pictures
    from modelzoo.reid.search.gallery import compute_gallery

    found = find_pictures(arguments.input, "input")
    _check_output(arguments, found)
    compute, known_by = feature_model(arguments)
    done, skipped = compute_gallery(found, compute)
    write_features(arguments.output, done.to_file(known_by(), found.folder))
    count, length = done.features.shape
    others = passed_over(found.passed_over)
    print(f"{count} pictures to {arguments.output}: names, and features float32 ({count}, {length}){others}")
    return print_skipped(skipped)


def _check_output(arguments: argparse.Namespace, found: Pictures) -> None:
    """Before the model is opened: the output can be written, and takes the place of nothing that is still needed."""
    from modelzoo.common.files import check_writable, existing_folder

    output: Path = arguments.output
    check_writable(existing_folder(output.absolute().parent, "--output"))
    if output.is_dir():
        raise DataError(f"--output {output} is a folder", "give the name of a file")
    if not output.is_file():
        return
    if arguments.model.exists() and output.samefile(arguments.model):
        raise DataError(f"--output {output} is the model", "give the name of a file that is not there yet")
    status = output.stat()
    if (status.st_dev, status.st_ino) in {picture.inode for picture in found.pictures}:
        raise DataError(f"--output {output} is one of the pictures", "give the name of a file that is not there yet")
    if not arguments.overwrite:
        raise DataError(f"{output} is there already", "choose another --output, or --overwrite it")
