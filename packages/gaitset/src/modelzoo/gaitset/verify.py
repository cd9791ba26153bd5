"""What `verify` needs of this model: the same walks in every form of the graph, and the metric of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.commands.verify import VerifyJob
from modelzoo.common.session import Session
from modelzoo.common.upstream import clean_copy, run_upstream
from modelzoo.common.work import Threads, available_cores
from modelzoo.gaitset.dataset import Walk
from modelzoo.gaitset.export import export
from modelzoo.gaitset.metrics import CONDITIONS
from modelzoo.gaitset.run import RunOptions, run
from modelzoo.gaitset.spec import DYNAMIC, FRAMES, HEIGHT, SPEC, UPSTREAM_PATCH, WIDTH

if TYPE_CHECKING:
    import numpy as np

SAMPLES = 2
REAL_FRAMES = 30
"""Frames of a sample; what it is compared by is their zero-padded form, the guide's."""

RUNNER = "modelzoo.gaitset.upstream_runner"

VARIANTS: Mapping[str, tuple[int | str, str, str]] = {
    "float32": (FRAMES, "zeros", "float32"),
    "uint8": (FRAMES, "zeros", "uint8"),
    "dynamic": (DYNAMIC, "none", "float32"),
    "dynamic zeros": (DYNAMIC, "zeros", "float32"),
}
"""Frame count, padding and dtype of every graph."""

LENGTHS = {"dynamic": REAL_FRAMES + 1, "dynamic zeros": REAL_FRAMES}
"""Frames that a graph is given, where not `FRAMES`: without padding of its own, one zero frame does what 70 do."""


def verify_job(
    weights: Path, dataset: str = "casia-b", data: Sequence[Walk] = (), upstream: Path | None = None
) -> VerifyJob:
    """Describe the comparison.

    Args:
        weights: The checkpoint.
        dataset: Which of the published networks it is.
        data: The walks to compute the metric on, or none.
        upstream: The folder of the patched upstream, or None.
    """
    walks = sample_walks()

    def inputs(variant: str) -> list[np.ndarray]:
        padded = zero_padded(walks, LENGTHS.get(variant, FRAMES))
        return [padded if variant == "uint8" else scaled(padded)]

    def export_to(path: Path, variant: str, simplify: bool) -> Path:
        return export(weights, path, dataset, *VARIANTS[variant], simplify=simplify)

    def run_published(sequences: list[np.ndarray]) -> list[np.ndarray]:
        with clean_copy(SPEC.upstream, UPSTREAM_PATCH, upstream or Path()) as folder:
            return run_upstream(RUNNER, folder, weights, {"dataset": dataset}, sequences)

    return VerifyJob(
        SPEC,
        {"dataset": dataset},
        tuple(VARIANTS),
        export_to,
        inputs,
        metric=_metric(data) if data else None,
        upstream=run_published if upstream else None,
    )


def sample_walks() -> np.ndarray:
    """Seeded blobs about the size of a person, with soft edges.

    Returns:
        `(2, 30, 64, 44) uint8`, 0..255.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    one = (SAMPLES, REAL_FRAMES, 1, 1)
    rows = (np.arange(HEIGHT)[:, None] - rng.uniform(28, 36, one)) / rng.uniform(24, 30, one)
    columns = (np.arange(WIDTH) - rng.uniform(18, 26, one)) / rng.uniform(5, 14, one)
    inside = 1.2 - np.hypot(rows, columns)
    return (255 * np.clip(5 * inside, 0, 1)).astype(np.uint8)


def zero_padded(walks: np.ndarray, frames: int) -> np.ndarray:
    """Put zero frames before the frames of every walk.

    Args:
        walks: `(N, n, 64, 44)`.
        frames: How many there are then; at least n.

    Returns:
        `(N, frames, 64, 44)`.
    """
    import numpy as np

    return np.pad(walks, ((0, 0), (frames - walks.shape[1], 0), (0, 0), (0, 0)))


def scaled(pixels: np.ndarray) -> np.ndarray:
    """0..255 uint8 as 0..1 float32."""
    import numpy as np

    return pixels / np.float32(255)


class ZeroPadding:
    """A session of a graph without padding, which gives the zero-padded answer.

    Args:
        session: Takes any number of frames.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.backend, self.inputs, self.outputs = session.backend, session.inputs, session.outputs
        identity = session.identity
        self.identity = identity and replace(identity, form={**identity.form, "padding": "zeros"})

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run one batch; see `modelzoo.common.session.Session.run`."""
        (walks,) = inputs
        frames = walks.shape[1]
        return self._session.run(zero_padded(walks, frames + 1) if frames < FRAMES else walks)


def _metric(data: Sequence[Walk]) -> Callable[[Session], Mapping[str, float]]:
    def metric(session: Session) -> Mapping[str, float]:
        unpadded = session.identity is not None and session.identity.form.get("padding") == "none"
        report = run(data, ZeroPadding(session) if unpadded else session, RunOptions(8, Threads(available_cores())))
        means = {name: report.metrics[name]["include"] for name in CONDITIONS}
        return {f"{name} rank-1": mean / 100 for name, mean in means.items() if mean is not None}

    return metric
