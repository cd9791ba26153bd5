"""What can be known of a conversion before it starts: an .onnx file against what atc takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from modelzoo.common.ascend.atc import known
from modelzoo.common.errors import MissingDependencyError, ModelError
from modelzoo.common.export import MAX_IR_VERSION
from modelzoo.common.session import OM_SUFFIX, check_content

SAFE_OPSETS = range(9, 14)
"""What every CANN release from 5.0 on takes."""

MAX_BYTES = 2**31
"""What protobuf does not read any more."""


def preflight(path: Path, given: bool, model: str = "") -> list[str]:
    """Look at a file before atc does.

    Args:
        path: The .onnx file.
        given: Whether the user gives the sizes of the inputs.
        model: The package whose extra brings onnx, for the hint; none for `common`.

    Returns:
        What atc may stumble over, one sentence each.

    Raises:
        MissingDependencyError: onnx is not installed.
        ModelError: atc would refuse the file.
    """
    errors, warnings = examine(load_graph(path, model), given)
    if errors:
        hint = "export it with opset 11, weights inside, and all sizes but the batch's fixed"
        raise ModelError(f"atc would refuse {path}: {'; '.join(errors)}", hint)
    return warnings


def load_graph(path: Path, model: str = "") -> Any:
    """Read an .onnx file, without weights that lie outside it.

    Args:
        path: The file.
        model: The package whose extra brings onnx, for the hint; none for `common`.

    Returns:
        The `onnx.ModelProto`.

    Raises:
        MissingDependencyError: onnx is not installed.
        ModelError: It is an .om file, or no ONNX file.
    """
    check_content(path)
    if path.suffix.lower() == OM_SUFFIX:
        raise ModelError(f"{path} is an .om file: there is nothing to convert", "give the .onnx file")
    try:
        import onnx

        proto = onnx.load(path, load_external_data=False)
    except ImportError as error:
        hint = f"pip install './{f'packages/{model}' if model else 'common'}[export]'"
        raise MissingDependencyError("a conversion needs onnx, which is not installed", hint) from error
    except Exception as error:  # protobuf has several implementations with classes of their own
        raise ModelError(f"{path} is not an ONNX file: {error}", "export the checkpoint first") from error
    if not proto.graph.node:
        raise ModelError(f"{path} is not an ONNX file: it holds no graph", "export the checkpoint first")
    return proto


def examine(proto: Any, given: bool) -> tuple[list[str], list[str]]:
    """Compare a graph with what atc takes.

    Args:
        proto: The `onnx.ModelProto`.
        given: Whether the user gives the sizes of the inputs.

    Returns:
        What atc would refuse, and what it may stumble over, in sentences.
    """
    graph, opsets = proto.graph, [(opset.domain or "ai.onnx", opset.version) for opset in proto.opset_import]
    named = " and ".join(f"{domain} {version}" for domain, version in opsets)
    ops = {(node.domain or "ai.onnx", node.op_type) for node in graph.node}
    custom = sorted(f"{domain}::{op}" for domain, op in ops if domain != "ai.onnx")
    unknown = sorted({op for domain, op in ops if domain == "ai.onnx"} - set(known()["operators"]))
    weights = {weight.name: weight.data_location == weight.EXTERNAL for weight in graph.initializer}
    inputs = {value.name: value.type.tensor_type.shape.dim for value in graph.input if value.name not in weights}
    free = [name for name, axes in inputs.items() if not axes or any(axis.dim_value < 1 for axis in axes[1:])]
    one = [domain for domain, _ in opsets] == ["ai.onnx"]
    errors = {
        f"it imports the opsets {named}, and only one of ai.onnx may be there": not one,
        f"it imports opset {named}, and only 9 to 13 are in every CANN release": one
        and opsets[0][1] not in SAFE_OPSETS,
        f"it has operators of other domains: {', '.join(custom)}": custom,
        "its weights lie outside the file": any(weights.values()),
        "it has 2 GB or more": proto.ByteSize() >= MAX_BYTES,
        f"sizes of {', '.join(free)} are open; give --input_shape": free and not given,
    }
    warnings = {
        f"its IR version is {proto.ir_version}, newer than {MAX_IR_VERSION}": proto.ir_version > MAX_IR_VERSION,
        f"no graph of the guides has {', '.join(unknown)}; your CANN release may not know them": unknown,
    }
    return [text for text, is_so in errors.items() if is_so], [text for text, is_so in warnings.items() if is_so]
