"""What several commands print at their end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from modelzoo.gaitset.evaluate import metric_lines, remarks


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the published scripts' lines, and what is special about the data set."""
    print("\n".join(metric_lines(metrics)))
    for remark in remarks(metrics):
        print(f"note: {remark}", file=sys.stderr)


def print_passed_over(count: int) -> None:
    """Tell of what is neither a folder nor an image by its suffix."""
    if count:
        print(f"{count} entries that are no images were passed over")
