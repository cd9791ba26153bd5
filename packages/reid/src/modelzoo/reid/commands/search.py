"""`search`: pictures of one person among many pictures."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.reid.commands import flags
from modelzoo.reid.ranking.pairs import METRICS

if TYPE_CHECKING:
    from modelzoo.reid.pictures import Pictures
    from modelzoo.reid.search import RankedPicture, SearchResult
    from modelzoo.reid.search.gallery import Gallery

SUMMARY = "the pictures of a gallery that are most like a query, of any names"

ADVICE = "to choose a --threshold: the report of '{}' on labelled pictures has a table of them"

RUNS = {"cosine": "reid run", "euclidean": "reid run --feat-norm no"}
"""Whose report has thresholds of each metric."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    flags.add_model_flag(parser)
    add("--query", type=cli.path, required=True, metavar="DIR_OR_FILE", help="a picture, or a folder with all below it")
    add("--gallery", type=cli.path, metavar="DIR", help="the pictures to search; none: those of --index")
    add("--index", type=cli.path, metavar="FILE", help="an .npz that keeps the gallery's features for the next search")
    add("--top", type=cli.positive, default=10, metavar="N", help="answers per query (default: %(default)s)")
    kinds = "distance: 1 - cosine, or euclidean of the features as they are (default: cosine)"
    add("--metric", choices=METRICS, default="cosine", help=kinds)
    add("--threshold", type=_distance, metavar="T", help="only answers with at most this distance")
    place = "ranking.csv, and a picture per query (default: %(default)s)"
    add("--output", type=cli.path, default=Path("reid-search"), metavar="DIR", help=place)
    flags.add_feature_flags(parser)
    cli.add_overwrite_flag(parser, "results that are in the output folder")


def handle(arguments: argparse.Namespace) -> int:
    """Search, and write table and pictures."""
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.common.files import check_writable, existing_folder
    from modelzoo.common.work import Threads
    from modelzoo.reid.commands.opening import feature_model
    from modelzoo.reid.pictures import find_pictures
    from modelzoo.reid.search import SearchOptions, search
    from modelzoo.reid.search.index import Index, find_gallery, read_index
    from modelzoo.reid.search.table import SheetOptions, check_output, write_rankings

    check_output(arguments.output, arguments.overwrite)
    if arguments.index:
        check_writable(existing_folder(arguments.index.absolute().parent, "--index"))
    query = find_pictures(arguments.query, "query")
    known = read_index(arguments.index)
    found = find_gallery(arguments.gallery, arguments.index, known)
    compute, known_by = feature_model(arguments)
    index = Index(arguments.index, known, known_by()) if arguments.index else None
    options = SearchOptions(arguments.top, arguments.metric, arguments.threshold)
    result = search(query, found, compute, options, index)
    drawing = SheetOptions(arguments.threshold, Threads(arguments.workers), arguments.on_error)
    undrawn = write_rankings(arguments.output, result.ranked, drawing)
    _print_result(result, query, found, arguments)
    return print_skipped([*result.skipped, *undrawn])


def _print_result(result: SearchResult, query: Pictures, found: Pictures, arguments: argparse.Namespace) -> None:
    from modelzoo.reid.commands.output import passed_over
    from modelzoo.reid.pictures import DRAWN, TABLE

    print(f"gallery: {_gallery_facts(result.gallery, bool(arguments.index))}{passed_over(found.passed_over)}")
    own = f", {result.own} of them in the gallery: no picture is an answer to itself" if result.own else ""
    print(f"queries: {len(result.ranked)}{own}{passed_over(query.passed_over)}")
    _print_answers(result.ranked, arguments.threshold)
    print(f"table: {arguments.output / TABLE}\nto look at: {arguments.output / DRAWN}")
    if arguments.threshold is None:
        print(ADVICE.format(RUNS[arguments.metric]))


def _gallery_facts(gallery: Gallery, indexed: bool) -> str:
    count = len(gallery.pictures)
    known = f", {count - gallery.computed} known from the index, {gallery.dropped} gone" if indexed else ""
    return f"{count} pictures, {gallery.computed} computed{known}"


def _print_answers(ranked: Sequence[RankedPicture], threshold: float | None) -> None:
    """The ranking of a single query, and the queries without answers."""
    from modelzoo.common.text import printable
    from modelzoo.reid.search.drawn import nothing_found

    if len(ranked) == 1:
        for rank, answer in enumerate(ranked[0].answers, start=1):
            print(f"{rank:4d}  {answer.distance:.6f}  {printable(answer.picture.name)}")
    for one in ranked:
        if not one.answers:
            print(f"{printable(one.query.name)}: {nothing_found(threshold)}")


def _distance(text: str) -> float:
    """An argparse type: a distance, which is never below 0."""
    try:
        distance = float(text)
    except ValueError:
        distance = math.nan
    if not 0 <= distance < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number from 0, got '{text}'")
    return distance
