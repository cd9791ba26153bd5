"""Mean and covariance of a set of pictures in a file, so that a set that stays the same is computed once.

An .npz that `numpy.load(..., allow_pickle=False)` reads. TTUR and pytorch-fid write and read the first two:

    mu        (d,) float64
    sigma     (d, d) float64  divided by n - 1
    n         () int64        how many pictures
    probe     (d,) float64    the feature of a seeded picture: which network and range it was
    pictures  text            sha256 of the contents of the pictures
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, existing_file, reason
from modelzoo.dgnet.fid.npz import Headers, read_arrays
from modelzoo.dgnet.fid.statistics import Statistics

if TYPE_CHECKING:
    import numpy as np

SUFFIX = ".npz"

ARRAYS = ("mu", "sigma", "n", "probe", "pictures")
FLOATS = ("float16", "float32", "float64")

DAMAGED = (ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise for files that are no whole .npz of plain arrays."""

SAME = 1e-2
"""How far apart the probes of one network may be, in units of the largest number: half precision is nearer."""

ASYMMETRY = 1e-6
"""Of a covariance, in units of its largest number; rounding is far below."""

NEGATIVE = 1e-6
"""How far below zero an eigenvalue of a covariance may be, in units of its norm; rounding is far below."""

LONGEST = 16384
"""Numbers of a feature, at most: the covariance of so many takes 2 GiB."""

CHARACTERS = 64
"""Of the hash of the pictures."""


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
        arrays = read_arrays(path, ARRAYS, _check_headers)
        with np.errstate(over="ignore", invalid="ignore"):  # what is too large is found not to fit
            return _checked(arrays)
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


def _check_headers(headers: Headers) -> None:
    """Check what the arrays are, before they are read."""
    missing = [name for name in ("mu", "sigma") if name not in headers]
    if missing:
        raise ValueError(f"it holds no {', '.join(missing)}")
    length = math.prod(headers["mu"].shape)
    if not 0 < length <= LONGEST:
        raise ValueError(f"mu is {headers['mu']}; a feature has 1 to {LONGEST} numbers")
    for name, shape in {"mu": (length,), "sigma": (length, length), "probe": (length,)}.items():
        if name in headers and (headers[name].shape != shape or headers[name].dtype.name not in FLOATS):
            raise ValueError(f"{name} is {headers[name]} where there should be floats {shape}")
    if "n" in headers and (headers["n"].shape or headers["n"].dtype.kind not in "iu"):
        raise ValueError("n is not a whole number from 2")
    if "pictures" in headers and (headers["pictures"].shape or headers["pictures"].dtype.str[1:] != f"U{CHARACTERS}"):
        raise ValueError(f"pictures is {headers['pictures']} where there should be a sha256")


def _checked(arrays: Mapping[str, np.ndarray]) -> Stored:
    numbers = {name: _floats(arrays[name], name) for name in ("mu", "sigma", "probe") if name in arrays}
    _check_covariance(numbers["sigma"])
    count = int(arrays["n"]) if "n" in arrays else None
    if count is not None and count < 2:
        raise ValueError("n is not a whole number from 2")
    pictures = str(arrays["pictures"]) if "pictures" in arrays else None
    return Stored(Statistics(numbers["mu"], numbers["sigma"], count), numbers.get("probe"), pictures)


def _floats(array: np.ndarray, name: str) -> np.ndarray:
    import numpy as np

    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds numbers that are not finite")
    return array.astype(np.float64)


def _check_covariance(covariance: np.ndarray) -> None:
    """Check that a matrix is symmetric and has no eigenvalue below zero, because then it has a Cholesky factor."""
    import numpy as np

    largest = np.abs(covariance).max()
    if not np.allclose(covariance, covariance.T, rtol=0, atol=ASYMMETRY * largest):
        raise ValueError("sigma is not symmetric")
    if not largest:
        return
    scaled = covariance / largest
    scaled.flat[:: len(scaled) + 1] += NEGATIVE * np.linalg.norm(scaled)
    try:
        np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError as error:
        raise ValueError("sigma is no covariance: it has eigenvalues below zero") from error
