"""The network in halves: n structures and m appearances are encoded once each, and not n x m times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import ModelError
from modelzoo.common.session import CHECKPOINT_SUFFIXES, Session, open_session
from modelzoo.dgnet.spec import spec_of

HALVES = ("structure", "appearance", "decoder")
"""The keys of `spec.PARTS` that make a whole."""


@dataclass(frozen=True)
class Halves:
    """Sessions of two encoders and a decoder.

    Args:
        structure: Pictures to structure codes.
        appearance: Pictures to appearance codes.
        decoder: A structure and an appearance code to a picture.
    """

    structure: Session
    appearance: Session
    decoder: Session


def open_halves(path: Path, id_path: Path | None = None, dtype: str = "float32", device: int = 0) -> Halves:
    """Open the halves of a model.

    Args:
        path: A checkpoint's generator file; or `X.onnx` or `X.om`, for `X_structure.onnx` and so on.
        id_path: The appearance encoder's file; None for the one beside the generator's.
        dtype: What the encoders of a checkpoint are to take, `float32` or `uint8`.
        device: Number of the accelerator.

    Raises:
        CheckpointError: The files do not hold the weights of this network.
        DataError: A half is missing.
        ModelError: A file is another model, or another half.
    """
    structure, appearance, decoder = (_open(path, id_path, part, dtype, device) for part in HALVES)
    return Halves(structure, appearance, decoder)


def half_path(path: Path, part: str) -> Path:
    """The file of a half: `DG-net_structure.onnx` of `DG-net.onnx`."""
    return path.with_name(f"{path.stem}_{part}{path.suffix}")


def _open(path: Path, id_path: Path | None, part: str, dtype: str, device: int) -> Session:
    file = path if path.suffix.lower() in CHECKPOINT_SUFFIXES else half_path(path, part)
    spec, form = spec_of(part, dtype), {"id_path": id_path, "part": part, "dtype": dtype}
    session = open_session(file, spec, form, device)
    said = session.identity.form.get("part", part) if session.identity else part
    if said != part:
        raise ModelError(f"{file} is the {said} part of the network, not its {part} part")
    return session
