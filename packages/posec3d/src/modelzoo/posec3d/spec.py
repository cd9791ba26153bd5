"""PoseC3D as data: tensors, forms of the exported graph, upstream commit, published numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from modelzoo.common.spec import BATCH, Identity, ModelSpec, TensorSpec, Upstream
from modelzoo.posec3d import __version__

CLIPS = 20
"""Clips of a sample: `VIEWS` samplings of the frames, and each of them flipped."""

VIEWS = CLIPS // 2
"""Samplings of the frames of a sample."""

FRAMES = 48
"""Frames of a clip."""

JOINTS = 17
"""Keypoints of COCO: the channels of a clip."""

SIZE = 56
"""Height and width of a heat map."""

CLASSES = 51
"""Actions of HMDB51."""

MOST_CLASSES = 5_000
"""Actions, at most: a matrix of which are taken for which has to fit into memory, and no data set has as many."""

PERSONS, DISTINCT = "persons", "frames"
"""The names of the free axes: people of a sample, and its distinct frames."""

CLIP_ROWS = f"{BATCH}*{CLIPS}"
"""The name of the output's first axis: `CLIPS` rows for every sample of a batch."""

INPUTS = {
    "volumes": (
        TensorSpec(
            "clips",
            "float32",
            (BATCH, CLIPS, JOINTS, FRAMES, SIZE, SIZE),
            "heat maps, 0..1; the second half of the clips is flipped",
            aliases=("onnx::Reshape_0",),
        ),
    ),
    "keypoints": (
        TensorSpec(
            "keypoints",
            "float32",
            (BATCH, PERSONS, VIEWS, FRAMES, JOINTS, 3),
            f"x and y in pixels of the {SIZE} x {SIZE} map, score",
        ),
    ),
    "frames": (
        TensorSpec(
            "frames",
            "float32",
            (BATCH, DISTINCT, JOINTS, SIZE, SIZE),
            "heat maps of every distinct frame, then of the same frames flipped, 0..1",
        ),
        TensorSpec("indices", "int64", (BATCH, CLIPS, FRAMES), "which of `frames` a clip is made of"),
    ),
}
"""What a graph takes, by `--input`."""

SPEC = ModelSpec(
    name="posec3d",
    title="PoseC3D",
    inputs=INPUTS["volumes"],
    outputs=(TensorSpec("logits", "float32", (CLIP_ROWS, CLASSES), "before softmax, a row for every clip"),),
    upstream=Upstream(
        url="https://github.com/open-mmlab/mmaction2",
        commit="699e31a05ccad111c2b0da31c31323fc6e5097a2",
        licence="Apache-2.0",
    ),
    network="modelzoo.posec3d.weights:load_network",
    input_format="ND",
    tolerance=1e-5,
    usual={PERSONS: 2, DISTINCT: 192},
)

HEAT_MAP_OPERATORS = (
    *("Cast", "Equal", "Exp", "Floor", "Greater", "Less", "LogicalAnd", "LogicalNot", "LogicalOr", "Maximum", "Mul"),
    *("ReduceMax", "Select", "SelectV2", "Sub"),
)
"""Types of the operators that draw the heat maps of a graph, by ATC's names; the network has none of them."""

KEEP_DTYPE = tuple(f"OpType::{name}" for name in HEAT_MAP_OPERATORS)
"""Which operators of a graph of `keypoints` stay in single precision: in half, windows move by whole pixels."""

UPSTREAM_PATCH = Path(__file__).with_name("upstream.patch")
"""What the published source needs to run here."""

REFERENCE = Path(__file__).with_name("reference.toml")
"""Published accuracy and throughput, and where weights and data come from."""


@dataclass(frozen=True)
class Structure:
    """What a checkpoint's keys and shapes say of its network.

    Args:
        joints: Channels of a clip.
        width: Channels of the first convolution.
        blocks: Bottlenecks of each of the three stages.
        classes: Actions that it tells apart.
    """

    joints: int = JOINTS
    width: int = 32
    blocks: tuple[int, ...] = (3, 4, 6)
    classes: int = CLASSES

    def options(self) -> dict[str, str]:
        """By name, in words."""
        return {**{key: str(value) for key, value in asdict(self).items()}, "blocks": "-".join(map(str, self.blocks))}

    def __str__(self) -> str:
        blocks = self.options()["blocks"]
        return f"PoseC3D of {self.joints} joints, {self.width} channels, {blocks} blocks and {self.classes} classes"


def spec_of(
    form: str = "volumes", classes: int = CLASSES, persons: int | None = None, joints: int = JOINTS
) -> ModelSpec:
    """The specification with the tensors of a form.

    Args:
        form: A key of `INPUTS`.
        classes: Actions that the checkpoint tells apart.
        persons: People of a sample where the graph of `keypoints` fixes their number.
        joints: Channels of a clip.
    """
    sizes = {JOINTS: joints} | ({PERSONS: persons} if persons else {})
    inputs = tuple(
        replace(tensor, shape=tuple(sizes.get(axis, axis) for axis in tensor.shape)) for tensor in INPUTS[form]
    )
    return replace(SPEC, inputs=inputs, outputs=(replace(SPEC.outputs[0], shape=(CLIP_ROWS, classes)),))


def identity_of(
    form: str = "volumes", classes: int = CLASSES, persons: int | None = None, joints: int = JOINTS
) -> Identity:
    """What an exported file says of itself; the arguments are those of `spec_of`."""
    spec = spec_of(form, classes, persons, joints)
    said = {"input": form, "classes": classes}
    rules: dict[str, Any] = {"input_format": spec.input_format}
    if form == "keypoints":
        rules["keep_dtype"] = list(KEEP_DTYPE)
    return Identity(spec.name, __version__, spec.inputs, spec.outputs, said, atc=rules)
