"""Mean and covariance of a set of pictures in a file, so that a set that stays the same is computed once.

An .npz that `numpy.load(..., allow_pickle=False)` reads. TTUR and pytorch-fid write and read the first two:

    mu        (d,) float64
    sigma     (d, d) float64  divided by n - 1
    n         () int64        how many pictures
    probe     (d,) float64    the feature of a seeded picture: which network and range it was
    pictures  text            sha256 of the contents of the pictures
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, existing_file, reason
from modelzoo.dgnet.fid.statistics import Statistics

if TYPE_CHECKING:
    import numpy as np

SUFFIX = ".npz"

ARRAYS = ("mu", "sigma", "n", "probe", "pictures")

DAMAGED = (ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise for files that are no whole .npz of plain arrays."""

SAME = 1e-2
"""How far apart the probes of one network may be, in units of the largest number: half precision is nearer."""

ASYMMETRY = 1e-6
"""Of a covariance, in units of its largest number; rounding is far below."""


@dataclass(frozen=True, eq=False)
class Stored:
    """What a file of statistics holds.

    Args:
        statistics: Mean, covariance and count.
        probe: `(d,) float64`, see `Extractor.probe`; None where the file does not say it.
        pictures: Which pictures; None where the file does not say it.
    """

    statistics: Statistics
    probe: np.ndarray | None = None
    pictures: str | None = None


def write_statistics(path: Path, stored: Stored) -> None:
    """Write the file atomically.

    Raises:
        WriteError: It cannot be written.
    """
    import numpy as np

    statistics = stored.statistics
    arrays = {"mu": statistics.mean, "sigma": statistics.covariance}
    known = {"n": statistics.count, "probe": stored.probe, "pictures": stored.pictures}
    arrays |= {name: np.asarray(value) for name, value in known.items() if value is not None}
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_statistics(path: Path) -> Stored:
    """Read what `write_statistics`, TTUR or pytorch-fid wrote; anybody may have written it, so that all is checked.

    Raises:
        DataError: There is no such file, or it is another one, or damaged.
    """
    import numpy as np

    existing_file(path, "statistics")
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no .npz")
        with np.load(path, allow_pickle=False) as content:
            return _checked({name: content[name] for name in content.files if name in ARRAYS})
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except DAMAGED as error:
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{path} is no file of statistics, or is damaged: {text}") from error


def is_statistics(path: Path) -> bool:
    """Whether a path names a file of statistics, and not a folder of pictures."""
    return path.suffix.lower() == SUFFIX and not path.is_dir()


def agree(a: Stored, b: Stored) -> bool:
    """Whether two are of one network and range, as far as they say."""
    return a.probe is None or b.probe is None or same_network(a.probe, b.probe)


def same_network(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two probes, `(d,) float64`, are of one network."""
    import numpy as np

    return a.shape == b.shape and bool(np.abs(a - b).max() <= SAME * np.abs(a).max())


def _checked(arrays: Mapping[str, np.ndarray]) -> Stored:
    import numpy as np

    mean, covariance = _floats(arrays["mu"], 1), _floats(arrays["sigma"], 2)
    if covariance.shape != (mean.size, mean.size) or not mean.size:
        raise ValueError(f"mu is {mean.shape} and sigma {covariance.shape}")
    if not np.allclose(covariance, covariance.T, rtol=0, atol=ASYMMETRY * np.abs(covariance).max()):
        raise ValueError("sigma is not symmetric")
    count = _count(arrays["n"]) if "n" in arrays else None
    probe = _floats(arrays["probe"], 1) if "probe" in arrays else None
    if probe is not None and probe.shape != mean.shape:
        raise ValueError(f"mu is {mean.shape} and probe {probe.shape}")
    pictures = str(arrays["pictures"]) if "pictures" in arrays else None
    return Stored(Statistics(mean, covariance, count), probe, pictures)


def _floats(array: np.ndarray, axes: int) -> np.ndarray:
    import numpy as np

    if array.dtype.kind != "f" or array.ndim != axes or not np.isfinite(array).all():
        raise ValueError(f"it holds {array.dtype} {array.shape} where there should be finite numbers on {axes} axes")
    return array.astype(np.float64)


def _count(array: np.ndarray) -> int:
    if array.dtype.kind not in "iu" or array.ndim or array < 2:
        raise ValueError("n is not a whole number from 2")
    return int(array)
