"""`demo`: the whole way on drawn people with seeded weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from modelzoo.common import cli
from modelzoo.dgnet.spec import SPEC

SUMMARY = "the whole way on drawn people with seeded weights"

NOTE = (
    "The people are drawn and the weights are seeded random numbers that have learnt nothing: a generated picture has "
    "the outlines of its structure in colours that depend on its appearance, and means only that the pipeline works. "
    "FID needs the Inception network: see dgnet fid."
)

SHOWN = 4
"""Structures and appearances on the sheet."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    place = "data, pictures and report: a new folder, or that of an earlier demo (default: %(default)s)"
    parser.add_argument("--output", type=cli.path, default=Path("dgnet-demo"), metavar="DIR", help=place)


def handle(arguments: argparse.Namespace) -> int:
    """Draw, prepare, export, run and report."""
    from dataclasses import replace

    from modelzoo.common.commands.output import print_report
    from modelzoo.common.export import import_exporters
    from modelzoo.common.session import open_session
    from modelzoo.common.work import available_cores
    from modelzoo.dgnet.commands.opening import EXPORTED
    from modelzoo.dgnet.dataset import read_tree
    from modelzoo.dgnet.demo import claim_folder, make_market1501, make_weights
    from modelzoo.dgnet.export import export
    from modelzoo.dgnet.market import TREE, make_tree, plan_tree
    from modelzoo.dgnet.pairing import pair_photos
    from modelzoo.dgnet.run import RunOptions, run
    from modelzoo.dgnet.trees import PictureTrees

    import_exporters(SPEC.name)
    claim_folder(arguments.output)
    print("drawing a small Market-1501 ...")
    market = make_market1501(arguments.output / "Market")
    make_tree(market, plan_tree(market), overwrite=True)
    gen, id_ = make_weights(arguments.output)
    print("exporting seeded weights ...", flush=True)
    model = export(gen, arguments.output / EXPORTED, id_)[0]
    pairs = pair_photos(read_tree(market / TREE / "train_all").photos, seed=10)
    trees, options = PictureTrees.below(arguments.output), RunOptions(8, available_cores(), overwrite=True)
    done = run(pairs, open_session(model, SPEC), trees, options)
    _draw_sheet(arguments.output, gen, id_)
    print(f"{done.report.metrics['pictures']} pictures to {trees.by_structure}, the same to {trees.by_appearance}")
    print(NOTE)
    print_report(replace(done.report, note=NOTE), arguments.output, "pictures")
    return 0


def _draw_sheet(folder: Path, gen: Path, id_: Path) -> None:
    """Every structure with every appearance, by the halves of the network."""
    from modelzoo.dgnet.commands.output import write_picture
    from modelzoo.dgnet.generator import HalvesGenerator
    from modelzoo.dgnet.grid import choose_photos, make_grid
    from modelzoo.dgnet.halves import open_halves
    from modelzoo.dgnet.images import read_pixels
    from modelzoo.dgnet.market import TREE
    from modelzoo.dgnet.sheets import draw_grid

    photos = [read_pixels(path) for path in choose_photos([folder / "Market" / TREE / "train_all"], SHOWN)]
    rows = make_grid(photos, photos, HalvesGenerator(open_halves(gen, id_), batchsize=8))
    write_picture(folder / "grid.png", draw_grid(photos, photos, rows))
    print(f"{SHOWN} structures with {SHOWN} appearances: {folder / 'grid.png'}")
