"""What several commands print and write at their end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modelzoo.alphapose.evaluate import KeypointEvaluator, metric_lines
from modelzoo.common.commands.output import write_metrics
from modelzoo.common.files import write_text


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
    write_metrics(metrics, file)
    if results:
        write_text(results, json.dumps(evaluator.results()))
