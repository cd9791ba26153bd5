"""A fake `atc` for tests: what is written of its arguments, texts and exit codes. No NPU is involved.

A fake .om file is a magic line and the ONNX file with the sizes of `--input_shape`. Everything is printed on standard
output, as the original does.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from modelzoo.common.testing.fake_aclruntime import MAGIC

START = "ATC start working now, please wait for a moment."
SUCCESS = "ATC run success, welcome to the next use."
FAILURE = "ATC run failed, Please check the detail log, Try 'atc --help' for more information"
FAILED = 255

BEHAVIOURS = ("", "success and exit 1", "nothing", "empty", "silent", "linux_x86_64", "linux_aarch64", "W11001")
"""What `FAKE_ATC` may ask for, besides `fail <code>`."""

CHIPS = frozenset(
    f"Ascend{name}"
    for name in ("310", "310B1", "310B4", "310P1", "310P3", "910A", "910B", "910B3", "910B4", "910ProA", "910_9391")
)
FORMATS = ("NCHW", "ND", "NCDHW")
LOGS = ("debug", "info", "warning", "error", "null")
OPSETS = range(9, 14)
DYNAMIC = ("dynamic_batch_size", "dynamic_image_size", "dynamic_dims")
FILES = ("insert_op_conf", "fusion_switch_file", "op_precision_mode", "modify_mixlist")
FLAGS = frozenset(
    {"mode", "framework", "model", "output", "soc_version", "input_shape", "input_format", "log", "keep_dtype"}
    | {"precision_mode", "op_select_implmode", "optypelist_for_implmode", "buffer_optimize", "enable_small_channel"}
    | {"disable_reuse_memory", "enable_single_stream", "output_type", "out_nodes", "input_fp16_nodes", "auto_tune_mode"}
    | {*DYNAMIC, *FILES}
)


class RefusalError(Exception):
    """What atc says before it fails: a code and a text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}" if code else text)


def main(words: Sequence[str], out: TextIO) -> int:
    """Convert, or refuse.

    Args:
        words: The arguments.
        out: Standard output.

    Returns:
        The exit code.
    """
    behaviour = os.environ.get("FAKE_ATC", "")
    if "--help" in words:
        out.write("usage: atc <args>   (a fake of it, for tests)\n")
        return 0
    out.write(f"{START}\n")
    try:
        if behaviour.startswith("fail "):
            raise RefusalError(behaviour.removeprefix("fail "), "[fake] asked for by the test.")
        options = parse(words)
        content = compile_model(options)
        _litter()
        _write(Path(options["output"]), content, behaviour)
    except RefusalError as refusal:
        out.write(f"{FAILURE}\n[PID: {os.getpid()}] 2026-01-01-00:00:00.000.000 {refusal}\n")
        out.write("        Solution: [fake]\n        TraceBack (most recent call last):\n        [fake]\n")
        return FAILED
    out.write("" if behaviour == "silent" else f"{SUCCESS}\n")
    if behaviour == "W11001":
        out.write("W11001: Op [fake] does not hit the high-priority operator information library.\n")
    return 1 if behaviour == "success and exit 1" else 0


def parse(words: Sequence[str]) -> dict[str, str]:
    """`--name=value` and `--name value` into options; every check that needs no model."""
    options: dict[str, str] = {}
    queue = list(words)
    while queue:
        flag, equals, value = queue.pop(0).partition("=")
        name = flag.removeprefix("--")
        if flag == name or name not in FLAGS:
            raise RefusalError("", f"ERROR: unknown command line flag '{name}'")
        options[name] = value if equals else (queue.pop(0) if queue else "")
    _check_required(options)
    _check_values(options)
    _check_files(options)
    return options


def compile_model(options: Mapping[str, str]) -> bytes:
    """The content of the fake .om file."""
    import onnx

    try:
        model = onnx.load(options["model"])
    except Exception as error:
        raise RefusalError("E13005", f"Failed to parse file {options['model']}.") from error
    _check_graph(model)
    weights = {weight.name for weight in model.graph.initializer}
    inputs = {value.name: value for value in model.graph.input if value.name not in weights}
    free: dict[str, int] = {}
    for name, sizes in _shapes(options).items():
        if name not in inputs:
            raise RefusalError("E10016", f"Opname {name} specified in --input_shape is not found in the model.")
        free |= _fix(inputs[name], sizes, dynamic=any(option in options for option in DYNAMIC))
    _fix_rest(model, free)
    del model.metadata_props[:]
    return MAGIC + bytes(onnx.shape_inference.infer_shapes(model, data_prop=True).SerializeToString())


def _check_required(options: Mapping[str, str]) -> None:
    if "framework" not in options:
        supported = "0(Caffe) or 1(MindSpore) or 3(TensorFlow) or 5(Onnx)"
        raise RefusalError("E10007", f"--framework is required. The value must be {supported}.")
    for name in ("model", "output", "soc_version"):
        if not options.get(name):
            raise RefusalError("E10054", f"The required parameter {name} for ATC is empty.")


def _check_values(options: Mapping[str, str]) -> None:
    allowed = {"framework": ("5",), "mode": ("0",), "input_format": FORMATS}
    for name, values in allowed.items():
        if options.get(name, values[0]) not in values:
            raise RefusalError("E10001", f"Value {options[name]} for parameter --{name} is invalid. Reason: [fake].")
    if options.get("log", "null") not in LOGS:
        raise RefusalError("E10010", f"Value {options['log']} for parameter --log is invalid.")
    if options["soc_version"] not in CHIPS:
        raise RefusalError("EE1001", f"Soc version [{options['soc_version']}] is invalid.")
    if "auto_tune_mode" in options:
        raise RefusalError("E10001", "The Auto Tune function has been deprecated. Please use the AOE tool for tuning.")
    for name, code, values in (
        ("disable_reuse_memory", "E10006", ("0", "1")),
        ("enable_single_stream", "E10005", ("true", "false")),
    ):
        if options.get(name, values[0]) not in values:
            raise RefusalError(code, f"Value {options[name]} for parameter --{name} is invalid.")
    _check_dynamic(options)


def _check_dynamic(options: Mapping[str, str]) -> None:
    used = [name for name in DYNAMIC if name in options]
    if len(used) > 1:
        raise RefusalError("E10009", f"{' and '.join(used)} are mutually exclusive.")
    for name in used:
        profiles = re.split("," if name == "dynamic_batch_size" else ";", options[name])
        if len(profiles) < 2:
            raise RefusalError("E10035", f"--{name} has {len(profiles)} profiles, which is less than the minimum 2.")
        if len(set(profiles)) < len(profiles):
            raise RefusalError("E10039", f"The --{name} argument have duplicate profiles.")
        if "-1" not in options.get("input_shape", ""):
            raise RefusalError("E10040", f"As --{name} is included, --input_shape must have -1 axes.")


def _check_files(options: Mapping[str, str]) -> None:
    for name in ("model", "output"):
        if not re.fullmatch(r"[\w./-]+", options[name]):
            raise RefusalError("E13026", f"Input path {options[name]} is invalid. Reason: [fake] characters.")
    if options["output"].endswith("/"):
        raise RefusalError("E10022", f"Path {options['output']} for parameter --output does not include the file name.")
    if not Path(options["model"]).is_file():
        raise RefusalError("E13000", f"Path {options['model']} is empty. Reason: No such file or directory.")
    if "keep_dtype" in options and not Path(options["keep_dtype"]).is_file():
        raise RefusalError("E10410", f"File {options['keep_dtype']} does not exist.")
    for name in FILES:
        if name in options and not Path(options[name]).is_file():
            raise RefusalError("E13001", f"Failed to open file {options[name]}. Reason: No such file or directory.")


def _check_graph(model: Any) -> None:
    if len(model.opset_import) > 1:
        count = len(model.opset_import)
        raise RefusalError("E16005", f"The model has {count} --domain_version fields, but only one is allowed.")
    for node in model.graph.node:
        version = model.opset_import[0].version
        if node.domain not in {"", "ai.onnx"}:
            raise RefusalError("E16002", f"[fake] no ONNX parser for optype {node.domain}::{node.op_type}.")
        if version not in OPSETS:
            kind = f"ai.onnx::{version}::{node.op_type}"
            raise RefusalError("E19010", f"No parser is registered for Op [{node.name}, optype [{kind}]].")


def _shapes(options: Mapping[str, str]) -> dict[str, list[str]]:
    shapes = {}
    for entry in filter(None, options.get("input_shape", "").split(";")):
        name, colon, sizes = entry.rpartition(":")
        if not colon or not sizes:
            raise RefusalError(
                "E10002", f"Value {entry} for parameter --input_shape is invalid. Reason: [fake] format."
            )
        shapes[name] = sizes.split(",")
    return shapes


def _fix(value: Any, sizes: Sequence[str], dynamic: bool) -> dict[str, int]:
    """Give an input its sizes; return those of its named axes."""
    axes = value.type.tensor_type.shape.dim
    if len(sizes) != len(axes):
        raise RefusalError(
            "E10049", f"Dimension count {len(sizes)} does not match dimension count {len(axes)} of the node."
        )
    named = {}
    for axis, size in zip(axes, sizes, strict=True):
        if size == "-1" and dynamic:
            continue
        if not size.isdigit() or int(size) < 1:
            raise RefusalError(
                "E10011", f"Shape values must be positive integers. The error value in the shape is {size}."
            )
        if axis.dim_param:
            named[axis.dim_param] = int(size)
        axis.dim_value = int(size)
    return named


def _fix_rest(model: Any, sizes: Mapping[str, int]) -> None:
    """Give the outputs the sizes that the inputs' named axes got; inference finds the rest."""
    del model.graph.value_info[:]
    for value in model.graph.output:
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param in sizes:
                axis.dim_value = sizes[axis.dim_param]
            elif axis.dim_param and sizes:
                axis.Clear()


def _litter() -> None:
    """What atc leaves in the working directory."""
    Path("kernel_meta").mkdir(exist_ok=True)
    Path("fusion_result.json").write_text("[]")


def _write(output: Path, content: bytes, behaviour: str) -> None:
    if behaviour == "nothing":
        return
    ending = f"_{behaviour}.om" if behaviour.startswith("linux_") else ".om"
    output.with_name(output.name + ending).write_bytes(b"" if behaviour == "empty" else content)


def _record() -> None:
    """Note how the program was called, for the test."""
    keep = Path(next((word.partition("=")[2] for word in sys.argv if word.startswith("--keep_dtype=")), ""))
    call = {
        "words": sys.argv[1:],
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "keep_dtype": keep.read_text() if keep.is_file() else None,
    }
    with Path(os.environ["FAKE_ATC_CALLS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(call) + "\n")


if __name__ == "__main__":
    _record()
    sys.exit(main(sys.argv[1:], sys.stdout))
