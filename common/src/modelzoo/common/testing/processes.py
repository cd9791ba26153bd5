"""Programs in fresh processes, for what cannot be seen from inside: peak memory, signals, limits, imports."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from modelzoo.common.testing.plugin import Finished

PATIENCE_S = 120
"""When a program counts as hung."""


def run_python(
    program: str, *words: object, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Finished:
    """Run Python source with arguments and wait for its end.

    Args:
        program: The source.
        words: Its `sys.argv[1:]`.
        folder: Its working directory, if not this process's.
        environment: Variables on top of this process's.
    """
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)
