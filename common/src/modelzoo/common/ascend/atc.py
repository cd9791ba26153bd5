"""Ascend's converter: its command line, its surroundings, and how to tell that it worked."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from modelzoo.common import identity
from modelzoo.common.errors import MissingDependencyError, ModelError, UsageError, WriteError, ZooError
from modelzoo.common.files import make_folder, write_text
from modelzoo.common.spec import BATCH, Dimension, Identity, TensorSpec

SUCCESS = "ATC run success"

OM_ENDINGS = (".om", "_linux_x86_64.om", "_linux_aarch64.om")
"""What atc appends to `--output`; newer releases name the machine that can load the file."""

CODE = re.compile(r"\b(?:E\d{5}|E[A-Z]\d{4}|W\d{5})\b")

SHAPE = re.compile(r"\s*(.+):((?:-1|[1-9][\d~]*)(?:,(?:-1|[1-9][\d~]*))*)\s*")
"""One input in `--input_shape`; the name may hold colons."""


@dataclass(frozen=True)
class Conversion:
    """What to convert, and how; `options` win over `keep_dtype`.

    Args:
        model: The .onnx file.
        output: The .om file without its suffix.
        options: Options of atc by name, such as `soc_version`, `input_shape`, `input_format` and `log`.
        keep_dtype: Operators that stay in their precision: names, or `OpType::` and a type.
    """

    model: Path
    output: Path
    options: Mapping[str, str] = field(default_factory=dict)
    keep_dtype: tuple[str, ...] = ()


def atc_command(conversion: Conversion, folder: Path | None = None) -> list[str]:
    """The command line, with absolute paths.

    Args:
        conversion: What to convert.
        folder: Where atc writes; the output's own folder by default.

    Raises:
        UsageError: A path holds characters that atc does not take.
    """
    output = (folder or conversion.output.parent).absolute() / conversion.output.name
    paths = {"model": str(conversion.model.absolute()), "output": str(output)}
    if conversion.keep_dtype:
        paths["keep_dtype"] = f"{output}.keep_dtype.cfg"
    for path in paths.values():
        if not re.fullmatch(r"[\w./-]+", path):
            raise UsageError(f"atc takes only letters, digits and _ - . / in paths, got '{path}'")
    options = {"framework": "5", **paths, **conversion.options}
    return ["atc", *(f"--{name}={value}" for name, value in options.items())]


def identity_path(om: Path) -> Path:
    """Where the identity of an .om file lies: beside it, `<om name>.json`."""
    return om.with_suffix(".json")


def check_place(output: Path) -> None:
    """Check that the identity of an .om file would not replace another JSON file.

    Args:
        output: The .om file without its suffix.

    Raises:
        WriteError: It would.
    """
    for path in (identity_path(output.with_name(output.name + ending)) for ending in OM_ENDINGS):
        try:
            if path.exists():
                identity.from_json(path.read_bytes(), str(path))
        except ModelError as error:
            hint = "give another --output, or move that file away"
            raise WriteError(f"{path} is there, and describes no .om file: it would be replaced", hint) from error


def convert(conversion: Conversion, identity_: Identity | None) -> tuple[Path, list[str]]:
    """Run atc; only when everything says that it worked the .om file gets its name.

    Args:
        conversion: What to convert.
        identity_: What the .om file will say of itself; None leaves that out.

    Returns:
        The .om file, and what to know about it.

    Raises:
        MissingDependencyError: atc is not on the PATH.
        ZooError: atc failed; an older .om file is still there, and `<output>.atc.log` holds what atc printed.
        WriteError: The output folder cannot be made, or see `check_place`.
    """
    environment = atc_environment(os.environ)
    if shutil.which("atc", path=environment["PATH"]) is None:
        hint = "source /usr/local/Ascend/ascend-toolkit/set_env.sh, or where your CANN lies"
        raise MissingDependencyError("atc is not on the PATH; it comes with CANN", hint)
    output = conversion.output.absolute()
    log = output.with_name(f"{output.name}.atc.log")
    check_place(output)
    make_folder(output.parent)
    with (
        TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder,
        log.open("w+", encoding="utf-8", errors="replace") as file,
    ):
        command = atc_command(conversion, Path(folder))
        if conversion.keep_dtype:
            write_text(Path(folder, f"{output.name}.keep_dtype.cfg"), "\n".join([*conversion.keep_dtype, ""]))
        print(shlex.join(command), file=file, flush=True)
        done = subprocess.run(command, cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False)
        file.seek(0)
        file.readline()
        said = [line.strip() for line in file if SUCCESS in line or CODE.search(line)]
        made = _made(Path(folder, output.name), done.returncode, said, log)
        om = output.with_name(made.name)
        identity_path(om).unlink(missing_ok=True)
        made.replace(om)
    if identity_:
        write_text(identity_path(om), identity.to_json(identity_) + "\n")
    return om, [f"{hint}: {line}" for line, hint in _explained(said, "W")]


def atc_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The surroundings of atc, which brings a Python of its own: ours without our virtual environment.

    Args:
        environment: Our own.
    """
    clean = {name: value for name, value in environment.items() if name not in {"VIRTUAL_ENV", "PYTHONHOME"}}
    homes = [value for name, value in environment.items() if re.fullmatch("ASCEND_.*(HOME|OPP).*", name) and value]
    modules = [Path(entry) for entry in clean.pop("PYTHONPATH", "").split(os.pathsep)]
    ours = Path(sys.prefix, "bin") if sys.prefix != sys.base_prefix else None
    programs = [entry for entry in clean.get("PATH", os.defpath).split(os.pathsep) if Path(entry) != ours]
    cann = [str(entry) for entry in modules if any(entry.is_relative_to(home) for home in homes)]
    return clean | {"PATH": os.pathsep.join(programs)} | ({"PYTHONPATH": os.pathsep.join(cann)} if cann else {})


def passed_on(words: Sequence[str], ours: Collection[str] = ("framework", "model", "output")) -> dict[str, str]:
    """Options of atc that this program does not know, by name; files that exist become absolute.

    Args:
        words: `--name=value`, or `--name` and `value`.
        ours: Options that this program sets, by name; what it checked would not be what atc gets.

    Raises:
        UsageError: They are not of this form, or one is ours.
    """
    options = {}
    queue = deque(word for word in words if word != "--")
    while queue:
        name, _, value = queue.popleft().partition("=")
        value = value or (queue.popleft() if queue else "")
        if not name.startswith("--") or not value or value.startswith("--"):
            raise UsageError(f"options of atc are written --name=value, got '{name}'", "a shell variable may be empty")
        key = name[2:].replace("-", "_")
        if key in ours:
            raise UsageError(
                f"--{key} is an option of convert itself, and cannot be passed on to atc", "give it before --"
            )
        exists = os.path.exists(value)  # noqa: PTH110 - pathlib raises for a list that is too long for a path
        options[key] = str(Path(value).absolute()) if exists else value
    return options


def sized_inputs(text: str, inputs: Sequence[TensorSpec], aliases: Mapping[str, str]) -> tuple[TensorSpec, ...]:
    """The inputs with the sizes of `--input_shape`; `-1` and `1~8`, for atc's dynamic options, stay texts.

    Args:
        text: `name:1,3,256,128`, inputs separated by `;`.
        inputs: The model's.
        aliases: Our names by those of the guides.

    Raises:
        UsageError: It is not of that form, or does not fit the inputs.
    """
    shapes: dict[str, Any] = {}
    names = {tensor.name for tensor in inputs}
    for entry in text.split(";"):
        parts = SHAPE.fullmatch(entry)
        if not parts:
            raise UsageError(f"--input_shape takes NAME:1,3,256,128, got '{entry}'", "a shell variable may be empty")
        name = parts[1] if parts[1] in names else aliases.get(parts[1], parts[1])
        shapes[name] = tuple(int(size) if size.isdigit() else size for size in parts[2].split(","))
    if set(shapes) != names or not all(tensor.accepts(shapes[tensor.name]) for tensor in inputs):
        wanted = ", ".join(tensor.describe() for tensor in inputs)
        raise UsageError(f"--input_shape gives {text}, but the model takes {wanted}")
    return tuple(replace(tensor, shape=shapes[tensor.name]) for tensor in inputs)


def at_batch(tensors: Sequence[TensorSpec], batch: int) -> tuple[TensorSpec, ...]:
    """Tensors with their axes `N`, and multiples such as `N*20`, as numbers.

    >>> [tensor.shape for tensor in at_batch([TensorSpec("logits", "float32", ("N*20", 51))], 4)]
    [(80, 51)]
    """

    def size(axis: Dimension) -> Dimension:
        free = re.fullmatch(rf"{BATCH}(?:\*(\d+))?", str(axis))
        return batch * int(free[1] or 1) if free else axis

    return tuple(replace(tensor, shape=tuple(map(size, tensor.shape))) for tensor in tensors)


def known() -> Any:
    """What stands in atc.toml: `operators`, and `hints` by code."""
    return tomllib.loads(Path(__file__).with_name("atc.toml").read_text(encoding="utf-8"))


def _made(output: Path, code: int, said: list[str], log: Path) -> Path:
    """The .om file that atc wrote, if everything says that it worked."""
    praise = any(SUCCESS in line for line in said)
    paths = [output.with_name(output.name + ending) for ending in OM_ENDINGS]
    made = [path for path in paths if path.is_file() and path.stat().st_size]
    if code == 0 and praise and made:
        return made[0]
    problem = f"atc failed with exit code {code}" + (", although it printed its line of success" if praise else "")
    if code == 0:
        problem = f"atc ended without {'an .om file' if praise else 'its line of success'}, although its exit code is 0"
    line, hint = (*_explained(said, "E"), ("no code that is known", f"read {log}"))[0]
    raise ZooError(f"{problem}: {line} (log: {log})", hint)


def _explained(said: list[str], kind: str) -> list[tuple[str, str]]:
    """The first line of every known code of a kind, `E` or `W`, with its hint."""
    hints = known()["hints"]
    pairs = [(code, line) for line in said for code in CODE.findall(line) if code in hints and code.startswith(kind)]
    first = dict(reversed(pairs))
    return [(first[code], hints[code]) for code in dict.fromkeys(code for code, _ in pairs)]
