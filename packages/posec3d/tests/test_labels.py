"""What actions are called."""

from pathlib import Path

import pytest

from modelzoo.common.errors import DataError
from modelzoo.posec3d.labels import action_names


def test_the_actions_of_hmdb51_by_number() -> None:
    names = action_names(51)
    assert len(names) == 51
    assert (names[0], names[30], names[50]) == ("brush hair", "ride bike", "wave")
    assert [name.replace(" ", "_") for name in names] == sorted(name.replace(" ", "_") for name in names)


def test_other_actions_have_numbers() -> None:
    assert action_names(3) == ["0", "1", "2"]


def test_names_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("stand\nsit down\r\nwave\x1b[2J\n\n")
    assert action_names(3, path) == ["stand", "sit down", "wave\\x1b[2J"]
    with pytest.raises(DataError, match=r"names\.txt names 3 actions, but the network tells 51 apart"):
        action_names(51, path)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes(b"\xef\xbb\xbfstand\nsit\n")
    assert action_names(2, tmp_path / "names.txt") == ["stand", "sit"]


@pytest.mark.parametrize(("content", "said"), [(b"", "names no action"), (b"\xff\xfe", "it is not UTF-8")])
def test_a_file_without_names(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(DataError, match=said):
        action_names(51, tmp_path / "names.txt")


def test_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such label file"):
        action_names(51, tmp_path / "names.txt")
