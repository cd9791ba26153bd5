"""What lands in the distributions, built as a release builds them."""

import os
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from ci_plan import ROOT

COMMON = ROOT / "common"


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
def released(tmp_path_factory: pytest.TempPathFactory, packages: list[Path]) -> dict[Path, Path]:
    """The wheel of each package as a release has it, by the package's folder."""
    return {
        package: build(package, "wheel", tmp_path_factory.mktemp(package.name), release=True) for package in packages
    }


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


def test_release_names_no_place_on_a_machine(released: dict[Path, Path], package: Path) -> None:
    assert [value for value in metadata(released[package]).values() if "file:" in value] == []


def test_release_asks_for_a_range_that_holds_the_present_common(
    released: dict[Path, Path], model_package: Path
) -> None:
    (need,) = (need for need in map(Requirement, requires(released[model_package])) if need.name == "modelzoo-common")
    assert need.url is None
    assert sorted(bound.operator for bound in need.specifier) == ["<", ">="]
    assert need.specifier.contains(metadata(released[COMMON])["Version"])


def test_checkout_takes_common_from_the_folder_beside(tmp_path: Path, model_package: Path) -> None:
    wheel = build(model_package, "wheel", tmp_path, release=False)
    assert f"modelzoo-common @ {COMMON.as_uri()}" in requires(wheel)


def test_wheel_holds_the_whole_source(released: dict[Path, Path], repository_files: list[Path], package: Path) -> None:
    source = package / "src"
    files = {path.relative_to(source).as_posix() for path in repository_files if source in path.parents}
    assert f"modelzoo/{package.name}/py.typed" in files
    assert "modelzoo/__init__.py" not in files
    assert contents(released[package]) == files


def test_no_file_belongs_to_two_wheels(released: dict[Path, Path]) -> None:
    names = [name for wheel in released.values() for name in contents(wheel)]
    assert len(names) == len(set(names))


def test_wheel_holds_the_licence(released: dict[Path, Path], package: Path) -> None:
    with zipfile.ZipFile(released[package]) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(name) == (ROOT / "LICENSE").read_bytes()
    assert metadata(released[package])["License-Expression"] == "Apache-2.0"


def test_sdist_holds_the_whole_folder(tmp_path: Path, repository_files: list[Path], package: Path) -> None:
    sdist = build(package, "sdist", tmp_path, release=True)
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    files = {path.relative_to(package).as_posix() for path in repository_files if package in path.parents}
    assert names - {"PKG-INFO", ".gitignore"} == files


def test_sdist_needs_nothing_beside_it(released: dict[Path, Path], tmp_path: Path, package: Path) -> None:
    sdist = build(package, "sdist", tmp_path / "sdist", release=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    wheel = build(unpacked, "wheel", tmp_path / "wheel", release=False)
    assert contents(wheel) == contents(released[package])
    assert requires(wheel) == requires(released[package])
