"""GaitSet as data: tensors, forms of the exported graph, upstream commit, published numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from modelzoo.common.spec import BATCH, Identity, ModelSpec, TensorSpec, Upstream
from modelzoo.gaitset import __version__

HEIGHT, WIDTH = 64, 44
"""Size of an aligned silhouette as the network takes it; 64 x 64 with 10 columns cut off on each side."""

FRAMES = 100
"""Frames of a sequence in the guide's .bin files."""

DYNAMIC = "dynamic"

FRAME_COUNTS = (FRAMES, DYNAMIC)
"""How many frames a graph takes: always `FRAMES`, or as many as a sequence has."""

FREE_FRAMES = "frames"
"""The name of the frame axis where a graph leaves it free."""

PADDINGS = ("none", "zeros")
"""What a sequence means: all its frames and no others, or its first `FRAMES`, zero frames before a shorter one."""

DATASETS = ("casia-b", "oumvlp")
"""The published networks, by the data set they were trained on."""

SEQUENCES = {
    "float32": TensorSpec("image_seq", "float32", (BATCH, FRAMES, HEIGHT, WIDTH), "NTHW silhouettes, 0..1"),
    "uint8": TensorSpec("image_seq", "uint8", (BATCH, FRAMES, HEIGHT, WIDTH), "NTHW silhouettes, 0..255"),
}
"""The input, by `--dtype`."""

SPEC = ModelSpec(
    name="gaitset",
    title="GaitSet",
    inputs=(SEQUENCES["float32"],),
    outputs=(TensorSpec("feature", "float32", (BATCH, 62, 256)),),
    upstream=Upstream(
        url="https://github.com/AbnerHqC/GaitSet",
        commit="14ee4e67e39373cbb9c631d08afceaf3a23b72ce",
        licence="free for non-commercial use",
    ),
    network="modelzoo.gaitset.weights:load_network",
    input_format="ND",
    tolerance=1e-4,
)

UPSTREAM_PATCH = Path(__file__).with_name("upstream.patch")
"""What the published source needs to run here."""

REFERENCE = Path(__file__).with_name("reference.toml")
"""Published accuracy and throughput, and where weights and data come from."""


def spec_of(frames: int | str = FRAMES, dtype: str = "float32") -> ModelSpec:
    """The specification with the tensors of a frame count and an input type."""
    count = FREE_FRAMES if frames == DYNAMIC else frames
    return replace(SPEC, inputs=(replace(SEQUENCES[dtype], shape=(BATCH, count, HEIGHT, WIDTH)),))


def identity_of(dataset: str, frames: int | str, padding: str, dtype: str) -> Identity:
    """What an exported file says of itself."""
    spec = spec_of(frames, dtype)
    form: dict[str, Any] = {"dataset": dataset, "frames": frames, "padding": padding, "dtype": dtype}
    return Identity(spec.name, __version__, spec.inputs, spec.outputs, form, atc={"input_format": spec.input_format})
