"""Peak memory of a stream of image-sized samples through a stub model: it must not depend on how many there are.

python tools/benchmarks/stream_memory.py
"""

from __future__ import annotations

from functools import partial

import numpy as np
from measure import peak_above

from modelzoo.common.spec import TensorSpec
from modelzoo.common.stream import stream
from modelzoo.common.work import Sample, SampleInfo, Threads, WorkUnit

SHAPE = (3, 256, 128)
COUNTS = (1_000, 10_000)


class MeanSession:
    """A model that gives one number per sample."""

    backend = "stub"
    inputs = (TensorSpec("image", "float32", ("N", *SHAPE)),)
    outputs = (TensorSpec("mean", "float32", ("N", 1)),)
    identity = None

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the mean of each sample."""
        return (inputs[0].mean(axis=(1, 2, 3))[:, None],)


class SumEvaluator:
    """Adds the numbers up."""

    def __init__(self) -> None:
        self.total = 0.0

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take one sample."""
        self.total += float(outputs[0][0, 0])

    def result(self) -> dict[str, float]:
        """The sum."""
        return {"total": self.total}


def load(number: int) -> list[Sample]:
    """One sample of 393 kB."""
    values = np.full(SHAPE, number % 7, np.float32)
    return [Sample(SampleInfo(str(number), str(number)), (values,))]


def run(count: int) -> float:
    """Stream `count` samples; return the sum of their means."""
    evaluator = SumEvaluator()
    units = (WorkUnit(str(i), partial(load, i)) for i in range(count))
    stream(units, MeanSession(), evaluator, batchsize=8, threads=Threads(2, 8))
    return evaluator.total


def main() -> None:
    """Print the peak for each count."""
    run(64)
    for count in COUNTS:
        total, above = peak_above(partial(run, count))
        data = count * np.prod(SHAPE) * 4 / 1e6
        print(f"{count:>6} samples, {data:>6.0f} MB of input: peak {above:5.1f} MB above the start (sum {total:.0f})")


if __name__ == "__main__":
    main()
