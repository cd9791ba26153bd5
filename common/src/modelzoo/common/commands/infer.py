"""`infer`: a model over folders of .bin files."""

from __future__ import annotations

import argparse
import sys

from modelzoo.common import cli
from modelzoo.common.feeds import PAIRINGS
from modelzoo.common.results import SUFFIXES
from modelzoo.common.spec import ModelSpec

SUMMARY = "a model over folders of .bin files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; names and meaning are those of ais_bench."""
    add = parser.add_argument
    add("--model", "-m", type=cli.path, required=True, metavar="FILE", help="the model: .onnx, .om, or a checkpoint")
    add(
        "--input",
        "-i",
        type=cli.named,
        metavar="DIR[,DIR]",
        help="folders of .bin or .npy, one per model input; none: only time it",
    )
    add("--output", "-o", type=cli.named, metavar="DIR", help="where the result folder goes; none: nothing is kept")
    add("--output_dirname", metavar="NAME", help="name of the result folder (default: the time)")
    add("--outfmt", choices=list(SUFFIXES), default="BIN", help="format of the results (default: %(default)s)")
    add(
        "--batchsize",
        type=cli.positive,
        metavar="N",
        help="samples per batch, where the model leaves it free (default: 1)",
    )
    add("--device", "-d", type=int, default=0, metavar="N", help="number of the accelerator (default: 0)")
    add("--loop", "-l", type=cli.positive, default=1, metavar="N", help="runs of each batch (default: 1)")
    add("--warmup_count", type=cli.natural, default=1, metavar="N", help="runs that are not counted (default: 1)")
    add(
        "--pair",
        choices=PAIRINGS,
        default="stem",
        help="how the files of several inputs pair (default: %(default)s)",
    )
    cli.add_overwrite_flag(parser, "the results that are in the folder")


def handle(arguments: argparse.Namespace, spec: ModelSpec | None = None) -> int:
    """Run a model over folders, or on zeros for timing.

    Args:
        arguments: The flags of `add_arguments`.
        spec: The model, for its checkpoints; None for `modelzoo infer`.
    """
    from modelzoo.common.ascend.ais_bench import infer_om
    from modelzoo.common.infer import InferOptions, check_dirname, infer_folder, infer_nothing
    from modelzoo.common.results import ResultFolder
    from modelzoo.common.session import OM_SUFFIX, open_session

    model, inputs, size = arguments.model, arguments.input, arguments.batchsize
    dirname = check_dirname(arguments.output_dirname, arguments.output)
    results = arguments.output and ResultFolder(arguments.output, dirname, arguments.outfmt)
    loop, warmup = arguments.loop, arguments.warmup_count
    options = InferOptions(size, loop, warmup, arguments.pair, arguments.overwrite, sys.argv)
    if model.suffix.lower() == OM_SUFFIX:
        stats, backend = infer_om(model, inputs, results, options, spec, arguments.device), "ais_bench"
    else:
        session = open_session(model, spec, device=arguments.device)
        backend = session.backend
        stats = infer_folder(session, inputs, results, options) if inputs else infer_nothing(session, results, options)
    if size not in (None, stats.batchsize):
        print(f"note: the model is fixed to batch {stats.batchsize}; --batchsize is not used", file=sys.stderr)
    if inputs:
        print(f"{stats.samples} samples through {model} ({backend})")
    if results:
        print(f"results: {results.prefix}")
    print(f"throughput in samples/s, batch {stats.batchsize}: {stats.throughput:.2f}")
    return 0
