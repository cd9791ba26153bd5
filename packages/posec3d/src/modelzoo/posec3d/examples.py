"""Made-up samples in every form of input, for comparing graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelzoo.posec3d.spec import SIZE

if TYPE_CHECKING:
    import numpy as np

    from modelzoo.common.spec import TensorSpec

SAMPLES = 2

FREE_LENGTH = 6
"""Length of every free axis; not that of a trace."""

BESIDE = 3.0
"""How many pixels beside the map a joint may be."""

LIT = 1 / 32
"""How many of the pixels of a heat map are not 0."""


def make_examples(inputs: Sequence[TensorSpec]) -> list[np.ndarray]:
    """Seeded samples.

    Args:
        inputs: The tensors of a form.

    Returns:
        `(2, ...)` for each of them.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    arrays = []
    for tensor in inputs:
        shape = (SAMPLES, *(axis if isinstance(axis, int) else FREE_LENGTH for axis in tensor.sample_shape))
        if tensor.name == "indices":
            arrays.append(rng.integers(0, FREE_LENGTH, shape))
        elif tensor.name == "keypoints":
            lowest, highest = np.array([(-BESIDE, -BESIDE, 0), (SIZE + BESIDE, SIZE + BESIDE, 1)])
            arrays.append((lowest + (highest - lowest) * rng.random(shape)).astype(np.float32))
        else:
            values = rng.random(shape, np.float32)
            arrays.append(np.maximum(1 - values / np.float32(LIT), 0, out=values))
    return arrays
