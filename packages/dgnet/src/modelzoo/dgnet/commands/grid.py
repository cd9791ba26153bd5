"""`grid`: every structure with every appearance, as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.dgnet.commands import opening

SUMMARY = "a sheet of pictures: appearances across, structures down"

PLACES = "pictures, folders of them, or trees of identities"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    opening.add_model_flags(parser)
    add("--appearance", type=cli.path, nargs="+", required=True, metavar="PLACE", help=PLACES)
    same = "the same for the structures (default: those of --appearance)"
    add("--structure", type=cli.path, nargs="+", metavar="PLACE", help=same)
    add("--count", type=cli.positive, default=8, metavar="N", help="of each at most, the first ones (default: 8)")
    file = "the sheet, .png or .jpg (default: %(default)s)"
    add("--output", type=cli.path, default=Path("dgnet-grid.png"), metavar="FILE", help=file)
    cli.add_overwrite_flag(parser, "the sheet")


def handle(arguments: argparse.Namespace) -> int:
    """Draw a sheet."""
    from modelzoo.dgnet.commands.output import check_picture, write_picture
    from modelzoo.dgnet.grid import choose_photos, make_grid
    from modelzoo.dgnet.images import read_pixels
    from modelzoo.dgnet.sheets import check_size, draw_grid, sheet_size

    check_picture(arguments.output, (".png", ".jpg"), arguments.overwrite)
    across = choose_photos(arguments.appearance, arguments.count)
    down = choose_photos(arguments.structure or arguments.appearance, arguments.count)
    check_size(arguments.output, sheet_size(len(down), len(across)))
    structures, appearances = ([read_pixels(path) for path in paths] for paths in (down, across))
    rows = make_grid(structures, appearances, opening.open_generator(arguments))
    write_picture(arguments.output, draw_grid(structures, appearances, rows))
    print(f"{len(structures)} structures with {len(appearances)} appearances: {arguments.output}")
    return 0
