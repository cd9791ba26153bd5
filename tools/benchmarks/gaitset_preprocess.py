"""Raw silhouettes into batches and into .bin files, beside greyscale PNG decoding alone, on all cores.

`streamed` is everything that `gaitset run` does around the model, with a stub in its place; `preprocess` writes .bin
files in one pass; `step 1` and `step 2` are the guide's way through a tree of PNGs. CPU seconds, of all threads, are
steadier than the clock where other programs run. How long a PNG takes to decode depends on who wrote it, how long it
takes to align does not: the frames are written once by Pillow and once by OpenCV, whose files are slower to decode.

    python tools/benchmarks/gaitset_preprocess.py [--walks 44] [--frames 90] [--rounds 5] [--workers N]
"""

from __future__ import annotations

import argparse
import io
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from measure import interleaved, line, median_ratio
from PIL import Image

from modelzoo.common.stream import stream
from modelzoo.common.work import SampleInfo, Threads, available_cores
from modelzoo.gaitset.cli import main as gaitset
from modelzoo.gaitset.preprocess import walk_units
from modelzoo.gaitset.spec import FRAMES, SPEC
from modelzoo.gaitset.split import select_walks

WHITE = 255
VIEWS = range(0, 181, 18)


class StubSession:
    """A model that costs nothing."""

    backend = "stub"
    inputs = SPEC.inputs
    outputs = SPEC.outputs
    identity = None

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return one number per sequence."""
        return (np.zeros((len(inputs[0]), 1), np.float32),)


class StubEvaluator:
    """Counts sequences."""

    def __init__(self) -> None:
        self.samples = 0

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take one sample."""
        self.samples += 1

    def result(self) -> dict[str, int]:
        """How many there were."""
        return {"samples": self.samples}


def by_pillow(path: Path, frame: np.ndarray) -> None:
    """Write a PNG as Pillow does: small, and fast to decode."""
    Image.fromarray(frame).save(path)


def by_opencv(path: Path, frame: np.ndarray) -> None:
    """Write a PNG as OpenCV does: written fast."""
    cv2.imwrite(str(path), frame)


def draw(root: Path, walks: int, frames: int, write: Callable[[Path, np.ndarray], None]) -> list[str]:
    """Draw walking figures of 240 x 320 in the CASIA-B layout."""
    paths = []
    for number in range(walks):
        subject, view = divmod(number, len(VIEWS))
        folder = root / f"{subject:03d}" / "nm-01" / f"{VIEWS[view]:03d}"
        folder.mkdir(parents=True)
        for frame in range(frames):
            path = folder / f"{frame:03d}.png"
            write(path, silhouette(number, frame / frames))
            paths.append(str(path))
    return paths


def silhouette(number: int, progress: float) -> np.ndarray:
    """A figure some 130 rows high that crosses the picture, as large as those of CASIA-B."""
    frame = np.zeros((240, 320), np.uint8)
    hip = (int(30 + 260 * progress), 130 + number % 7)
    swing = math.sin(40 * progress) * 22
    cv2.circle(frame, (hip[0] + 2, hip[1] - 62), 9, WHITE, -1, cv2.LINE_AA)
    cv2.ellipse(frame, (hip[0], hip[1] - 26), (13 + number % 4, 30), 0, 0, 360, WHITE, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.line(frame, hip, (int(hip[0] + side * swing), hip[1] + 60), WHITE, 11, cv2.LINE_AA)
        hand = (int(hip[0] - side * swing), hip[1] - 4)
        cv2.line(frame, (hip[0], hip[1] - 46), hand, WHITE, 7, cv2.LINE_AA)
    return frame


def decode(path: str) -> None:
    """What cannot be left out."""
    cv2.imread(path, cv2.IMREAD_UNCHANGED)


def floor(paths: list[str], workers: int) -> None:
    """Decode in as many threads, a hundred files at a time."""
    chunks = [paths[start : start + 100] for start in range(0, len(paths), 100)]
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(lambda chunk: [decode(path) for path in chunk], chunks):
            pass


def streamed(root: Path, workers: int) -> None:
    """Everything that `gaitset run` does around the model."""
    threads = Threads(workers)
    units = walk_units(select_walks(root, threads, pid_num=0).walks, FRAMES, "zeros", "float32")
    stream(units, StubSession(), StubEvaluator(), batchsize=8, threads=threads)


def command(output: Path, *words: object) -> None:
    """Run a command that writes into an empty folder."""
    shutil.rmtree(output, ignore_errors=True)
    output.with_name(f"{output.name}_index.json").unlink(missing_ok=True)
    sys.argv = ["gaitset", *map(str, words)]
    with redirect_stdout(io.StringIO()):
        if gaitset():
            raise SystemExit(f"gaitset {words[0]} failed")


def metered(call: Callable[[], object], spent: list[float]) -> Callable[[], None]:
    """A call that also notes its CPU seconds."""

    def run() -> None:
        start = time.process_time()
        call()
        spent.append(time.process_time() - start)

    return run


def measure(arguments: argparse.Namespace, write: Callable[[Path, np.ndarray], None]) -> None:
    """Print times and ratios for frames that were written so."""
    with tempfile.TemporaryDirectory() as folder:
        raw, aligned, bins = (Path(folder) / name for name in ("raw", "aligned", "bins"))
        paths = draw(raw, arguments.walks, arguments.frames, write)
        count, workers = len(paths), arguments.workers
        one_pass = ("preprocess", "--input_path", raw, "--bin_file_path", bins)
        step1 = ("preprocess-step1", "--input_path", raw, "--output_path", aligned, "--log_file", raw.parent / "log")
        step2 = ("preprocess-step2", "--data_path", aligned, "--bin_file_path", bins)
        common = ("--pid_num", 0, "--workers", workers)
        calls: dict[str, Callable[[], object]] = {
            "floor": partial(floor, paths, workers),
            "streamed": partial(streamed, raw, workers),
            "preprocess": partial(command, bins, *one_pass, *common),
            "preprocess u8": partial(command, bins, *one_pass, *common, "--dtype", "uint8"),
            "step 1": partial(command, aligned, *step1, "--workers", workers),
            "step 2": partial(command, bins, *step2, *common),
        }
        cpu: dict[str, list[float]] = {name: [] for name in calls}
        metered_calls = {name: metered(call, cpu[name]) for name, call in calls.items()}
        seconds = interleaved(arguments.rounds, **metered_calls)
    print(f"{count} frames in {arguments.walks} walks, {workers} threads, written {write.__name__.replace('_', ' ')}")
    for name in calls:
        speed = f"{count / min(seconds[name]):6.0f} frames/s"
        clock, work = (1 / median_ratio(times, name, "floor") for times in (seconds, cpu))
        print(line(f"  {name}", seconds[name], f"{speed}, {clock:.2f} of the floor's speed, {work:.2f} by CPU seconds"))


def main() -> None:
    """Measure both kinds of files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walks", type=int, default=44)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=available_cores())
    arguments = parser.parse_args()
    for write in (by_pillow, by_opencv):
        measure(arguments, write)


if __name__ == "__main__":
    main()
