"""The heat maps of a recording, beside writing zeros over the same memory once, which cannot be left out.

python tools/benchmarks/posec3d_volumes.py [--people 1] [--rounds 15]
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
from measure import interleaved, line, median_ratio

from modelzoo.posec3d.clips import Clips, cut_clips
from modelzoo.posec3d.skeletons import Skeletons, check_skeletons
from modelzoo.posec3d.spec import CLIPS, FRAMES, JOINTS, SIZE

SHAPE = (CLIPS, JOINTS, FRAMES, SIZE, SIZE)


def moving_people(frames: int, people: int = 1, seed: int = 0) -> Skeletons:
    """People whose joints wander through an image, as smoothly as those of a video."""
    random = np.random.default_rng(seed)
    steps = random.normal(0, 1, (people, frames, JOINTS, 2))
    places = random.uniform(60, 180, (people, 1, JOINTS, 2)) + np.cumsum(steps, axis=1)
    scores = random.uniform(0.3, 1, (people, frames, JOINTS))
    return check_skeletons((240, 320), places.astype(np.float16), scores.astype(np.float16))


def drawn(skeletons: Skeletons, out: np.ndarray) -> None:
    """Everything that `posec3d run` does from the annotation to the batch."""
    cut_clips(skeletons).draw_volumes(out)


def distinct_frames(skeletons: Skeletons) -> None:
    """The same for a graph that takes every distinct frame once."""
    for array in cut_clips(skeletons).inputs("frames"):
        if not isinstance(array, np.ndarray):
            array.array()


def in_fresh_memory(clips: Clips) -> None:
    """The heat maps in memory that the process has not had before, as for a file."""
    clips.draw_volumes(np.empty(SHAPE, np.float32))


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    held = np.empty(SHAPE, np.float32)
    print(f"a volume of {held.nbytes / 1e6:.0f} MB, people: {arguments.people}")
    for frames in (40, 100, 400):
        skeletons = moving_people(frames, arguments.people)
        seconds = interleaved(
            arguments.rounds,
            floor=partial(held.fill, 0),
            volume=partial(drawn, skeletons, held),
            fresh_floor=lambda: np.zeros(SHAPE, np.float32).fill(0),
            fresh=partial(in_fresh_memory, cut_clips(skeletons)),
            frames=partial(distinct_frames, skeletons),
        )
        print(f"a recording of {frames} frames")
        print(line("  held memory, filled (floor)", seconds["floor"]))
        ratio = f"{median_ratio(seconds, 'volume', 'floor'):.2f} of the floor's time"
        print(line("  heat maps into held memory", seconds["volume"], ratio))
        print(line("  fresh memory, filled (floor)", seconds["fresh_floor"]))
        ratio = f"{median_ratio(seconds, 'fresh', 'fresh_floor'):.2f} of the floor's time"
        print(line("  heat maps into fresh memory", seconds["fresh"], ratio))
        ratio = f"{median_ratio(seconds, 'frames', 'volume'):.2f} of the time of all clips"
        print(line("  distinct frames, fresh memory", seconds["frames"], ratio))


if __name__ == "__main__":
    main()
