"""`search`: somebody's walk among many walks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.gaitset.commands import flags
from modelzoo.gaitset.ranking import METRICS

if TYPE_CHECKING:
    from modelzoo.gaitset.search import SearchResult

SUMMARY = "the sequences of a gallery that walk most like a probe, of any names"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--model", type=cli.path, required=True, metavar="FILE", help="the model: .onnx, .om, or a checkpoint")
    folders = "every folder in it that holds silhouettes is a sequence"
    add("--probe", type=cli.path, required=True, metavar="DIR", help=f"who is looked for; {folders}")
    add("--gallery", type=cli.path, required=True, metavar="DIR", help="where; folders as in --probe")
    add("--top", type=cli.positive, default=10, metavar="N", help="answers per probe (default: %(default)s)")
    kinds = "distance: euclidean, as in the published evaluation, or 1 - cosine"
    add("--metric", choices=METRICS, default=METRICS[0], help=f"{kinds} (default: %(default)s)")
    place = "ranking.csv, and a picture per probe (default: %(default)s)"
    add("--output", type=cli.path, default=Path("gaitset-search"), metavar="DIR", help=place)
    add("--batchsize", type=cli.positive, metavar="N", help="default: 8, or what the model is fixed to")
    add("--device", type=cli.natural, default=0, metavar="N", help="number of the accelerator (default: 0)")
    flags.add_dataset_flag(parser)
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "results that are in the output folder")


def handle(arguments: argparse.Namespace) -> int:
    """Search, and write table and pictures."""
    from modelzoo.common.commands.output import print_skipped
    from modelzoo.common.work import Threads
    from modelzoo.gaitset.commands.opening import open_model
    from modelzoo.gaitset.dataset import list_sequences
    from modelzoo.gaitset.rankings import check_output, write_rankings
    from modelzoo.gaitset.search import SearchOptions, search

    check_output(arguments.output, [arguments.probe, arguments.gallery], arguments.overwrite)
    probes, gallery = (list_sequences(folder) for folder in (arguments.probe, arguments.gallery))
    threads = Threads(arguments.workers)
    options = SearchOptions(arguments.top, arguments.metric, arguments.batchsize or 8, threads, arguments.on_error)
    session = open_model(arguments.model, arguments, device=arguments.device)
    result = search(probes, gallery, session, options)
    write_rankings(arguments.output, result.ranked, threads)
    _print_result(result, arguments.output)
    return print_skipped(result.skipped)


def _print_result(result: SearchResult, output: Path) -> None:
    from modelzoo.common.text import printable
    from modelzoo.gaitset.rankings import DRAWN, TABLE

    own = f", {result.own} of them in the gallery: no sequence is an answer to itself" if result.own else ""
    print(f"gallery: {len(result.gallery)} sequences\nprobes: {len(result.ranked)}{own}")
    if len(result.ranked) == 1:
        for rank, answer in enumerate(result.ranked[0].answers, start=1):
            print(f"{rank:4d}  {answer.distance:.6f}  {printable(answer.sequence.name)}")
    print(f"table: {output / TABLE}\nto look at: {output / DRAWN}")
