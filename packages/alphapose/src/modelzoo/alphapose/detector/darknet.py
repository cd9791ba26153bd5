"""Files of weights as darknet writes them: a header, then the numbers of every convolution in order, and no names.

The format is that of darknet's `load_weights` (https://github.com/pjreddie/darknet, src/parser.c). Nothing in a file
says of which network it is; only its length tells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import CheckpointError
from modelzoo.common.files import existing_file, reason

if TYPE_CHECKING:
    import numpy as np

VERSION_WORDS = 3
"""Major, minor and revision: int32, little-endian."""

LONG_COUNT_SINCE = 2
"""`10 major + minor` of the first version that counts the images it was trained on with 64 bits, not with 32."""

NEWEST_MAJOR = 1000
"""Darknet takes a file with this major version or a higher one for transposed; no file of a network here is."""

FLOAT_BYTES = 4

NORM_PARTS = ("beta", "gamma", "mean", "variance")
"""What stands before the weights of a convolution with batch normalisation."""

OTHER_KINDS = {
    b"PK": "a zip archive, such as torch writes (.pth)",
    b"\x80\x02": "a pickle, such as torch writes (.pth)",
    b"\x08": "an .onnx file",
    b"IMOD": "an .om file",
    b"<": "an HTML page, such as a failed download leaves",
    b"[net]": "a darknet configuration (.cfg)",
    b"\x89HDF": "an HDF5 file",
    b"version https://git-lfs": "a git LFS pointer, not the file itself",
}
"""What people have under this name, by how it begins."""


@dataclass(frozen=True)
class Convolution:
    """The shape of a convolution.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: Height and width of its window.
        normalised: Whether batch normalisation follows, in place of a bias.
    """

    inputs: int
    outputs: int
    kernel: int
    normalised: bool

    @property
    def parts(self) -> dict[str, tuple[int, ...]]:
        """The shapes of its arrays in a file, in order."""
        vectors = NORM_PARTS if self.normalised else ("bias",)
        weight = (self.outputs, self.inputs, self.kernel, self.kernel)
        return {**dict.fromkeys(vectors, (self.outputs,)), "weight": weight}

    @property
    def floats(self) -> int:
        """How many numbers it has in a file."""
        return sum(map(math.prod, self.parts.values()))


def read_weights(path: Path, layers: Sequence[Convolution]) -> list[dict[str, np.ndarray]]:
    """Map the numbers of a file into memory.

    Args:
        path: A darknet file of weights.
        layers: The convolutions of its network, in order.

    Returns:
        The arrays of every convolution by the names of `Convolution.parts`: float32, read-only, not loaded before
        they are used.

    Raises:
        CheckpointError: It is another kind of file, or has more or fewer numbers than the network.
    """
    import numpy as np

    start = _header_bytes(path)
    _check_length(path, start, sum(layer.floats for layer in layers))
    numbers = np.memmap(path, "<f4", mode="r", offset=start)
    read, place = [], 0
    for layer in layers:
        arrays = {}
        for name, shape in layer.parts.items():
            arrays[name] = numbers[place : place + math.prod(shape)].reshape(shape)
            place += math.prod(shape)
        read.append(arrays)
    return read


def _header_bytes(path: Path) -> int:
    """Length of a file's header, after a look at what kind of file it is."""
    try:
        with existing_file(path, "darknet weights").open("rb") as file:
            start = file.read(32)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {reason(error)}") from error
    hint = "the published file is yolov3-spp.weights, 252209544 bytes"
    if kind := next((OTHER_KINDS[head] for head in OTHER_KINDS if start.lstrip().startswith(head)), None):
        raise CheckpointError(f"{path} is {kind}, not a darknet file of weights", hint)
    length = _length_by_version(path, start.ljust(VERSION_WORDS * FLOAT_BYTES, b"\0"), hint)
    if len(start) < length:
        raise CheckpointError(f"{path} has {len(start)} bytes, fewer than the header of a darknet file", hint)
    return length


def _length_by_version(path: Path, start: bytes, hint: str) -> int:
    """Length of the header of a file that begins so."""
    import numpy as np

    major, minor, _ = np.frombuffer(start, "<i4", VERSION_WORDS).tolist()
    if not (0 <= major < NEWEST_MAJOR and 0 <= minor < NEWEST_MAJOR):
        raise CheckpointError(f"{path} is not a darknet file of weights: its version would be {major}.{minor}", hint)
    count_words = 2 if 10 * major + minor >= LONG_COUNT_SINCE else 1
    return (VERSION_WORDS + count_words) * FLOAT_BYTES


def _check_length(path: Path, start: int, wanted: int) -> None:
    """Compare the numbers after the header with those of the network."""
    held, odd = divmod(path.stat().st_size - start, FLOAT_BYTES)
    missing = wanted - held
    if missing > 0:
        raise CheckpointError(
            f"{path} has {missing} of the network's {wanted} floats too few: it is cut short, or of another network",
            "download it again, or check that it is the file of yolov3-spp",
        )
    if missing or odd:
        left = f"{-missing} floats" + (f" and {odd} bytes" if odd else "")
        raise CheckpointError(f"{path} is of another network: {left} are left over after the network's {wanted}")
