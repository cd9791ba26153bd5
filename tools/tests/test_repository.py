"""What holds for the repository as a whole: environments, READMEs, the test command."""

import ast
import configparser
import os
import re
from pathlib import Path

from ci_plan import ROOT, discover_models

VENV = "python3 -m venv .venv"
DEMO_COMMAND = f"{VENV} && .venv/bin/pip install './packages/reid[export]' && .venv/bin/reid demo"
TEST_COMMAND = f"{VENV} && .venv/bin/pip install tox && .venv/bin/tox -p 2 -o"

BASH_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def bash_blocks(readme: Path) -> list[str]:
    return [block.strip() for block in BASH_BLOCK.findall(readme.read_text(encoding="utf-8"))]


def tox_ini() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string((ROOT / "tox.ini").read_text(encoding="utf-8"))
    return parser


def test_tox_runs_every_package_and_every_check(repository_files: list[Path]) -> None:
    packages = ROOT / "packages"
    folders = {path.relative_to(packages).parts[0] for path in repository_files if packages in path.parents}
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


def test_every_readme_has_a_chinese_one_with_the_same_commands() -> None:
    packages = [ROOT / "packages" / model for model in discover_models(ROOT)]
    for folder in [ROOT, ROOT / "common", *packages]:
        assert bash_blocks(folder / "README.zh-CN.md") == bash_blocks(folder / "README.md"), folder


def test_common_stays_thin_and_names_no_model() -> None:
    source = ROOT / "common" / "src"
    shared = [path for path in source.rglob("*.py") if not {"synthetic", "testing"} & set(path.parts)]
    assert sum(code_lines(path) for path in shared) <= 3200
    imports = re.compile(r"modelzoo\.(?!common\b)\w")
    assert [path for path in shared if imports.search(path.read_text(encoding="utf-8"))] == []


def code_lines(path: Path) -> int:
    """Lines that hold code: without blank lines, comments and docstrings."""
    text = path.read_text(encoding="utf-8")
    prose = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = enumerate(text.splitlines(), start=1)
    return sum(bool(line.strip()) and not line.strip().startswith("#") and i not in prose for i, line in lines)
