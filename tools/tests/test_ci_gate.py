"""The gate lets nothing pass but success and what the plan left out."""

import json
from typing import Any

import pytest

from ci_gate import failures, main

JOBS = ("plan", "repository", "common", "models")
NOTHING_PLANNED = {"models": "[]", "common": "false"}
EVERYTHING_PLANNED = {"models": '["reid"]', "common": "true"}


def needs(plan: dict[str, str], /, **results: str) -> dict[str, Any]:
    """GitHub's ``needs`` where all jobs succeeded, except those in ``results``."""
    jobs = {job: {"result": results.get(job, "success"), "outputs": {}} for job in JOBS}
    return jobs | {"plan": jobs["plan"] | {"outputs": plan}}


def test_success() -> None:
    assert failures(needs(EVERYTHING_PLANNED)) == []
    assert failures(needs(NOTHING_PLANNED)) == []


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_whatever_was_planned_has_to_succeed(job: str, result: str) -> None:
    assert failures(needs(EVERYTHING_PLANNED, **{job: result})) == [f"{job}: {result}"]


def test_skipped_as_planned() -> None:
    assert failures(needs(NOTHING_PLANNED, common="skipped", models="skipped")) == []


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("result", ["failure", "cancelled"])
def test_a_plan_excuses_no_failure(job: str, result: str) -> None:
    assert failures(needs(NOTHING_PLANNED, **{job: result})) == [f"{job}: {result}"]


@pytest.mark.parametrize("job", ["plan", "repository"])
def test_a_plan_excuses_only_the_jobs_it_is_about(job: str) -> None:
    assert failures(needs(NOTHING_PLANNED, **{job: "skipped"})) == [f"{job}: skipped"]


def test_a_plan_that_failed_excuses_nothing() -> None:
    skipped = {"result": "skipped"}
    jobs = {"plan": {"result": "failure"}, "common": skipped, "models": skipped}
    assert failures(jobs) == ["plan: failure", "common: skipped", "models: skipped"]


@pytest.mark.parametrize(
    ("result", "code", "line"), [("success", 0, "all jobs passed"), ("failure", 1, "repository: failure")]
)
def test_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], result: str, code: int, line: str
) -> None:
    monkeypatch.setenv("NEEDS", json.dumps(needs(EVERYTHING_PLANNED, repository=result)))
    assert main() == code
    assert capsys.readouterr().out == f"{line}\n"
