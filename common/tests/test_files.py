"""Files: a write is whole or does not happen; errors say what was expected and what is near."""

import os
import re
from pathlib import Path

import pytest

from modelzoo.common.errors import DataError, WriteError
from modelzoo.common.files import (
    atomic_path,
    existing_file,
    existing_folder,
    list_folder,
    neighbour_hint,
    write_bytes,
    write_text,
)
from modelzoo.common.testing.plugin import tree
from modelzoo.common.testing.processes import run_python

SMALL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from modelzoo.common.bins import write_bin
from modelzoo.common.errors import WriteError
from modelzoo.common.files import write_bytes, write_text
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
path = Path(sys.argv[1])
write = {
    "write_bin": lambda: write_bin(path, np.zeros(1000, np.float32)),
    "write_bytes": lambda: write_bytes(path, bytes(4000)),
    "write_text": lambda: write_text(path, 4000 * "x"),
}[sys.argv[2]]
try:
    write()
except WriteError as error:
    sys.exit(f"refused: {error}")
"""


@pytest.mark.parametrize("function", ["write_bin", "write_bytes", "write_text"])
@pytest.mark.parametrize("older", [{}, {"a.bin": b"older"}], ids=["new", "replaced"])
def test_full_disk_leaves_what_was_there(tmp_path: Path, function: str, older: dict[str, bytes]) -> None:
    for name, data in older.items():
        (tmp_path / name).write_bytes(data)
    before = tree(tmp_path)
    done = run_python(SMALL_DISK, tmp_path / "a.bin", function)
    assert done.err.startswith(f"refused: cannot write {tmp_path / 'a.bin'}: ")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_write_bytes(tmp_path: Path, size: int) -> None:
    write_bytes(tmp_path / "a", b"older, and longer")
    write_bytes(tmp_path / "a", bytes(size))
    assert (tmp_path / "a").read_bytes() == bytes(size)
    assert len(tree(tmp_path)) == 1


def test_text_is_utf8_with_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "行\n")
    assert (tmp_path / "a").read_bytes() == b"\xe8\xa1\x8c\n"


def test_error_inside_the_block_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_path(tmp_path / "a") as partial:
            partial.write_text("half")
            assert partial.parent == tmp_path
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("name", ["nosuch/a.bin", "file/a.bin", "folder"])
def test_place_that_cannot_be_written_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError, match=re.escape(str(tmp_path / name))):
        write_bytes(tmp_path / name, b"x")
    assert set(tree(tmp_path)) == {"file"}


@pytest.mark.parametrize(
    ("missing", "hint"),
    [
        ("qeury", "did you mean {}/query?"),
        ("zzz", None),
        ("nosuch/query", "{}/nosuch does not exist either"),
        ("qeury/bs1", "did you mean {}/query/bs1?"),
        ("qeury/bs2", "{}/qeury does not exist either"),
    ],
)
def test_missing_path_names_its_neighbour(tmp_path: Path, missing: str, hint: str | None) -> None:
    (tmp_path / "query" / "bs1").mkdir(parents=True)
    for check in (existing_file, existing_folder, list_folder):
        with pytest.raises(DataError, match=re.escape(str(tmp_path / missing))) as caught:
            check(tmp_path / missing, "query")
        assert caught.value.hint == (hint and hint.format(tmp_path))


def test_file_is_no_folder_and_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="not a folder"):
        existing_folder(tmp_path / "file", "data")
    with pytest.raises(DataError, match="not a file"):
        existing_file(tmp_path, "model")


def test_folder_is_listed_by_name(tmp_path: Path) -> None:
    for name in ("b", "a10", "a2", "A"):
        (tmp_path / name).touch()
    assert [entry.name for entry in list_folder(tmp_path, "data")] == ["A", "a10", "a2", "b"]


def test_what_is_no_file_is_written_and_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_text(tmp_path / "pipe", "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a").write_text("older")
    (tmp_path / "link").symlink_to(Path("there") / "a")
    write_text(tmp_path / "link", "newer")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "a").read_text() == "newer"
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["a"]


def test_a_name_without_utf8_is_written_as_an_escape(tmp_path: Path) -> None:
    write_text(tmp_path / "a", os.fsdecode(b"b\xffd"))
    assert (tmp_path / "a").read_bytes() == b"b\\udcffd"


def test_the_name_itself_is_no_neighbour(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert neighbour_hint(tmp_path / "empty") is None
    (tmp_path / "empty2").mkdir()
    assert "empty2" in (neighbour_hint(tmp_path / "empty") or "")
