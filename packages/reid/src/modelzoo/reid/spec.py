"""The re-identification model as data: tensors, upstream commit, published numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from modelzoo.common.spec import BATCH, Identity, ModelSpec, TensorSpec, Upstream
from modelzoo.reid import __version__

HEIGHT, WIDTH = 256, 128

MEAN = (0.485, 0.456, 0.406)
"""ImageNet mean of each channel, RGB, of pixels scaled to 0..1."""

STD = (0.229, 0.224, 0.225)
"""ImageNet standard deviation of each channel, RGB, of pixels scaled to 0..1."""

NECK_FEATS = ("after", "before")

FEATURE_SIZES = {
    "resnet18": 512,
    "resnet34": 512,
    "resnet50": 2048,
    "resnet101": 2048,
    "resnet152": 2048,
    "se_resnet50": 2048,
    "se_resnet101": 2048,
    "se_resnet152": 2048,
    "se_resnext50": 2048,
    "se_resnext101": 2048,
    "senet154": 2048,
    "resnet50_ibn_a": 2048,
}
"""Length of the feature of every backbone."""

BACKBONES = tuple(FEATURE_SIZES)

IMAGES = {
    "float32": TensorSpec("image", "float32", (BATCH, 3, HEIGHT, WIDTH), "NCHW RGB, normalised by mean and deviation"),
    "uint8": TensorSpec("image", "uint8", (BATCH, HEIGHT, WIDTH, 3), "NHWC RGB, 0..255"),
}
"""The input, by `--dtype`."""

SPEC = ModelSpec(
    name="reid",
    title="ReID strong baseline",
    inputs=(IMAGES["float32"],),
    outputs=(TensorSpec("feature", "float32", (BATCH, FEATURE_SIZES["resnet50"])),),
    upstream=Upstream(
        url="https://github.com/michuanhaohao/reid-strong-baseline",
        commit="3da7e6f03164a92e696cb6da059b1cd771b0346d",
        licence="MIT",
    ),
    network="modelzoo.reid.weights:load_network",
    input_format="NCHW",
    tolerance=1e-4,
)

UPSTREAM_PATCH = Path(__file__).with_name("upstream.patch")
"""What the published source needs to run here."""

REFERENCE = Path(__file__).with_name("reference.toml")
"""Published accuracy and throughput, and where weights and data come from."""


def spec_of(backbone: str = "resnet50", dtype: str = "float32") -> ModelSpec:
    """The specification with the tensors of a backbone and an input type."""
    feature = replace(SPEC.outputs[0], shape=(BATCH, FEATURE_SIZES[backbone]))
    return replace(SPEC, inputs=(IMAGES[dtype],), outputs=(feature,))


def identity_of(backbone: str, neck_feat: str, dtype: str) -> Identity:
    """What an exported file says of itself."""
    spec = spec_of(backbone, dtype)
    form: dict[str, Any] = {"backbone": backbone, "neck_feat": neck_feat, "dtype": dtype}
    return Identity(spec.name, __version__, spec.inputs, spec.outputs, form, atc={"input_format": _input_format(dtype)})


def _input_format(dtype: str) -> str:
    """ATC refuses NHWC for ONNX; ND leaves the pixel layout alone."""
    return "NCHW" if dtype == "float32" else "ND"
