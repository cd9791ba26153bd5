"""`verify`: the checkpoint, the exported graphs and the .om side by side, tensors and metrics."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common import cli
from modelzoo.common.spec import ModelSpec

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.common.session import Session
    from modelzoo.common.verify import Stage


@dataclass(frozen=True)
class VerifyJob:
    """What a package gives to `verify`.

    Args:
        spec: The model, in the form that the flags ask for.
        form: How to build its network.
        variants: The graphs that it is exported as, `float32` first; an input type names the one that takes it.
        export: Writes a graph: path, variant, simplified or as traced.
        inputs: The same samples as a variant takes them, one array per model input.
        metric: Computes the gated metrics of a session, or None where there are no data.
        upstream: Runs the patched upstream's own network on float32 inputs, or None where it is not asked for.
        given: The same samples as a model file takes them; None where its input type names the variant.
    """

    spec: ModelSpec
    form: Mapping[str, Any]
    variants: tuple[str, ...]
    export: Callable[[Path, str, bool], Path]
    inputs: Callable[[str], list[np.ndarray]]
    metric: Callable[[Session], Mapping[str, float]] | None = None
    upstream: Callable[[list[np.ndarray]], list[np.ndarray]] | None = None
    given: Callable[[Session], list[np.ndarray]] | None = None


def add_arguments(parser: argparse.ArgumentParser, weights: bool = True) -> None:
    """Add the flags; the package adds those of its network.

    Args:
        parser: Takes them.
        weights: False where the package has flags of its own for the checkpoint; `weights` is for it to set.
    """
    add = parser.add_argument
    if weights:
        reference = "the checkpoint, to which all else is compared"
        add("--weights", type=cli.path, required=True, metavar="FILE", help=reference)
    add("--model", type=cli.path, metavar="FILE", help="an .onnx file to compare as well")
    add("--om", type=cli.path, metavar="FILE", help="a converted model to compare as well")
    add("--data", type=cli.path, metavar="DIR", help="data to compute the metric of every form on")
    add("--upstream", type=cli.path, metavar="DIR", help="patched upstream, whose own network is compared as well")
    add("--json", type=cli.path, metavar="FILE", help="write the table there as well")


def handle(arguments: argparse.Namespace, job: VerifyJob) -> int:
    """Compare, print the table, and fail if a stage does not meet its gate.

    Args:
        arguments: The flags of `add_arguments`.
        job: What the package gives.

    Raises:
        VerificationError: Names the first stage that fails.
    """
    from modelzoo.common.files import write_text
    from modelzoo.common.verify import VerificationError, session_stage, table, verify

    spec = job.spec
    with tempfile.TemporaryDirectory(prefix="modelzoo-verify-") as folder:
        reference = session_stage("torch", arguments.weights, spec, job.inputs("float32"), spec.gate, job.form)
        stages = _upstream(job) + _exported(job, Path(folder)) + _given(arguments, job)
        result = verify(reference, stages, [output.name for output in spec.outputs], job.metric)
    print("\n".join(table(result)))
    if arguments.json:
        write_text(arguments.json, json.dumps(result.content(), indent=1, allow_nan=False) + "\n")
    if result.failed:
        raise VerificationError(f"the first stage that fails is {result.failed}")
    print("every stage gives the answer of the checkpoint")
    return 0


def _upstream(job: VerifyJob) -> list[Stage]:
    from modelzoo.common.verify import Stage

    upstream = job.upstream
    return [] if upstream is None else [Stage("upstream", lambda: upstream(job.inputs("float32")), job.spec.gate)]


def _exported(job: VerifyJob, folder: Path) -> list[Stage]:
    """The graph as torch writes it, simplified, and every other variant."""
    from modelzoo.common.verify import session_stage

    plan = [("onnx", "float32", False), *((_name(variant), variant, True) for variant in job.variants)]
    return [
        session_stage(
            name, job.export(folder / f"{name}.onnx", variant, simplify), job.spec, job.inputs(variant), job.spec.gate
        )
        for name, variant, simplify in plan
    ]


def _name(variant: str) -> str:
    return "simplified" if variant == "float32" else variant


def _given(arguments: argparse.Namespace, job: VerifyJob) -> list[Stage]:
    from modelzoo.common.session import open_session
    from modelzoo.common.verify import session_stage

    stages = []
    for path, gate in ((arguments.model, job.spec.gate), (arguments.om, job.spec.npu_gate)):
        if path:
            session = open_session(path, job.spec)
            inputs = job.given(session) if job.given else job.inputs(session.inputs[0].dtype)
            stages.append(session_stage(path.name, path, job.spec, inputs, gate))
    return stages
