"""Golden weights: a rule that fills every tensor of a checkpoint from its key, repeatable without torch."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

RANGES = dict.fromkeys(("bias", "beta", "running_mean"), (-0.1, 0.1))
RANGES |= dict.fromkeys(("weight", "gamma", "running_var"), (0.5, 1.5))


def golden_tensor(key: str, shape: Sequence[int], gains: Mapping[str, float]) -> np.ndarray:
    """Fill one tensor.

    Args:
        key: Its key in the checkpoint.
        shape: Its shape.
        gains: Factor for one-dimensional tensors whose key has this ending.

    Returns:
        float32, or an int64 zero for a counter of batches.
    """
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return np.zeros((), np.int64)
    if len(shape) > 1:
        scale = np.float32(math.sqrt(2.0 / math.prod(shape[1:])))
        return rng.standard_normal(shape).astype(np.float32) * scale
    gain = next((gain for ending, gain in gains.items() if key.endswith(ending)), 1.0)
    return rng.uniform(*RANGES[leaf], shape).astype(np.float32) * np.float32(gain)
