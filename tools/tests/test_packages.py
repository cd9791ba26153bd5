"""What every distribution declares: pins, constraints, the same build hook, the same licence."""

import itertools
import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ci_plan import ROOT

CONSTRAINT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[0-9][0-9a-z.]*)")


def project(package: Path) -> dict[str, Any]:
    return tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))


def requirements(package: Path) -> list[Requirement]:
    """The direct dependencies on others, those of the extras and of the build included."""
    table = project(package)
    hook = table["tool"]["hatch"].get("metadata", {}).get("hooks", {}).get("custom", {})
    groups = [
        table["build-system"]["requires"],
        table["project"].get("dependencies", []),
        hook.get("dependencies", []),
        *table["project"].get("optional-dependencies", {}).values(),
    ]
    needs = map(Requirement, itertools.chain.from_iterable(groups))
    return [need for need in needs if not need.name.startswith("modelzoo-")]


def constraints(package: Path) -> dict[str, str]:
    """Canonical name to version, as ``constraints.txt`` says."""
    lines = (package / "constraints.txt").read_text(encoding="utf-8").splitlines()
    matches = [CONSTRAINT.fullmatch(line) for line in lines if not line.startswith("# ")]
    assert all(matches), lines
    return {canonicalize_name(match["name"]): match["version"] for match in matches if match}


def tox_pins() -> list[Requirement]:
    lines = (ROOT / "tox.ini").read_text(encoding="utf-8").splitlines()
    return [Requirement(line.split("deps =")[-1].strip()) for line in lines if "==" in line]


def test_direct_dependencies_are_pinned(package: Path) -> None:
    needs = requirements(package)
    assert needs
    assert [str(need) for need in needs if not re.fullmatch(r"==[0-9][0-9a-z.]*", str(need.specifier))] == []


def test_pins_are_equal_everywhere(packages: list[Path]) -> None:
    pins = defaultdict(set)
    for need in itertools.chain(tox_pins(), *map(requirements, packages)):
        pins[canonicalize_name(need.name)].add(str(need.specifier))
    assert {"numpy", "pytest", "ruff", "hatchling"} <= set(pins)
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}


def test_constraints_name_every_direct_dependency(package: Path) -> None:
    held = constraints(package)
    needed = {
        canonicalize_name(need.name): str(need.specifier).removeprefix("==")
        for need in [*requirements(ROOT / "common"), *requirements(package)]
        if need.name != "hatchling"
    }
    assert {name: held.get(name) for name in needed} == needed


def test_torchvision_is_nowhere(package: Path) -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        assert "torchvision" not in (package / name).read_text(encoding="utf-8").lower()


def test_licence_is_the_one_of_the_repository(package: Path) -> None:
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_type_check_finds_the_package(package: Path) -> None:
    source = package.relative_to(ROOT) / "src"
    assert f"$MYPY_CONFIG_FILE_DIR/{source.as_posix()}" in project(ROOT)["tool"]["mypy"]["mypy_path"]


def test_build_hooks_are_identical(packages: list[Path]) -> None:
    models = [package for package in packages if package.parent.name == "packages"]
    assert len({(package / "hatch_build.py").read_bytes() for package in models}) == 1


def test_requirements_file_is_the_step_of_the_guides(model_package: Path) -> None:
    assert (model_package / "requirements.txt").read_text(encoding="utf-8") == ".[export]\n"


def test_names_follow_the_folder(model_package: Path) -> None:
    name, table = model_package.name, project(model_package)["project"]
    assert table["name"] == f"modelzoo-{name}"
    assert name in table["scripts"]
    assert [script for script in table["scripts"] if not re.fullmatch(rf"{name}(-[a-z0-9-]+)?", script)] == []
    assert set(table["scripts"].values()) == {f"modelzoo.{name}.cli:main"}
