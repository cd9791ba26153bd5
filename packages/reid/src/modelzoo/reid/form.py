"""The form of a network, backbone and feature: what is asked for, and what a model file says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modelzoo.common.errors import UsageError
from modelzoo.common.session import Session, open_session
from modelzoo.reid.spec import BACKBONES, NECK_FEATS, SPEC, spec_of

DEFAULTS = {"backbone": "resnet50", "neck_feat": "after"}
"""The form of the published checkpoint."""

CHOICES = {"backbone": BACKBONES, "neck_feat": NECK_FEATS}

Wanted = Mapping[str, str | None]
"""What is asked for by the name under which it is (`neck_feat`, `--neck-feat`); None where nothing is."""


def form_of(wanted: Wanted) -> dict[str, str]:
    """The form of a checkpoint: what is asked for, and the published defaults for the rest.

    >>> form_of({"--backbone": "resnet18", "--neck-feat": None})
    {'backbone': 'resnet18', 'neck_feat': 'after'}
    """
    return DEFAULTS | {_key(name): choice for name, choice in wanted.items() if choice is not None}


def open_model(path: Path, wanted: Wanted, device: int = 0) -> Session:
    """Open a model, whose form has to be what is asked for, as far as it says.

    Args:
        path: `.onnx`, `.om`, or a checkpoint, which is opened in this form.
        wanted: What is asked for.
        device: Number of the accelerator; CPU backends ignore it.

    Raises:
        UsageError: There is no such form, or the model has another one.
        ModelError: The file is no model of this package.
        MissingDependencyError: Its backend is not installed.
    """
    for name, choice in wanted.items():
        known = CHOICES[_key(name)]
        if choice is not None and choice not in known:
            raise UsageError(f"there is no {name} '{choice}'; known are {', '.join(known)}")
    form = form_of(wanted)
    session = open_session(path, spec_of(form["backbone"]), form, device)
    _check(session, wanted)
    return session


def _check(session: Session, wanted: Wanted) -> None:
    known = session.identity.form if session.identity and session.identity.model == SPEC.name else {}
    for name, choice in wanted.items():
        has = known.get(_key(name), choice)
        if choice is not None and has != choice:
            raise UsageError(f"{name} {choice} does not fit the model, which was exported with {has}")


def _key(name: str) -> str:
    return name.removeprefix("--").replace("-", "_")
