"""`benchmark`: throughput and latency percentiles per batch size."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from modelzoo.common import cli
from modelzoo.common.spec import ModelSpec

SUMMARY = "throughput and latency per batch size"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    add = parser.add_argument
    add("--model", required=True, metavar="FILE", help="the model; {bs} in its name stands for the batch size")
    add(
        "--batch-sizes",
        type=cli.positive_list,
        default=[1, 4, 8, 16, 32, 64],
        metavar="N,N",
        help="default: 1,4,...,64",
    )
    add("--loop", type=cli.positive, default=100, metavar="N", help="timed runs per batch size (default: 100)")
    add("--warmup", type=cli.natural, default=5, metavar="N", help="runs before them (default: 5)")
    add("--json", type=cli.path, metavar="FILE", help="write the table there as well")


def handle(arguments: argparse.Namespace, spec: ModelSpec | None = None, reference: Path | None = None) -> int:
    """Measure, and print a table beside the published throughput.

    Args:
        arguments: The flags of `add_arguments`.
        spec: The model, for its checkpoints.
        reference: The package's published numbers.
    """
    from modelzoo.common.benchmark import benchmark, is_published_form, table
    from modelzoo.common.files import write_text
    from modelzoo.common.report import environment, read_reference
    from modelzoo.common.session import Session, open_session

    opened: dict[str, Session] = {}

    def open_model(size: int) -> Session:
        name = arguments.model.replace("{bs}", str(size))
        if name not in opened:
            opened.clear()
            opened[name] = open_session(Path(name), spec)
        return opened[name]

    rows, session = benchmark(open_model, arguments.batch_sizes, arguments.loop, arguments.warmup, spec)
    published = read_reference(reference) if spec and reference else {}
    if spec and not is_published_form(session, spec, published):
        published = {}
    print("\n".join(table(rows, published)))
    print(f"backend {session.backend}, {arguments.loop} runs after {arguments.warmup} warm-up runs", file=sys.stderr)
    if arguments.json:
        content = {
            "model": arguments.model,
            "backend": session.backend,
            "loop": arguments.loop,
            "rows": [row.content() for row in rows],
            "reference": published.get("throughput", {}),
            "environment": environment(),
        }
        write_text(arguments.json, json.dumps(content, indent=1) + "\n")
    return 0
