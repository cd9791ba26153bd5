"""Toy models and data of the recorded ais_bench runs, by formula.

All numbers are small dyadic rationals, so results are exact whatever the order of summation, and files have the same
bytes everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelzoo.common import identity
from modelzoo.common.spec import BATCH, Dimension, Identity, TensorSpec

OPSET, IR_VERSION = 11, 8


def onnx_model(
    nodes: Sequence[Any],
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    constants: Mapping[str, np.ndarray] | None = None,
    identity_: Identity | None = None,
) -> Any:
    """An ONNX model with named free axes.

    Args:
        nodes: What `onnx.helper.make_node` returns.
        inputs: The graph's inputs.
        outputs: The graph's outputs.
        constants: Initialisers by name.
        identity_: Written into the metadata.

    Returns:
        The `onnx.ModelProto`.
    """
    import onnx
    from onnx import helper, numpy_helper

    def described(tensor: TensorSpec) -> Any:
        dtype = helper.np_dtype_to_tensor_dtype(np.dtype(tensor.dtype))
        return helper.make_tensor_value_info(tensor.name, dtype, list(tensor.shape))

    weights = [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "toy", list(map(described, inputs)), list(map(described, outputs)), weights)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    if identity_:
        helper.set_model_props(model, {identity.METADATA_KEY: identity.to_json(identity_)})
    onnx.checker.check_model(model)
    return model


def save_model(path: Path, model: Any) -> Path:
    """Write a model; return its path."""
    path.write_bytes(model.SerializeToString())
    return path


def toy_a(batch: Dimension = BATCH) -> Any:
    """`image` (B, 3, 8, 8) to `feat` (B, 2, 8, 8), a convolution and Relu, and `score` (B, 2), its mean."""
    from onnx.helper import make_node

    o, c, i, j = np.indices((2, 3, 3, 3))
    weight = ((o * 27 + c * 9 + i * 3 + j) % 7 - 3) / 8
    nodes = [
        make_node("Conv", ["image", "weight", "bias"], ["conv"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        make_node("Relu", ["conv"], ["feat"]),
        make_node("GlobalAveragePool", ["feat"], ["mean"]),
        make_node("Flatten", ["mean"], ["score"], axis=1),
    ]
    inputs = [TensorSpec("image", "float32", (batch, 3, 8, 8))]
    outputs = [TensorSpec("feat", "float32", (batch, 2, 8, 8)), TensorSpec("score", "float32", (batch, 2))]
    constants = {"weight": weight.astype(np.float32), "bias": np.array([0, 0.25], np.float32)}
    return onnx_model(nodes, inputs, outputs, constants)


def toy_b(batch: Dimension = BATCH) -> Any:
    """`image1` (B, 1, 4, 4) and `image2` (B, 3, 4, 4) to `sum` (B, 3, 4, 4) and `top` (B,), its maximum."""
    from onnx.helper import make_node

    nodes = [
        make_node("Add", ["image1", "image2"], ["sum"]),
        make_node("ReduceMax", ["sum"], ["top"], axes=[1, 2, 3], keepdims=0),
    ]
    inputs = [TensorSpec("image1", "float32", (batch, 1, 4, 4)), TensorSpec("image2", "float32", (batch, 3, 4, 4))]
    outputs = [TensorSpec("sum", "float32", (batch, 3, 4, 4)), TensorSpec("top", "float32", (batch,))]
    return onnx_model(nodes, inputs, outputs)


def doubler(shape: Sequence[Dimension], dtype: str = "float32", identity_: Identity | None = None) -> Any:
    """`x` of any shape, batch axis included, to `y` = 2 * `x`."""
    from onnx.helper import make_node

    x, y = (TensorSpec(name, dtype, tuple(shape)) for name in "xy")
    return onnx_model([make_node("Add", ["x", "x"], ["y"])], [x], [y], identity_=identity_)


def image(k: int) -> np.ndarray:
    """Input `k` of `toy_a`, `(3, 8, 8) float32`."""
    return (((k * 31 + np.arange(192)) % 17 - 8) / 4).astype(np.float32).reshape(3, 8, 8)


def grey(k: int) -> np.ndarray:
    """First input `k` of `toy_b`, `(1, 4, 4) float32`."""
    return (((k * 13 + np.arange(16)) % 11 - 5) / 2).astype(np.float32).reshape(1, 4, 4)


def colour(k: int) -> np.ndarray:
    """Second input `k` of `toy_b`, `(3, 4, 4) float32`."""
    return (((k * 7 + np.arange(48)) % 19 - 9) / 2).astype(np.float32).reshape(3, 4, 4)


def write_toys(folder: Path) -> Path:
    """Write the models (`toyA_bs1.onnx`, `toyA_bs4.onnx`, `toyA_free.onnx`, the same of B) and the data folders."""
    for name, model in (("toyA", toy_a), ("toyB", toy_b)):
        for suffix, batch in (("bs1", 1), ("bs4", 4), ("free", BATCH)):
            save_model(folder / f"{name}_{suffix}.onnx", model(batch))
    files = {f"bin10/img_{k + 1}.bin": image(k) for k in range(10)}
    files |= {f"dotted/{name}.bin": image(k) for k, name in enumerate(("a.x", "a.y", "B_2.jpg", "b_1"))}
    files |= {f"dirA/gray_{k}.bin": grey(k) for k in range(6)}
    files |= {f"dirB/rgb_{k}.bin": colour(k) for k in range(6)}
    files |= {f"dirB5/rgb_{k}.bin": colour(k) for k in range(5)}
    files |= {f"pairs/pair_{k}.bin": np.stack([image(2 * k), image(2 * k + 1)]) for k in range(5)}
    files |= {"odd/img_0.bin": image(0).ravel()[:100]}
    for name, array in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        array.tofile(folder / name)
    (folder / "npy10").mkdir()
    for k in range(10):
        np.save(folder / "npy10" / f"img_{k + 1}.npy", image(k)[None])
    (folder / "dotted" / "readme.txt").write_text("not an input")
    (folder / "empty").mkdir()
    return folder
