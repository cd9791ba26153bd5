"""`postprocess`: result files into COCO's ten numbers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.alphapose.commands import flags
from modelzoo.alphapose.spec import SPEC
from modelzoo.common import cli
from modelzoo.common.errors import DataError, UsageError

if TYPE_CHECKING:
    from modelzoo.alphapose.coco import CocoPeople
    from modelzoo.common.index import Index
    from modelzoo.common.work import SampleInfo

SUMMARY = "results into COCO keypoint AP and AR"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; those with an underscore are the guide's."""
    add = parser.add_argument
    add("--dataroot", type=cli.path, required=True, metavar="COCO", help="folder with annotations")
    add("--dump_dir", type=cli.path, required=True, metavar="R", help="folder of <number>_0.bin results")
    mirrored = "that of the mirrored crops; without it there is no flip test"
    add("--dump_dir_flip", type=cli.path, metavar="RF", help=mirrored)
    index = "what preprocess wrote beside its folders (default: what the results' summary leads to)"
    add("--index", type=cli.path, metavar="FILE", help=index)
    boxes = "where there is no index: what was preprocessed (default: ./exp/json/test_det_yolo.json)"
    add("--detections", type=cli.path, metavar="JSON", help=boxes)
    flags.add_outcome_flags(parser)


def handle(arguments: argparse.Namespace) -> int:
    """Score a result folder."""
    from modelzoo.alphapose.coco import read_coco
    from modelzoo.alphapose.commands.output import write_outcome
    from modelzoo.alphapose.evaluate import KeypointEvaluator
    from modelzoo.alphapose.postprocess import evaluate_results
    from modelzoo.alphapose.sides import check_sides
    from modelzoo.common.files import existing_folder

    flags.check_outcome_flags(arguments)
    for folder in (arguments.dump_dir, arguments.dump_dir_flip):
        if folder:
            existing_folder(folder, "result")
    if arguments.dump_dir_flip and arguments.dump_dir_flip.samefile(arguments.dump_dir):
        raise UsageError(f"--dump_dir and --dump_dir_flip are both {arguments.dump_dir}")
    data = read_coco(arguments.dataroot)
    samples = _samples(arguments, data)
    check_sides(arguments.dump_dir, arguments.dump_dir_flip)
    evaluator = KeypointEvaluator(data)
    metrics = evaluate_results(samples, arguments.dump_dir, arguments.dump_dir_flip, evaluator)
    write_outcome(metrics, evaluator, arguments.json, arguments.results)
    return 0


def _samples(arguments: argparse.Namespace, data: CocoPeople) -> Sequence[SampleInfo]:
    """What was preprocessed: by an index, else by detections."""
    from modelzoo.alphapose.commands.boxes import print_coverage
    from modelzoo.alphapose.detections import GUIDE_DETECTIONS, read_detections
    from modelzoo.alphapose.postprocess import samples_of_index
    from modelzoo.alphapose.preprocess import samples_of

    indices = _indices(arguments)
    if indices:
        path = next(iter(indices))
        unused = "; --detections is not needed" if arguments.detections else ""
        print(f"index: {path}{unused}", file=sys.stderr)
        return samples_of_index(path, indices[path], data)
    detections = arguments.detections or GUIDE_DETECTIONS
    if not arguments.detections and not GUIDE_DETECTIONS.exists():
        raise DataError(
            f"nothing says which detections the results are of: no index, and no ./{GUIDE_DETECTIONS}",
            "give --index BINS_index.json, or --detections JSON",
        )
    found = read_detections(detections, data)
    print_coverage(str(detections), found, data)
    return samples_of(found)


def _indices(arguments: argparse.Namespace) -> dict[Path, Index]:
    """The given index, else those that the summaries of the results lead to, which have to say the same.

    Raises:
        DataError: They are those of different runs.
    """
    from modelzoo.common.provenance import find_indices

    if arguments.index:
        return find_indices(SPEC.name, arguments.dump_dir, [arguments.index])
    folders = [folder for folder in (arguments.dump_dir, arguments.dump_dir_flip) if folder]
    indices = {path: index for folder in folders for path, index in find_indices(SPEC.name, folder).items()}
    first = next(iter(indices.items()), None)
    for path, index in indices.items():
        if first and index.samples != first[1].samples:
            raise DataError(f"{first[0]} and {path} are of different preprocess runs", "or choose one by --index")
    return indices
