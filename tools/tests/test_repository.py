"""What holds for the repository as a whole: environments, READMEs, the test command."""

import configparser
import os
import re
from pathlib import Path

from ci_plan import ROOT, discover_models

VENV = "python3 -m venv .venv"
DEMO_COMMAND = f"{VENV} && .venv/bin/pip install './packages/reid[export]' && .venv/bin/reid demo"
TEST_COMMAND = f"{VENV} && .venv/bin/pip install tox && .venv/bin/tox"

BASH_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Written so that it does not find itself.
MACHINE_PATH = re.compile(rb"(?<![\w.)}-])[/]work[/]|[.][.][/]shared")


def bash_blocks(readme: Path) -> list[str]:
    return [block.strip() for block in BASH_BLOCK.findall(readme.read_text(encoding="utf-8"))]


def tox_ini() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string((ROOT / "tox.ini").read_text(encoding="utf-8"))
    return parser


def test_tox_runs_every_package_and_every_check() -> None:
    folders = {path.name for path in (ROOT / "packages").iterdir() if path.is_dir()}
    environments = re.split(r"[,\s]+", tox_ini()["tox"]["env_list"])
    assert sorted(environments) == sorted({"common", "lint", "tools", "types", *folders})
    assert set(discover_models(ROOT)) == folders


def test_tox_packages_each_package_from_its_own_folder() -> None:
    ini = tox_ini()
    for model in discover_models(ROOT):
        assert ini[f"testenv:{model}"]["base"] == "package"
        packaging = ini[f"testenv:.pkg-{model}"]
        assert packaging["package_root"].replace("{/}", "/") == f"{{tox_root}}/packages/{model}"
        assert packaging["set_env"] == "MODELZOO_RELEASE = 1"


def test_readme_begins_with_the_demo_and_the_test_command() -> None:
    assert bash_blocks(ROOT / "README.md")[:2] == [DEMO_COMMAND, TEST_COMMAND]


def test_ci_run_is_the_test_command_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    preamble = ["#!/usr/bin/env bash", "set -euo pipefail", 'cd "$(dirname "$0")/.."']
    lines = script.read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("# ")]
    assert commands == [*preamble, bash_blocks(ROOT / "README.md")[1]]
    assert os.access(script, os.X_OK)


def test_every_readme_has_a_chinese_one_with_the_same_commands(repository_files: list[Path]) -> None:
    readmes = [path for path in repository_files if path.name == "README.md"]
    packages = [ROOT / "packages" / model for model in discover_models(ROOT)]
    assert {folder / "README.md" for folder in [ROOT, *packages]} <= set(readmes)
    for readme in readmes:
        chinese = readme.with_name("README.zh-CN.md")
        assert chinese in repository_files
        assert bash_blocks(chinese) == bash_blocks(readme), chinese


def test_no_file_names_a_place_outside_the_repository(repository_files: list[Path]) -> None:
    found = [path for path in repository_files if MACHINE_PATH.search(path.read_bytes())]
    assert found == []
