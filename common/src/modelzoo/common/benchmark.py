"""Latency percentiles and throughput of a model, per batch size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from modelzoo.common.batch import timed_run
from modelzoo.common.errors import UsageError
from modelzoo.common.export import random_inputs
from modelzoo.common.session import Session
from modelzoo.common.spec import ModelSpec, TensorSpec

PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True)
class Row:
    """What one batch size gave.

    Args:
        batchsize: Samples per batch.
        throughput: Samples per second: batch size over the mean time of a batch.
        percentiles: Milliseconds of a batch at the 50th, 90th, 95th and 99th percentile, by `p50_ms` and so on.
    """

    batchsize: int
    throughput: float
    percentiles: Mapping[str, float]

    def content(self) -> dict[str, Any]:
        """The row as JSON values."""
        row = asdict(self)
        percentiles = row.pop("percentiles")
        return {**row, **percentiles}


def benchmark(
    open_model: Callable[[int], Session], batch_sizes: Sequence[int], loop: int, warmup: int, spec: ModelSpec | None
) -> tuple[list[Row], Session]:
    """Time a model on seeded inputs.

    Args:
        open_model: Gives the model for a batch size.
        batch_sizes: The sizes to measure; a model that is fixed to one of them is measured at that one alone.
        loop: Timed runs per size.
        warmup: Runs before them.
        spec: The model, whose sizes the free axes of its inputs get; None for one that nothing is known of.

    Returns:
        A row per size, and the session that was measured last.

    Raises:
        UsageError: A model is fixed to none of the sizes.
    """
    import numpy as np

    rows = []
    for size in batch_sizes:
        session = open_model(size)
        fixed = session.inputs[0].batch
        if fixed not in (None, *batch_sizes):
            raise UsageError(f"the model is fixed to batch {fixed}", f"--batch-sizes {fixed}")
        if fixed not in (None, size):
            continue
        inputs = random_inputs(_sized(session.inputs, spec), size)
        timed_run(session, inputs, warmup)
        _, milliseconds = timed_run(session, inputs, loop)
        values = np.percentile(milliseconds, PERCENTILES).tolist()
        percentiles = {f"p{p}_ms": value for p, value in zip(PERCENTILES, values, strict=True)}
        rows.append(Row(size, 1e3 * size / float(np.mean(milliseconds)), percentiles))
    return rows, session


def _sized(inputs: Sequence[TensorSpec], spec: ModelSpec | None) -> list[TensorSpec]:
    shapes = {tensor.name: tensor.shape for tensor in (spec.inputs if spec else ())}
    usual = spec.usual if spec else {}

    def sized(own: TensorSpec) -> TensorSpec:
        return replace(own, shape=tuple(usual.get(axis, axis) for axis in shapes.get(own.name, own.shape)))

    return [sized(own) if own.free_axes else own for own in inputs]


def is_published_form(session: Session, spec: ModelSpec, reference: Mapping[str, Any]) -> bool:
    """Whether the published throughput is that of such a model: of its outputs, and of its form as far as it says it.

    Args:
        session: The model.
        spec: The published one.
        reference: The published numbers, whose `throughput.of` names the choices at export.
    """
    said = session.identity.form if session.identity else {}
    wanted = reference.get("throughput", {}).get("of", {})
    outputs = [[axis for axis in tensor.sample_shape if isinstance(axis, int)] for tensor in session.outputs]
    published = [[axis for axis in tensor.sample_shape if isinstance(axis, int)] for tensor in spec.outputs]
    return outputs == published and all(said.get(key, value) == value for key, value in wanted.items())


def table(rows: Sequence[Row], reference: Mapping[str, Any]) -> list[str]:
    """The rows as lines of text, beside the published throughput of the same batch size.

    Args:
        rows: What was measured.
        reference: The published numbers, with `throughput.rows`; may be empty.
    """
    published = {row["batchsize"]: row for row in reference.get("throughput", {}).get("rows", [])}
    titles = [*rows[0].percentiles] if rows else []
    lines = [f"{'batch':>5} {'samples/s':>10} " + " ".join(f"{title:>9}" for title in titles) + "   published"]
    for row in rows:
        known = published.get(row.batchsize)
        beside = f"{known['throughput']:.0f} ({known['chip']})" if known else "-"
        values = " ".join(f"{row.percentiles[title]:>9.2f}" for title in titles)
        lines.append(f"{row.batchsize:>5} {row.throughput:>10.2f} {values}   {beside}")
    return lines
