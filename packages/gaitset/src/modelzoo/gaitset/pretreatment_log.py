"""The log file of step 1, in the lines of the upstream's `pretreatment.py`."""

from __future__ import annotations

from pathlib import Path

from modelzoo.common.errors import WriteError
from modelzoo.common.files import reason
from modelzoo.gaitset.aligned import AlignedWalk

FEW = 5
"""A walk with fewer aligned frames is worth a warning."""


class PretreatmentLog:
    """Appends what becomes of the walks to a file, which is made when there is something to say.

    Args:
        path: The file.
        everything: Whether walks without a warning are named too.
    """

    def __init__(self, path: Path, everything: bool) -> None:
        self.walks: list[AlignedWalk] = []
        self._path = path
        self._everything = everything

    def add(self, walk: AlignedWalk) -> None:
        """Take a walk.

        Raises:
            WriteError: The file cannot be written.
        """
        lines = "".join(f"# JOB {len(self.walks)} : --{kind}-- {text}\n" for kind, text in self._messages(walk))
        self.walks.append(walk)
        if not lines:
            return
        try:
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(lines)
        except OSError as error:
            raise WriteError(f"cannot write {self._path}: {reason(error)}") from error

    def _messages(self, walk: AlignedWalk) -> list[tuple[str, str]]:
        name = walk.name.replace("/", "-")
        messages = [("WARNING", f"seq:{name}, frame:{frame}, no data.") for frame in walk.rejected]
        if walk.frames < FEW and not walk.found:
            messages.append(("WARNING", f"seq:{name}, less than {FEW} valid data."))
        if self._everything:
            messages = [("START", name), *messages, ("FINISH", f"Contain {walk.frames} valid frames.")]
        return messages
