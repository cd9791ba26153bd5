"""From annotations to top-1 in every way that there is, beside the model alone on volumes that are ready in memory.

python tools/benchmarks/posec3d_run.py [--weights FILE] [--recordings 3] [--frames 100] [--rounds 3]

Without weights the published network has random ones, which cost the same time.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measure import interleaved, line, median_ratio, peak_above
from posec3d_volumes import SHAPE, moving_people

from modelzoo.common.infer import InferOptions, infer_folder
from modelzoo.common.preprocess import PreprocessJob, write_folders
from modelzoo.common.report import Report, throughput
from modelzoo.common.results import ResultFolder
from modelzoo.common.session import Session, open_session
from modelzoo.common.work import Threads, available_cores
from modelzoo.posec3d.annotations import Annotation, Selection
from modelzoo.posec3d.clips import cut_clips
from modelzoo.posec3d.export import export
from modelzoo.posec3d.labels import action_names
from modelzoo.posec3d.network import PoseC3D
from modelzoo.posec3d.postprocess import evaluate_results
from modelzoo.posec3d.preprocess import clip_units, sample_info
from modelzoo.posec3d.run import RunOptions, form_of, run
from modelzoo.posec3d.spec import INPUTS, SPEC, Structure


def exported(weights: Path, folder: Path) -> dict[str, Session]:
    """The graph in every form; the comparison with torch, which takes long, is that of `posec3d export`."""
    sessions = {}
    for form in INPUTS:
        path = folder / f"{form}.onnx"
        export(weights, path, form, compare=False)
        sessions[form] = open_session(path, SPEC)
    return sessions


def ready_volumes(annotations: list[Annotation]) -> list[np.ndarray]:
    """The heat maps of every recording, `(1, 20, 17, 48, 56, 56) float32` each."""
    volumes = [np.empty((1, *SHAPE), np.float32) for _ in annotations]
    for annotation, volume in zip(annotations, volumes, strict=True):
        cut_clips(annotation.skeletons).draw_volumes(volume[0])
    return volumes


def model_alone(session: Session, volumes: list[np.ndarray]) -> None:
    """Run every volume."""
    for volume in volumes:
        session.run(volume)


def streamed(annotations: list[Annotation], session: Session) -> Report:
    """`posec3d run`, without the files of the report."""
    names = action_names(form_of(session).classes)
    return run(Selection(annotations), names, session, RunOptions(1, Threads(available_cores())))


def through_files(annotations: list[Annotation], session: Session, folder: Path) -> None:
    """What `posec3d preprocess`, `infer` and `postprocess` do; the files are removed at the end."""
    bins = folder / "bin"
    units = clip_units(annotations, "volumes")
    write_folders(PreprocessJob(SPEC.name, "", [bins], SPEC.inputs, units, Threads(available_cores())))
    results = ResultFolder(str(folder), "result")
    infer_folder(session, str(bins), results, InferOptions(warmup_count=0))
    evaluate_results([sample_info(annotation) for annotation in annotations], results.folder)
    for written in (bins, results.folder):
        shutil.rmtree(written)


def bytes_moved(annotations: list[Annotation], form: str) -> float:
    """MB that a graph takes of a recording, on average."""
    inputs = [array for one in annotations for array in cut_clips(one.skeletons).inputs(form)]
    sizes = [np.dtype(array.dtype).itemsize * int(np.prod(array.shape)) for array in inputs]
    return sum(sizes) / len(annotations) / 1e6


def measure(annotations: list[Annotation], sessions: dict[str, Session], folder: Path, rounds: int) -> None:
    """Print times, what is moved, peak memory and ratios."""
    ways = {form: partial(streamed, annotations, session) for form, session in sessions.items()}
    first = {form: peak_above(way) for form, way in ways.items()}
    model = partial(model_alone, sessions["volumes"], ready_volumes(annotations))
    files = partial(through_files, annotations, sessions["volumes"], folder)
    seconds = interleaved(rounds, model=model, files=files, **ways)
    print(line("  model alone on volumes (floor)", seconds["model"], _speed(annotations, seconds["model"])))
    moved = f"{bytes_moved(annotations, 'volumes'):7.2f} MB written and read"
    print(line("  volumes in files", seconds["files"], f"{_speed(annotations, seconds['files'])} {moved}"))
    for form, (report, peak) in first.items():
        moved = f"{bytes_moved(annotations, form):7.2f} MB into the model"
        inside = f"{throughput(report.stats)['ratio']:.3f} of the time inside it, {peak:.0f} MB of memory at most"
        print(line(f"  {form}, streamed", seconds[form], f"{_speed(annotations, seconds[form])} {moved}, {inside}"))
    print(f"  volumes, streamed, reach {1 / median_ratio(seconds, 'volumes', 'model'):.3f} of the model alone")


def _speed(annotations: list[Annotation], seconds: list[float]) -> str:
    return f"{len(annotations) / statistics.median(seconds):6.3f} recordings/s"


def random_weights(folder: Path) -> Path:
    """A checkpoint of the published network that has learnt nothing."""
    torch.manual_seed(0)
    path = folder / "random.pth"
    torch.save({"state_dict": PoseC3D(Structure()).state_dict()}, path)
    return path


def main() -> None:
    """Make recordings, export the graphs, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--recordings", type=int, default=3)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    annotations = [
        Annotation(number, f"recording {number}", 0, moving_people(arguments.frames, seed=number))
        for number in range(arguments.recordings)
    ]
    with tempfile.TemporaryDirectory() as folder:
        sessions = exported(arguments.weights or random_weights(Path(folder)), Path(folder))
        print(f"{arguments.recordings} recordings of {arguments.frames} frames and one person, batch 1, ONNX Runtime")
        measure(annotations, sessions, Path(folder), arguments.rounds)


if __name__ == "__main__":
    main()
