"""Opening the pose network, whatever kind of file it is in."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from modelzoo.alphapose.fliptest import FlipTestSession
from modelzoo.alphapose.run import check_tensors
from modelzoo.alphapose.spec import SPEC, Form
from modelzoo.common.errors import UsageError
from modelzoo.common.files import existing_file
from modelzoo.common.session import CHECKPOINT_SUFFIXES, Session, open_session


def open_pose(path: Path, flip_test: bool = False, device: int = 0) -> Session:
    """Open a pose network.

    Args:
        path: `.onnx`, `.om`, or a checkpoint, which is exported first.
        flip_test: Whether mirrored crops are computed as well; a graph that does it by itself always does.
        device: Number of the accelerator; the CPU ignores it.

    Raises:
        ModelError: The file is no model, or not one of 17 joints.
        UsageError: The graph ends in keypoints, so that those of the mirrored crops cannot be merged.
        MissingDependencyError: What runs it is not installed.
    """
    if path.suffix.lower() in CHECKPOINT_SUFFIXES:
        return _open_checkpoint(path, flip_test)
    session = open_session(path, SPEC, device=device)
    check_tensors(session)
    if not flip_test or (session.identity and session.identity.form.get("flip_test")):
        return session
    if session.outputs[0].sample_shape == (17, 3):
        raise UsageError(
            f"{path} gives keypoints, and only heat maps can be merged with those of the mirrored crops",
            "export it with --flip-test, or leave out the flip test",
        )
    return FlipTestSession(session)


def _open_checkpoint(path: Path, flip_test: bool) -> Session:
    """Run a checkpoint on ONNX Runtime, which is faster than torch; nothing is kept of the export."""
    from modelzoo.alphapose.export import export

    with TemporaryDirectory(prefix="modelzoo-pose-") as folder:
        output = Path(folder) / "pose.onnx"
        export(existing_file(path, "checkpoint"), output, Form(flip_test, decode=True, dtype="uint8"))
        session = open_session(output, SPEC)
    check_tensors(session)
    return session
