"""`fid`: two folders of pictures into their Frechet inception distance."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from modelzoo.common import cli

if TYPE_CHECKING:
    from pathlib import Path

    from modelzoo.dgnet.fid.extractor import Extractor
    from modelzoo.dgnet.fid.measure import Fid

SUMMARY = "two folders of pictures into their Frechet inception distance"

RANGES = ("0..255", "0..1", "-1..1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("real", type=cli.path, metavar="REAL", help="folder of real pictures, or .npz of statistics")
    add("fake", type=cli.path, metavar="FAKE", help="folder of generated pictures, or .npz of statistics")
    add_feature_flags(parser)
    kept = "statistics of REAL: computed and kept there, or taken from there if they are (an .npz)"
    add("--stats", type=cli.path, metavar="FILE", help=kept)
    add("--batchsize", type=cli.positive, default=8, metavar="N", help="pictures per batch (default: %(default)s)")
    cli.add_preprocess_flags(parser)
    add("--json", type=cli.path, metavar="FILE", help="write the distance there as well")


def add_feature_flags(parser: argparse.ArgumentParser) -> None:
    """Which network computes the features."""
    kinds = "the feature network: an .onnx, or the weights pt_inception-2015-12-05-6726825d.pth"
    parser.add_argument("--features", type=cli.path, metavar="FILE", help=kinds)
    values = f"what it takes for a pixel (default: {RANGES[0]})"
    parser.add_argument("--features-range", choices=RANGES, help=values)


def handle(arguments: argparse.Namespace) -> int:
    """Measure the distance."""
    from modelzoo.common.commands.output import print_skipped, write_metrics
    from modelzoo.common.work import Threads
    from modelzoo.dgnet.fid.measure import FidOptions, fid_of, kept_set, picture_set

    _check_files(arguments)
    extractor = _opened(arguments)
    options = FidOptions(arguments.batchsize, Threads(arguments.workers, chunk=8), arguments.on_error, shown=True)
    if arguments.stats:
        real = kept_set(arguments.real, arguments.stats, extractor, options)
    else:
        real = picture_set(arguments.real, extractor, options)
    fid = fid_of(real, picture_set(arguments.fake, extractor, options))
    print_fid(fid)
    write_metrics(fid.metrics(), arguments.json)
    return print_skipped([*fid.real.skipped, *fid.fake.skipped])


def print_fid(fid: Fid) -> None:
    """Print the distance, what it is of, and what may be wrong with it."""
    counts = [_counted(pictures.statistics.count) for pictures in (fid.real, fid.fake)]
    length = len(fid.real.statistics.mean)
    print(f"FID: {fid.value:.6g} ({counts[0]} real and {counts[1]} generated pictures, {length} features)")
    passed_over = fid.real.passed_over + fid.fake.passed_over
    if passed_over:
        print(f"other files passed over: {passed_over}")
    for warning in fid.warnings():
        print(f"warning: {warning}", file=sys.stderr)


def check_features(arguments: argparse.Namespace) -> None:
    """Check that the flags of `add_feature_flags` fit together.

    Raises:
        UsageError: There is a range and no network.
    """
    from modelzoo.common.errors import UsageError

    if arguments.features_range and not arguments.features:
        raise UsageError("--features-range is what the network of --features takes: give that too")


def check_json(file: Path | None) -> None:
    """Before long work: whether the file of `--json` can be written.

    Raises:
        DataError: It is a folder, or its folder is missing.
        WriteError: Its folder cannot be written into.
    """
    from modelzoo.common.errors import DataError
    from modelzoo.common.files import check_writable, existing_folder

    if not file:
        return
    if file.is_dir():
        raise DataError(f"--json {file} is a folder", "give the name of a file")
    if file.is_file() or not file.exists():  # a pipe or a device is written as it is
        check_writable(existing_folder(file.absolute().parent, "--json"))


def open_features(arguments: argparse.Namespace) -> Extractor:
    """Open the network of `--features`, and say what is used of a weights file."""
    from modelzoo.common.session import CHECKPOINT_SUFFIXES
    from modelzoo.dgnet.fid.extractor import open_extractor

    extractor = open_extractor(arguments.features, arguments.features_range or RANGES[0])
    if extractor.source.suffix.lower() in CHECKPOINT_SUFFIXES:
        where = f"exported to {extractor.kept}" if extractor.kept else "exported for this run"
        print(f"features: {extractor.source}, {where}", file=sys.stderr)
        if not extractor.published:
            print("note: these are not the published weights; such a FID compares with no other", file=sys.stderr)
    return extractor


def _check_files(arguments: argparse.Namespace) -> None:
    """Before the work: what will be written can be."""
    from modelzoo.common.errors import DataError, UsageError
    from modelzoo.common.files import check_writable, existing_folder
    from modelzoo.dgnet.fid.stored import SUFFIX, is_statistics

    check_features(arguments)
    check_json(arguments.json)
    stats = arguments.stats
    if not stats:
        return
    if is_statistics(arguments.real):
        raise UsageError(f"--stats keeps the statistics of a folder; {arguments.real} holds some already")
    if stats.suffix.lower() != SUFFIX:
        raise UsageError(f"--stats {stats} does not end in {SUFFIX}")
    if stats.is_dir():
        raise DataError(f"--stats {stats} is a folder", "give the name of a file")
    if not stats.exists():
        check_writable(existing_folder(stats.absolute().parent, "--stats"))


def _opened(arguments: argparse.Namespace) -> Extractor | None:
    """The feature network; None where there are statistics of both sets already."""
    from modelzoo.dgnet.fid.stored import is_statistics

    kept = is_statistics(arguments.real) or (arguments.stats and arguments.stats.exists())
    if arguments.features is None and kept and is_statistics(arguments.fake):
        return None
    return open_features(arguments)


def _counted(count: int | None) -> str:
    return "an unknown number of" if count is None else str(count)
