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
from modelzoo.gaitset.evaluate import metric_lines, remarks


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the published scripts' lines, and what is special about the data set."""
    print("\n".join(metric_lines(metrics)))
    for remark in remarks(metrics):
        print(f"note: {remark}", file=sys.stderr)


def write_metrics(metrics: Mapping[str, Any], file: Path | None) -> None:
    """Write all metrics as JSON if a file is given."""
    if file:
        write_text(file, json.dumps(metrics, indent=1) + "\n")


def print_report(report: Report, folder: Path) -> None:
    """Write the report, and print the speed and where it lies."""
    speed = throughput(report.stats)
    print(
        f"{report.stats.samples} walks in {report.stats.wall_s:.1f} s: {speed['end_to_end']:.1f} walks/s end to end, "
        f"{speed['inference_only']:.1f} inside the model (batch {report.batchsize}, {report.backend})"
    )
    path = write_report(folder, report)
    print(f"report: {path}\nto look at: {path.with_suffix('.html')}")


def print_passed_over(count: int) -> None:
    """Tell of what is neither a folder nor an image by its suffix."""
    if count:
        print(f"{count} entries that are no images were passed over")


def printable(name: str) -> str:
    """A file name as text: what has no UTF-8 is written as an escape."""
    return name.encode(errors="backslashreplace").decode()


def print_skipped(skipped: Sequence[Skipped]) -> int:
    """List what was skipped; return the exit code."""
    for source in skipped:
        print(f"skipped: {source.reason}", file=sys.stderr)
    return 1 if skipped else 0
