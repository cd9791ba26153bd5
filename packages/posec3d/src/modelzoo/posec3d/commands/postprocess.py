"""`postprocess`: result files into top-1 and top-5."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.posec3d.spec import SPEC

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelzoo.common.index import Index
    from modelzoo.common.work import SampleInfo

SUMMARY = "results into top-1 and top-5 accuracy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--infer_results", type=cli.path, required=True, metavar="R", help="folder of <number>_0.bin results")
    labels = "what preprocess wrote beside its folder: a line '<number> <label>' each"
    add("--label_file", type=cli.path, required=True, metavar="FILE", help=labels)
    index = "the index that preprocess wrote, which has to say the same (default: what the results' summary leads to)"
    add("--index", type=cli.path, metavar="FILE", help=index)
    count = "actions that the network tells apart (default: what the model or the index says)"
    add("--classes", type=cli.positive, metavar="N", help=count)
    add("--json", type=cli.path, metavar="FILE", help="write the metrics there as well")


def handle(arguments: argparse.Namespace) -> int:
    """Score a result folder."""
    from modelzoo.common.commands.output import write_metrics
    from modelzoo.common.files import existing_folder
    from modelzoo.posec3d.evaluate import metric_lines
    from modelzoo.posec3d.postprocess import evaluate_results

    existing_folder(arguments.infer_results, "result")
    if arguments.json:
        existing_folder(arguments.json.absolute().parent, "--json")
    samples, indices = _samples(arguments)
    classes = arguments.classes or _classes(arguments, indices)
    metrics = evaluate_results(samples, arguments.infer_results, classes)
    if classes is None:
        print(f"classes: {metrics['classes']}, by the size of the results", file=sys.stderr)
    print("\n".join(metric_lines(metrics)))
    write_metrics(metrics, arguments.json)
    return 0


def _classes(arguments: argparse.Namespace, indices: Mapping[Path, Index]) -> int | None:
    """The number of actions that something says but the size of the results."""
    from modelzoo.posec3d.class_count import find_class_count

    found = find_class_count(arguments.infer_results, indices)
    if found is None:
        return None
    print(f"classes: {found.classes}, by {found.source}", file=sys.stderr)
    return found.classes


def _samples(arguments: argparse.Namespace) -> tuple[list[SampleInfo], dict[Path, Index]]:
    from modelzoo.common.provenance import find_indices
    from modelzoo.common.text import printable
    from modelzoo.posec3d.postprocess import check_index, read_label_file

    samples = read_label_file(arguments.label_file)
    given = [arguments.index] if arguments.index else []
    indices = find_indices(SPEC.name, arguments.infer_results, given)
    checked = check_index(samples, arguments.label_file, indices)
    for path, index in indices.items():
        print(f"index: {path}", file=sys.stderr)
        if index.skipped:
            first = f"the first: {printable(index.skipped[0].reason)}"
            print(f"note: {len(index.skipped)} recordings were skipped by preprocess, {first}", file=sys.stderr)
    return checked, indices
