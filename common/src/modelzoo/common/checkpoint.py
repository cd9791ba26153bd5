"""Published checkpoints: read as data, never as code, whatever form people have them in."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelzoo.common.errors import CheckpointError
from modelzoo.common.files import existing_file, reason

if TYPE_CHECKING:
    import torch

WRAPPERS = ("model", "state_dict", "model_state_dict", "net", "a")
"""Keys under which training scripts keep the weights."""

PARALLEL_PREFIX = "module."
"""What torch.nn.DataParallel puts before every key."""


def load_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Read the weights of a checkpoint, without its wrapper and without the `module.` prefix.

    Args:
        path: A file written by `torch.save`.

    Returns:
        The tensors by key, on the CPU.

    Raises:
        CheckpointError: The file is no checkpoint, holds something else than weights, or wants to run code.
    """
    content = _read(existing_file(path, "checkpoint"))
    weights = _unwrapped(content, path)
    names = set(weights)
    if names and all(name.startswith(PARALLEL_PREFIX) for name in names):
        return {name.removeprefix(PARALLEL_PREFIX): tensor for name, tensor in weights.items()}
    return weights


def md5_of(path: Path) -> str:
    """The md5 of a file as hex digits, which is how these checkpoints were published."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def git_blob_of(path: Path) -> str:
    """The hash of a file as hex digits, which is its name in a git repository."""
    head = b"blob %d\0" % path.stat().st_size
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(head, usedforsecurity=False)).hexdigest()


def describe_keys(names: list[str], shown: int = 3) -> str:
    """The first few names and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _read(path: Path) -> Any:
    import pickle

    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about formats; what cannot be read is an error below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if _is_pickle(path):
            raise CheckpointError(
                f"{path} is a pickle of Python objects, not of weights: it could run any code, so it is not loaded",
                "where it was trained, save the weights alone: torch.save(model.state_dict(), 'weights.pth')",
            ) from error
        raise CheckpointError(f"{path} is not a checkpoint written by torch.save") from error
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {reason(error)}") from error
    except Exception as error:  # a damaged file can make the unpickler raise anything
        detail = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path} is not a checkpoint written by torch.save, or is damaged: {detail}") from error


def _is_pickle(path: Path) -> bool:
    """Whether the file looks like what torch.save writes: a zip archive, or a bare pickle."""
    with path.open("rb") as file:
        return file.read(2) in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def _unwrapped(content: Any, path: Path) -> dict[str, torch.Tensor]:
    import torch

    seen: list[Any] = []
    while isinstance(content, Mapping) and not any(content is one for one in seen):
        seen.append(content)
        if "param_groups" in content:
            raise CheckpointError(
                f"{path} is the state of an optimiser, not a model",
                "the weights are in the file saved beside it, usually with 'model' in its name",
            )
        tensors = {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}
        inner = next((content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None and tensors:
            return tensors
        content = inner
    raise CheckpointError(
        f"{path} holds no weights, only {type(content).__name__ if content is not None else 'other data'}"
    )
