"""Opening what generates pictures, as the flags name it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common import cli
from modelzoo.common.errors import DataError, UsageError
from modelzoo.dgnet.commands import flags
from modelzoo.dgnet.spec import SPEC

if TYPE_CHECKING:
    from modelzoo.common.session import Session
    from modelzoo.dgnet.generator import Generator

EXPORTED = "DG-net.onnx"
"""What a checkpoint is exported to."""


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """Which model: an exported one, or a checkpoint; and how it is run."""
    add = parser.add_argument
    add("--model", type=cli.path, metavar="FILE", help="exported or converted model (default: a checkpoint)")
    flags.add_checkpoint_flags(parser)
    add("--batchsize", type=cli.positive, metavar="N", help="default: 8, or what the model is fixed to")
    add("--device", type=cli.natural, default=0, metavar="N", help="number of the accelerator (default: 0)")


def open_generator(arguments: argparse.Namespace) -> Generator:
    """Open the halves of a model where they are there, else the whole graph.

    Args:
        arguments: The flags of `add_model_flags`.

    Raises:
        UsageError: The flags do not fit together.
        ModelError: A file is no model of this package.
        CheckpointError: A file does not hold the weights of this network.
        DataError: A file is missing.
    """
    from modelzoo.dgnet.generator import HalvesGenerator, WholeGenerator
    from modelzoo.dgnet.halves import HALVES, half_path, open_halves

    model, size, device = arguments.model, arguments.batchsize or 8, arguments.device
    check_model_flags(arguments)
    if model is None:
        checkpoint = flags.checkpoint_of(arguments)
        return HalvesGenerator(open_halves(checkpoint.gen, checkpoint.id, device=device), size)
    if all(half_path(model, part).is_file() for part in HALVES):
        print(f"halves: {half_path(model, '*')}", file=sys.stderr)
        return HalvesGenerator(open_halves(model, device=device), size)
    return WholeGenerator(open_whole(model, arguments), size)


def open_whole(model: Path, arguments: argparse.Namespace) -> Session:
    """Open a whole graph.

    Args:
        model: The file.
        arguments: The flags of `add_model_flags`.

    Raises:
        ModelError: It is another model, or a part of the network.
    """
    from modelzoo.common.session import open_session
    from modelzoo.dgnet.generator import check_whole

    session = open_session(model, SPEC, device=arguments.device)
    check_whole(session)
    fixed = session.inputs[0].batch
    if fixed and arguments.batchsize not in (None, fixed):
        print(f"note: the model is fixed to batch {fixed}; --batchsize is not used", file=sys.stderr)
    return session


def exported(arguments: argparse.Namespace, folder: Path, dtype: str = "float32") -> Path:
    """The model of `--model`, or what a checkpoint is exported to.

    Args:
        arguments: The flags of `add_model_flags`, and `--overwrite`.
        folder: Where the export goes.
        dtype: What it takes, `float32` or `uint8`.

    Raises:
        UsageError: The flags do not fit together.
        CheckpointError: A file does not hold the weights of this network.
        DataError: There is an exported graph that may not be overwritten, or a file is missing.
        ExportError: A graph failed a check.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    check_model_flags(arguments)
    if arguments.model:
        return Path(arguments.model)
    output = folder / EXPORTED
    if output.exists() and not arguments.overwrite:
        raise DataError(
            f"{output} is there already",
            "--model takes it as it is, --overwrite replaces it; or choose another --output",
        )
    from modelzoo.common.export import import_exporters
    from modelzoo.dgnet.export import export

    import_exporters(SPEC.name)
    checkpoint = flags.checkpoint_of(arguments)
    print(f"exporting {checkpoint.gen} and {checkpoint.id} ...", flush=True)
    return export(checkpoint.gen, output, checkpoint.id, dtype)[0]


def check_model_flags(arguments: argparse.Namespace) -> None:
    """Check that the model is named once.

    Raises:
        UsageError: There are `--model` and flags of a checkpoint.
    """
    names = ("gen", "id", "config", "name", "which_epoch")
    given = [f"--{name}" for name in names if getattr(arguments, name) is not None]
    if arguments.model and given:
        raise UsageError(f"--model names a model already: leave out {' and '.join(given)}")
