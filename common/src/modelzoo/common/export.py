"""From a torch network to an ONNX file that a conversion to an NPU accepts, checked before it gets its name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common import identity
from modelzoo.common.errors import ExportError, MissingDependencyError, ModelError
from modelzoo.common.files import atomic_path, make_folder
from modelzoo.common.spec import Identity, TensorSpec

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.common.session import Session

OPSET = 11
"""The newest opset that every CANN release since 5.0 takes whole."""

MAX_IR_VERSION = 8

CHECK_BATCHES = (1, 3)

TRACED_LENGTH = 4
"""Length of every free axis besides the batch while the network is traced."""


def export_onnx(
    network: Any,
    identity_: Identity,
    output: Path,
    tolerance: float,
    check_batches: Sequence[int] = CHECK_BATCHES,
    simplify: bool = True,
    traced: Sequence[TensorSpec] = (),
) -> Path:
    """Export, simplify, check, and compare with torch; only then the file gets its name.

    Args:
        network: A torch module in evaluation mode, whose inputs and outputs are those of the identity.
        identity_: What the file will say of itself.
        output: The .onnx file; replaced if it exists.
        tolerance: Largest absolute difference from torch, in units of the output's largest value where that is above 1.
        check_batches: The batch sizes to compare at; none leaves the comparison out.
        simplify: False keeps the graph as torch wrote it, to find out what a simplification changed.
        traced: The inputs for the trace, where axes that the identity fixes are free, and shorter; none for its own.

    Returns:
        `output`.

    Raises:
        ExportError: A check failed; nothing was written.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    import_exporters(identity_.model)
    make_folder(output.absolute().parent)
    with atomic_path(output) as partial:
        _trace(network, identity_, traced or identity_.inputs, partial)
        _finish(partial, identity_, traced or identity_.inputs, simplify)
        compare_with_torch(network, partial, identity_, tolerance, check_batches)
    return output


def import_exporters(model: str) -> None:
    """Check that the export extra is installed.

    Raises:
        MissingDependencyError: It is not.
    """
    import importlib.util

    for name in ("torch", "onnx", "onnxsim"):
        if importlib.util.find_spec(name) is None:
            raise MissingDependencyError(
                f"an export needs {name}, which is not installed", f"pip install './packages/{model}[export]'"
            )


def random_inputs(specs: Sequence[TensorSpec], batch: int, free: int = TRACED_LENGTH) -> list[np.ndarray]:
    """Seeded inputs: normal numbers for floats, all values for uint8, places on the free axes for other integers.

    Args:
        specs: The model's inputs.
        batch: The batch size.
        free: The length of every free axis.

    Returns:
        One array per input, `(batch, ...)`.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    shapes = [(batch, *(axis if isinstance(axis, int) else free for axis in spec.sample_shape)) for spec in specs]
    return [
        rng.standard_normal(shape).astype(spec.dtype)
        if np.issubdtype(np.dtype(spec.dtype), np.floating)
        else rng.integers(0, 256 if spec.dtype == "uint8" else free, shape).astype(spec.dtype)
        for spec, shape in zip(specs, shapes, strict=True)
    ]


def compare_with_torch(network: Any, path: Path, identity_: Identity, tolerance: float, batches: Sequence[int]) -> None:
    """Run the file on ONNX Runtime beside the network on the same inputs; free axes are longer than in the trace.

    Raises:
        ExportError: An output differs by more than the tolerance, or is not finite.
    """
    import torch

    from modelzoo.common.sessions.onnxruntime import OnnxRuntimeSession

    session = OnnxRuntimeSession(path)
    for batch in batches:
        inputs = random_inputs(identity_.inputs, batch, free=TRACED_LENGTH + batch)
        with torch.inference_mode():
            wanted = network(*(torch.from_numpy(array) for array in inputs))
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for spec, want, got in zip(identity_.outputs, wanted, run_graph(session, inputs), strict=True):
            compare_output(spec.name, want.numpy(), got, tolerance, batch)


def compare_output(
    name: str, want: np.ndarray, got: np.ndarray, tolerance: float, batch: int, other: str = "torch"
) -> None:
    """Compare an output of a graph with what it should be.

    Args:
        name: Of the output.
        want: Any shape.
        got: The graph's.
        tolerance: Largest absolute difference, in units of the largest wanted value where that is above 1.
        batch: The batch size, for the message.
        other: What the wanted values come from.

    Raises:
        ExportError: It has another shape, differs by more than the tolerance, or is not finite.
    """
    import numpy as np

    if got.shape != want.shape:
        raise ExportError(f"{name} of the exported graph is {got.shape}, of {other} {want.shape}")
    difference = float(np.abs(want - got).max()) / max(1.0, float(np.abs(want).max()))
    if not difference <= tolerance:
        raise ExportError(
            f"{name} of the exported graph differs from {other} by {difference:.2e} at batch {batch} "
            f"(allowed: {tolerance:.0e})"
        )


def run_graph(session: Session, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Run a graph that was just exported.

    Raises:
        ExportError: It does not run.
    """
    try:
        return session.run(*inputs)
    except ModelError as error:
        raise ExportError(f"the exported graph does not run: {error}") from error


def _trace(network: Any, identity_: Identity, inputs: Sequence[TensorSpec], path: Path) -> None:
    import torch

    tensors = (*inputs, *identity_.outputs)
    free = {t.name: {i: axis for i, axis in enumerate(t.shape) if isinstance(axis, str)} for t in tensors}
    example = tuple(torch.from_numpy(array) for array in random_inputs(inputs, batch=2))
    options: dict[str, Any] = {
        "opset_version": OPSET,
        "input_names": [tensor.name for tensor in identity_.inputs],
        "output_names": [tensor.name for tensor in identity_.outputs],
        "dynamic_axes": free,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter that writes opset 11 is the deprecated one
            torch.onnx.export(network, example, str(path), dynamo=False, **options)
    except OSError:
        raise
    except Exception as error:  # every operator has failures of its own
        raise ExportError(f"torch cannot export the network: {str(error).splitlines()[0]}") from error


def _finish(path: Path, identity_: Identity, inputs: Sequence[TensorSpec], simplify: bool) -> None:
    """Simplify the traced file if wanted, write its identity into it, and check it."""
    import onnx

    model = onnx.load(path)
    _check_names(model.graph, identity_)
    model = _simplified(model, inputs) if simplify else model
    for tensors, values in ((identity_.inputs, model.graph.input), (identity_.outputs, model.graph.output)):
        for tensor, value in zip(tensors, values, strict=True):
            _name_axes(value, tensor)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {identity.METADATA_KEY: identity.to_json(identity_)})
    model.ir_version = min(model.ir_version, MAX_IR_VERSION)
    model.producer_name = f"modelzoo-{identity_.model}"
    model.producer_version = identity_.version
    _check_contract(model)
    onnx.save(model, path)


def _simplified(model: Any, inputs: Sequence[TensorSpec]) -> Any:
    import onnxsim

    arrays = random_inputs(inputs, 1)
    shapes = {spec.name: list(array.shape) for spec, array in zip(inputs, arrays, strict=True)}
    try:
        with redirect_stdout(StringIO()):  # it prints its own progress
            simplified, equal = onnxsim.simplify(model, check_n=1, test_input_shapes=shapes, certify=False)
    except Exception as error:  # it runs both graphs, which may fail in any way
        raise ExportError(f"the exported graph cannot be simplified: {str(error).splitlines()[0]}") from error
    if not equal:
        raise ExportError("the simplified graph does not give the same output as the exported one")
    return simplified


def _check_names(graph: Any, identity_: Identity) -> None:
    """An input that the network does not use is not in the graph, and an output that nobody named has another name."""
    for tensors, values in ((identity_.inputs, graph.input), (identity_.outputs, graph.output)):
        wanted, got = [tensor.name for tensor in tensors], [value.name for value in values]
        if wanted != got:
            raise ExportError(f"the exported graph has the tensors {got}, not {wanted}")


def _name_axes(value: Any, tensor: TensorSpec) -> None:
    """Give the axes of a graph input or output their names and sizes."""
    axes = value.type.tensor_type.shape.dim
    if len(axes) != len(tensor.shape):
        raise ExportError(f"the graph's {value.name} has {len(axes)} axes, not those of {tensor.describe()}")
    for axis, size in zip(axes, tensor.shape, strict=True):
        if isinstance(size, str):
            axis.dim_param = size
        elif axis.HasField("dim_value") and axis.dim_value != size:
            raise ExportError(
                f"an axis of the graph's {value.name} has {axis.dim_value}, not as in {tensor.describe()}"
            )
        else:
            axis.dim_value = size


def _check_contract(model: Any) -> None:
    """What the conversion needs: one opset, weights inside, a valid graph."""
    import onnx

    opsets = [(opset.domain, opset.version) for opset in model.opset_import]
    if opsets != [("", OPSET)]:
        raise ExportError(f"the graph imports the opsets {opsets}, allowed is only version {OPSET} of the default one")
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the exported graph is not valid: {error}") from error
