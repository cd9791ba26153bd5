"""The published weights of the Inception network: loaded strictly, and exported to what ONNX Runtime runs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.checkpoint import describe_keys, load_state_dict
from modelzoo.common.errors import CheckpointError, DataError, ModelError, WriteError
from modelzoo.common.export import export_onnx, import_exporters
from modelzoo.common.files import check_writable, existing_file
from modelzoo.common.session import open_session
from modelzoo.common.spec import BATCH, Identity, TensorSpec
from modelzoo.dgnet import __version__
from modelzoo.dgnet.spec import SPEC

if TYPE_CHECKING:
    import torch

    from modelzoo.common.session import Session
    from modelzoo.dgnet.fid.inception.network import Inception

PUBLISHED = (
    "the weights that FID is computed with are "
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth"
)
"""The hint of what goes wrong without them."""

PUBLISHED_SHA256 = "6726825d"
"""How the sha256 of the published file begins; its name says so."""

PART = "inception"
"""What an exported network says that it is."""

COUNTER = ".num_batches_tracked"
"""What no feature needs, and newer weights hold."""

IMAGE = TensorSpec("image", "float32", (BATCH, 3, "H", "W"), "NCHW RGB, 0..255")
FEATURE = TensorSpec("feature", "float32", (BATCH, 2048), "pool_3 of TensorFlow's Inception of 2015-12-05")


def open_weights(path: Path) -> tuple[Session, Path | None]:
    """Open a weights file as a session of ONNX Runtime.

    The export is kept beside the weights as `<stem>.features.onnx`, and used again while the weights and the version of
    this package are the same; where that folder cannot be written, it is made again every time.

    Args:
        path: `pt_inception-2015-12-05-6726825d.pth`, or other weights of the same network.

    Returns:
        The session, and the file that was kept.

    Raises:
        CheckpointError: The file does not hold the weights of this network.
        DataError: There is no such file, or another one has the name of the export.
        ExportError: The exported graph failed a check.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    identity = _identity(existing_file(path, "weights"))
    kept = path.with_name(f"{path.stem}.features.onnx")
    if kept.exists() and _is_export(kept, identity):
        return open_session(kept), kept
    try:
        check_writable(path.absolute().parent)
    except WriteError:
        with tempfile.TemporaryDirectory() as folder:
            return open_session(_export(path, identity, Path(folder, kept.name))), None
    return open_session(_export(path, identity, kept)), kept


def is_published(identity: Identity | None) -> bool:
    """Whether an exported network says that its weights are, byte for byte, the published ones."""
    form = identity.form if identity else {}
    return form.get("part") == PART and str(form.get("weights")).startswith(PUBLISHED_SHA256)


def load_inception(path: Path) -> Inception:
    """Load a weights file.

    Returns:
        The network in evaluation mode.

    Raises:
        CheckpointError: The file does not hold exactly the weights of this network.
    """
    from modelzoo.dgnet.fid.inception.network import Inception

    weights, network = load_state_dict(path), Inception()
    _check_keys(path, weights, network.state_dict())
    network.load_state_dict(weights, strict=False)  # the counters may be missing
    network.eval()
    return network


def _check_keys(path: Path, weights: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> None:
    kinds = {
        "missing": [key for key in wanted if key not in weights and not key.endswith(COUNTER)],
        "unknown": [key for key in weights if key not in wanted],
        "of another shape": [key for key in wanted if key in weights and weights[key].shape != wanted[key].shape],
    }
    found = [f"{len(keys)} keys {kind} ({describe_keys(keys)})" for kind, keys in kinds.items() if keys]
    if not found:
        return
    if any(key.startswith("AuxLogits.") for key in weights):
        raise CheckpointError(f"{path} is torchvision's Inception, whose FID cannot be compared with others", PUBLISHED)
    raise CheckpointError(f"{path} is not the Inception network of FID: {'; '.join(found)}", PUBLISHED)


def _export(weights: Path, identity: Identity, output: Path) -> Path:
    import_exporters(SPEC.name)
    return export_onnx(load_inception(weights), identity, output, SPEC.tolerance)


def _is_export(path: Path, identity: Identity) -> bool:
    """Whether a file is the export of these weights; one of other weights is replaced, and any other file is left.

    Raises:
        DataError: It is another file.
    """
    try:
        found = open_session(path).identity
    except ModelError:
        found = None
    if found is None or (found.model, found.form.get("part")) != (SPEC.name, identity.form["part"]):
        raise DataError(f"{path} is in the place of the exported network", "move it, or give it as --features")
    return (found.version, found.form) == (identity.version, identity.form)


def _identity(weights: Path) -> Identity:
    form = {"part": PART, "weights": _sha256(weights)[:16]}
    return Identity(SPEC.name, __version__, (IMAGE,), (FEATURE,), form, atc={"input_format": "NCHW"})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
