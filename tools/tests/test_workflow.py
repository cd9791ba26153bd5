"""What the workflow of GitHub Actions promises."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ci_gate import NOTHING_TO_DO
from ci_plan import ROOT


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def test_gate_waits_for_every_other_job(workflow: dict[str, Any]) -> None:
    jobs = workflow["jobs"]
    assert set(jobs["check"]["needs"]) == set(jobs) - {"check"}
    assert jobs["check"]["if"] == "always()"


def test_jobs_that_may_be_skipped_are_those_the_gate_knows(workflow: dict[str, Any]) -> None:
    conditional = {name for name, job in workflow["jobs"].items() if "if" in job} - {"check"}
    assert conditional == set(NOTHING_TO_DO)
    assert set(workflow["jobs"]["plan"]["outputs"]) == set(NOTHING_TO_DO)


def test_repository_is_tested_by_the_environments_that_are_no_package(workflow: dict[str, Any]) -> None:
    assert set(workflow["jobs"]["repository"]["strategy"]["matrix"]["env"]) == {"lint", "tools", "types"}


@pytest.mark.parametrize("job", ["common", "models"])
def test_every_supported_python_is_tested(workflow: dict[str, Any], job: str) -> None:
    classifiers = tomllib.loads((ROOT / "common" / "pyproject.toml").read_text())["project"]["classifiers"]
    supported = [name.rpartition(" ")[2] for name in classifiers if re.search(r":: 3\.\d+$", name)]
    assert workflow["jobs"][job]["strategy"]["matrix"]["python"] == supported


def test_no_expression_becomes_a_part_of_a_script(workflow: dict[str, Any]) -> None:
    scripts = [step["run"] for step in steps(workflow) if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_a_failure_before_a_pipe_counts(workflow: dict[str, Any]) -> None:
    assert workflow["defaults"]["run"]["shell"] == "bash"


def test_actions_are_pinned_and_may_only_read(workflow: dict[str, Any]) -> None:
    actions = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", action)] == []
    assert workflow["permissions"] == {"contents": "read"}


def test_base_of_the_plan_is_the_parent_of_the_change(workflow: dict[str, Any]) -> None:
    (plan,) = (step for step in workflow["jobs"]["plan"]["steps"] if step.get("id") == "plan")
    assert plan["env"]["BASE"] == "${{ github.event.pull_request.base.sha || github.event.before }}"
    assert workflow["jobs"]["plan"]["steps"][0]["with"]["fetch-depth"] == 0
