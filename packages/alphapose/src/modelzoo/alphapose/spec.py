"""The pose network and the person detector as data: tensors, forms of the exported graph, upstream commit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from modelzoo.alphapose import __version__
from modelzoo.common.spec import BATCH, Identity, ModelSpec, TensorSpec, Upstream

HEIGHT, WIDTH = 256, 192
"""Size of a person's crop."""

MAP_HEIGHT, MAP_WIDTH = HEIGHT // 4, WIDTH // 4
"""Size of a heat map."""

JOINTS = 17
"""Keypoints of COCO."""

DETECTOR_SIZE = 608
"""Height and width of the detector's letterboxed picture."""

MEAN = (0.406, 0.457, 0.48)
"""What the published network takes off R, G and B, scaled to 0..1: the means of B, G and R, as it was trained."""

LAYERS = (50, 101, 152)
"""Depths of the backbone. With 18 and 34, which the upstream names too, its network cannot be built."""

IMAGES = {
    "float32": TensorSpec("image", "float32", (BATCH, 3, HEIGHT, WIDTH), "NCHW RGB, 0..1 minus the means"),
    "uint8": TensorSpec("image", "uint8", (BATCH, HEIGHT, WIDTH, 3), "NHWC RGB, 0..255"),
}
"""The pose network's input, by `--dtype`."""

UPSTREAM = Upstream(
    url="https://github.com/MVIG-SJTU/AlphaPose",
    commit="ddaf4b99327132f7617a768a75f7cb94870ed57c",
    licence="free for non-commercial use",
)

SPEC = ModelSpec(
    name="alphapose",
    title="AlphaPose",
    inputs=(IMAGES["float32"],),
    outputs=(TensorSpec("output", "float32", (BATCH, JOINTS, MAP_HEIGHT, MAP_WIDTH), "a heat map of every joint"),),
    upstream=UPSTREAM,
    network="modelzoo.alphapose.weights:load_network",
    input_format="NCHW",
    tolerance=1e-4,
)
"""The pose network."""

DETECTOR = ModelSpec(
    name="alphapose",
    title="YOLOv3-SPP",
    inputs=(TensorSpec("image", "float32", (BATCH, 3, DETECTOR_SIZE, DETECTOR_SIZE), "NCHW RGB, 0..1"),),
    outputs=(TensorSpec("rows", "float32", (BATCH, 22743, 85), "cx, cy, w, h, objectness, 80 classes"),),
    upstream=UPSTREAM,
    network="modelzoo.alphapose.detector.weights:load_network",
    input_format="NCHW",
    tolerance=1e-4,
)
"""The person detector."""

UPSTREAM_PATCH = Path(__file__).with_name("upstream.patch")
"""What the published source needs to run here."""

REFERENCE = Path(__file__).with_name("reference.toml")
"""Published accuracy and throughput, and where weights and data come from."""


@dataclass(frozen=True)
class Structure:
    """What a checkpoint's keys and shapes say of its network.

    Args:
        layers: Depth of the backbone, one of `LAYERS`.
        joints: Heat maps that it makes.
        conv_dim: Channels before the heat maps, 128 or 256.
    """

    layers: int = 50
    joints: int = JOINTS
    conv_dim: int = 128

    def options(self) -> dict[str, int]:
        """By name."""
        return asdict(self)

    def __str__(self) -> str:
        return f"FastPose of {self.layers} layers, {self.joints} joints and CONV_DIM {self.conv_dim}"


@dataclass(frozen=True)
class Form:
    """What of the work around the network is in the graph.

    Args:
        flip_test: The mirrored image is computed as well, and the mean of both heat maps given.
        decode: The graph ends in keypoints, not in heat maps.
        dtype: `float32` for normalised crops, `uint8` for pixels.
    """

    flip_test: bool = False
    decode: bool = False
    dtype: str = "float32"

    def options(self) -> dict[str, bool | str]:
        """Keyword arguments of `weights.load_network`."""
        return asdict(self)


def spec_of(form: Form, joints: int = JOINTS) -> ModelSpec:
    """The specification with the tensors of a form."""
    shape = (BATCH, joints, 3) if form.decode else (BATCH, joints, MAP_HEIGHT, MAP_WIDTH)
    layout = "x and y in heat-map pixels, score" if form.decode else SPEC.outputs[0].layout
    return replace(SPEC, inputs=(IMAGES[form.dtype],), outputs=(TensorSpec("output", "float32", shape, layout),))


def identity_of(structure: Structure, form: Form) -> Identity:
    """What an exported file says of itself."""
    spec = spec_of(form, structure.joints)
    said = {"layers": structure.layers, "joints": structure.joints, "size": f"{HEIGHT}x{WIDTH}", **form.options()}
    input_format = SPEC.input_format if form.dtype == "float32" else "ND"  # ATC refuses NHWC for ONNX
    return Identity(spec.name, __version__, spec.inputs, spec.outputs, said, atc={"input_format": input_format})
