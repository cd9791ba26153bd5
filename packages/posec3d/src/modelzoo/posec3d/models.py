"""Model files and checkpoints, opened as what takes people and gives actions."""

from __future__ import annotations

from pathlib import Path

from modelzoo.common.session import CHECKPOINT_SUFFIXES, Session, check_content, open_session
from modelzoo.posec3d.run import FASTEST
from modelzoo.posec3d.spec import SPEC, spec_of


def open_model(path: Path, form: str = FASTEST, device: int = 0) -> Session:
    """Open a model; a checkpoint with as many actions as it has.

    Args:
        path: `.onnx`, `.om`, or a checkpoint.
        form: What a checkpoint is to take, a key of `spec.INPUTS`.
        device: Number of the accelerator; CPU backends ignore it.

    Raises:
        ModelError: The file is not such a model.
        MissingDependencyError: What runs it is not installed.
    """
    if path.suffix.lower() not in CHECKPOINT_SUFFIXES:
        return open_session(path, SPEC, device=device)
    from modelzoo.common.checkpoint import load_state_dict
    from modelzoo.common.sessions.torch import import_torch

    import_torch(SPEC.name)
    from modelzoo.posec3d.weights import structure_of

    check_content(path)
    held = structure_of(load_state_dict(path), path)
    return open_session(path, spec_of(form, held.classes, joints=held.joints), {"input": form}, device)
