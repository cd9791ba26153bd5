"""What lands in the distributions, built as a release builds them."""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from ci_plan import ROOT, discover_models

COMMON = ROOT / "common"
MODEL_PACKAGES = [ROOT / "packages" / model for model in discover_models(ROOT)]
PACKAGES = [COMMON, *MODEL_PACKAGES]

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
each_model = pytest.mark.parametrize("package", MODEL_PACKAGES, ids=lambda path: path.name)


def build(package: Path, target: str, destination: Path, *, release: bool) -> Path:
    """Build the ``wheel`` or ``sdist`` of the folder ``package``; return the file."""
    environment = {name: value for name, value in os.environ.items() if name != "MODELZOO_RELEASE"}
    environment |= {"MODELZOO_RELEASE": "1"} if release else {}
    hatchling = [sys.executable, "-m", "hatchling", "build"]
    options = ["--target", target, "--directory", str(destination)]
    subprocess.run([*hatchling, *options], cwd=package, env=environment, check=True)
    (built,) = destination.iterdir()
    return built


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Package folder to its wheel as a release has it, each built once."""
    wheels = {}
    for package in PACKAGES:
        wheels[package] = build(package, "wheel", tmp_path_factory.mktemp(package.name), release=True)
    return wheels.__getitem__


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def requires(wheel: Path) -> list[str]:
    return metadata(wheel).get_all("Requires-Dist", [])


def contents(wheel: Path) -> set[str]:
    """Names of the files in ``wheel``, its own records left out."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@each_package
def test_release_names_no_place_on_a_machine(released: Callable[[Path], Path], package: Path) -> None:
    assert "file:" not in metadata(released(package)).as_string()


@each_model
def test_release_asks_for_a_range_of_common(released: Callable[[Path], Path], package: Path) -> None:
    wanted = [need for need in requires(released(package)) if need.startswith("modelzoo-common")]
    assert wanted == ["modelzoo-common<0.2,>=0.1"]


def test_range_of_common_holds_the_present_version(released: Callable[[Path], Path]) -> None:
    assert metadata(released(COMMON))["Version"].startswith("0.1.")


@each_model
def test_checkout_takes_common_from_the_folder_beside(tmp_path: Path, package: Path) -> None:
    wheel = build(package, "wheel", tmp_path, release=False)
    assert f"modelzoo-common @ {COMMON.as_uri()}" in requires(wheel)


@each_package
def test_wheel_holds_the_whole_source(
    released: Callable[[Path], Path], repository_files: list[Path], package: Path
) -> None:
    source = package / "src"
    files = {path.relative_to(source).as_posix() for path in repository_files if path.is_relative_to(source)}
    assert f"modelzoo/{package.name}/py.typed" in files
    assert "modelzoo/__init__.py" not in files
    assert contents(released(package)) == files


def test_no_file_belongs_to_two_wheels(released: Callable[[Path], Path]) -> None:
    names = [name for package in PACKAGES for name in contents(released(package))]
    assert len(names) == len(set(names))


@each_package
def test_wheel_holds_the_licence(released: Callable[[Path], Path], package: Path) -> None:
    with zipfile.ZipFile(released(package)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(name) == (ROOT / "LICENSE").read_bytes()
    assert metadata(released(package))["License-Expression"] == "Apache-2.0"


@each_package
def test_sdist_needs_nothing_beside_it(
    released: Callable[[Path], Path], tmp_path: Path, package: Path
) -> None:
    sdist = build(package, "sdist", tmp_path / "sdist", release=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    wheel = build(unpacked, "wheel", tmp_path / "wheel", release=False)
    assert contents(wheel) == contents(released(package))
    assert requires(wheel) == requires(released(package))
