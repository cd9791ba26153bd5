"""`convert`: an .onnx file into an .om file for an Ascend chip, by atc."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from modelzoo.common import cli
from modelzoo.common.errors import UsageError
from modelzoo.common.identity import INPUT_FORMATS, of_graph
from modelzoo.common.spec import Identity, ModelSpec

SUMMARY = "an .onnx file into an .om file for an Ascend chip, by atc"

OTHER_TENSORS = {"input_fp16_nodes", "insert_op_conf", "out_nodes", "output_type"}
"""Options of atc after which the .om file has other tensors than the .onnx file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags; names and meaning are those of atc, whose other options are passed on."""
    add = parser.add_argument
    add("--model", type=cli.path, required=True, metavar="FILE", help="the .onnx file")
    add("--output", type=cli.path, required=True, metavar="FILE", help="the .om file without its suffix")
    add("--soc_version", default="auto", metavar="CHIP", help="such as 310P3; auto asks npu-smi (default: auto)")
    add("--batchsize", type=cli.positive, metavar="N", help="samples per batch of the .om file (default: 1)")
    add("--input_shape", metavar="NAME:1,3,..", help="sizes of every input (default: the model's, with --batchsize)")
    add("--input_format", choices=INPUT_FORMATS, help="default: what the model says")
    add("--log", choices=("debug", "info", "warning", "error", "null"), default="error", help="default: error")
    add("--framework", choices=("5",), default="5", help="accepted; 5 is ONNX")
    add("--dry-run", action="store_true", help="check everything, print the command of atc, and do not run it")


def handle(arguments: argparse.Namespace, spec: ModelSpec | None = None) -> int:
    """Convert a model, or print how.

    Args:
        arguments: The flags of `add_arguments`, and `rest`, which is for atc.
        spec: The model; None for `modelzoo convert`.
    """
    from modelzoo.common.ascend import atc
    from modelzoo.common.ascend.npu import detect_soc, normalise_soc
    from modelzoo.common.ascend.preflight import preflight

    rest = atc.passed_on(arguments.rest, ours=vars(arguments))
    _say("warning", preflight(arguments.model, bool(arguments.input_shape), spec.name if spec else ""))
    identity = _fixed(_described(arguments.model, spec), arguments, spec)
    soc = detect_soc() if arguments.soc_version == "auto" else normalise_soc(arguments.soc_version)
    image = all(len(tensor.shape) == 4 for tensor in identity.inputs)
    options = {
        "input_format": arguments.input_format or identity.atc.get("input_format", "NCHW" if image else "ND"),
        "input_shape": ";".join(f"{tensor.name}:{','.join(map(str, tensor.shape))}" for tensor in identity.inputs),
        "log": arguments.log,
        "soc_version": soc,
        **rest,
    }
    keep = tuple(identity.atc.get("keep_dtype", ()))
    conversion = atc.Conversion(arguments.model, Path(str(arguments.output).removesuffix(".om")), options, keep)
    atc.check_place(conversion.output)
    print(shlex.join(atc.atc_command(conversion)), flush=True)
    if keep and "keep_dtype" in rest:
        _say("warning", _lacking(Path(rest["keep_dtype"]), keep))
    if arguments.dry_run and keep and "keep_dtype" not in rest:
        _say("note", [f"the file of --keep_dtype has to hold these lines: {', '.join(keep)}"])
    if not arguments.dry_run:
        om, warnings = atc.convert(conversion, None if OTHER_TENSORS & set(rest) else identity)
        _say("warning", warnings)
        print(f"{om}: for {soc}")
    return 0


def _lacking(file: Path, keep: Sequence[str]) -> list[str]:
    """What the user's own file of `--keep_dtype` does not hold of the model's rules."""
    from modelzoo.common.files import existing_file

    lines = existing_file(file, "--keep_dtype").read_text(encoding="utf-8", errors="replace").split()
    lacking = ", ".join(rule for rule in keep if rule not in lines)
    return [f"{file} lacks {lacking}, which the model needs in single precision"] if lacking else []


def _described(path: Path, spec: ModelSpec | None) -> Identity:
    """What the file says of itself, as far as its graph agrees; a file from elsewhere has only the graph."""
    from modelzoo.common.session import open_session

    session = open_session(path, spec)
    if session.identity is None:
        return Identity(spec.name if spec else "", "", session.inputs, session.outputs)
    return of_graph(session.identity, session.inputs, session.outputs, str(path))


def _fixed(identity: Identity, arguments: argparse.Namespace, spec: ModelSpec | None) -> Identity:
    """The identity with the sizes that the user gives, or with a batch."""
    from modelzoo.common.ascend import atc

    batch = arguments.batchsize or identity.inputs[0].batch or 1
    inputs = atc.at_batch(identity.inputs, batch)
    if arguments.input_shape:
        aliases = {alias: tensor.name for tensor in (spec.inputs if spec else ()) for alias in tensor.aliases}
        names = {tensor.name for tensor in identity.inputs}
        used = [alias for alias in aliases if f"{alias}:" in arguments.input_shape and alias not in names]
        _say("note", [f"the input {alias} is called {aliases[alias]} here" for alias in used])
        inputs = atc.sized_inputs(arguments.input_shape, identity.inputs, aliases)
    if arguments.batchsize and inputs[0].batch != batch:
        fixed = "--input_shape gives" if arguments.input_shape else "the model is fixed to"
        raise UsageError(f"{fixed} batch {inputs[0].shape[0]}, --batchsize asks for {batch}")
    size = inputs[0].batch
    return replace(identity, inputs=inputs, outputs=atc.at_batch(identity.outputs, size) if size else identity.outputs)


def _say(kind: str, texts: Sequence[str]) -> None:
    for text in texts:
        print(f"{kind}: {text}", file=sys.stderr)
