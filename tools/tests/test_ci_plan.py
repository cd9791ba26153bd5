"""Every kind of change is planned; what is not known is never left out."""

import json
import subprocess
from pathlib import Path

import pytest

from ci_plan import Plan, changed_paths, discover_models, main, plan_paths

MODELS = ("gaitset", "reid")
EVERYTHING = Plan(MODELS, common=True)
NOTHING = Plan((), common=False)


def git(root: Path, *args: str) -> str:
    identity = ("-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"{path}\n")


def commit(root: Path) -> str:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "change")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with two models and one commit."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    write(tmp_path, "README.md", *(f"packages/{model}/pyproject.toml" for model in MODELS))
    commit(tmp_path)
    return tmp_path


def planned(capsys: pytest.CaptureFixture[str]) -> Plan:
    """What was printed, read as GitHub reads it."""
    lines = (line.split("=", 1) for line in capsys.readouterr().out.splitlines())
    values = {name: json.loads(value) for name, value in lines}
    return Plan(tuple(values["models"]), values["common"])


@pytest.mark.parametrize(
    ("path", "plan"),
    [
        ("packages/reid/src/modelzoo/reid/cli.py", Plan(("reid",), common=False)),
        ("packages/reid/README.md", Plan(("reid",), common=False)),
        ("packages/gaitset/pyproject.toml", Plan(("gaitset",), common=False)),
        ("README.md", NOTHING),
        ("README.zh-CN.md", NOTHING),
        ("CONTRIBUTING.md", NOTHING),
        ("LICENSE", NOTHING),
        ("NOTICE", NOTHING),
        ("docs/pictures/reid.png", NOTHING),
        ("common/src/modelzoo/common/bins.py", EVERYTHING),
        ("common/README.md", EVERYTHING),
        ("tox.ini", EVERYTHING),
        ("pyproject.toml", EVERYTHING),
        ("tools/ci_plan.py", EVERYTHING),
        (".github/workflows/ci.yml", EVERYTHING),
        (".ci/run", EVERYTHING),
        ("packages/README.md", EVERYTHING),
        ("packages/unheard-of/README.md", EVERYTHING),
        ("packages/reid", EVERYTHING),
        ("unheard.of", EVERYTHING),
    ],
)
def test_each_path_alone(path: str, plan: Plan) -> None:
    assert plan_paths([path], MODELS) == plan


def test_several_paths_add_up() -> None:
    paths = ["packages/reid/a", "README.md", "packages/gaitset/a", "packages/reid/b"]
    assert plan_paths(paths, MODELS) == Plan(MODELS, common=False)
    assert plan_paths([*paths, "tox.ini"], MODELS) == EVERYTHING


def test_no_path_needs_no_test() -> None:
    assert plan_paths([], MODELS) == NOTHING


def test_models_are_folders_with_a_project(repository: Path) -> None:
    write(repository, "packages/notes/readme.txt", "packages/pyproject.toml")
    assert discover_models(repository) == MODELS


def test_difference_to_base(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = git(repository, "rev-parse", "HEAD")
    write(repository, "packages/reid/src/a 名.py")
    commit(repository)
    assert changed_paths(base, repository) == ["packages/reid/src/a 名.py"]
    main(["--base", base], repository)
    assert planned(capsys) == Plan(("reid",), common=False)


def test_what_base_did_meanwhile_does_not_count(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "-b", "feature")
    write(repository, "packages/reid/a.py")
    commit(repository)
    git(repository, "checkout", "--quiet", "main")
    write(repository, "tox.ini")
    commit(repository)
    git(repository, "checkout", "--quiet", "feature")
    assert changed_paths("main", repository) == ["packages/reid/a.py"]


def test_empty_difference(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--base", "HEAD"], repository)
    assert planned(capsys) == NOTHING


def test_renamed_file_counts_where_it_was_and_where_it_is(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repository, "packages/gaitset/metric.py")
    base = commit(repository)
    git(repository, "mv", "packages/gaitset/metric.py", "packages/reid/metric.py")
    commit(repository)
    main(["--base", base], repository)
    assert planned(capsys) == Plan(MODELS, common=False)


def test_deleted_package_is_not_planned_but_all_others_are(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = git(repository, "rev-parse", "HEAD")
    git(repository, "rm", "--quiet", "-r", "packages/gaitset")
    commit(repository)
    main(["--base", base], repository)
    assert planned(capsys) == Plan(("reid",), common=True)


@pytest.mark.parametrize("arguments", [["--base", "0" * 40], ["--base", "no-such"], ["--base", ""], []])
def test_unknown_change_plans_everything(
    repository: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    main(arguments, repository)
    assert planned(capsys) == EVERYTHING


def test_base_is_never_taken_as_an_option(repository: Path) -> None:
    assert changed_paths("--output=leak", repository) is None
    assert not list(repository.glob("leak*"))


def test_paths_may_be_given(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["packages/reid/a.py", "README.md"], repository)
    assert planned(capsys) == Plan(("reid",), common=False)
    with pytest.raises(SystemExit) as stopped:
        main(["--base", "main", "packages/reid/a.py"], repository)
    assert stopped.value.code == 2
