"""A feature network: what turns pictures into the vectors that FID compares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.batch import run_batch
from modelzoo.common.errors import DataError, MissingDependencyError, ModelError
from modelzoo.common.session import CHECKPOINT_SUFFIXES, Session, open_session
from modelzoo.common.work import Deferred, SampleInfo
from modelzoo.dgnet.fid.inception.weights import PUBLISHED, is_published, open_weights
from modelzoo.dgnet.fid.resize import resize_bilinear
from modelzoo.dgnet.fid.statistics import RunningStatistics, Statistics
from modelzoo.dgnet.spec import HEIGHT, WIDTH

if TYPE_CHECKING:
    import numpy as np

RANGES = {"0..255": (1, 0), "0..1": (255, 0), "-1..1": (127.5, 1)}
"""What a pixel is divided by, and what is subtracted then, by the values that a network takes."""

PROBE_SEED = 299


@dataclass(frozen=True, eq=False)
class Extractor:
    """A feature network.

    Args:
        session: Takes one float32 `(N, 3, H, W)`, and gives one array.
        source: The file that the user gave.
        values: What it takes for a pixel, a key of `RANGES`.
        kept: Where the export of a weights file lies.
    """

    session: Session
    source: Path
    values: str = "0..255"
    kept: Path | None = None

    def planes(self, pixels: np.ndarray) -> Deferred:
        """What the network takes for a picture.

        Args:
            pixels: `(256, 128, 3) uint8`, RGB, 0..255: after the protocol's resize.

        Returns:
            `(3, H, W) float32`, in the network's range and size.
        """
        return Deferred((3, *self.size), "float32", partial(self._fill, pixels))

    def features(self, pictures: np.ndarray) -> np.ndarray:
        """Compute the features of pictures, as one batch.

        Args:
            pictures: `(n, 256, 128, 3) uint8`, RGB, 0..255.

        Returns:
            `(n, d) float64`.

        Raises:
            DataError: A feature is not finite.
            ModelError: The network does not give one vector for each picture.
        """
        import numpy as np

        size = self.session.inputs[0].batch or len(pictures)
        planes = [(self.planes(pixels),) for pixels in pictures]
        parts = [run_batch(self.session, planes[start : start + size]) for start in range(0, len(planes), size)]
        outputs = [output for part in parts for (output,) in part.outputs]
        return np.stack([feature_of(output, f"picture {number}") for number, output in enumerate(outputs)])

    @property
    def published(self) -> bool:
        """Whether its FID can be compared with published ones: it is the network that they are computed with."""
        return self.values == "0..255" and is_published(self.session.identity)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that the network takes; those of the protocol where the file leaves them free."""
        height, width = self.session.inputs[0].shape[2:]
        return height if isinstance(height, int) else HEIGHT, width if isinstance(width, int) else WIDTH

    @cached_property
    def probe(self) -> np.ndarray:
        """The feature of one seeded picture, `(d,) float64`: networks that differ, or their ranges, differ in it."""
        import numpy as np

        pixels = np.random.default_rng(PROBE_SEED).integers(0, 256, (1, HEIGHT, WIDTH, 3), dtype=np.uint8)
        feature: np.ndarray = self.features(pixels)[0]
        return feature

    def _fill(self, pixels: np.ndarray, out: np.ndarray) -> None:
        import numpy as np

        divisor, subtracted = RANGES[self.values]
        planes = pixels.transpose(2, 0, 1)
        if self.size != (HEIGHT, WIDTH):
            planes = resize_bilinear(planes, self.size)
        np.divide(planes, np.float32(divisor), out=out)
        out -= np.float32(subtracted)


class FeatureStatistics:
    """The evaluator of a stream of pictures: takes their features, gives their mean and covariance."""

    def __init__(self) -> None:
        self._running = RunningStatistics()

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the network's output for one picture.

        Raises:
            DataError: It is not finite.
            ModelError: It is not one vector.
        """
        self._running.update(feature_of(outputs[0], info.source)[None])

    def result(self) -> dict[str, int]:
        """How many pictures there were; `statistics` has the rest."""
        return {"pictures": self._running.count}

    def statistics(self) -> Statistics:
        """Mean and covariance; see `RunningStatistics.result`."""
        return self._running.result()


def open_extractor(path: Path | None, values: str = "0..255") -> Extractor:
    """Open a feature network.

    Args:
        path: An .onnx that takes one float32 `(N, 3, H, W)` and gives one vector for each picture, or a weights file;
            see `inception.weights`.
        values: What it takes for a pixel, a key of `RANGES`; weights take `0..255`.

    Raises:
        MissingDependencyError: No file is given, or a weights file and no torch.
        ModelError: It is no such network.
    """
    if path is None:
        raise MissingDependencyError("FID needs a feature network: --features FILE.onnx or .pth", PUBLISHED)
    if path.suffix.lower() not in CHECKPOINT_SUFFIXES:
        session = open_session(path)
        _check(session, path)
        return Extractor(session, path, values)
    if values != "0..255":
        raise ModelError(f"{path} holds weights of a network that takes 0..255, not {values}")
    session, kept = open_weights(path)
    return Extractor(session, path, values, kept)


def feature_of(output: np.ndarray, name: str) -> np.ndarray:
    """The feature in the output for one picture.

    Args:
        output: `(1, ...)`, any numbers.
        name: What messages call the picture.

    Returns:
        `(d,) float64`.

    Raises:
        DataError: It is not finite.
        ModelError: It is not one vector.
    """
    import numpy as np

    feature: np.ndarray = output.astype(np.float64).ravel()
    if len(output) != 1 or not feature.size:
        raise ModelError(f"the feature network gives {output.shape} for one picture, not one vector")
    if not np.isfinite(feature).all():
        raise DataError(f"the feature of {name} is not finite", "does the network take this --features-range?")
    return feature


def _check(session: Session, path: Path) -> None:
    """Check that a network takes pictures and gives one array, as far as its file says."""
    inputs, outputs = session.inputs, session.outputs
    takes, gives = (", ".join(tensor.describe() for tensor in tensors) for tensors in (inputs, outputs))
    shape = inputs[0].shape
    if len(inputs) != 1 or inputs[0].dtype != "float32" or len(shape) != 4 or shape[1] not in (3, str(shape[1])):
        raise ModelError(f"{path} takes {takes}; a feature network takes one float32 (N, 3, H, W)", PUBLISHED)
    if len(outputs) != 1:
        raise ModelError(f"{path} gives {gives}; a feature network gives one vector for each picture", PUBLISHED)
    if "normalised" in inputs[0].layout:
        raise ModelError(f"{path} takes {inputs[0].layout}; a feature network takes pixels", PUBLISHED)
