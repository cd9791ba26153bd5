"""Re-identification in a few lines of Python.

from modelzoo.reid import ReID

model = ReID("ReID.onnx")
features = model(images)
ranking = model.search(query, gallery)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from modelzoo.common.errors import DataError, UsageError
from modelzoo.common.work import Threads, available_cores
from modelzoo.reid.features.rows import LARGEST
from modelzoo.reid.form import open_model

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from modelzoo.reid.ranking.nearest import Ranking
    from modelzoo.reid.ranking.pairs import Metric

Picture: TypeAlias = "str | os.PathLike[str] | Image.Image | np.ndarray"
"""A path, a Pillow image, or `(H, W, 3) uint8`, RGB, 0..255."""

PICTURES = "a picture is a path, a Pillow image or an array"
FEATURES = "features are one NumPy array (n, d) of a floating-point type, as the model gives them"


class ReID:
    """A re-identification model.

    Args:
        model: `.onnx`, `.om`, or a checkpoint.
        batchsize: Images per batch, where the model leaves it free.
        workers: Threads that decode; None for one per core.
        device: Number of the accelerator; CPU backends ignore it.
        backbone: Which network it is; None for what the file says, and `resnet50` for a checkpoint, which says nothing.
        neck_feat: Which feature it gives, `after` or `before` the neck; None for what the file says, and `after` for a
            checkpoint.

    Raises:
        UsageError: A value does not exist, or does not fit what the file says.
        ModelError: The file is no model of this package.
        MissingDependencyError: Its backend is not installed.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        batchsize: int = 8,
        workers: int | None = None,
        device: int = 0,
        backbone: str | None = None,
        neck_feat: str | None = None,
    ) -> None:
        for name, number, least in (("batchsize", batchsize, 1), ("workers", workers, 1), ("device", device, 0)):
            if number is not None and number < least:
                raise UsageError(f"{name} is {number}; it is at least {least}")
        self.session = open_model(Path(model), {"backbone": backbone, "neck_feat": neck_feat}, device)
        self._batchsize = batchsize
        self._workers = available_cores() if workers is None else workers

    def __call__(self, images: Picture | Iterable[Picture]) -> np.ndarray:
        """Compute features.

        Args:
            images: One picture or several; an `(N, H, W, 3)` array is several.

        Returns:
            `(n, d) float32`, as the model gives them, one row per picture.

        Raises:
            DataError: One of them is no picture, or cannot be read.
        """
        return self._compute(_listed(images, "images"), "images")

    def search(
        self,
        query: Picture | Iterable[Picture],
        gallery: Picture | Iterable[Picture],
        top: int = 10,
        metric: Metric = "cosine",
        threshold: float | None = None,
    ) -> Ranking:
        """Rank a gallery for every query; a picture that is on both sides is its own first answer.

        Args:
            query: Pictures, or features that are computed already: one NumPy array `(q, d)` of a floating-point type.
            gallery: Pictures or features, `(g, d)`.
            top: Answers per query, at most.
            metric: `cosine`: 1 - cosine, 0..2; `euclidean`: of the features as they are.
            threshold: Largest distance of an answer.

        Returns:
            Numbers in the gallery and distances, nearest first; see `Ranking`.

        Raises:
            DataError: Something is no picture and no feature, cannot be read, or is too large to compute with.
            UsageError: `top`, `metric` or `threshold` has no such value.
        """
        from modelzoo.reid.ranking.nearest import nearest

        return nearest(self._features(query, "query"), self._features(gallery, "gallery"), top, metric, threshold)

    def _features(self, given: Picture | Iterable[Picture], what: str) -> np.ndarray:
        """What is given, or the features of it, `(n, d) float32`."""
        import numpy as np

        if isinstance(given, np.ndarray) and given.dtype.kind == "f":
            return _checked(given, what)
        images = _listed(given, what)
        wrong = next((image for image in images if not _may_be_picture(image)), None)
        if wrong is not None:
            kind = f"{wrong.dtype} {wrong.shape}" if isinstance(wrong, np.ndarray) else type(wrong).__name__
            raise DataError(f"the {what} holds something of type {kind}, which is no picture; {PICTURES}", FEATURES)
        return self._compute(images, what)

    def _compute(self, images: Sequence[Picture], what: str) -> np.ndarray:
        from modelzoo.reid.features.extract import ExtractOptions, extract
        from modelzoo.reid.preprocess import CHUNK

        readers = [_reader(image, f"{what}[{i}]") for i, image in enumerate(images)]
        options = ExtractOptions(self._batchsize, Threads(self._workers, CHUNK))
        return extract(readers, self.session, options).features


def _checked(features: np.ndarray, what: str) -> np.ndarray:
    """Given features, `(n, d) float32`."""
    import numpy as np

    if features.ndim != 2:
        raise DataError(
            f"the {what} is {features.dtype} {features.shape}; features are (n, d), and images are uint8", FEATURES
        )
    with np.errstate(over="ignore", invalid="ignore"):
        rows = np.ascontiguousarray(features, np.float32)
        if not (np.vecdot(rows, rows) < LARGEST).all():
            raise DataError(f"some features of the {what} are not finite, or too large to compute distances with")
    return rows


def _may_be_picture(given: object) -> bool:
    import numpy as np
    from PIL import Image

    if isinstance(given, np.ndarray):
        return bool(given.dtype == np.uint8)
    return isinstance(given, str | os.PathLike | Image.Image)


def _listed(images: Picture | Iterable[Picture], what: str) -> list[Picture]:
    import numpy as np
    from PIL import Image

    if isinstance(images, str | os.PathLike | Image.Image) or (isinstance(images, np.ndarray) and images.ndim < 4):
        return [images]
    if not isinstance(images, Iterable):
        raise DataError(f"{what} is of type {type(images).__name__}; {PICTURES}")
    return list(images)


def _reader(image: Picture, name: str) -> tuple[str, Callable[[], Image.Image]]:
    """What messages call it, and what decodes it.

    A Pillow image is decoded here: it may be given several times, and threads that decode one object break its stream.
    """
    import numpy as np
    from PIL import Image

    from modelzoo.reid import decode

    if isinstance(image, Image.Image):
        fitted = decode.fit_image(image, name)
        return name, lambda: fitted
    if isinstance(image, np.ndarray):
        return name, partial(decode.fit_pixels, image, name)
    if isinstance(image, str | os.PathLike):
        return os.fspath(image), partial(decode.read_image, Path(image))
    raise DataError(f"{name} is of type {type(image).__name__}; {PICTURES}")
