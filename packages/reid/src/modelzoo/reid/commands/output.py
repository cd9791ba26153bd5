"""What several commands print and write at their end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelzoo.common.files import write_text
from modelzoo.common.report import Report, throughput, write_report
from modelzoo.common.work import Skipped
from modelzoo.reid.evaluate import metric_lines
from modelzoo.reid.text import printable


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the published script's lines."""
    print("\n".join(metric_lines(metrics)))
    unmatched = metrics["queries_without_match"]
    if unmatched:
        print(f"note: {unmatched} of {metrics['queries']} queries have no match and do not count", file=sys.stderr)


def write_metrics(metrics: Mapping[str, Any], file: Path | None) -> None:
    """Write all metrics as JSON if a file is given."""
    if file:
        write_text(file, json.dumps(metrics, indent=1) + "\n")


def print_report(report: Report, folder: Path) -> None:
    """Write the report, and print the speed and where it lies."""
    speed = throughput(report.stats)
    print(
        f"{report.stats.samples} images in {report.stats.wall_s:.1f} s: {speed['end_to_end']:.1f} images/s end to end, "
        f"{speed['inference_only']:.1f} inside the model (batch {report.batchsize}, {report.backend})"
    )
    path = write_report(folder, report)
    print(f"report: {path}\nto look at: {path.with_suffix('.html')}")


def passed_over(count: int) -> str:
    """The end of a line that tells of files that are no images by their suffix."""
    return f"; other files passed over: {count}" if count else ""


def print_skipped(skipped: Sequence[Skipped]) -> int:
    """List what was skipped; return the exit code."""
    for source in skipped:
        print(f"skipped: {printable(source.reason)}", file=sys.stderr)
    return 1 if skipped else 0
