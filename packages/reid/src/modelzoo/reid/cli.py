"""The `reid` command: parses and prints, nothing else."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common import cli
from modelzoo.common.cli import Command
from modelzoo.common.commands import benchmark, doctor, infer, verify
from modelzoo.reid import __version__
from modelzoo.reid.spec import BACKBONES, IMAGES, NECK_FEATS, REFERENCE, SPEC

if TYPE_CHECKING:
    from modelzoo.common.report import Report
    from modelzoo.common.session import Session
    from modelzoo.common.work import Skipped

DEMO_NOTE = (
    "The people are drawn and the weights are seeded random numbers that have learnt nothing:\n"
    "these numbers mean only that the pipeline works."
)


def main() -> int:
    """Entry point of `reid` and of every `reid-<command>`."""
    commands = [
        Command("preprocess", "images into .bin files", _preprocess_arguments, preprocess),
        Command("export", "a checkpoint into an .onnx file", _export_arguments, export, abbreviations=True),
        Command("infer", "a model over a folder of .bin files", infer.add_arguments, partial(infer.handle, spec=SPEC)),
        Command("postprocess", "results into mAP and CMC", _postprocess_arguments, postprocess, abbreviations=True),
        Command("run", "the whole way in one process: images and weights into mAP and CMC", _run_arguments, run),
        Command("demo", "the whole way on drawn people with seeded weights", _demo_arguments, demo),
        Command("verify", "checkpoint, graphs and .om side by side", _verify_arguments, verify_model),
        Command(
            "benchmark",
            "throughput and latency per batch size",
            benchmark.add_arguments,
            partial(benchmark.handle, spec=SPEC, reference=REFERENCE),
        ),
        Command(
            "doctor",
            "what is installed here, and what is missing",
            doctor.add_arguments,
            partial(doctor.handle, model=SPEC.name, reference=REFERENCE),
        ),
    ]
    return cli.run_program("reid", f"{SPEC.title}: from checkpoint to mAP and CMC.", __version__, commands)


def preprocess(arguments: argparse.Namespace) -> int:
    """Handle `preprocess`."""
    from modelzoo.common.preprocess import PreprocessJob, write_folders
    from modelzoo.common.work import Threads
    from modelzoo.reid.dataset import list_images
    from modelzoo.reid.preprocess import CHUNK, image_units

    folder = list_images(arguments.source)
    tensor = IMAGES[arguments.dtype]
    job = PreprocessJob(
        model=SPEC.name,
        version=__version__,
        folders=[arguments.destination],
        tensors=[tensor],
        units=image_units(folder.images, arguments.dtype),
        command={"source": str(arguments.source.absolute()), "dtype": arguments.dtype},
        threads=Threads(arguments.workers, CHUNK),
        on_error=arguments.on_error,
        overwrite=arguments.overwrite,
    )
    index = write_folders(job)
    print(f"{len(index.samples)} images to {arguments.destination}, each {tensor.dtype} {tensor.sample_shape}")
    if folder.passed_over:
        print(f"{folder.passed_over} entries that are no images were passed over")
    return _report_skipped(index.skipped)


def export(arguments: argparse.Namespace) -> int:
    """Handle `export`."""
    from modelzoo.common.errors import UsageError
    from modelzoo.reid.config import ExportConfig, read_config

    if bool(arguments.weights) == bool(arguments.config_file):
        raise UsageError("give either --weights FILE, or --config_file FILE with TEST.WEIGHT \"('FILE')\"")
    if arguments.config_file:
        config = read_config(arguments.config_file, arguments.overrides)
    elif arguments.overrides:
        raise UsageError(f"KEY VALUE pairs need --config_file, got '{arguments.overrides[0]}'")
    else:
        config = ExportConfig(arguments.weights, arguments.backbone, arguments.neck_feat)
    _export(config.weights, arguments.output, config.backbone, config.neck_feat, arguments.dtype)
    return 0


def postprocess(arguments: argparse.Namespace) -> int:
    """Handle `postprocess`."""
    from modelzoo.reid.dataset import list_crops
    from modelzoo.reid.postprocess import evaluate_results, find_indices, without_skipped

    crops = list_crops(arguments.query_dir, arguments.gallery_dir)
    indices = find_indices(arguments.pred_dir, arguments.index)
    for path in indices:
        print(f"index: {path}", file=sys.stderr)
    used = without_skipped(crops, indices)
    if len(used) < len(crops):
        print(f"note: {len(crops) - len(used)} images were skipped by preprocess", file=sys.stderr)
    metrics = evaluate_results(used, arguments.pred_dir, arguments.feat_norm == "yes", arguments.max_rank)
    _print_metrics(metrics, arguments.json)
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Handle `run`."""
    from modelzoo.common.session import open_session
    from modelzoo.common.work import Threads
    from modelzoo.reid.preprocess import CHUNK
    from modelzoo.reid.run import RunOptions, check_dtype
    from modelzoo.reid.run import run as run_model

    model = arguments.model or _export(
        arguments.weights,
        arguments.output / "ReID.onnx",
        arguments.backbone,
        arguments.neck_feat,
        arguments.dtype or "float32",
    )
    session: Session = open_session(model, SPEC)
    check_dtype(session, arguments.dtype)
    options = RunOptions(
        arguments.batchsize,
        Threads(arguments.workers, CHUNK),
        arguments.on_error,
        arguments.feat_norm == "yes",
        arguments.max_rank,
    )
    report = run_model(arguments.data, session, options)
    _print_metrics(report.metrics, arguments.json)
    _write_report(report, arguments.output)
    return _report_skipped(report.stats.skipped)


def demo(arguments: argparse.Namespace) -> int:
    """Handle `demo`."""
    from modelzoo.common.export import import_exporters
    from modelzoo.common.session import open_session
    from modelzoo.common.work import Threads, available_cores
    from modelzoo.reid.demo import make_market1501, make_weights
    from modelzoo.reid.preprocess import CHUNK
    from modelzoo.reid.run import RunOptions
    from modelzoo.reid.run import run as run_model

    import_exporters(SPEC.name)
    print("drawing a small Market-1501 ...")
    data = make_market1501(arguments.output / "market1501")
    weights = make_weights(arguments.output / "seeded_weights.pth")
    model = _export(weights, arguments.output / "ReID.onnx", "resnet50", "after", "float32")
    report = run_model(data, open_session(model, SPEC), RunOptions(8, Threads(available_cores(), CHUNK)))
    _print_metrics(report.metrics, None)
    print(DEMO_NOTE)
    _write_report(report, arguments.output)
    return 0


def verify_model(arguments: argparse.Namespace) -> int:
    """Handle `verify`."""
    from modelzoo.reid.verify import verify_job

    job = verify_job(arguments.weights, arguments.backbone, arguments.neck_feat, arguments.data)
    return verify.handle(arguments, job)


def _preprocess_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="SRC", help="folder of images")
    parser.add_argument("destination", type=Path, metavar="DST", help="folder for the .bin files")
    parser.add_argument(
        "--dtype",
        choices=list(IMAGES),
        default="float32",
        help="normalised images, or pixels (default: %(default)s)",
    )
    cli.add_preprocess_flags(parser)
    cli.add_overwrite_flag(parser, "the .bin files that are in DST")


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the checkpoint (.pth)")
    parser.add_argument("--config_file", type=Path, metavar="FILE", help="the upstream's .yml, instead of --weights")
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="KEY VALUE",
        help="with --config_file, such as TEST.WEIGHT \"('FILE.pth')\"",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("ReID.onnx"),
        metavar="FILE",
        help="the .onnx file (default: %(default)s)",
    )
    parser.add_argument(
        "--batchsize", type=cli.positive, metavar="N", help="accepted; the batch of the file stays free"
    )
    _add_network_flags(parser, dtype="float32")


def _postprocess_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--query_dir", type=Path, required=True, metavar="DIR", help="folder of query images")
    parser.add_argument("--gallery_dir", type=Path, required=True, metavar="DIR", help="folder of gallery images")
    parser.add_argument("--pred_dir", type=Path, required=True, metavar="DIR", help="folder of <stem>_0.bin results")
    parser.add_argument(
        "--index",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="what preprocess wrote beside its folders",
    )
    _add_metric_flags(parser)


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="Market-1501 folder")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=Path, metavar="FILE", help="checkpoint; exported first")
    source.add_argument("--model", type=Path, metavar="FILE", help="exported model")
    parser.add_argument("--batchsize", type=cli.positive, default=8, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("reid-report"),
        metavar="DIR",
        help="the report (default: %(default)s)",
    )
    _add_network_flags(parser, dtype=None)
    cli.add_preprocess_flags(parser)
    _add_metric_flags(parser)


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    verify.add_arguments(parser)
    _add_form_flags(parser)


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("reid-demo"),
        metavar="DIR",
        help="data and report (default: %(default)s)",
    )


def _add_form_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backbone", choices=BACKBONES, default="resnet50", help="default: %(default)s")
    parser.add_argument(
        "--neck-feat",
        choices=NECK_FEATS,
        default="after",
        help="feature after or before the neck (default: %(default)s)",
    )


def _add_network_flags(parser: argparse.ArgumentParser, dtype: str | None) -> None:
    _add_form_flags(parser)
    parser.add_argument(
        "--dtype",
        choices=list(IMAGES),
        default=dtype,
        help="what the model takes: normalised images, or pixels",
    )


def _add_metric_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--feat-norm",
        choices=("yes", "no"),
        default="yes",
        help="divide features by their length (default: %(default)s)",
    )
    parser.add_argument(
        "--max-rank", type=cli.positive, default=50, metavar="N", help="length of the CMC (default: 50)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the metrics there as well")


def _export(weights: Path, output: Path, backbone: str, neck_feat: str, dtype: str) -> Path:
    from modelzoo.common.export import import_exporters
    from modelzoo.reid.export import export as export_model

    import_exporters(SPEC.name)
    print(f"exporting {weights} ...")
    path = export_model(weights, output, backbone, neck_feat, dtype)
    from modelzoo.reid.weights import published_name

    name = published_name(weights)
    print(f"{path}: feature {neck_feat} the neck, {dtype} images" + (f", from the published {name}" if name else ""))
    return path


def _print_metrics(metrics: Mapping[str, Any], file: Path | None) -> None:
    from modelzoo.common.files import write_text
    from modelzoo.reid.evaluate import metric_lines

    for line in metric_lines(metrics):
        print(line)
    if metrics["queries_without_match"]:
        print(
            f"note: {metrics['queries_without_match']} of {metrics['queries']} queries have no match and do not count",
            file=sys.stderr,
        )
    if file:
        write_text(file, json.dumps(metrics, indent=1) + "\n")


def _write_report(report: Report, folder: Path) -> None:
    from modelzoo.common.report import throughput, write_report

    speed = throughput(report.stats)
    print(
        f"{report.stats.samples} images in {report.stats.wall_s:.1f} s: {speed['end_to_end']:.1f} images/s end to end, "
        f"{speed['inference_only']:.1f} inside the model (batch {report.batchsize}, {report.backend})"
    )
    print(f"report: {write_report(folder, report)}")


def _report_skipped(skipped: Sequence[Skipped]) -> int:
    for source in skipped:
        print(f"skipped: {source.reason}", file=sys.stderr)
    return 1 if skipped else 0
