"""Errors that a user can act on: one line that names the thing, a hint, and the exit code of the command."""

from __future__ import annotations


class ZooError(Exception):
    """The work failed; the command prints one line and ends with `exit_code`.

    Args:
        message: One line that names the file, flag or value and what is wrong with it.
        hint: One line that says what to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(ZooError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class MissingDependencyError(ZooError):
    """Something that has to be installed first is not there (torch, atc, ais_bench)."""

    exit_code = 3


class DataError(ZooError):
    """An input file or folder is missing, unreadable or not what it should be."""


class ModelError(ZooError):
    """A model file cannot be read, or the arrays given to it do not fit."""


class CheckpointError(ModelError):
    """A file of weights is not a checkpoint of this model."""


class ExportError(ModelError):
    """The exported graph failed a check; nothing was written."""


class WriteError(ZooError):
    """An output cannot be written (full disk, no permission)."""
