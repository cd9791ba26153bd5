"""Opening the model that the flags name."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from modelzoo.common.errors import UsageError
from modelzoo.gaitset.commands import flags
from modelzoo.gaitset.spec import DYNAMIC, spec_of

if TYPE_CHECKING:
    from modelzoo.common.session import Session


def open_model(path: Path, arguments: argparse.Namespace, dtype: str = "float32", device: int = 0) -> Session:
    """Open a model; what the flags say of its network and batch has to be what it is, as far as it says.

    Args:
        path: The model file.
        arguments: The flags `dataset` and `batchsize`.
        dtype: What a checkpoint is to take.
        device: Number of the accelerator.
    """
    from modelzoo.common.session import open_session

    form = {"dataset": flags.dataset_of(arguments), "frames": DYNAMIC, "padding": "none", "dtype": dtype}
    session = open_session(path, spec_of(DYNAMIC, dtype), form, device)
    known = session.identity.form if session.identity else {}
    if arguments.dataset not in (None, known.get("dataset", arguments.dataset)):
        raise UsageError(
            f"--dataset {arguments.dataset} does not fit the model, which is of the data set {known['dataset']}"
        )
    fixed = session.inputs[0].batch
    if fixed and arguments.batchsize not in (None, fixed):
        print(f"note: the model is fixed to batch {fixed}; --batchsize is not used", file=sys.stderr)
    return session
