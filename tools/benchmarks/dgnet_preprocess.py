"""DG-Net pictures into batches, beside decoding and resizing alone: the streamed way with a stub in place of the model.

Also the way through files beside writing the same number of bytes alone, and results into pictures beside encoding the
JPEGs alone.

    python tools/benchmarks/dgnet_preprocess.py [--images 500] [--rounds 5]
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from measure import interleaved, line, median_ratio
from PIL import Image

from modelzoo.common.preprocess import PreprocessJob, write_folders
from modelzoo.common.stream import stream
from modelzoo.common.synthetic import Camera, Person, Pose, draw_person
from modelzoo.common.work import SampleInfo, Threads
from modelzoo.dgnet.dataset import read_tree
from modelzoo.dgnet.pairing import Pair, pair_photos
from modelzoo.dgnet.postprocess import Results, write_pictures
from modelzoo.dgnet.preprocess import CHUNK, pair_units
from modelzoo.dgnet.recover import recover
from modelzoo.dgnet.spec import PICTURES, SPEC
from modelzoo.dgnet.trees import PictureTrees

PER_IDENTITY = 20


class StubSession:
    """A model that costs nothing."""

    backend = "stub"
    inputs = SPEC.inputs
    outputs = SPEC.outputs
    identity = None

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return one number per pair."""
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
    """Draw `count` photos of 64 x 128, the size of Market-1501, in a folder for each identity."""
    paths = [folder / f"{i // PER_IDENTITY:04d}" / f"{i:05d}.jpg" for i in range(count)]
    for i, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(i)
        person, camera = Person.sample(i // PER_IDENTITY), Camera.sample(i % 6)
        draw_person(person, camera, Pose.sample(rng), rng=rng).save(path, quality=92)
    return paths


def in_threads(work: Callable[[Path], object], paths: list[Path], workers: int) -> None:
    """Do something to all paths in as many threads."""
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, paths):
            pass


def decode_and_resize(path: Path) -> Image.Image:
    """What cannot be left out."""
    with Image.open(path) as image:
        return image.convert("RGB").resize((128, 256), Image.Resampling.BICUBIC)


def as_the_original(path: Path) -> np.ndarray:
    """What each of the original's two loaders does to a photo; it decodes all photos with both."""
    planes = np.asarray(decode_and_resize(path)).transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    mean, std = (np.array(v, np.float32)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    normalised: np.ndarray = (planes - mean) / std
    return normalised


def twice(paths: list[Path], workers: int) -> None:
    """Decode every photo for its appearance and again for its structure, and nothing else."""
    in_threads(as_the_original, [*paths, *paths], workers)


def streamed(pairs: list[Pair], workers: int, dtype: str) -> None:
    """Everything that `dgnet run` does before the model."""
    session: StubSession = StubSession()
    stream(pair_units(pairs, dtype), session, StubEvaluator(), batchsize=8, threads=Threads(workers, CHUNK))


def to_files(pairs: list[Pair], workers: int, folder: Path) -> None:
    """Everything that `dgnet preprocess` does."""
    folders, units = [folder / "structures", folder / "appearances"], pair_units(pairs, "float32")
    threads = Threads(workers, CHUNK)
    write_folders(PreprocessJob("dgnet", "0", folders, PICTURES["float32"], units, threads, overwrite=True))


def bytes_alone(count: int, workers: int, folder: Path) -> None:
    """Write as many bytes in as many files."""
    folder.mkdir(exist_ok=True)
    content = [bytes(tensor.sample_bytes()) for tensor in PICTURES["float32"]]

    def write(path: Path) -> None:
        for i, data in enumerate(content):
            path.with_suffix(f".{i}").write_bytes(data)

    in_threads(write, [folder / str(i) for i in range(count)], workers)


def make_results(folder: Path, pairs: list[Pair]) -> Results:
    """Results of smooth noise, and beside each the picture that it is, to be encoded alone."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    files = {pair.info.stem: folder / f"{pair.info.stem}_0.bin" for pair in pairs}
    for path in files.values():
        blocks = rng.standard_normal((3, 16, 8)).repeat(16, 1).repeat(16, 2)
        values = (blocks + 0.1 * rng.standard_normal((3, 256, 128))).astype(np.float32)
        values.tofile(path)
        np.save(path.with_suffix(".npy"), recover(values, path.name))
    return Results(files, [])


def to_pictures(results: Results, workers: int, folder: Path) -> None:
    """Everything that `dgnet postprocess` does after its checks."""
    trees = PictureTrees.below(folder)
    trees.prepare(list(results.files))
    for _ in write_pictures(results, trees, Threads(workers)):
        pass


def read_and_encode(path: Path) -> bytes:
    """What cannot be left out: read a result, and encode its picture once."""
    path.read_bytes()
    file = io.BytesIO()
    Image.fromarray(np.load(path.with_suffix(".npy"))).save(file, "JPEG")
    return file.getvalue()


def measure(folder: Path, paths: list[Path], workers: int, rounds: int) -> None:
    """Print the times and ratios of one number of threads."""
    pairs = pair_photos(read_tree(folder / "photos").photos, seed=10)
    results = make_results(folder / f"results{workers}", pairs)
    calls: dict[str, Callable[[], object]] = {
        "floor": partial(in_threads, decode_and_resize, paths, workers),
        "twice": partial(twice, paths, workers),
        "float32": partial(streamed, pairs, workers, "float32"),
        "uint8": partial(streamed, pairs, workers, "uint8"),
        "bytes": partial(bytes_alone, len(pairs), workers, folder / "bytes"),
        "files": partial(to_files, pairs, workers, folder),
        "jpeg": partial(in_threads, read_and_encode, list(results.files.values()), workers),
        "pictures": partial(to_pictures, results, workers, folder / "pictures"),
    }
    for call in calls.values():
        call()  # the folders are there, and the page cache is warm
    seconds = interleaved(rounds, **calls)

    def times(name: str, floor: str) -> str:
        return f"{median_ratio(seconds, name, floor):.2f} x the floor's time"

    print(f"{len(paths)} photos, {workers} threads")
    print(line("  decode + resize (floor)", seconds["floor"]))
    print(line("  decode + resize + scale, twice", seconds["twice"], times("twice", "floor")))
    for dtype in ("float32", "uint8"):
        print(line(f"  streamed to a stub, {dtype}", seconds[dtype], times(dtype, "floor")))
    print(line("  write the bytes alone", seconds["bytes"]))
    print(line("  preprocess to files", seconds["files"], times("files", "floor")))
    print(line("  read + JPEG once (floor)", seconds["jpeg"]))
    print(line("  postprocess to both trees", seconds["pictures"], times("pictures", "jpeg")))


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = draw(folder / "photos", arguments.images)
        for workers in (1, 2):
            measure(folder, paths, workers, arguments.rounds)


if __name__ == "__main__":
    main()
