"""doctor: what is there, what is missing, and where it comes from."""

import hashlib
import shutil
import sys
from importlib import metadata

import pytest

from modelzoo.common.cli import main
from modelzoo.common.doctor import environment_checks, file_checks
from modelzoo.common.testing.ascend import FakeAisBench
from modelzoo.common.testing.cann import FakeCann
from modelzoo.common.testing.processes import run_python

CONTENT = b"weights"
REFERENCE = {
    "weights": {"file": "w.pth", "url": "https://example.org/w", "md5": hashlib.md5(CONTENT).hexdigest()},
    "data": {"name": "Toys", "url": "https://example.org/d", "licence": "research only"},
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def states(checks):
    return {check.name: check.state for check in checks}


def detail(name, checks=None):
    return next(check.detail for check in checks or environment_checks("toy") if check.name == name)


@pytest.fixture
def pinned(monkeypatch):
    """modelzoo-toy is installed: it wants the numpy that is here, another tqdm, and what is nowhere."""
    here = {name: metadata.version(name) for name in ("numpy", "tqdm")}
    needs = [f"numpy=={here['numpy']}", "tqdm==0.1", "no-such-thing==2", "rich>=1", "yacs==0.0.1; extra == 'export'"]
    real = metadata.requires
    monkeypatch.setattr(metadata, "requires", lambda name: needs if name == "modelzoo-toy" else real(name))
    return here


def test_programs_are_found_on_the_path(tmp_path, monkeypatch):
    atc = tmp_path / "atc"
    atc.write_text("#!/bin/sh\n")
    atc.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = environment_checks("toy")
    assert {"atc": "ok", "npu-smi": "missing"}.items() <= states(checks).items()
    assert next(check.detail for check in checks if check.name == "atc") == str(atc)


def test_a_missing_distribution_comes_with_its_command(monkeypatch):
    def version(name):
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(metadata, "version", version)
    torch = next(check for check in environment_checks("toy") if check.name == "torch")
    assert torch.state == "missing"
    assert "pip install './packages/toy[export]'" in torch.detail


def test_missing_files_are_told_with_their_source():
    weights, data = file_checks(REFERENCE, None, None)
    assert (weights.state, data.state) == ("missing", "missing")
    assert REFERENCE["weights"]["url"] in weights.detail
    assert REFERENCE["weights"]["md5"] in weights.detail
    assert "research only" in data.detail


@pytest.mark.parametrize(("content", "state"), [(CONTENT, "ok"), (b"other", "wrong")])
def test_weights_are_compared_with_the_published_md5(tmp_path, content, state):
    (tmp_path / "w.pth").write_bytes(content)
    assert states(file_checks(REFERENCE, None, tmp_path)) == {"weights": state, "data": "ok"}


@pytest.mark.parametrize(("content", "state"), [(b"hello\n", "ok"), (b"hello", "wrong")])
def test_weights_in_a_git_repository_are_compared_with_their_name_there(tmp_path, content, state):
    """The hash is what `git hash-object` says of a file with the text hello."""
    blob = "ce013625030ba8dba906f756967f9e9ca394464a"
    published = {"file": "w.pth", "url": "https://example.org/w", "git_blob": blob}
    (tmp_path / "w.pth").write_bytes(content)
    weights, _ = file_checks({**REFERENCE, "weights": published}, None, None)
    assert weights.state == state
    (tmp_path / "w.pth").unlink()
    assert f"git_blob {blob}" in file_checks({**REFERENCE, "weights": published}, None, None)[0].detail


def test_weights_without_a_published_checksum(tmp_path):
    reference = {**REFERENCE, "weights": {"file": "w.pth", "url": "https://example.org/w"}}
    assert "https://example.org/w, checksum not published" in detail("weights", file_checks(reference, None, None))
    (tmp_path / "w.pth").write_bytes(CONTENT)
    assert file_checks(reference, None, None)[0].state == "ok"
    assert detail("weights", file_checks(reference, None, None)) == "w.pth; its checksum is not published"


def test_other_weights_that_the_package_names(tmp_path):
    reference = {**REFERENCE, "detector_weights": {"file": "d.weights", "url": "https://example.org/d"}}
    checks = file_checks(reference, None, None)
    assert detail("detector weights", checks) == "d.weights, https://example.org/d"
    assert states(checks)["detector weights"] == "missing"
    (tmp_path / "d.weights").write_bytes(CONTENT)
    assert states(file_checks(reference, None, None)) == {
        "weights": "missing",
        "detector weights": "ok",
        "data": "missing",
    }


def test_the_command_prints_a_line_for_each(command):
    done = command(main, "modelzoo", "doctor")
    assert done.code == 0
    lines = {line.split()[1]: line.split()[0] for line in done.out.splitlines()}
    assert lines["Python"] == lines["onnxruntime"] == "ok"


def test_every_pinned_requirement_of_the_package_is_looked_at(pinned):
    found = states(environment_checks("toy"))
    assert {"numpy": "ok", "tqdm": "wrong", "no-such-thing": "missing"}.items() <= found.items()
    assert not {"rich", "yacs"} & set(found)
    assert detail("tqdm") == f"{pinned['tqdm']}, not 0.1: pip install ./packages/toy"
    assert detail("no-such-thing") == "pip install ./packages/toy"


def test_what_common_requires_is_looked_at():
    pins = {text.partition("==")[0] for text in metadata.requires("modelzoo-common") if ";" not in text}
    assert pins <= set(states(environment_checks("toy")))


def test_a_package_that_is_not_installed_leaves_what_every_package_needs(monkeypatch):
    def requires(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    assert {"numpy": "ok", "onnxruntime": "ok"}.items() <= states(environment_checks("toy")).items()


def test_the_npu_works_with_all_of_its_tools(fake_cann: FakeCann, fake_ais_bench: FakeAisBench):
    found = states(environment_checks("toy"))
    assert (found["ais_bench"], found["backend ascend"]) == ("ok", "ok")
    assert detail("ais_bench") == f"in {sys.executable}"
    fake_cann.remove("npu-smi")
    assert states(environment_checks("toy"))["backend ascend"] == "missing"
    assert detail("backend ascend") == "see npu-smi"


def test_the_wrong_ais_bench_is_told(fake_cann: FakeCann, fake_ais_bench: FakeAisBench):
    shutil.rmtree(fake_ais_bench.site)
    fake_ais_bench.install_namesake()
    fake_ais_bench.write("aclruntime.py", '"""Fake."""')
    found = states(environment_checks("toy"))
    assert (found["ais_bench"], found["backend ascend"]) == ("wrong", "wrong")
    assert "PyPI's ais-bench-benchmark" in detail("ais_bench")
    assert "wheels ais_bench and aclruntime" in detail("ais_bench")


def test_an_ais_bench_that_needs_older_setuptools_is_told(fake_ais_bench: FakeAisBench):
    fake_ais_bench.install("2024-06")
    fake_ais_bench.hide("pkg_resources")
    assert states(environment_checks("toy"))["ais_bench"] == "wrong"
    assert "'setuptools<81'" in detail("ais_bench")


def test_an_ais_bench_without_its_runtime_is_told(fake_ais_bench: FakeAisBench):
    (fake_ais_bench.site / "aclruntime.py").unlink()
    assert states(environment_checks("toy"))["ais_bench"] == "missing"
    assert f"{sys.executable} has no aclruntime" in detail("ais_bench")


def test_the_python_of_ais_bench_is_asked(fake_ais_bench: FakeAisBench, monkeypatch):
    monkeypatch.setenv("ASCEND_PYTHON", "/no/such/python")
    assert states(environment_checks("toy"))["ais_bench"] == "missing"
    assert "cannot start the Python /no/such/python" in detail("ais_bench")


def test_the_backends_that_work_here(monkeypatch):
    assert {"backend onnxruntime": "ok", "backend torch": "ok"}.items() <= states(environment_checks("toy")).items()
    real = metadata.version

    def version(name):
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    assert states(environment_checks("toy"))["backend torch"] == "missing"
    assert detail("backend torch") == "see torch"


def test_given_files_that_are_not_there_are_named(tmp_path):
    weights, data = file_checks(REFERENCE, tmp_path / "mine.pth", tmp_path / "set")
    assert (weights.state, data.state) == ("missing", "missing")
    assert weights.detail.startswith(f"{tmp_path}/mine.pth is no file; w.pth, https://example.org/w")
    assert data.detail.startswith(f"{tmp_path}/set is no folder; Toys, https://example.org/d")


def test_without_numpy_it_still_runs():
    program = "import sys; sys.modules['numpy'] = None; from modelzoo.common.cli import main; sys.exit(main())"
    done = run_python(program, "doctor")
    assert (done.code, "Python" in done.out) == (0, True)
