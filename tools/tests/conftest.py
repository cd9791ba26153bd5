"""What the tests of the repository share."""

import subprocess
from pathlib import Path

import pytest

from ci_plan import ROOT


@pytest.fixture(scope="session")
def repository_files() -> list[Path]:
    """Every file that is, or is about to be, part of the repository; absolute and sorted."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted({path for name in listed.split("\0")[:-1] if (path := ROOT / name).is_file()})
