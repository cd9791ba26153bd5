"""Stage by stage from the checkpoint to the NPU: do the tensors agree, and does the metric hold?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.batch import run_batch
from modelzoo.common.errors import ZooError
from modelzoo.common.session import Session, open_session
from modelzoo.common.spec import Gate, ModelSpec

if TYPE_CHECKING:
    import numpy as np


class VerificationError(ZooError):
    """A stage does not give the answer of the checkpoint."""


@dataclass(frozen=True)
class Stage:
    """One form of the model.

    Args:
        name: What the table calls it.
        run: Its outputs on the common inputs.
        gate: What it has to meet.
        session: Opens it, for the metric; None where there is none to run (the upstream's own network).
    """

    name: str
    run: Callable[[], Sequence[np.ndarray]]
    gate: Gate
    session: Callable[[], Session] | None = None


@dataclass(frozen=True)
class Comparison:
    """One output of one stage beside the reference.

    Args:
        stage: The stage's name.
        output: The output's name.
        max_abs: Largest absolute difference.
        max_rel: Largest absolute difference, in units of the reference's largest value.
        cosine: Cosine similarity of all numbers, the smallest over the samples.
        passed: Whether the gate is met.
    """

    stage: str
    output: str
    max_abs: float
    max_rel: float
    cosine: float
    passed: bool


@dataclass
class Verification:
    """What was compared.

    Args:
        comparisons: In the order of the stages.
        metrics: The metrics of each stage, where data were given.
        failed: The first stage that does not meet its gate, and why.
    """

    comparisons: list[Comparison]
    metrics: dict[str, Mapping[str, float]]
    failed: str | None = None

    def content(self) -> dict[str, Any]:
        """The result as JSON values; null where a number is not finite, or there is none to compare."""
        return {key: _json(value) for key, value in asdict(self).items()}


def _json(value: Any) -> Any:
    """JSON has no infinity."""
    if isinstance(value, Mapping):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def session_stage(
    name: str,
    path: Path,
    spec: ModelSpec,
    inputs: Sequence[np.ndarray],
    gate: Gate,
    form: Mapping[str, Any] | None = None,
) -> Stage:
    """A stage that runs a model file, opened when it is needed.

    Args:
        name: What the table calls it.
        path: The model file.
        spec: The model.
        inputs: `(n, ...)` for every input; run in batches of the size that the file is fixed to.
        gate: What it has to meet.
        form: How to build the network of a checkpoint.
    """

    @cache
    def session() -> Session:
        return open_session(path, spec, form)

    def run() -> list[np.ndarray]:
        return run_all(session(), inputs)

    return Stage(name, run, gate, session)


def run_all(session: Session, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Run `(n, ...)` arrays in batches that the model takes, and put the outputs together again."""
    import numpy as np

    samples = list(zip(*inputs, strict=True))
    size = session.inputs[0].batch or len(samples)
    batches = [run_batch(session, samples[start : start + size]) for start in range(0, len(samples), size)]
    rows = [outputs for batch in batches for outputs in batch.outputs]
    return [np.concatenate(parts) for parts in zip(*rows, strict=True)]


def compare(stage: str, name: str, want: np.ndarray, got: np.ndarray, gate: Gate) -> Comparison:
    """Compare one output.

    Args:
        stage: The stage's name.
        name: The output's name.
        want: `(n, ...)`, the reference.
        got: `(n, ...)`, the stage's.
        gate: What has to be met; a shape that differs or a number that is not finite never does.
    """
    import numpy as np

    if want.shape != got.shape or not np.isfinite(got).all():
        return Comparison(stage, name, np.inf, np.inf, -1.0, passed=False)
    a, b = (array.reshape(len(array), -1).astype(np.float64) for array in (want, got))
    max_abs = float(np.abs(a - b).max())
    max_rel = max_abs / max(float(np.abs(a).max()), 1e-30)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosine = float(np.min(np.sum(a * b, axis=1) / np.maximum(lengths, 1e-30)))
    return Comparison(stage, name, max_abs, max_rel, cosine, max_rel <= gate.max_rel and cosine >= gate.min_cosine)


def verify(
    reference: Stage,
    stages: Sequence[Stage],
    outputs: Sequence[str],
    metric: Callable[[Session], Mapping[str, float]] | None = None,
) -> Verification:
    """Compare every stage with the reference; all are run, so that the table shows where the difference begins.

    Args:
        reference: The checkpoint in torch.
        stages: The other forms, in the order in which they are made.
        outputs: Names of the model's outputs.
        metric: Computes the gated metrics of a session, or None where there are no data.
    """
    result = Verification([], {})
    wanted = reference.run()
    if metric and reference.session:
        result.metrics[reference.name] = metric(reference.session())
    for stage in stages:
        rows = [
            compare(stage.name, name, want, got, stage.gate)
            for name, want, got in zip(outputs, wanted, stage.run(), strict=True)
        ]
        result.comparisons.extend(rows)
        if metric and stage.session:
            result.metrics[stage.name] = metric(stage.session())
        result.failed = result.failed or _failure(stage, rows, result.metrics, reference.name)
    return result


def _failure(
    stage: Stage, rows: Sequence[Comparison], metrics: Mapping[str, Mapping[str, float]], reference: str
) -> str | None:
    for row in rows:
        if not row.passed:
            return f"{stage.name}: {row.output} differs (max rel {row.max_rel:.1e}, cosine {row.cosine:.6f})"
    for name, value in metrics.get(stage.name, {}).items():
        wanted = metrics[reference][name]
        if not abs(value - wanted) <= stage.gate.metric:
            return f"{stage.name}: {name} is {value:.4f}, with the checkpoint it is {wanted:.4f}"
    return None


def table(result: Verification) -> list[str]:
    """The comparisons and metrics as lines of text."""
    width = max(len(row.stage) for row in result.comparisons)
    lines = [f"{'stage':<{width}} {'output':<10} {'max abs':>9} {'max rel':>9} {'cosine':>10}  gate"]
    for row in result.comparisons:
        verdict = "passed" if row.passed else "FAILED"
        numbers = f"{row.max_abs:>9.1e} {row.max_rel:>9.1e} {row.cosine:>10.7f}"
        lines.append(f"{row.stage:<{width}} {row.output:<10} {numbers}  {verdict}")
    for stage, metrics in result.metrics.items():
        lines.append(f"{stage:<{width}} " + "  ".join(f"{name} {value:.6f}" for name, value in metrics.items()))
    return lines
