"""DG-Net as data: tensors, forms of the exported graphs, upstream commit, published numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from modelzoo.common.spec import BATCH, Identity, ModelSpec, TensorSpec, Upstream
from modelzoo.dgnet import __version__

HEIGHT, WIDTH = 256, 128
"""Size of a picture."""

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""What R, G and B, scaled to 0..1, are normalised with; grey is the mean of the three normalised channels."""

PICTURES = {
    "float32": (
        TensorSpec("image1", "float32", (BATCH, 1, HEIGHT, WIDTH), "NCHW grey, normalised: the structure"),
        TensorSpec("image2", "float32", (BATCH, 3, HEIGHT, WIDTH), "NCHW RGB, normalised: the appearance"),
    ),
    "uint8": (
        TensorSpec("image1", "uint8", (BATCH, HEIGHT, WIDTH, 3), "NHWC RGB, 0..255: the structure"),
        TensorSpec("image2", "uint8", (BATCH, HEIGHT, WIDTH, 3), "NHWC RGB, 0..255: the appearance"),
    ),
}
"""The inputs, by `--dtype`: structure and appearance, in the order in which the guide gives their folders."""

OUTPUT = TensorSpec("output", "float32", (BATCH, 3, HEIGHT, WIDTH), "NCHW RGB, normalised: the generated picture")

STRUCTURE = TensorSpec("structure", "float32", (BATCH, 128, HEIGHT // 4, WIDTH // 4), "a structure code")
APPEARANCE = TensorSpec("appearance", "float32", (BATCH, 8192), "an appearance code")

KEEP_DTYPE = ("OpType::InstanceNorm", "OpType::Pow", "OpType::ReduceMean")
"""What ATC has to compute in single precision, as in the guide's keep.cfg: all that normalises."""

SPEC = ModelSpec(
    name="dgnet",
    title="DG-Net",
    inputs=PICTURES["float32"],
    outputs=(OUTPUT,),
    upstream=Upstream(
        url="https://github.com/NVlabs/DG-Net",
        commit="c7771598648520d960362912c6217a298a5d6ab8",
        licence="CC BY-NC-SA 4.0",
    ),
    network="modelzoo.dgnet.weights:load_network",
    input_format="NCHW",
    tolerance=1e-4,
)

UPSTREAM_PATCH = Path(__file__).with_name("upstream.patch")
"""What the published source needs to run here."""

REFERENCE = Path(__file__).with_name("reference.toml")
"""Published accuracy and throughput, and where weights and data come from."""

PARTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "whole": (("image1", "image2"), ("output",)),
        "structure": (("image1",), ("structure",)),
        "appearance": (("image2",), ("appearance",)),
        "decoder": (("structure", "appearance"), ("output",)),
    }
)
"""Inputs and outputs of the exported graphs: the whole network, its two encoders, and its decoder."""

KEPT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"whole": KEEP_DTYPE, "structure": KEEP_DTYPE[:1], "appearance": (), "decoder": KEEP_DTYPE}
)
"""What of `KEEP_DTYPE` there is in each graph; the appearance encoder's normalisations are part of its convolutions."""


def spec_of(part: str = "whole", dtype: str = "float32") -> ModelSpec:
    """The specification with the tensors of a graph.

    Args:
        part: A key of `PARTS`.
        dtype: A key of `PICTURES`.
    """
    tensors = {tensor.name: tensor for tensor in (*PICTURES[dtype], OUTPUT, STRUCTURE, APPEARANCE)}
    inputs, outputs = (tuple(tensors[name] for name in names) for names in PARTS[part])
    return replace(SPEC, inputs=inputs, outputs=outputs)


def identity_of(part: str = "whole", dtype: str = "float32") -> Identity:
    """What an exported file says of itself; the arguments are those of `spec_of`."""
    spec = spec_of(part, dtype)
    pictures = all(len(tensor.shape) == 4 and tensor.dtype == "float32" for tensor in spec.inputs)
    rules = {"input_format": SPEC.input_format if pictures else "ND", "keep_dtype": list(KEPT[part])}
    return Identity(spec.name, __version__, spec.inputs, spec.outputs, {"part": part, "dtype": dtype}, atc=rules)
