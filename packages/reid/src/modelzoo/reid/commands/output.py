"""What several commands print at their end."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from modelzoo.reid.evaluate import metric_lines


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the published script's lines."""
    print("\n".join(metric_lines(metrics)))
    unmatched = metrics["queries_without_match"]
    if unmatched:
        print(f"note: {unmatched} of {metrics['queries']} queries have no match and do not count", file=sys.stderr)


def passed_over(count: int) -> str:
    """The end of a line that tells of files that are no images by their suffix."""
    return f"; other files passed over: {count}" if count else ""
