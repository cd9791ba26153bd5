"""doctor: what is there, what is missing, and where it comes from."""

import hashlib

import pytest

from modelzoo.common.cli import main
from modelzoo.common.doctor import environment_checks, file_checks

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


def test_programs_are_found_on_the_path(tmp_path, monkeypatch):
    atc = tmp_path / "atc"
    atc.write_text("#!/bin/sh\n")
    atc.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = environment_checks("toy")
    assert {"atc": "ok", "npu-smi": "missing"}.items() <= states(checks).items()
    assert next(check.detail for check in checks if check.name == "atc") == str(atc)


def test_a_missing_distribution_comes_with_its_command(monkeypatch):
    from importlib import metadata

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


def test_the_command_prints_a_line_for_each(command):
    done = command(main, "modelzoo", "doctor")
    assert done.code == 0
    lines = {line.split()[1]: line.split()[0] for line in done.out.splitlines()}
    assert lines["Python"] == lines["onnxruntime"] == "ok"
