"""A photo with many people into crops, beside decoding it once and cutting them out alone.

Processor time of one thread, which other programs disturb less than the time by the clock.

python tools/benchmarks/alphapose_crops.py [--people 30] [--rounds 200]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial

import cv2
import numpy as np
from measure import interleaved, line, median_ratio

from modelzoo.alphapose.coco import Photo
from modelzoo.alphapose.crops import affine, windows
from modelzoo.alphapose.demo import PHOTO
from modelzoo.alphapose.detections import Detection
from modelzoo.alphapose.preprocess import crop_units
from modelzoo.common.batch import BatchBuffers
from modelzoo.common.work import WorkUnit

BATCH = 8
KINDS = (("pixels", "uint8", False), ("normalised", "float32", False), ("normalised, with mirrored", "float32", True))


def draw_boxes(people: int) -> list[Detection]:
    """Boxes of people of all sizes in the photo, 640 x 425."""
    rng = np.random.default_rng(0)
    photo = Photo(785, PHOTO.name, PHOTO)
    heights = rng.uniform(40, 400, people)
    boxes = np.stack((rng.uniform(0, 600, people), rng.uniform(0, 400, people), 0.45 * heights, heights), 1)
    return [Detection(photo, (x, y, w, h), 0.9) for x, y, w, h in boxes.tolist()]


def floor(matrices: Sequence[np.ndarray]) -> None:
    """What cannot be left out, with the matrices ready."""
    image = cv2.imread(str(PHOTO))
    for matrix in matrices:
        cv2.warpAffine(image, matrix, (192, 256), flags=cv2.INTER_LINEAR)


def batches(unit: WorkUnit, buffers: BatchBuffers) -> None:
    """Everything that `alphapose run` does from the file to the batch."""
    samples = unit.load()
    for start in range(0, len(samples), BATCH):
        batch = [sample.arrays for sample in samples[start : start + BATCH]]
        for number, arrays in enumerate(zip(*batch, strict=True)):
            buffers.assemble(number, arrays)


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detections = draw_boxes(arguments.people)
    frames = windows([detection.box for detection in detections])
    bare = partial(floor, list(map(affine, frames.centres, frames.sizes)))
    print(f"a photo with {arguments.people} people, processor time of one thread")
    for what, dtype, mirrored in KINDS:
        (unit,) = crop_units(detections, dtype, mirrored)
        whole = partial(batches, unit, BatchBuffers())
        seconds = interleaved(arguments.rounds, time.thread_time, floor=bare, crops=whole)
        print(line("  decode + warpAffine (floor)", seconds["floor"]))
        print(line(f"  {what}", seconds["crops"], f"{median_ratio(seconds, 'crops', 'floor'):.2f} of the floor's time"))


if __name__ == "__main__":
    main()
