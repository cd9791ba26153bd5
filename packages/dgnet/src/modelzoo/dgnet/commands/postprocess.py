"""`postprocess`: results into pictures."""

from __future__ import annotations

import argparse
import sys

from modelzoo.common import cli
from modelzoo.common.work import available_cores

SUMMARY = "results into pictures, by structure and by appearance"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--result_folder", type=cli.path, required=True, metavar="R", help="folder of <pair>_0.bin results")
    add("--output_folder", type=cli.path, required=True, metavar="A", help="pictures, a folder per structure")
    same = "the same pictures, a folder per appearance"
    add("--output_folder2", type=cli.path, required=True, metavar="B", help=same)
    index = "what preprocess wrote beside its folders (default: what the results' summary leads to)"
    add("--index", type=cli.path, nargs="+", action="extend", default=[], metavar="FILE", help=index)
    add(
        "--workers",
        type=cli.positive,
        default=available_cores(),
        metavar="N",
        help="threads (default: one per core)",
    )
    add("--json", type=cli.path, metavar="FILE", help="write how many pictures there are")
    cli.add_overwrite_flag(parser, "the generated pictures that are in A and B")


def handle(arguments: argparse.Namespace) -> int:
    """Write the pictures of a result folder."""
    from modelzoo.common.commands.output import write_metrics
    from modelzoo.common.files import existing_folder
    from modelzoo.common.provenance import find_indices
    from modelzoo.common.work import Threads
    from modelzoo.dgnet.commands.output import print_clipped, print_others
    from modelzoo.dgnet.postprocess import check_results, write_pictures
    from modelzoo.dgnet.spec import SPEC
    from modelzoo.dgnet.trees import PictureTrees

    folder = existing_folder(arguments.result_folder, "result")
    if arguments.json:
        existing_folder(arguments.json.absolute().parent, "--json")
    indices = find_indices(SPEC.name, folder, arguments.index)
    for path in indices:
        print(f"index: {path}", file=sys.stderr)
    results = check_results(folder, indices)
    trees = PictureTrees(arguments.output_folder, arguments.output_folder2)
    trees.check(arguments.overwrite)
    print_others(results.strays, f"no results, passed over in {folder}")
    others = trees.prepare(list(results.files))
    clipped = list(write_pictures(results, trees, Threads(arguments.workers)))
    print(f"{len(results.files)} pictures to {trees.by_structure} (by structure)")
    print(f"the same to {trees.by_appearance} (by appearance)")
    print_others(others, "no generated pictures, left in these folders")
    print_clipped(clipped)
    write_metrics({"pictures": len(results.files)}, arguments.json)
    return 0
