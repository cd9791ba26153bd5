"""`interpolate`: the way from one appearance to another, as a strip or a moving picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.dgnet.commands import opening
from modelzoo.dgnet.commands.grid import PLACES

SUMMARY = "from one appearance to another, as a strip or a GIF"

MOVING = ".gif"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    opening.add_model_flags(parser)
    add("--start", type=cli.path, required=True, metavar="FILE", help="picture of the first appearance")
    add("--end", type=cli.path, required=True, metavar="FILE", help="picture of the last one")
    add("--structure", type=cli.path, nargs="+", required=True, metavar="PLACE", help=PLACES)
    add("--count", type=cli.positive, default=4, metavar="N", help="structures at most, the first ones (default: 4)")
    add("--steps", type=_steps, default=8, metavar="N", help="pictures, both ends included (default: 8)")
    file = "a strip (.png or .jpg) or a moving picture (.gif) (default: %(default)s)"
    add("--output", type=cli.path, default=Path("dgnet-interpolation.png"), metavar="FILE", help=file)
    cli.add_overwrite_flag(parser, "the output file")


def handle(arguments: argparse.Namespace) -> int:
    """Draw the way."""
    from modelzoo.dgnet.commands.output import check_picture, write_picture
    from modelzoo.dgnet.grid import choose_photos, interpolate
    from modelzoo.dgnet.images import read_pixels
    from modelzoo.dgnet.sheets import check_size, draw_grid, sheet_size, side_by_side, strip_size

    check_picture(arguments.output, (".png", ".jpg", MOVING), arguments.overwrite)
    down, moving = choose_photos(arguments.structure, arguments.count), arguments.output.suffix.lower() == MOVING
    check_size(arguments.output, strip_size(len(down)) if moving else sheet_size(len(down), arguments.steps))
    structures = [read_pixels(path) for path in down]
    start, end = read_pixels(arguments.start), read_pixels(arguments.end)
    rows = interpolate(structures, start, end, arguments.steps, opening.open_generator(arguments))
    if moving:
        frames = [side_by_side(column) for column in zip(*rows, strict=True)]
        write_picture(arguments.output, *frames, *frames[-2:0:-1])  # and back, so that it moves without a jump
    else:
        columns = [start, *[None] * (arguments.steps - 2), end]
        write_picture(arguments.output, draw_grid(structures, columns, rows))
    print(f"{arguments.steps} steps of {len(structures)} structures: {arguments.output}")
    return 0


def _steps(text: str) -> int:
    """An argparse type: a whole number from 2."""
    number = cli.positive(text)
    if number < 2:
        raise argparse.ArgumentTypeError(f"must be a whole number from 2, got '{text}'")
    return number
