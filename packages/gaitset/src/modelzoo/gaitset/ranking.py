"""Features by their distance to a probe: exact, and without a matrix of all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Metric = Literal["euclidean", "cosine"]
METRICS: tuple[Metric, ...] = ("euclidean", "cosine")

BLOCK = 256
"""Gallery features that are compared at a time: 33 MB of double precision."""

SMALLEST = 1e-30
"""Takes the place of smaller products of lengths, so that a feature of zeros has the cosine 0 with every other."""


@dataclass(frozen=True)
class Neighbour:
    """A feature of the gallery.

    Args:
        number: Which one.
        distance: From the probe.
    """

    number: int
    distance: float


def nearest(probe: np.ndarray, gallery: np.ndarray, top: int, metric: Metric, own: int | None) -> list[Neighbour]:
    """The gallery features that are nearest to a probe; equally near ones in the order of the gallery.

    Args:
        probe: `(d,) float32`.
        gallery: `(g, d) float32`.
        top: How many at most.
        metric: See `distances`.
        own: The number of the feature that is the probe itself, and no answer.
    """
    import numpy as np

    found = distances(probe, gallery, metric)
    order = [number for number in np.argsort(found, kind="stable").tolist() if number != own]
    return [Neighbour(number, float(found[number])) for number in order[:top]]


def distances(probe: np.ndarray, gallery: np.ndarray, metric: Metric) -> np.ndarray:
    """Distances of a probe to every feature of a gallery.

    Args:
        probe: `(d,) float32`.
        gallery: `(g, d) float32`.
        metric: `euclidean`, as in the published evaluation, or `cosine`: 1 - cosine, 0..2.

    Returns:
        `(g,) float64`.

    >>> import numpy as np
    >>> probe, gallery = np.array([3, 4], np.float32), np.array([[3, 4], [-4, 3], [-6, -8]], np.float32)
    >>> distances(probe, gallery, "euclidean").tolist(), distances(probe, gallery, "cosine").tolist()
    ([0.0, 7.0710678118654755, 15.0], [0.0, 1.0, 2.0])
    """
    import numpy as np

    wanted = probe.astype(np.float64)
    parts = [gallery[start : start + BLOCK].astype(np.float64) for start in range(0, len(gallery), BLOCK)]
    compare = _euclidean if metric == "euclidean" else _cosine
    return np.concatenate([compare(wanted, part) for part in parts])


def _euclidean(probe: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    import numpy as np

    difference = gallery - probe
    lengths: np.ndarray = np.sqrt(np.vecdot(difference, difference))
    return lengths


def _cosine(probe: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    import numpy as np

    lengths = np.sqrt(np.vecdot(gallery, gallery) * np.vecdot(probe, probe))
    result: np.ndarray = np.maximum(1 - np.vecdot(gallery, probe) / np.maximum(lengths, SMALLEST), 0)
    return result
