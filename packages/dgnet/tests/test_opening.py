"""What a checkpoint is exported to on the way: no file of the user is replaced without asking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.plugin import Finished

Commands = Callable[..., Finished]


@pytest.fixture
def run(train_all: Path, toy: Path, tmp_path: Path, dgnet: Commands, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Run a checkpoint into `tmp_path`, where the export writes the toy."""

    def export(gen: Path, output: Path, id_path: Path, dtype: str) -> list[Path]:
        output.parent.mkdir(exist_ok=True)
        output.write_bytes(toy.read_bytes())
        return [output]

    monkeypatch.setattr("modelzoo.dgnet.export.export", export)
    for name in ("gen_00000001.pt", "id_00000001.pt"):
        (tmp_path / name).touch()
    flags = ("--data", train_all, "--gen", tmp_path / "gen_00000001.pt", "--output", tmp_path)
    return lambda *words: dgnet("run", *flags, *words)


def test_an_exported_graph_is_not_replaced(run: Commands, tmp_path: Path) -> None:
    mine = tmp_path / "DG-net.onnx"
    mine.write_text("mine")
    before = sorted(tmp_path.iterdir())
    done = run()
    assert (done.code, done.error) == (1, f"{mine} is there already")
    assert done.hint == "--model takes it as it is, --overwrite replaces it; or choose another --output"
    assert mine.read_text() == "mine"
    assert sorted(tmp_path.iterdir()) == before


def test_it_is_replaced_with_overwrite(run: Commands, toy: Path, tmp_path: Path) -> None:
    assert run().code == 0
    (tmp_path / "DG-net.onnx").write_text("an older one")
    done = run("--overwrite")
    assert done.code == 0, done.err
    assert (tmp_path / "DG-net.onnx").read_bytes() == toy.read_bytes()
