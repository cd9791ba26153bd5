"""What the commands of every package print and write at their end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelzoo.common.files import write_text
from modelzoo.common.report import Report, throughput, write_report
from modelzoo.common.text import printable
from modelzoo.common.work import Skipped


def write_metrics(metrics: Mapping[str, Any], file: Path | None) -> None:
    """Write all metrics as JSON if a file is given."""
    if file:
        write_text(file, json.dumps(metrics, indent=1) + "\n")


def print_report(report: Report, folder: Path, unit: str) -> None:
    """Write the report, and print the speed and where it lies.

    Args:
        report: What was found.
        folder: Where the report goes.
        unit: What was counted, such as `images`.
    """
    speed = throughput(report.stats)
    print(
        f"{report.stats.samples} {unit} in {report.stats.wall_s:.1f} s: {speed['end_to_end']:.1f} {unit}/s end to end, "
        f"{speed['inference_only']:.1f} inside the model (batch {report.batchsize}, {report.backend})"
    )
    path = write_report(folder, report)
    print(f"report: {path}\nto look at: {path.with_suffix('.html')}")


def print_skipped(skipped: Sequence[Skipped]) -> int:
    """List what was skipped; return the exit code."""
    for source in skipped:
        print(f"skipped: {printable(source.reason)}", file=sys.stderr)
    return 1 if skipped else 0
