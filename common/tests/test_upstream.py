"""The upstream: cloned at its commit and patched, all else refused and left alone; its code in another process."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modelzoo.common import upstream as module
from modelzoo.common.errors import DataError, MissingDependencyError, UsageError
from modelzoo.common.spec import Upstream
from modelzoo.common.upstream import UpstreamError, check_upstream, clean_copy, prepare, run_upstream

PATCH = """Why it is needed.

--- a/net.py
+++ b/net.py
@@ -1,2 +1,3 @@
-import gone
+offset = 3
+more = 4
 name = 'net'
"""
PUBLISHED, PATCHED = "import gone\nname = 'net'\n", "offset = 3\nmore = 4\nname = 'net'\n"

Change = Callable[[Path], None]


def git(folder: Path, *words: object) -> str:
    line = ["git", "-C", str(folder), *map(str, words)]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a commit")
    return git(folder, "rev-parse", "HEAD")


def repository(folder: Path, *commits: dict[str, str]) -> list[str]:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    return [commit(folder, files) for files in commits]


def files(folder: Path) -> dict[str, bytes]:
    """What git does not keep for itself."""
    paths = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's git settings: none but a name."""
    path = tmp_path / "settings" / "gitconfig"
    path.parent.mkdir()
    path.write_text("[user]\nname = A\nemail = a@example.com\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return path


@pytest.fixture
def patch(tmp_path: Path) -> Path:
    path = tmp_path / "settings" / "upstream.patch"
    path.write_text(PATCH)
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The published repository; the pinned commit is not its newest."""
    folder = tmp_path / "source"
    first = {"net.py": PUBLISHED, "README": "read me\n", ".gitignore": "__pycache__/\n"}
    repository(folder, first, {"net.py": "import newer\n"})
    return folder


@pytest.fixture
def upstream(source: Path) -> Upstream:
    return Upstream(str(source), git(source, "rev-parse", "HEAD~1"), "MIT")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty folder in which the destination will be the only entry."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.fixture
def checkout(upstream: Upstream, patch: Path, place: Path) -> Path:
    """A patched upstream."""
    prepare(upstream, patch, place / "up", None, apply_patch=True)
    return place / "up"


def test_a_clone_is_at_the_commit_and_patched(upstream: Upstream, patch: Path, place: Path) -> None:
    done = prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert done == [f"cloned from {upstream.url}", f"at commit {upstream.commit}", "patched"]
    assert files(place / "up") == {
        "net.py": PATCHED.encode(), "README": b"read me\n", ".gitignore": b"__pycache__/\n"
    }  # fmt: skip
    assert git(place / "up", "rev-parse", "HEAD") == upstream.commit
    assert git(place / "up", "diff", "--name-only") == "net.py"
    assert [path.name for path in place.iterdir()] == ["up"]


@pytest.mark.parametrize("apply_patch", [True, False])
def test_a_second_time_needs_no_source(apply_patch: bool, upstream: Upstream, patch: Path, place: Path) -> None:
    first = prepare(upstream, patch, place / "up", None, apply_patch)
    before = files(place / "up")
    second = prepare(upstream, patch, place / "up", str(place / "nowhere"), apply_patch)
    assert second == ["already there", *first[1:]]
    assert files(place / "up") == before


def test_the_patch_can_come_later(upstream: Upstream, patch: Path, place: Path) -> None:
    done = prepare(upstream, patch, place / "up", None, apply_patch=False)
    assert done[1:] == [f"at commit {upstream.commit}", "as published"]
    assert (place / "up" / "net.py").read_text() == PUBLISHED
    assert check_upstream(upstream, patch, place / "up") is False
    done = prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert done == ["already there", f"at commit {upstream.commit}", "patched"]
    assert (place / "up" / "net.py").read_text() == PATCHED
    assert check_upstream(upstream, patch, place / "up") is True


def test_a_patched_one_is_not_taken_for_the_published_one(upstream: Upstream, patch: Path, checkout: Path) -> None:
    with pytest.raises(UpstreamError, match=r"up has the patch applied$") as raised:
        prepare(upstream, patch, checkout, None, apply_patch=False)
    assert (checkout / "net.py").read_text() == PATCHED
    subprocess.run(shlex.split(str(raised.value.hint)), check=True)
    assert "as published" in prepare(upstream, patch, checkout, None, apply_patch=False)


def edit(folder: Path) -> None:
    (folder / "README").write_text("read me!\n")


def same_size(folder: Path) -> None:
    (folder / "README").write_text("read he\n")


def edit_the_patched(folder: Path) -> None:
    with (folder / "net.py").open("a") as file:
        file.write("more\n")


def delete(folder: Path) -> None:
    (folder / "README").unlink()


def add(folder: Path) -> None:
    (folder / "torch.py").write_text("")


def stage(folder: Path) -> None:
    edit(folder)
    git(folder, "add", "README")


def hide(folder: Path) -> None:
    git(folder, "update-index", "--assume-unchanged", "README")
    edit(folder)


def replace_the_commit(folder: Path) -> None:
    git(folder, "replace", "HEAD", "origin/HEAD")
    git(folder, "reset", "--quiet", "--hard")


@pytest.mark.parametrize("apply_patch", [True, False])
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (edit, "README"),
        (same_size, "README"),
        (edit_the_patched, "net.py"),
        (delete, "README"),
        (add, "torch.py"),
        (stage, "README"),
        (hide, "README"),
        (replace_the_commit, "net.py"),
    ],
)
def test_a_dirty_one_is_refused(
    change: Change, named: str, apply_patch: bool, upstream: Upstream, patch: Path, place: Path
) -> None:
    prepare(upstream, patch, place / "up", None, apply_patch)
    change(place / "up")
    before = files(place / "up")
    with pytest.raises(UpstreamError, match=f"up has changes beside the patch: .*{named}$") as raised:
        prepare(upstream, patch, place / "up", None, apply_patch)
    assert files(place / "up") == before
    assert str(place / "up") in str(raised.value.hint)


def test_a_part_of_the_patch_is_not_the_patch(upstream: Upstream, patch: Path, checkout: Path) -> None:
    (checkout / "net.py").write_text(PATCHED.replace("more = 4\n", ""))
    with pytest.raises(UpstreamError, match=r"beside the patch: net\.py$"):
        prepare(upstream, patch, checkout, None, apply_patch=True)


@pytest.mark.parametrize("change", ["ignored", "staged patch", "touched"])
def test_what_changes_no_source_does_not_count(change: str, upstream: Upstream, patch: Path, checkout: Path) -> None:
    if change == "ignored":
        (checkout / "__pycache__").mkdir()
        (checkout / "__pycache__" / "net.pyc").write_bytes(b"")
    elif change == "staged patch":
        git(checkout, "add", "net.py")
    else:
        os.utime(checkout / "README", (1, 1))
    assert prepare(upstream, patch, checkout, None, apply_patch=True)[0] == "already there"


def no_repository(folder: Path, _upstream: Upstream) -> str:
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    return "is not a git checkout: not a git repository"


def folder_of_a_repository(folder: Path, _upstream: Upstream) -> str:
    repository(folder.parent / "mine", {"a": "a"})
    (folder.parent / "mine" / "up").mkdir()
    (folder.parent / "mine" / "up" / "notes").write_text("years of work")
    folder.symlink_to(folder.parent / "mine" / "up")
    return "is not a git checkout: not a git repository"


def no_commits(folder: Path, _upstream: Upstream) -> str:
    repository(folder)
    return "is not a git checkout: ambiguous argument 'HEAD'"


def bare(folder: Path, upstream: Upstream) -> str:
    git(folder.parent, "clone", "--quiet", "--bare", upstream.url, folder)
    return "is not a git checkout: this operation must be run in a work tree"


def files_elsewhere(folder: Path, upstream: Upstream) -> str:
    for name in (folder, folder.parent / "good"):
        git(folder.parent, "clone", "--quiet", upstream.url, name)
        git(name, "checkout", "--quiet", upstream.commit)
    git(folder, "config", "core.worktree", folder.parent / "good")
    return "is not a git checkout: its files are in "


def another_repository(folder: Path, _upstream: Upstream) -> str:
    (head,) = repository(folder, {"net.py": PUBLISHED})
    return f"is another repository, at commit {head}, not at "


def another_commit(folder: Path, upstream: Upstream) -> str:
    git(folder.parent, "clone", "--quiet", upstream.url, folder)
    return f"is at commit {git(folder, 'rev-parse', 'HEAD')}, not at {upstream.commit}"


@pytest.mark.parametrize(
    "make",
    [no_repository, folder_of_a_repository, no_commits, bare, files_elsewhere, another_repository, another_commit],
)
def test_a_foreign_one_is_refused(
    make: Callable[[Path, Upstream], str], upstream: Upstream, patch: Path, place: Path
) -> None:
    wanted = make(place / "up", upstream)
    before = files(place)
    for refuse in (lambda: prepare(upstream, patch, place / "up", None, True), lambda: check(upstream, patch, place)):
        with pytest.raises(UpstreamError) as raised:
            refuse()
        assert str(raised.value).startswith(f"{(place / 'up').resolve()} {wanted}")
        assert raised.value.hint == "name a folder that is empty or does not exist yet"
    assert files(place) == before


def check(upstream: Upstream, patch: Path, place: Path) -> bool:
    return check_upstream(upstream, patch, place / "up")


def test_a_file_is_refused(upstream: Upstream, patch: Path, place: Path) -> None:
    (place / "up").write_text("years of work")
    with pytest.raises(DataError, match=r"up$"):
        prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert files(place) == {"up": b"years of work"}


@pytest.mark.parametrize("there", [True, False])
def test_a_patch_that_does_not_apply_leaves_nothing_behind(
    there: bool, upstream: Upstream, patch: Path, place: Path
) -> None:
    if there:
        prepare(upstream, patch, place / "up", None, apply_patch=False)
    patch.write_text(PATCH.replace("import gone", "import other"))
    before = files(place)
    with pytest.raises(UpstreamError) as raised:
        prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert str(raised.value) == f"{patch} does not apply: net.py: patch does not apply"
    assert files(place) == before
    assert [path.name for path in place.iterdir()] == ["up"][: int(there)]


@pytest.mark.parametrize("outside", ["../stolen.py", "/stolen.py", ".git/hooks/post-checkout"])
def test_a_patch_stays_inside_the_checkout(outside: str, upstream: Upstream, patch: Path, place: Path) -> None:
    patch.write_text(f"--- /dev/null\n+++ b/{outside}\n@@ -0,0 +1 @@\n+text\n")
    with pytest.raises(UpstreamError, match="does not apply: invalid path"):
        prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("pinned", ["0" * 40, "short", "HEAD"])
def test_only_the_full_hash_of_a_commit_that_is_there_counts(
    pinned: str, upstream: Upstream, patch: Path, place: Path
) -> None:
    wanted = {
        "0" * 40: f"cannot get commit {pinned} from {upstream.url}: ",
        "short": ", not at ",
        "HEAD": "not at HEAD",
    }
    other = replace(upstream, commit=upstream.commit[:12] if pinned == "short" else pinned)
    with pytest.raises(UpstreamError, match=wanted[pinned]):
        prepare(other, patch, place / "up", None, apply_patch=True)
    assert list(place.iterdir()) == []


def test_without_git(upstream: Upstream, patch: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(place))
    with pytest.raises(MissingDependencyError, match="needs git, which is not installed") as raised:
        prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert raised.value.exit_code == 3
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("form", ["with a space", "relative", "url"])
def test_sources(
    form: str, source: Path, upstream: Upstream, patch: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = str(source)
    if form == "with a space":
        given = str(shutil.copytree(source, source.with_name("a copy; of it")))
    elif form == "relative":
        monkeypatch.chdir(source.parent)
        given = source.name
    else:
        given = source.as_uri()
    published = replace(upstream, url="https://example.invalid/net")
    assert prepare(published, patch, place / "up", given, apply_patch=True)[0] == f"cloned from {given}"
    assert check_upstream(upstream, patch, place / "up") is True


def test_a_source_that_is_not_there(upstream: Upstream, patch: Path, place: Path) -> None:
    with pytest.raises(UpstreamError, match=r"from /nowhere: repository '/nowhere' does not exist$"):
        prepare(upstream, patch, place / "up", "/nowhere", apply_patch=True)
    assert list(place.iterdir()) == []


def thief(program: Path, trace: Path) -> Path:
    """A program that leaves a trace when it is run."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("source_", ["-u{program}", "--upload-pack={program}", "ext::{program} %S"])
def test_a_source_is_no_program(source_: str, upstream: Upstream, patch: Path, place: Path, tmp_path: Path) -> None:
    program = thief(tmp_path / "settings" / "program", tmp_path / "stolen")
    git(place, "config", "--global", "protocol.ext.allow", "always")
    with pytest.raises(UsageError if source_.startswith("-") else UpstreamError):
        prepare(upstream, patch, place / "up", source_.format(program=program), apply_patch=True)
    assert not (tmp_path / "stolen").exists()
    assert list(place.iterdir()) == []


def test_no_hook_is_run(upstream: Upstream, patch: Path, place: Path, settings: Path) -> None:
    hook = thief(settings.parent / "template" / "hooks" / "post-checkout", settings.parent / "stolen")
    git(place, "config", "--global", "init.templateDir", hook.parent.parent)
    prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert (place / "up" / ".git" / "hooks" / "post-checkout").exists()
    assert not (settings.parent / "stolen").exists()


def test_no_monitor_is_run(upstream: Upstream, patch: Path, checkout: Path, tmp_path: Path) -> None:
    git(checkout, "config", "core.fsmonitor", thief(tmp_path / "monitor", tmp_path / "stolen"))
    assert check_upstream(upstream, patch, checkout) is True
    assert not (tmp_path / "stolen").exists()


@pytest.mark.parametrize("apply_patch", [True, False])
def test_no_filter_of_a_checkout_is_run(
    apply_patch: bool, upstream: Upstream, patch: Path, place: Path, tmp_path: Path
) -> None:
    prepare(upstream, patch, place / "up", None, apply_patch)
    program = thief(tmp_path / "filter", tmp_path / "stolen")
    for end in ("clean", "smudge"):
        git(place / "up", "config", f"filter.x.{end}", f"{shlex.quote(str(program))}; cat")
    (place / "up" / ".git" / "info" / "attributes").write_text("* filter=x\n")
    assert check_upstream(upstream, patch, place / "up") is apply_patch
    prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert (place / "up" / "net.py").read_text() == PATCHED
    assert not (tmp_path / "stolen").exists()


def test_nothing_is_fetched_for_a_check(upstream: Upstream, patch: Path, checkout: Path, tmp_path: Path) -> None:
    program = thief(tmp_path / "fetch", tmp_path / "stolen")
    settings = ["core.repositoryFormatVersion 1", "extensions.partialClone origin", "remote.origin.promisor true"]
    for setting in (*settings, f"remote.origin.uploadpack {program}"):
        git(checkout, "config", *setting.split(" ", 1))
    with pytest.raises(UpstreamError, match="is another repository, at commit"):
        check_upstream(replace(upstream, commit="1" * 40), patch, checkout)
    assert not (tmp_path / "stolen").exists()


@pytest.mark.parametrize("exclude", [".git/info/exclude", "torch/.gitignore"])
def test_a_checkout_hides_no_file(exclude: str, upstream: Upstream, patch: Path, checkout: Path) -> None:
    (checkout / "torch").mkdir()
    (checkout / "torch" / "__init__.py").write_text("")
    (checkout / exclude).write_text("*\n")
    with pytest.raises(UpstreamError, match=r"beside the patch: .*torch/__init__\.py$"):
        check_upstream(upstream, patch, checkout)


@pytest.mark.parametrize("name", ["README", ""])
def test_objects_with_the_names_of_others_are_refused(name: str, upstream: Upstream, patch: Path, place: Path) -> None:
    (commit_,) = repository(place / "up", {"net.py": PUBLISHED, "README": "read me\n"})
    other = git(place / "up", "rev-parse", f"{commit(place / 'up', {'README': 'read it'})}:{name}")
    names = [git(place / "up", "rev-parse", f"{commit_}:{name}"), other]
    git(place / "up", "reset", "--quiet", "--hard", commit_)
    genuine, false = (place / "up" / ".git" / "objects" / hash_[:2] / hash_[2:] for hash_ in names)
    false.replace(genuine)
    git(place / "up", "checkout", "--", ".")
    with pytest.raises(UpstreamError, match="up is damaged: "):
        check_upstream(replace(upstream, commit=commit_), patch, place / "up")


@pytest.mark.parametrize("form", ["shallow", "shared", "worktree"])
@pytest.mark.parametrize("apply_patch", [True, False])
def test_a_clean_copy(form: str, apply_patch: bool, source: Path, upstream: Upstream, patch: Path, place: Path) -> None:
    if form == "worktree":
        git(source, "worktree", "add", "--quiet", place / "up", upstream.commit)
    else:
        git(source, "branch", "old", upstream.commit)
        how = "--depth=1" if form == "shallow" else "--shared"
        git(place, "clone", "--quiet", how, "--branch=old", source if form == "shared" else source.as_uri(), "up")
    prepare(upstream, patch, place / "up", None, apply_patch)
    (place / "up" / "__pycache__").mkdir()
    (place / "up" / "__pycache__" / "net.pyc").write_bytes(b"")
    with clean_copy(upstream, patch, place / "up") as folder:
        assert files(folder) == {
            "net.py": PATCHED.encode(), "README": b"read me\n", ".gitignore": b"__pycache__/\n"
        }  # fmt: skip
        assert list(folder.glob(".git")) == []
    assert not folder.exists()


def test_there_is_no_clean_copy_of_a_dirty_one(upstream: Upstream, patch: Path, checkout: Path) -> None:
    edit(checkout)
    with pytest.raises(UpstreamError, match="beside the patch: README"), clean_copy(upstream, patch, checkout):
        pass


def test_the_bytes_are_those_of_the_commit_whatever_the_settings(upstream: Upstream, patch: Path, place: Path) -> None:
    git(place, "config", "--global", "core.autocrlf", "true")
    prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert (place / "up" / "net.py").read_bytes() == PATCHED.encode()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GIT_DIR", "mine/.git"),
        ("GIT_INDEX_FILE", "mine/.git/index"),
        ("GIT_WORK_TREE", "mine"),
        ("GIT_OBJECT_DIRECTORY", "mine/.git/objects"),
        ("GIT_COMMON_DIR", "mine/.git"),
        ("GIT_NAMESPACE", "mine"),
    ],
)
def test_inside_a_hook_of_another_repository(
    variable: str, value: str, source: Path, upstream: Upstream, patch: Path, place: Path, tmp_path: Path
) -> None:
    (head,) = repository(tmp_path / "mine", {"a": "a"})
    with pytest.MonkeyPatch.context() as hook:
        hook.setenv(variable, value if variable == "GIT_NAMESPACE" else str(tmp_path / value))
        prepare(upstream, patch, place / "up", source.as_uri(), apply_patch=True)
        assert check_upstream(upstream, patch, place / "up") is True
    assert check_upstream(upstream, patch, place / "up") is True
    assert (git(tmp_path / "mine", "rev-parse", "HEAD"), git(tmp_path / "mine", "status", "--short")) == (head, "")


@pytest.mark.parametrize("form", ["empty", "below nothing", "link", "relative"])
def test_destinations(form: str, upstream: Upstream, patch: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    destination = place / "up"
    if form == "empty":
        destination.mkdir()
    elif form == "below nothing":
        destination = place / "a" / "b" / "up"
    elif form == "link":
        (place / "real").mkdir()
        destination.symlink_to(place / "real")
    else:
        monkeypatch.chdir(place)
        destination, patch = Path("up"), Path("..") / patch.relative_to(place.parent)
    for _ in range(2):
        prepare(upstream, patch, destination, None, apply_patch=True)
        assert (destination / "net.py").read_text() == PATCHED
    assert destination.is_symlink() == (form == "link")


@pytest.mark.parametrize("there", [True, False])
def test_an_interrupted_clone_leaves_nothing_behind(
    there: bool, upstream: Upstream, patch: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_upstream: Upstream, _patch: Path, folder: Path, _wanted: bool) -> None:
        assert (folder / "net.py").exists()
        assert place in folder.parents
        raise KeyboardInterrupt

    if there:
        (place / "up").mkdir()
    monkeypatch.setattr(module, "_patched", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare(upstream, patch, place / "up", None, apply_patch=True)
    assert [path.name for path in place.iterdir()] == ["up"][: int(there)]
    assert files(place) == {}


RUNNER = """
import sys
from modelzoo.common.upstream import serve

def load(weights, factor, name="none"):
    import net
    factor = float(factor) + float(weights.read_text())
    print(name, "built")
    return lambda *inputs: net.run(factor, *inputs)

if __name__ == "__main__":
    serve(load, sys.argv[1:])
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[np.ndarray]]:
    """Run an upstream that consists of net.py; the weights are a number."""
    (tmp_path / "runners").mkdir()
    (tmp_path / "runners" / "toy_runner.py").write_text(RUNNER)
    (tmp_path / "up of mine").mkdir()
    (tmp_path / "my weights").write_text("0.5")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "runners"))

    def run(net: str, inputs: list[np.ndarray], **form: str) -> list[np.ndarray]:
        (tmp_path / "up of mine" / "net.py").write_text(net)
        return run_upstream("toy_runner", tmp_path / "up of mine", tmp_path / "my weights", form, inputs)

    return run


def test_arrays_go_through_the_upstream_unchanged(run: Callable[..., list[np.ndarray]]) -> None:
    inputs = [np.arange(i, i + 6, dtype=dtype).reshape(2, 3) for i, dtype in enumerate(["f4", "u1", "i8"] * 4)]
    outputs = run("def run(factor, *inputs): return [factor * inputs[0], *inputs[1:]]", inputs, factor="2", name="a=b")
    assert np.array_equal(outputs[0], 2.5 * inputs[0])
    assert len(outputs) == 12
    for have, want in zip(outputs[1:], inputs[1:], strict=True):
        assert have.dtype == want.dtype
        assert np.array_equal(have, want)


@pytest.mark.parametrize(
    ("net", "told"),
    [
        ("import gone", "ModuleNotFoundError: No module named 'gone'"),
        ("def run(factor, x): raise ValueError('no\\nsense')", "sense"),
        ("import os; os._exit(7)", "exit code 7"),
    ],
)
def test_an_upstream_that_fails_is_told_in_one_line(net: str, told: str, run: Callable[..., list[np.ndarray]]) -> None:
    with pytest.raises(UpstreamError) as raised:
        run(net, [np.zeros(1)], factor="1")
    assert str(raised.value) == f"the upstream failed: {told}"


def test_the_upstream_stays_in_its_own_process(
    run: Callable[..., list[np.ndarray]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / "numpy.py").write_text("raise ImportError('this is not NumPy')")
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    path = list(sys.path)
    assert run("def run(factor, x): return [x]", [np.ones(1)], factor="1") == [np.ones(1)]
    assert "net" not in sys.modules
    assert sys.path == path
    assert [entry.name for entry in (tmp_path / "up of mine").iterdir()] == ["net.py"]
