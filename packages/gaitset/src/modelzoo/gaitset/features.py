"""Features as they come out of a model: checked, and kept in one array."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.common.work import SampleInfo
from modelzoo.gaitset.spec import SPEC

if TYPE_CHECKING:
    import numpy as np

SHAPE = SPEC.outputs[0].sample_shape

LARGEST = 1e37
"""Squared length from which sums of squares leave the range of float32."""


class FeatureCollector:
    """The evaluator of whoever wants the features themselves.

    Args:
        capacity: The largest number of sequences.
    """

    def __init__(self, capacity: int) -> None:
        import numpy as np

        self._rows = np.empty((capacity, math.prod(map(int, SHAPE))), np.float32)
        self.infos: list[SampleInfo] = []
        """The sequences whose features were taken."""

    @property
    def features(self) -> np.ndarray:
        """`(n, 15872) float32`, in the order of `infos`."""
        return self._rows[: len(self.infos)]

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the feature of one sequence.

        Args:
            info: The sequence.
            outputs: `(1, 62, 256) float32`.

        Raises:
            DataError: The feature has another shape, is not finite, or too large.
        """
        import numpy as np

        shape, feature = outputs[0].shape, outputs[0].ravel()
        if shape != (1, *SHAPE):
            raise DataError(f"the feature of {info.source} has shape {shape}, not {(1, *SHAPE)}")
        with np.errstate(over="ignore", invalid="ignore"):
            if not np.dot(feature, feature) < LARGEST:
                raise DataError(f"the feature of {info.source} is not finite, or too large to compute distances with")
        self._rows[len(self.infos)] = feature
        self.infos.append(info)

    def result(self) -> dict[str, Any]:
        """How many features there are."""
        return {"sequences": len(self.infos)}
