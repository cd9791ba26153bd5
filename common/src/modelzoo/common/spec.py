"""What a model is, as data: its tensors, where it comes from, how to build its network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Dimension = int | str
"""A fixed size, or the name of a free axis (`N` is always the batch)."""

BATCH = "N"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Args:
        name: The tensor's name in the graph.
        dtype: A NumPy dtype name, such as `float32`.
        shape: One entry per axis, the batch first: a size, or the name of a free axis.
        layout: What the axes and values are, for people and for the exporter (`NCHW RGB, normalised`).
        aliases: Other names under which guides and older exports know this tensor.

    >>> image = TensorSpec("image", "float32", ("N", 3, 256, 128))
    >>> image.sample_shape, image.sample_bytes()
    ((3, 256, 128), 393216)
    """

    name: str
    dtype: str
    shape: tuple[Dimension, ...]
    layout: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def batch(self) -> int | None:
        """The batch size that the graph is fixed to, or None where it is free."""
        return self.shape[0] if self.shape and isinstance(self.shape[0], int) else None

    @property
    def sample_shape(self) -> tuple[Dimension, ...]:
        """The shape without the batch axis."""
        return self.shape[1:]

    @property
    def free_axes(self) -> int:
        """How many axes besides the batch have no fixed size."""
        return sum(not isinstance(size, int) for size in self.sample_shape)

    @property
    def item_bytes(self) -> int:
        """Bytes of one number."""
        import numpy as np

        return np.dtype(self.dtype).itemsize

    def sample_bytes(self) -> int:
        """Bytes of one sample, with every free axis counted as 1."""
        return self.item_bytes * math.prod(size for size in self.sample_shape if isinstance(size, int))

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of this shape, batch axis included, fits."""
        fits = (not isinstance(want, int) or want == have for want, have in zip(self.shape, shape, strict=False))
        return len(shape) == len(self.shape) and all(fits)

    def describe(self) -> str:
        """`image float32 (N, 3, 256, 128)`."""
        return f"{self.name} {self.dtype} ({', '.join(map(str, self.shape))})"


@dataclass(frozen=True)
class Upstream:
    """The published source of a network: where it is, at which commit, under which licence."""

    url: str
    commit: str
    licence: str


@dataclass(frozen=True)
class Gate:
    """What a converted model has to meet, beside the checkpoint in torch.

    Args:
        max_rel: Largest absolute difference of an output, in units of its largest value.
        min_cosine: Smallest cosine similarity of a sample's output.
        metric: Largest difference of each gated metric.
    """

    max_rel: float
    min_cosine: float
    metric: float


@dataclass(frozen=True)
class ModelSpec:
    """What `common` needs to know of a model.

    Args:
        name: The package's short name.
        title: The model's name in print.
        inputs: The tensors of the default export.
        outputs: The tensors of the default export.
        upstream: Where the network was published.
        network: `module:function` that loads a checkpoint and returns the torch module; called with the path
            and the keyword arguments of the form. Named, not imported, because it needs torch.
        input_format: What ATC takes as `--input_format`.
        tolerance: Largest absolute difference of an exported graph's outputs from the network's.
        npu_gate: What an .om has to meet; ATC computes in half precision unless told otherwise.
        usual: Lengths of free axes, by name, at which a benchmark measures.
    """

    name: str
    title: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    upstream: Upstream
    network: str
    input_format: str
    tolerance: float
    npu_gate: Gate = Gate(max_rel=1e-2, min_cosine=0.999, metric=5e-3)
    usual: Mapping[Dimension, int] = field(default_factory=dict)

    @property
    def gate(self) -> Gate:
        """What every form in single precision has to meet."""
        return Gate(self.tolerance, min_cosine=0.99999, metric=1e-3)


@dataclass(frozen=True)
class Identity:
    """What a model file says of itself, kept in its metadata.

    Args:
        model: `ModelSpec.name`.
        version: Version of the package that exported it.
        inputs: Its input tensors.
        outputs: Its output tensors.
        form: The choices made at export, such as `{"neck_feat": "after"}`.
        atc: Rules for the conversion, such as `{"input_format": "NCHW"}`.
    """

    model: str
    version: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    form: Mapping[str, Any] = field(default_factory=dict)
    atc: Mapping[str, Any] = field(default_factory=dict)
