"""Images to features: the one way of `extract`, `search` and the Python class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from modelzoo.common.progress import progress
from modelzoo.common.session import Session
from modelzoo.common.stream import StreamStats, stream
from modelzoo.common.work import SampleInfo, Threads
from modelzoo.reid.features.rows import PlacedRows
from modelzoo.reid.preprocess import opened_units

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Named: TypeAlias = tuple[str, Callable[[], Image.Image]]
    """What messages call an image, and what decodes it to 128 x 256 RGB."""

    Keep: TypeAlias = Callable[[int, str, np.ndarray], None]
    """Takes the number of an image, what messages call it, and its feature, `(d,) float32`."""


@dataclass(frozen=True)
class ExtractOptions:
    """How to compute features.

    Args:
        batchsize: Images per batch, where the model leaves it free.
        threads: What decodes.
        on_error: `fail` or `skip` for images that cannot be read.
        shown: Whether a terminal shows how far it is.
    """

    batchsize: int
    threads: Threads
    on_error: str = "fail"
    shown: bool = False


@dataclass(frozen=True, eq=False)
class Extracted:
    """Features of images.

    Args:
        numbers: Which of the images could be read, ascending.
        features: `(len(numbers), d) float32`, as the model gives them.
        stats: What happened on the way; what was skipped stands there.
    """

    numbers: list[int]
    features: np.ndarray
    stats: StreamStats


def extract(images: Iterable[Named], session: Session, options: ExtractOptions) -> Extracted:
    """Compute the feature of every image.

    Args:
        images: The images.
        session: The model.
        options: How to.

    Raises:
        DataError: An image cannot be read and `options.on_error` is `fail`, or a feature is not finite.
        ModelError: The model does not take these images.
    """
    listed = list(images)
    rows = PlacedRows(len(listed))
    stats = extract_each(listed, session, options, rows.put)
    return Extracted(rows.numbers, rows.close_up(), stats)


def extract_each(images: Sequence[Named], session: Session, options: ExtractOptions, keep: Keep) -> StreamStats:
    """Compute the feature of every image and give it away at once, so that an error later does not take it along.

    Args:
        images: The images.
        session: The model; its input's dtype says whether it takes pixels or normalised images.
        options: How to.
        keep: Takes every feature.

    Returns:
        What happened on the way; what was skipped stands there.

    Raises:
        DataError: An image cannot be read and `options.on_error` is `fail`.
        ModelError: The model does not take these images.
    """
    units = opened_units(images, session.inputs[0].dtype)
    batchsize = session.inputs[0].batch or options.batchsize
    seen = progress(units, len(units), "features", "image") if options.shown else units
    return stream(seen, session, _Collector(keep), batchsize, options.threads, options.on_error)


class _Collector:
    """Gives away what the model gives."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._count = 0

    def update(self, info: SampleInfo, outputs: tuple[np.ndarray, ...]) -> None:
        """Take the feature of one image, `(1, d) float32`."""
        self._keep(info.fields["number"], info.source, outputs[0].ravel())
        self._count += 1

    def result(self) -> dict[str, Any]:
        """How many there are."""
        return {"images": self._count}
