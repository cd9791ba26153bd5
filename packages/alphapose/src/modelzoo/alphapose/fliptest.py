"""The flip test around a model that has none in its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelzoo.alphapose.heatmaps import merge_flipped
from modelzoo.common.session import Session

if TYPE_CHECKING:
    import numpy as np


class FlipTestSession:
    """A session that runs another one on crops and on their mirror images, and gives the mean of their heat maps.

    Args:
        session: A model of heat maps.
    """

    def __init__(self, session: Session) -> None:
        self.backend = session.backend
        self.inputs = session.inputs
        self.outputs = session.outputs
        self.identity = session.identity
        self._session = session

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run one batch; see `Session.run`."""
        import numpy as np

        (image,) = inputs
        mirrored = image[:, :, ::-1] if self.inputs[0].dtype == "uint8" else image[..., ::-1]
        (straight,) = self._session.run(image)
        (flipped,) = self._session.run(np.ascontiguousarray(mirrored))
        return (merge_flipped(straight, flipped),)
