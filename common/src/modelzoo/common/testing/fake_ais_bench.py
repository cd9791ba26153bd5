"""A fake `ais_bench` for tests: the front end that Ascend's written contract describes, on a fake runtime. No NPU.

It takes the same arguments, prints the same lines, ends with the same exit codes and writes the same files as the
recorded runs of the original, what it gets silently wrong included.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelzoo.common.testing.fake_aclruntime import (
    BaseTensor,
    InferenceSession,
    SessionOptions,
    Tensor,
    TensorDesc,
    error,
    info,
    say,
)

GENERATIONS = ("2022-11", "2023-06", "2024-06")
FAULTS = (
    "exits 1",
    "writes nothing",
    "leaves a result out",
    "truncates a result",
    "empties a result",
    "writes no summary",
    "summary is no JSON",
    "summary of other files",
    "summary lacks a sample",
    "summary without times",
    "old summary",
)
"""What the fake can be told to do wrong; the last is right for versions before 2022-11."""

FAKE_FAILURE = "[507011][fake] "
PURE, PADDING = "pure_infer_data", "padding_infer_fake_file"
SUFFIXES = (".npy", ".NPY", ".bin", ".BIN")


class InferSession:
    """Fake `ais_bench.infer.interface.InferSession`.

    Args:
        device_id: Number of the device.
        model_path: A fake .om file.
        loop: How often each run is repeated.
    """

    def __init__(
        self, device_id: int, model_path: str, acl_json_path: str | None = None, debug: bool = False, loop: int = 1
    ) -> None:
        self.session = InferenceSession(model_path, device_id, SessionOptions(loop, 1 if debug else 2))
        self.outputs_names = [output.name for output in self.session.get_outputs()]

    def get_inputs(self) -> list[TensorDesc]:
        """The inputs."""
        return self.session.get_inputs()

    def get_outputs(self) -> list[TensorDesc]:
        """The outputs."""
        return self.session.get_outputs()

    def infer(self, feeds: Sequence[np.ndarray], mode: str = "static") -> list[np.ndarray]:
        """Run arrays by their bytes as they lie in memory: dtype and shape are not looked at, strides neither."""
        if mode != "static" or not all(type(feed) is np.ndarray for feed in feeds):
            raise RuntimeError(f"type:{[type(feed) for feed in feeds]} invalid")
        return [np.array(tensor) for tensor in self.run(feeds)]

    def run(self, feeds: Sequence[np.ndarray]) -> list[Tensor]:
        """Run arrays; leave the outputs on the device."""
        tensors = [
            BaseTensor(feed.__array_interface__["data"][0], feed.nbytes) if feed.flags.c_contiguous else Tensor(feed)
            for feed in feeds
        ]
        return self.session.run(self.outputs_names, tensors)


def main(generation: str = "2023-06", fault: str = "") -> None:
    """Do what `python -m ais_bench` does; a failure is a traceback and exit code 1, wrong usage exit code 2.

    Args:
        generation: Which of `GENERATIONS`.
        fault: Which of `FAULTS`, or none.
    """
    args = _arguments(generation)
    if generation == "2024-06":
        _need_old_setuptools()
    if args.output_dirname and not args.output and generation != "2022-11":
        error("parameter --output_dirname cann't be used alone. Please use it together with the parameter --output!")
        raise RuntimeError("error bad parameters --output_dirname")
    session = InferSession(args.device, args.model, loop=args.loop)
    if args.batchsize is None:
        args.batchsize = session.get_inputs()[0].shape[0]
        info(f"try get model batchsize:{args.batchsize}")
    folder = _make_folder(args.output, args.output_dirname)
    if folder and generation == "2024-06":
        Path(args.output).chmod(0o750)
    batches = _batches(args.input, session.get_inputs(), strict=generation == "2024-06")
    _warm_up(session, batches[0], args)
    if fault == "exits 1":
        error("aclmdlExecute failed, ret: 507011")
        error("this is a fake failure")
        raise RuntimeError(FAKE_FAILURE)
    listed = _run(session, batches, folder, args)
    summary = _summary(session, listed, args)
    _print_summary(summary, args, generation)
    if folder:
        _write_summary(Path(folder), summary, fault)
        _spoil(listed, fault)
    session.session.finalize()


def _arguments(generation: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    first, loop = ("--om", "-r") if generation == "2022-11" else ("-m", "-l")
    path = _legal_path if generation == "2024-06" else str
    parser.add_argument("--model", first, required=True, type=path)
    parser.add_argument("--input", "-i", type=_legal_inputs if generation == "2024-06" else str)
    parser.add_argument("--output", "-o")
    parser.add_argument("--output_dirname")
    parser.add_argument("--outfmt", default="BIN", choices=["NPY", "BIN", "TXT"])
    parser.add_argument("--loop", loop, type=_positive, default=1)
    parser.add_argument("--device", *(() if generation == "2022-11" else ("-d",)), type=int, default=0)
    parser.add_argument("--batchsize", type=_positive, default=1 if generation == "2022-11" else None)
    parser.add_argument("--output_batchsize_axis", type=_natural, default=0)
    parser.add_argument("--display_all_summary", type=_boolean, default=False)
    parser.add_argument("--warmup_count", type=_natural, default=1)
    return parser.parse_args()


def _positive(text: str) -> int:
    if int(text) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is an invalid positive int value")
    return int(text)


def _natural(text: str) -> int:
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"{text} is an invalid nonnegative int value")
    return int(text)


def _boolean(text: str) -> bool:
    if text.lower() not in {"yes", "true", "t", "y", "1", "no", "false", "f", "n", "0"}:
        raise argparse.ArgumentTypeError("Boolean value expected true, 1, false, 0 with case insensitive.")
    return text.lower() in {"yes", "true", "t", "y", "1"}


def _legal_path(text: str, what: str = "om") -> str:
    """The rules for paths of 2024."""
    broken = None
    if re.search(r"[^A-Za-z0-9_./-]", text):
        broken = f"path:{text} contains illegal char, legal chars include A-Z a-z 0-9 _ - / ."
    elif not Path(text).exists():
        broken = f"path: {text} not exist, please check if file or dir is exist"
    elif Path(text).is_symlink():
        broken = f"path :{text} is a soft link, not supported, please import file(or directory) directly"
    elif Path(text).stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        broken = (
            f"The file {text} is group writable, or is others writable, as import file(or directory), "
            "permission should not be over 0o755(rwxr-xr-x)"
        )
    if broken:
        error(broken)
        raise argparse.ArgumentTypeError(f"{what} path:{text} is illegal. Please check.")
    return text


def _legal_inputs(text: str) -> str:
    for part in text.split(","):
        _legal_path(part, "input")
    return text


def _need_old_setuptools() -> None:
    try:
        import pkg_resources  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
    except ImportError:
        raise UnboundLocalError("local variable 'aclruntime_version' referenced before assignment") from None


def _make_folder(output: str | None, name: str | None) -> str | None:
    if output is None:
        return None
    folder = os.path.join(output, name or time.strftime("%Y_%m_%d-%H_%M_%S"))  # noqa: PTH118 - as the user wrote it
    Path(folder).mkdir(0o755, parents=True, exist_ok=True)
    info(f"output path:{folder}")
    return folder


def _batches(inputs: str | None, tensors: Sequence[TensorDesc], strict: bool) -> list[list[list[str]]]:
    """For every batch and input of the model, the files of the batch."""
    if inputs is None:
        return [[[PURE] for _ in tensors]]
    columns = _columns(inputs.split(","), len(tensors), strict)
    wanted, size = tensors[0].realsize, _content(columns[0][0]).nbytes
    if size == 0 or wanted % size:
        error(f"arg0 tensorsize: {wanted} filesize: {size} not match")
        raise RuntimeError
    files, runs = wanted // size, math.ceil(len(columns[0]) * size / wanted)
    info(f"get filesperbatch files0 size:{size} tensor0size:{wanted} filesperbatch:{files} runcount:{runs}")
    cut = [[column[at : at + files] for at in range(0, len(column), files)] for column in columns]
    padded = [[part + [PADDING] * (files - len(part)) for part in column] for column in cut]
    return [[column[i] for column in padded] for i in range(runs)]


def _columns(parts: list[str], inputs: int, strict: bool) -> list[list[str]]:
    if Path(parts[0]).is_file():
        chunk = len(parts) // inputs
        return [parts[at : at + chunk] for at in range(0, len(parts), chunk)]
    if not Path(parts[0]).is_dir():
        error(f"Invalid args. {parts[0]}  of --input is invalid")
        raise RuntimeError
    if len(parts) != inputs:
        error(f"Invalid args. args input dir num:{len(parts)} not equal to model inputs num:{inputs}")
        raise RuntimeError
    return [_list_folder(part, strict) for part in parts]


def _list_folder(folder: str, strict: bool) -> list[str]:
    names = sorted(entry.name for entry in Path(folder).iterdir())
    paths = [os.path.join(folder, name) for name in names]  # noqa: PTH118 - as the user wrote it
    if strict:
        for path in paths:
            try:
                _legal_path(path)
            except argparse.ArgumentTypeError as illegal:
                raise RuntimeError(f"input data:{path} is illegal") from illegal
    found = [path for path in paths if path.endswith(SUFFIXES)]
    if not found:
        error(f"{folder} of input args not find valid file,valid file format:[*.npy *.NPY *.bin *.BIN]")
        raise RuntimeError
    return sorted(found, key=lambda path: [int(p) if p.isdigit() else p.lower() for p in re.split("([0-9]+)", path)])


def _content(path: str) -> np.ndarray:
    if path.endswith((".npy", ".NPY")):
        array: np.ndarray = np.load(path)
        return array
    return np.fromfile(path, np.int8)


def _joined(files: list[str], size: int) -> np.ndarray:
    """The files of one input of a batch; padding repeats the first of them."""
    if files == [PURE]:
        return np.zeros(size, np.uint8)
    arrays = [_content(files[0] if file == PADDING else file) for file in files]
    if len(arrays) == 1:
        return arrays[0]
    joined = np.concatenate(arrays)
    if joined.nbytes != size:
        error(f"ndata size:{joined.nbytes} not match {size}")
        raise RuntimeError
    return joined


def _feeds(session: InferSession, batch: list[list[str]]) -> list[np.ndarray]:
    return [_joined(files, tensor.realsize) for files, tensor in zip(batch, session.get_inputs(), strict=True)]


def _warm_up(session: InferSession, batch: list[list[str]], args: argparse.Namespace) -> None:
    feeds = _feeds(session, batch)
    session.session.options().loop = 1
    for _ in range(args.warmup_count):
        session.run(feeds)
    session.session.options().loop = args.loop
    session.session.reset_sumaryinfo()
    info(f"warm up {args.warmup_count} done")


def _run(
    session: InferSession, batches: list[list[list[str]]], folder: str | None, args: argparse.Namespace
) -> dict[int, dict[str, list[str]]]:
    listed: dict[int, dict[str, list[str]]] = {}
    _progress(0, len(batches))
    for i, batch in enumerate(batches):
        outputs = [np.array(tensor) for tensor in session.run(_feeds(session, batch))]
        if folder is not None:
            for number, output in enumerate(outputs):
                _save(output, number, batch, i, folder, args, listed)
    _progress(len(batches), len(batches))
    say("\n")
    return listed


def _progress(done: int, count: int) -> None:
    percent, bar = 100 * done // count, "#" * (10 * done // count)
    say(f"\rInference array Processing: {percent:3d}%|{bar:10}| {done}/{count} [00:00<00:00, 99.99it/s]")


def _save(
    output: np.ndarray,
    number: int,
    batch: list[list[str]],
    run: int,
    folder: str,
    args: argparse.Namespace,
    listed: dict[int, dict[str, list[str]]],
) -> None:
    files, axis = len(batch[0]), args.output_batchsize_axis
    if files > 1 and output.shape[axis] % files:
        error(
            f"save out files error array shape:{output.shape} filesinfo:{batch} files_count_perbatch:{files} "
            f"ndata.shape{axis}:{output.shape[axis]}"
        )
        raise RuntimeError
    for j, part in enumerate(np.array_split(output, files, axis)):
        infiles = [column[j] for column in batch]
        if infiles[0] == PADDING:
            continue
        stem = os.path.basename(infiles[0]).split(".")[0]  # noqa: PTH119 - the contract's words
        path = os.path.join(folder, f"{stem}_{number}.{args.outfmt.lower()}")  # noqa: PTH118 - as the user wrote it
        sample = listed.setdefault(run * files + j, {"infiles": infiles, "outfiles": []})
        sample["outfiles"].append(path)
        _write(Path(path), part, args.outfmt)


def _write(path: Path, array: np.ndarray, outfmt: str) -> None:
    if outfmt == "BIN":
        array.tofile(path)
    elif outfmt == "NPY":
        np.save(path, array)
    else:
        number = "%f " if array.dtype.kind == "f" else "%d "
        rows = array.reshape(-1, array.shape[-1])
        path.write_text("".join("".join(number % value for value in row) + "\n" for row in rows))


def _summary(
    session: InferSession, listed: dict[int, dict[str, list[str]]], args: argparse.Namespace
) -> dict[str, Any]:
    times = session.session.sumary().exec_time_list
    return {
        "filesinfo": listed,
        "args": sys.argv,
        "NPU_compute_time": _statistics(times),
        "H2D_latency": _statistics([0.01] * len(times)),
        "D2H_latency": _statistics([0.01] * len(times)),
        "throughput": 1000 * args.batchsize / float(np.mean(times)),
        "npu_compute_time_list": times,
        "pid": os.getpid(),
    }


def _statistics(times: list[float]) -> dict[str, float]:
    middle = {"mean": np.mean(times), "median": np.median(times), "percentile(99%)": np.percentile(times, 99)}
    numbers = {"min": np.min(times), "max": np.max(times), **middle}
    return {**{key: float(value) for key, value in numbers.items()}, "count": len(times)}


def _print_summary(summary: dict[str, Any], args: argparse.Namespace, generation: str) -> None:
    info("-----------------Performance Summary------------------")
    shown = ["H2D_latency", "NPU_compute_time", "D2H_latency"] if args.display_all_summary else ["NPU_compute_time"]
    for key in shown:
        info(f"{key} (ms): " + ", ".join(f"{k} = {v}" for k, v in summary[key].items() if k != "count"))
    size = f"batchsize({args.batchsize})" if generation == "2022-11" else f"batchsize.mean({args.batchsize})"
    mean = summary["NPU_compute_time"]["mean"]
    info(f"throughput 1000*{size}/NPU_compute_time.mean({mean}): {summary['throughput']}")
    info("------------------------------------------------------")


def _write_summary(folder: Path, summary: dict[str, Any], fault: str) -> None:
    samples = {str(key): value for key, value in summary["filesinfo"].items()}
    path = Path(f"{folder}_summary.json")
    if fault == "summary of other files":
        samples["0"] = {**samples["0"], "infiles": ["elsewhere/other.bin"]}
    if fault == "summary lacks a sample":
        samples.popitem()
    summary = {**summary, "filesinfo": samples}
    if fault == "summary without times":
        del summary["NPU_compute_time"]
    if fault == "old summary":
        path = folder / "sumary.json"
        summary = {key: value for key, value in summary.items() if key not in {"npu_compute_time_list", "pid"}}
        for key in ("NPU_compute_time", "H2D_latency", "D2H_latency"):
            summary[key] = {name: value for name, value in summary[key].items() if name != "count"}
    if fault not in {"writes no summary", "writes nothing"}:
        path.write_text("{" if fault == "summary is no JSON" else json.dumps(summary))


def _spoil(listed: dict[int, dict[str, list[str]]], fault: str) -> None:
    paths = [Path(path) for sample in listed.values() for path in sample["outfiles"]]
    if fault == "writes nothing":
        for path in paths:
            path.unlink()
    if fault == "leaves a result out":
        paths[-1].unlink()
    if fault == "truncates a result":
        paths[-1].write_bytes(paths[-1].read_bytes()[:-2])
    if fault == "empties a result":
        paths[-1].write_bytes(b"")
