"""ReID images into batches, beside decoding and resizing alone: the streamed way with a stub in place of the model.

Also the way through files: writing .bin beside writing the same number of bytes alone.

    python tools/benchmarks/reid_preprocess.py [--images 800] [--rounds 5]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from measure import interleaved, line, median_ratio
from PIL import Image

from modelzoo.common.stream import stream
from modelzoo.common.synthetic import Camera, Person, Pose, draw_person
from modelzoo.common.work import SampleInfo, Threads
from modelzoo.reid.preprocess import CHUNK, image_units
from modelzoo.reid.spec import SPEC


class StubSession:
    """A model that costs nothing."""

    backend = "stub"
    inputs = SPEC.inputs
    outputs = SPEC.outputs
    identity = None

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return one number per image."""
        return (np.zeros((len(inputs[0]), 1), np.float32),)


class StubEvaluator:
    """Counts samples."""

    def __init__(self) -> None:
        self.samples = 0

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take one sample."""
        self.samples += 1

    def result(self) -> dict[str, int]:
        """How many there were."""
        return {"samples": self.samples}


def draw(folder: Path, count: int) -> list[Path]:
    """Draw `count` crops of 64 x 128, the size of Market-1501."""
    paths = [folder / f"{i:05d}.jpg" for i in range(count)]
    for i, path in enumerate(paths):
        rng = np.random.default_rng(i)
        draw_person(Person.sample(i % 50), Camera.sample(i % 6), Pose.sample(rng), rng=rng).save(path, quality=92)
    return paths


def decode_and_resize(path: Path) -> Image.Image:
    """What cannot be left out."""
    with Image.open(path) as image:
        return image.convert("RGB").resize((128, 256), Image.Resampling.BILINEAR)


def floor(paths: list[Path], workers: int) -> None:
    """Decode and resize in as many threads."""
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(decode_and_resize, paths):
            pass


def streamed(paths: list[Path], workers: int, dtype: str) -> None:
    """Everything that `reid run` does around the model."""
    session: StubSession = StubSession()
    stream(image_units(paths, dtype), session, StubEvaluator(), batchsize=8, threads=Threads(workers, CHUNK))


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = draw(Path(folder), arguments.images)
        for workers in (1, 2):
            calls: dict[str, Callable[[], object]] = {
                "floor": partial(floor, paths, workers),
                "float32": partial(streamed, paths, workers, "float32"),
                "uint8": partial(streamed, paths, workers, "uint8"),
            }
            seconds = interleaved(arguments.rounds, **calls)
            print(f"{len(paths)} images, {workers} threads")
            print(line("  decode + resize (floor)", seconds["floor"]))
            for dtype in ("float32", "uint8"):
                share = 1 / median_ratio(seconds, dtype, "floor")
                print(line(f"  streamed to a stub, {dtype}", seconds[dtype], f"{share:.2f} of the floor's speed"))


if __name__ == "__main__":
    main()
