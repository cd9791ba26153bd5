"""Ascend's `python -m ais_bench` over folders: the right tool found, inputs checked before it, results after it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from modelzoo.common import identity
from modelzoo.common.ascend.atc import at_batch, identity_path
from modelzoo.common.errors import DataError, MissingDependencyError, ModelError
from modelzoo.common.feeds import find_feeds
from modelzoo.common.files import reason, write_text
from modelzoo.common.infer import PURE_NAME, InferOptions, InferStats
from modelzoo.common.results import ResultFolder, read_summary
from modelzoo.common.session import check_content, check_model
from modelzoo.common.spec import Identity, ModelSpec, TensorSpec

PROBE = "import sys, importlib.util as u; [print(name) for name in sys.argv[1:] if u.find_spec(name)]"
TOOL, STRICT = "ais_bench.infer.interface", "ais_bench.infer.path_security_check"

INSTALL = "install the wheels ais_bench and aclruntime of Ascend's tools, not PyPI's; ASCEND_PYTHON names their Python"
NEEDS = {
    "ais_bench": "no ais_bench",
    TOOL: "another ais_bench (PyPI's ais-bench-benchmark for language models, or another namesake)",
    "aclruntime": "no aclruntime",
}
SET_ENV = "source set_env.sh of CANN first"

OLD_SUMMARY = "sumary.json"
"""Where versions before 2022-11 wrote their summary: inside the result folder, and spelt so."""

NPY_HEADER = 128
"""Bytes before the numbers of a .npy file with few axes."""

Tensors = tuple[TensorSpec, ...]
Row = tuple[Sequence[str], list[str]]
"""The input files and the result files of a sample."""


class WrongToolError(MissingDependencyError):
    """There is an ais_bench, but not one that can be used."""


def find_tool(python: str | None = None) -> tuple[str, bool]:
    """Find the Python that has Ascend's ais_bench; all its generations have one version, so features tell them apart.

    Args:
        python: The interpreter; by default what ASCEND_PYTHON names, else this one.

    Returns:
        The interpreter, and whether its ais_bench is the generation that has rules for paths (2024).

    Raises:
        MissingDependencyError: It has no ais_bench or no aclruntime, or cannot be started.
        WrongToolError: It has a namesake, or an ais_bench that does not go with its setuptools.
    """
    python = python or os.environ.get("ASCEND_PYTHON") or sys.executable
    words = [python, "-c", PROBE, "pkg_resources", *NEEDS, STRICT]
    try:
        has = subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()
    except OSError as error:
        raise MissingDependencyError(f"cannot start the Python {python}: {reason(error)}", INSTALL) from error
    for name, text in NEEDS.items():
        if name not in has:
            kind = WrongToolError if name == TOOL else MissingDependencyError
            raise kind(f"{python} has {text}; .om files need Ascend's", INSTALL)
    if STRICT in has and "pkg_resources" not in has:
        text = f"the ais_bench of {python} needs pkg_resources, which new versions of setuptools lack"
        raise WrongToolError(text, f"{python} -m pip install 'setuptools<81'")
    return python, STRICT in has


def describe(om: Path) -> Identity | None:
    """What `<om name>.json` beside an .om says of it, or None where there is none.

    Raises:
        ModelError: It is no such file.
    """
    path = identity_path(om)
    return identity.from_json(path.read_bytes(), str(path)) if path.exists() else None


def infer_om(
    om: Path, inputs: str | None, output: ResultFolder | None, options: InferOptions, spec: ModelSpec | None, npu: int
) -> InferStats:
    """Run an .om over folders, or on zeros; what ais_bench would get silently wrong is refused before it starts.

    Args:
        om: The model; `<om name>.json` beside it describes it.
        inputs: Comma-separated folders or files, see `find_feeds`; None runs a batch of zeros.
        output: Where the results go; None only measures.
        options: How to run.
        spec: The model, for an .om without description.
        npu: Its number.

    Raises:
        MissingDependencyError: There is no ais_bench, see `find_tool`.
        DataError: An input does not fit; or ais_bench left something out, or its summary lists something else.
        ModelError: The file is no .om, or nothing describes it, or ais_bench failed on it.
    """
    check_content(om)
    python, strict = find_tool()
    ins, outs, batch = _tensors(om, spec, options.batchsize)
    feeds = find_feeds(inputs, ins, options.pair) if inputs else []
    with TemporaryDirectory() as scratch:
        results = output or ResultFolder(scratch, "results")
        results = replace(results, dirname=str(PurePath(results.dirname)))
        if strict:
            _check_paths([str(om), *(inputs.split(",") if inputs else ()), results.output])
        results.prepare(options.overwrite, (file for feed in feeds for file in feed.files))
        (results.folder / OLD_SUMMARY).unlink(missing_ok=True)
        numbers = {"batchsize": batch, "device": npu, "loop": options.loop, "warmup_count": options.warmup_count}
        _run([python, "-m", "ais_bench", "--model", str(om), *_flags(inputs, results, numbers)])
        rows: list[Row] = [(feed.files, results.names(feed.stem, len(outs))) for feed in feeds]
        rows = rows or [([PURE_NAME], results.names(PURE_NAME, len(outs)))]
        _check_results(rows, outs, samples=batch if feeds else 1)
        return InferStats(len(feeds), batch, [_check_summary(results, rows)])


def _tensors(om: Path, spec: ModelSpec | None, batchsize: int | None) -> tuple[Tensors, Tensors, int]:
    known = describe(om)
    check_model(known, spec, om)
    source = known or spec
    batch = (source.inputs[0].batch or batchsize) if source else None
    if known and not batch:
        raise ModelError(f"{identity_path(om)} leaves the batch of {om} open", "say which one to run with --batchsize")
    if not source or not batch:
        hint = "convert writes it; without it the command of the model's own package needs --batchsize"
        raise ModelError(f"nothing says what {om} takes: there is no {identity_path(om)}", hint)
    return at_batch(source.inputs, batch), at_batch(known.outputs, batch) if known else source.outputs, batch


def _check_paths(paths: Sequence[str]) -> None:
    """What the 2024 generation refuses, in part in the middle of its work."""
    folders = filter(os.path.isdir, paths[1:-1])
    for path in (*paths, *(str(entry) for folder in folders for entry in Path(folder).iterdir())):
        status = os.lstat(path) if os.path.lexists(path) else None
        foreign = status and status.st_uid != os.geteuid() and status.st_gid not in os.getgroups()
        if foreign or re.search(r"[^A-Za-z0-9_./-]", path) or (status and status.st_mode & 0o022):
            rules = "it takes A-Z a-z 0-9 _ - / . in paths, no links, nothing that group or others own or can write"
            raise DataError(f"this version of ais_bench refuses the path {path}", rules)


def _flags(inputs: str | None, results: ResultFolder, numbers: Mapping[str, int]) -> list[str]:
    """Long names only: the short ones differ between generations."""
    words = ["--input", inputs] if inputs else []
    words += ["--output", results.output, "--output_dirname", results.dirname, "--outfmt", results.outfmt]
    return words + [word for name, number in numbers.items() for word in (f"--{name}", str(number))]


def _run(words: list[str]) -> None:
    stdout, both = subprocess.PIPE, subprocess.STDOUT
    done = subprocess.run(words, stdout=stdout, stderr=both, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        lines = done.stdout.split("\n")
        errors = [line[line.index("[ERROR]") :] for line in lines if "[ERROR]" in line]
        said = "; ".join(errors[-3:]) or done.stdout.strip().rpartition("\n")[2]
        hint = SET_ENV if "libascend" in said else f"the command was: {shlex.join(words)}"
        raise ModelError(f"ais_bench ended with exit code {done.returncode}: {said or 'it printed nothing'}", hint)


def _check_results(rows: Sequence[Row], outs: Tensors, samples: int) -> None:
    """Check that every file is there and has its share of the batch; a text may have any size but none."""
    for name, out in ((name, out) for _, names in rows for name, out in zip(names, outs, strict=True)):
        path, header = Path(name), NPY_HEADER if name.endswith(".npy") else 0
        if not path.is_file():
            raise DataError(f"ais_bench reported success, but there is no {name}")
        have, wanted = path.stat().st_size, header + out.sample_bytes() * (out.batch or 0) // samples
        if not have or (have != wanted and out.batch and not out.free_axes and path.suffix != ".txt"):
            raise DataError(f"ais_bench reported success, but {name} has {have} bytes, not {wanted}")


def _check_summary(results: ResultFolder, rows: Sequence[Row]) -> float:
    """Check that the summary lists our files and no others; return the mean milliseconds of a batch."""
    old = results.folder / OLD_SUMMARY
    if old.exists() and not results.summary.exists():
        write_text(results.summary, old.read_text(encoding="utf-8"))
    summary = read_summary(results.folder)
    if summary is None:
        raise DataError(f"ais_bench reported success, but there is no summary {results.summary}")
    wanted = [[*map(os.path.realpath, (*files, *names))] for files, names in rows]
    try:
        found = [(*sample["infiles"], *sample["outfiles"]) for sample in summary["filesinfo"].values()]
        mean = float(summary["NPU_compute_time"]["mean"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{results.summary} is not a summary of an inference ({error!r})") from error
    if [[*map(os.path.realpath, files)] for files in found] != wanted or mean <= 0:
        raise DataError(f"{results.summary} is not of this run: it says {len(found)} samples, {mean} ms, {found[:1]}")
    return mean
