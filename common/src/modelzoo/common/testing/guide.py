"""The command lines of a guide as test data: each is one of ours in other words, or it is said why not."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Guide:
    """The command lines of a guide.

    Args:
        lines: As they stand in it, line continuations joined.
        ours: How such a line begins, and our script in that place.
        not_ours: How other lines begin, and what to do in their place, or why nothing is to be done.
        variables: What the shell variables and placeholders of the guide stand for.
    """

    lines: tuple[str, ...]
    ours: Mapping[str, str]
    not_ours: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(
        cls, path: Path, ours: Mapping[str, str], not_ours: Mapping[str, str], variables: Mapping[str, str]
    ) -> Guide:
        """Read the lines of a file; see the class."""
        return cls(tuple(path.read_text(encoding="utf-8").splitlines()), ours, not_ours, variables)

    def words(self, line: str) -> list[str] | None:
        """The line as the shell would split it, with our script; None where it is none of ours."""
        for name, value in self.variables.items():
            line = line.replace(name, value)
        start = next((start for start in self.ours if line.startswith(start)), None)
        return None if start is None else [self.ours[start], *shlex.split(line.removeprefix(start))]

    @property
    def ours_lines(self) -> list[str]:
        """The lines that one of our scripts takes."""
        return [line for line in self.lines if self.words(line)]

    @property
    def unexplained(self) -> list[str]:
        """Lines that are neither ours nor have a reason, or have both."""
        reasons = {line: [start for start in self.not_ours if line.startswith(start)] for line in self.lines}
        return [line for line in self.lines if (self.words(line) is None) != (len(reasons[line]) == 1)]
