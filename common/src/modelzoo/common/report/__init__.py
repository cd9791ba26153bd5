"""The report of a run: the published numbers beside the measured ones, as JSON, HTML and Markdown."""

from __future__ import annotations

import json
import os
import platform
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from modelzoo.common.files import make_folder, write_text
from modelzoo.common.report.figures import Section
from modelzoo.common.report.pages import to_html, to_markdown
from modelzoo.common.report.sections import Labels, circumstances, results
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
        title: What the pages call the model; its name, where this is empty.
        note: What must be read before any number.
        labels: What metrics are called in the pages, and how they are written, by their keys; keys of nested metrics
            are joined by blanks.
        sections: What the pages show besides the generic parts.
    """

    model: str
    backend: str
    batchsize: int
    metrics: Mapping[str, Any]
    stats: StreamStats
    reference: Mapping[str, Any]
    title: str = ""
    note: str = ""
    labels: Labels = field(default_factory=dict)
    sections: Sequence[Section] = ()

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
    end_to_end, inference_only = (stats.samples / (seconds or 1) for seconds in (stats.wall_s, stats.inference_s))
    ratio = end_to_end / (inference_only or 1)
    return {"end_to_end": end_to_end, "inference_only": inference_only, "ratio": ratio}


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
    """Write report.json, report.html and report.md into a folder, which is made if need be.

    Returns:
        The path of report.json.

    Raises:
        WriteError: It cannot be written.
    """
    make_folder(folder)
    content, path = report.content(), folder / "report.json"
    first, last = results(content, report.labels), circumstances(content, report.stats.batch_ms)
    page = (report.title or report.model, report.note, [*first, *report.sections, *last])
    write_text(path, json.dumps(content, indent=1) + "\n")
    write_text(folder / "report.html", to_html(*page))
    write_text(folder / "report.md", to_markdown(*page))
    return path
