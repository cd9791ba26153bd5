"""Pairs of photos to network inputs, bit for bit as the published pipeline does it; every photo is decoded once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from modelzoo.common.work import Deferred, Sample, SampleInfo, WorkUnit
from modelzoo.dgnet.images import read_pixels
from modelzoo.dgnet.pairing import Pair
from modelzoo.dgnet.spec import HEIGHT, MEAN, STD, WIDTH

if TYPE_CHECKING:
    import numpy as np

CHUNK = 8
"""Pairs that a thread takes at a time: one takes a millisecond."""

COLOUR, GREY = (3, HEIGHT, WIDTH), (1, HEIGHT, WIDTH)


class SharedPhotos:
    """Photos that several pairs share: each is decoded when the first pair needs it, and held until the last one has.

    Args:
        pairs: The pairs that will ask for their photos, once each.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._left = Counter(path for pair in pairs for path in {pair.structure.path, pair.appearance.path})
        self._held: dict[Path, Future[np.ndarray]] = {}
        self._lock = Lock()

    def read(self, path: Path) -> np.ndarray:
        """The pixels of a photo, `(256, 128, 3) uint8`, RGB, 0..255; another thread may be decoding it.

        Raises:
            DataError: It is not an image.
        """
        with self._lock:
            known = self._held.pop(path, None)
            decoded = known or Future()
            self._left[path] -= 1
            if self._left[path]:
                self._held[path] = decoded
        if not known:
            self._decode(path, decoded)
        return decoded.result()

    @staticmethod
    def _decode(path: Path, decoded: Future[np.ndarray]) -> None:
        try:
            decoded.set_result(read_pixels(path))
        except Exception as error:  # noqa: BLE001 - whoever asks for the photo gets it
            decoded.set_exception(error)


def pair_units(pairs: Sequence[Pair], dtype: str, samples: Sequence[SampleInfo] | None = None) -> list[WorkUnit]:
    """One work unit per pair: structure and appearance, in the order of the network's inputs.

    Args:
        pairs: The pairs; memory stays small where those that share a photo are near each other.
        dtype: `float32` for normalised planes, `uint8` for pixels.
        samples: What they are called; None for `Pair.info`.
    """
    photos = SharedPhotos(pairs)
    samples = samples or [pair.info for pair in pairs]
    return [
        WorkUnit(
            str(pair.appearance.path), partial(_load, pair, info, photos, dtype), samples=(info,), path=_newer(pair)
        )
        for pair, info in zip(pairs, samples, strict=True)
    ]


def normalise(pixels: np.ndarray, out: np.ndarray) -> None:
    """Scale to 0..1, then subtract the mean and divide by the deviation, in float32 and in this order.

    Args:
        pixels: `(H, W, 3) uint8`, RGB, 0..255.
        out: `(3, H, W) float32`; takes the result, about -2.1..2.7.
    """
    import numpy as np

    mean, std = _statistics()
    np.divide(np.ascontiguousarray(pixels.transpose(2, 0, 1)), np.float32(255), out=out)
    np.subtract(out, mean, out=out)
    np.divide(out, std, out=out)


def normalise_grey(pixels: np.ndarray, out: np.ndarray) -> None:
    """The mean of the three normalised channels, which is no luminance; added in the order R, G, B in float32.

    Args:
        pixels: `(H, W, 3) uint8`, RGB, 0..255.
        out: `(1, H, W) float32`; takes the result.
    """
    import numpy as np

    planes = np.empty((3, *out.shape[1:]), np.float32)
    normalise(pixels, planes)
    np.add(planes[0], planes[1], out=out[0])
    np.add(out[0], planes[2], out=out[0])
    np.divide(out[0], np.float32(3), out=out[0])


@cache
def _statistics() -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation, each `(3, 1, 1) float32`."""
    import numpy as np

    mean, std = (np.array(values, np.float32).reshape(3, 1, 1) for values in (MEAN, STD))
    return mean, std


def _load(pair: Pair, info: SampleInfo, photos: SharedPhotos, dtype: str) -> list[Sample]:
    appearance = photos.read(pair.appearance.path)
    structure = appearance if pair.structure == pair.appearance else photos.read(pair.structure.path)
    return [Sample(info, (structure_input(structure, dtype), appearance_input(appearance, dtype)))]


def structure_input(pixels: np.ndarray, dtype: str) -> np.ndarray | Deferred:
    """A photo as the structure encoder takes it.

    Args:
        pixels: `(256, 128, 3) uint8`, RGB, 0..255.
        dtype: `float32` for the normalised grey plane, `uint8` for the pixels.
    """
    return pixels if dtype == "uint8" else Deferred(GREY, "float32", partial(normalise_grey, pixels))


def appearance_input(pixels: np.ndarray, dtype: str) -> np.ndarray | Deferred:
    """A photo as the appearance encoder takes it; see `structure_input`."""
    return pixels if dtype == "uint8" else Deferred(COLOUR, "float32", partial(normalise, pixels))


def _newer(pair: Pair) -> Path:
    """The photo that was changed last: when an interrupted run is continued, it tells whether to do the pair again."""
    return max(pair.structure.path, pair.appearance.path, key=_changed)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # the unit that reads it says so
        return -math.inf
