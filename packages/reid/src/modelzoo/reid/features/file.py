"""The file of features: what `extract` writes, and what `search` keeps as the index of a gallery.

An .npz, not compressed, that `numpy.load(..., allow_pickle=False)` reads:

    names     (n,) text       paths of the pictures below the folder, with `/`, sorted
    features  (n, d) float32  as the model gives them
    sizes     (n,) int64      bytes of each picture file
    mtimes    (n,) int64      when it was changed, nanoseconds
    folder    text            the folder of the pictures, absolute
    model     text            JSON: name of the model file, its sha256 (see `Fingerprint`), and the form of the network
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import DataError
from modelzoo.common.files import atomic_path, existing_file, reason
from modelzoo.common.text import printable
from modelzoo.reid.features.fingerprint import Fingerprint
from modelzoo.reid.features.npz import read_arrays
from modelzoo.reid.features.rows import LARGEST

if TYPE_CHECKING:
    import numpy as np

TEXT = (0, "U")

KINDS = {
    "names": (1, "U"),
    "features": (2, "f"),
    "sizes": (1, "i"),
    "mtimes": (1, "i"),
    "folder": TEXT,
    "model": TEXT,
}
"""Axes and kind of dtype of every array."""

DAMAGED = (ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise for files that are no whole .npz of plain arrays."""

LONGEST_REASON = 200
"""Characters of what NumPy and others say of a file, which may quote it."""

REMEDY = "extract writes such files, and search with --index makes one where there is none"


@dataclass(frozen=True, eq=False)
class FeatureFile:
    """Features of pictures, and what is needed to know whether they still hold.

    Args:
        model: What computed them.
        folder: The folder of the pictures.
        names: Paths of the pictures below it, sorted.
        features: `(n, d) float32`.
        sizes: `(n,) int64`, bytes.
        mtimes: `(n,) int64`, nanoseconds.
    """

    model: Fingerprint
    folder: Path
    names: Sequence[str]
    features: np.ndarray
    sizes: np.ndarray
    mtimes: np.ndarray


def write_features(path: Path, table: FeatureFile) -> None:
    """Write the file atomically.

    Raises:
        WriteError: It cannot be written.
    """
    import numpy as np

    model = {"file": table.model.file, "sha256": table.model.sha256, "form": dict(table.model.form)}
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            names=np.array(table.names, np.str_),
            features=table.features,
            sizes=table.sizes,
            mtimes=table.mtimes,
            folder=np.array(str(table.folder)),
            model=np.array(json.dumps(model)),
        )


def read_features(path: Path) -> FeatureFile:
    """Read what `write_features` wrote; anybody may have written it, so that everything is checked.

    Raises:
        DataError: There is no such file, or it is another one, damaged, or does not fit together.
    """
    existing_file(path, "feature")
    try:
        arrays = read_arrays(path, KINDS)
        _check(arrays)
        model = _fingerprint(json.loads(str(arrays["model"])))
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error
    except DAMAGED as error:
        raise DataError(f"{path} is not a file of features, or is damaged: {_said(error)}", REMEDY) from error
    folder, names = Path(str(arrays["folder"])), arrays["names"].tolist()
    return FeatureFile(model, folder, names, arrays["features"], arrays["sizes"], arrays["mtimes"])


def _check(arrays: Mapping[str, np.ndarray]) -> None:
    import numpy as np

    names, features = arrays["names"].tolist(), arrays["features"]
    if features.dtype != np.float32:
        raise ValueError(f"features are {features.dtype}, not float32")
    if not features.size:
        raise ValueError(f"features are {features.shape}")
    if {len(arrays[name]) for name in ("names", "features", "sizes", "mtimes")} != {len(names)}:
        raise ValueError("it does not hold as many features as names")
    if len(set(names)) < len(names):
        raise ValueError("a name stands in it twice")
    with np.errstate(over="ignore", invalid="ignore"):
        if not (np.vecdot(features, features) < LARGEST).all():
            raise ValueError("some of its features are not finite")


def _fingerprint(content: Any) -> Fingerprint:
    match content:
        case {"file": str(file), "sha256": str(sha256), "form": dict(form)}:
            return Fingerprint(file, sha256, form)
    raise ValueError("it does not say which model the features are of")


def _said(error: BaseException) -> str:
    return printable(" ".join(str(error).split()), LONGEST_REASON) or type(error).__name__
