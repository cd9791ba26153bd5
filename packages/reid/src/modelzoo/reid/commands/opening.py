"""Opening the model that the flags name, and computing features with it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.reid import form
from modelzoo.reid.commands import flags

if TYPE_CHECKING:
    from modelzoo.common.session import Session
    from modelzoo.reid.features.fingerprint import Fingerprint
    from modelzoo.reid.search.gallery import Compute


def open_model(path: Path, arguments: argparse.Namespace, device: int = 0) -> Session:
    """Open a model; what the flags say of its form and batch has to be what it is, as far as it says.

    Args:
        path: The model file.
        arguments: The flags of `add_form_flags`, and `batchsize`.
        device: Number of the accelerator.
    """
    session = form.open_model(path, flags.wanted_form(arguments), device)
    fixed = session.inputs[0].batch
    if fixed and arguments.batchsize not in (None, fixed):
        print(f"note: the model is fixed to batch {fixed}; --batchsize is not used", file=sys.stderr)
    return session


def feature_model(arguments: argparse.Namespace) -> tuple[Compute, Callable[[], Fingerprint]]:
    """What computes features of pictures by the flags of `add_feature_flags`, and what tells by what it is known."""
    from modelzoo.common.work import Threads
    from modelzoo.reid.features.extract import ExtractOptions
    from modelzoo.reid.features.fingerprint import fingerprint
    from modelzoo.reid.preprocess import CHUNK
    from modelzoo.reid.search.gallery import picture_features

    session = open_model(arguments.model, arguments, arguments.device)
    options = ExtractOptions(
        arguments.batchsize or 8, Threads(arguments.workers, CHUNK), arguments.on_error, shown=True
    )
    known_by = partial(fingerprint, arguments.model, session, flags.form_of(arguments))
    return partial(picture_features, session, options), known_by
