"""What the tests of the repository share: its files and its packages, as folders."""

import subprocess
from pathlib import Path

import pytest

from ci_plan import ROOT, discover_models

MODEL_PACKAGES = [ROOT / "packages" / model for model in discover_models(ROOT)]
PACKAGES = [ROOT / "common", *MODEL_PACKAGES]


@pytest.fixture(scope="session")
def repository_files() -> list[Path]:
    """Every file that is, or is about to be, part of the repository; absolute and sorted."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted({path for name in listed.split("\0")[:-1] if (path := ROOT / name).is_file()})


@pytest.fixture(scope="session")
def packages() -> list[Path]:
    """The folders of modelzoo-common and all model packages."""
    return PACKAGES


@pytest.fixture(params=PACKAGES, ids=lambda path: path.name)
def package(request: pytest.FixtureRequest) -> Path:
    """The folder of modelzoo-common or of a model package, each in turn."""
    return request.param


@pytest.fixture(params=MODEL_PACKAGES, ids=lambda path: path.name)
def model_package(request: pytest.FixtureRequest) -> Path:
    """The folder of a model package, each in turn."""
    return request.param
