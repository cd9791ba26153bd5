"""The report of a run: report.json, with the published numbers beside the measured ones."""

from __future__ import annotations

import json
import os
import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from modelzoo.common.files import make_folder, write_text
from modelzoo.common.stream import StreamStats

VERSIONED = ("modelzoo-common", "numpy", "onnxruntime", "torch")
"""Distributions whose versions matter for a number."""


@dataclass(frozen=True)
class Report:
    """What a run measured.

    Args:
        model: `ModelSpec.name`.
        backend: `Session.backend`.
        batchsize: Samples per batch.
        metrics: What the evaluator found, with the keys of the postprocess JSON.
        stats: What happened on the way.
        reference: The published numbers.
    """

    model: str
    backend: str
    batchsize: int
    metrics: Mapping[str, Any]
    stats: StreamStats
    reference: Mapping[str, Any]

    def content(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "model": self.model,
            "backend": self.backend,
            "batchsize": self.batchsize,
            "samples": self.stats.samples,
            "metrics": dict(self.metrics),
            "reference": dict(self.reference),
            "throughput": throughput(self.stats),
            "stages": {
                "preprocess_s": self.stats.preprocess_s,
                "inference_s": self.stats.inference_s,
                "postprocess_s": self.stats.postprocess_s,
            },
            "skipped": [{"source": s.source, "reason": s.reason} for s in self.stats.skipped],
            "environment": environment(),
        }


def throughput(stats: StreamStats) -> dict[str, float]:
    """Samples per second from file to metric, and inside `Session.run` of the same run; and their ratio."""
    end_to_end = stats.samples / stats.wall_s
    inference_only = stats.samples / stats.inference_s
    return {"end_to_end": end_to_end, "inference_only": inference_only, "ratio": end_to_end / inference_only}


def environment() -> dict[str, Any]:
    """Machine and versions."""
    installed = {dist.name: dist.version for dist in metadata.distributions() if dist.name in VERSIONED}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "versions": dict(sorted(installed.items())),
    }


def read_reference(path: Path) -> dict[str, Any]:
    """The published numbers of a package."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def write_report(folder: Path, report: Report) -> Path:
    """Write report.json into a folder, which is made if need be.

    Returns:
        Its path.

    Raises:
        WriteError: It cannot be written.
    """
    make_folder(folder)
    path = folder / "report.json"
    write_text(path, json.dumps(report.content(), indent=1) + "\n")
    return path
