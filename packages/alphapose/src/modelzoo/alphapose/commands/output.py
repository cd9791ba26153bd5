"""What several commands print and write at their end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelzoo.alphapose.evaluate import KeypointEvaluator, metric_lines
from modelzoo.common.files import write_text
from modelzoo.common.report import Report, throughput, write_report
from modelzoo.common.work import Skipped


def write_outcome(
    metrics: Mapping[str, Any], evaluator: KeypointEvaluator, file: Path | None, results: Path | None
) -> None:
    """Print the metrics; write them, and the poses in COCO's result format, where files are given.

    Args:
        metrics: What the evaluator found.
        evaluator: Holds the poses.
        file: The JSON file of the metrics.
        results: The JSON file of the poses.
    """
    print("\n".join(metric_lines(metrics)))
    if file:
        write_text(file, json.dumps(metrics, indent=1) + "\n")
    if results:
        write_text(results, json.dumps(evaluator.results()))


def print_report(report: Report, folder: Path) -> None:
    """Write the report, and print the speed and where it lies."""
    speed = throughput(report.stats)
    print(
        f"{report.stats.samples} crops in {report.stats.wall_s:.1f} s: {speed['end_to_end']:.1f} crops/s end to end, "
        f"{speed['inference_only']:.1f} inside the model (batch {report.batchsize}, {report.backend})"
    )
    path = write_report(folder, report)
    print(f"report: {path}\nto look at: {path.with_suffix('.html')}")


def print_skipped(skipped: Sequence[Skipped]) -> int:
    """List what was skipped; return the exit code."""
    for source in skipped:
        print(f"skipped: {source.reason}", file=sys.stderr)
    return 1 if skipped else 0
