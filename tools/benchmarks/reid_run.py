"""`reid run` from image files to metrics, beside the model alone on batches that are ready in memory.

reid demo && python tools/benchmarks/reid_run.py --data reid-demo/market1501 --model reid-demo/ReID.onnx
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from pathlib import Path

import numpy as np
from measure import interleaved, line, median_ratio

from modelzoo.common.session import Session, open_session
from modelzoo.common.work import Threads, available_cores
from modelzoo.reid.dataset import Crop
from modelzoo.reid.evaluate import without_junk
from modelzoo.reid.layouts import read_data_set
from modelzoo.reid.preprocess import CHUNK, normalise, read_planes
from modelzoo.reid.run import RunOptions, run
from modelzoo.reid.spec import SPEC


def ready_batches(crops: list[Crop], batchsize: int) -> list[np.ndarray]:
    """Every image that `run` computes, decoded and normalised, in batches."""
    images = np.empty((len(crops), *SPEC.inputs[0].shape[1:]), np.float32)
    for place, crop in zip(images, crops, strict=True):
        normalise(read_planes(crop.path), place)
    return [images[start : start + batchsize] for start in range(0, len(images), batchsize)]


def model_alone(session: Session, batches: list[np.ndarray]) -> None:
    """Run every batch."""
    for batch in batches:
        session.run(batch)


def main() -> None:
    """Print times and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--batchsize", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    session = open_session(arguments.model, SPEC)
    crops = read_data_set(arguments.data)
    batches = ready_batches(without_junk(crops), arguments.batchsize)
    options = RunOptions(arguments.batchsize, Threads(available_cores(), CHUNK))
    seconds = interleaved(
        arguments.rounds,
        model=partial(model_alone, session, batches),
        run=partial(run, crops, session, options),
    )
    images = sum(map(len, batches))
    print(f"{images} images, batch {arguments.batchsize}")
    for name, what in (("model", "model alone (floor)"), ("run", "files to metrics")):
        print(line(f"  {what}", seconds[name], f"{images / statistics.median(seconds[name]):.1f} images/s"))
    print(f"  end to end reaches {1 / median_ratio(seconds, 'run', 'model'):.3f} of the model alone")


if __name__ == "__main__":
    main()
